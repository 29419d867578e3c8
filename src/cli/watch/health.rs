//! The health of a watching process, for schedulers of containers: a file that is as old as the last sign that messages can be
//! received and processed.

use std::cell::Cell;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

use crate::cli::private_file::options;
use crate::cli::{CommandError, Context, Outcome};
use crate::watch::Notice;

/// The file is written this often at most.
const PAUSE: Duration = Duration::from_secs(1);

/// The file of `--health-file`.
pub(super) struct HealthFile {
    path: PathBuf,
    written: Cell<Instant>,
    has_failed: Cell<bool>,
}

impl HealthFile {
    /// Writes the file for the first time.
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        write(path).map_err(|error| {
            CommandError::while_doing(format_args!("writing the health file {}", path.display()), &error)
        })?;
        Ok(Self { path: path.to_owned(), written: Instant::now().into(), has_failed: false.into() })
    }

    /// Writes the file again if this shows that messages are received or processed.
    pub(super) fn notice(&self, notice: &Notice<'_>, context: &Context) {
        let is_sign = !matches!(notice, Notice::Trouble { .. } | Notice::Heartbeat(_));
        if !is_sign || self.written.get().elapsed() < PAUSE {
            return;
        }
        self.written.set(Instant::now());
        if let Err(error) = write(&self.path)
            && !self.has_failed.replace(true)
        {
            context.console.warning(format_args!("writing the health file {}: {error}", self.path.display()));
        }
    }
}

impl Drop for HealthFile {
    /// A process that has ended is not unhealthy.
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

fn write(path: &Path) -> io::Result<()> {
    let mut file = options().write(true).create(true).truncate(true).open(path)?;
    writeln!(file, "{}", Timestamp::now())
}

/// Whether the process that writes the file is healthy. Without a file none runs, which is no fault: a container's health check also runs
/// beside other commands.
pub(super) fn check(context: &Context, path: &Path, limit: Duration) -> Result<Outcome, CommandError> {
    let modified = match fs::metadata(path).and_then(|metadata| metadata.modified()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            context.console.message(format_args!("no process writes {}", path.display()));
            return Ok(Outcome::Done);
        }
        modified => modified.map_err(|error| CommandError::while_doing(format_args!("{}", path.display()), &error))?,
    };
    // A clock that was set back makes no process unhealthy.
    let age = SystemTime::now().duration_since(modified).unwrap_or_default();
    let seconds = age.as_secs();
    if age > limit {
        return Err(CommandError::failed(format_args!(
            "no message could be received or processed for {seconds} seconds, by {}",
            path.display()
        ))
        .hint("the log of the watching process has the reason"));
    }
    context.console.message(format_args!("healthy: messages could be received {seconds} seconds ago"));
    Ok(Outcome::Done)
}
