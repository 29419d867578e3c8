//! Runs and their writes: what was done to AWS, so that it can be resumed and taken back.
