//! Answers for people, made of what the store knows.

pub mod who;
