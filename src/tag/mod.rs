//! The tagging side: collect facts, plan, apply, journal, undo.
//!
//! ```text
//! collect (list, join, confirm tags; parents) ──► plan (pure) ──► run (check, journal) ──► apply (fewest calls)
//! saved plan, interrupted run, undo ─► current (list again, confirm) ─┘
//! ```
//!
//! Invariants: a resource that has the tag is never changed unless the plan names the value that it replaces. Nothing is written
//! without reading the present value in the same run. A type that tagging also updates is skipped unless the user allows it. Every
//! write is in the journal before its call is made.

pub mod apply;
pub mod chosen;
pub mod collect;
pub mod current;
mod gather_parents;
mod holding;
mod recorded;
pub mod run;
pub mod scope;
