//! The tagging side: collect facts, plan, apply, journal, undo.
//!
//! ```text
//! collect (list, join, confirm tags; parents) ──► plan (pure) ──► run (check, journal) ──► apply (fewest calls)
//! saved plan, interrupted run, undo ─► current (list again, confirm) ─┘
//! ```
//!
//! The life of a write, one type for each state:
//!
//! | state | type | |
//! | --- | --- | --- |
//! | planned | [`PlannedWrite`](crate::plan::PlannedWrite) | one tag for one resource, in a plan or a saved plan, with the reason |
//! | of a run | [`Write`](crate::store::journal::Write) | the change of one tag, numbered; an undo is the reverse change |
//! | ready | [`ReadyWrite`](apply::ReadyWrite) | its resource was read just now and the tag has the expected value |
//! | ended | [`WriteOutcome`](crate::store::journal::WriteOutcome) | written, failed, skipped… with the reason. Unfinished and under way: for the next attempt |
//! | journaled | [`RunWrite`](crate::store::journal::RunWrite) | the write with its outcome so far, in the journal and in the report of a run |
//!
//! Ready writes go to AWS in `WriteBatch`es, one for each call. A resumed run and an undo start again with the journal's
//! [`RunWrite`](crate::store::journal::RunWrite)s.
//!
//! Invariants: a resource that has the tag is never changed unless the plan names the value that it replaces. Nothing is written
//! without reading the present value in the same run. A type that tagging also updates is skipped unless the user allows it. Every
//! write is in the journal before its call is made.

pub mod apply;
pub mod chosen;
pub mod collect;
pub mod current;
mod from_config;
mod gather_parents;
mod holding;
mod joins;
mod look;
mod parts;
mod recorded;
pub mod run;
pub mod scope;
#[cfg(test)]
pub(crate) mod test_data;
