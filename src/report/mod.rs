//! Answers for people, made of what the store knows and of what lives.

pub mod coverage;
pub mod csv;
pub mod live;
pub mod offline;
pub mod organization;
pub mod who;
