//! `tag`.

use super::{CommandError, Context, Outcome};

/// x
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_args: Args, _context: &Context) -> Result<Outcome, CommandError> {
    todo!()
}
