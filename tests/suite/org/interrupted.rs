//! Interrupted and resumed.
