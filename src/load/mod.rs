//! x
pub mod athena;
