//! Processes that are killed, that work on one database at once, and disks and files that go away: nothing is lost, doubled or wrong.
//!
//! `TRAILCREATOR_KILL_SEEDS=200 cargo test --test suite crashes::kills` kills each command 200 times.

mod disk;
mod kills;
mod sources;
mod together;
