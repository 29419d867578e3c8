//! `man`: manual pages, from the command line's own definition.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Command;

use super::{CommandError, Context, Outcome, command};

const EXAMPLES: &str = "\
Examples:
  Read the manual page of tag:
    trailcreator man tag | man -l -
  Write all pages to a folder:
    trailcreator man --directory /usr/local/share/man/man1";

/// Print manual pages
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Print the page of this command (tag, or resource-map check) [default: the page of trailcreator]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write all pages to this folder, as trailcreator-COMMAND.1
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    directory: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Outcome, CommandError> {
    let program = command();
    if let Some(folder) = &args.directory {
        let pages = write_all(&program, folder).map_err(|error| {
            CommandError::while_doing(format_args!("writing manual pages to {}", folder.display()), &error)
        })?;
        context.console.message(format_args!("{pages} pages written to {}", folder.display()));
        return Ok(Outcome::Done);
    }
    let mut found = &program;
    for name in &args.command {
        found = found.get_subcommands().find(|command| command.get_name() == name).ok_or_else(|| {
            CommandError::usage(format_args!("{} is not a command", args.command.join(" ")))
                .hint("list the commands with: trailcreator --help")
        })?;
    }
    let page = page(found).map_err(|error| CommandError::while_doing("writing the manual page", &error))?;
    context.console.document(&page);
    Ok(Outcome::Done)
}

/// A command's page, in roff.
fn page(command: &Command) -> io::Result<String> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).replace(' ', "-");
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone().name(name)).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Writes the pages of a command and those below it; returns how many.
fn write_all(command: &Command, folder: &Path) -> io::Result<u32> {
    fs::create_dir_all(folder)?;
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).replace(' ', "-");
    fs::write(folder.join(format!("{name}.1")), page(command)?)?;
    let below = command.get_subcommands().filter(|command| command.get_name() != "help");
    below.map(|command| write_all(command, folder)).try_fold(1, |pages, more| Ok(pages + more?))
}
