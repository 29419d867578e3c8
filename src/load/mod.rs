//! x

pub mod athena;
