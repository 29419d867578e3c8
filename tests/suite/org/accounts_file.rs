//! The accounts file on the command line, and its filters.
