//! The one module that prints: data to stdout, messages and progress to stderr.
//!
//! Progress bars appear on a terminal only; elsewhere a plain line every few seconds. A closed pipe is not an error:
//! the program stops writing data and ends as if all had been read. `NO_COLOR` is honoured by indicatif and clap.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::Serialize;

/// How often a plain progress line is written where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// The form of a command's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// One document with `format_version`, for machines.
    Json,
}

/// Where a command's words go.
#[derive(Debug)]
pub struct Console {
    /// The form of data.
    pub format: OutputFormat,
    quiet: bool,
    progress: bool,
}

impl Console {
    /// `quiet` leaves errors and data only; `progress` allows bars and progress lines.
    pub fn new(format: OutputFormat, quiet: bool, progress: bool) -> Self {
        Self { format, quiet, progress: progress && !quiet }
    }

    /// Writes a line of data to stdout.
    pub fn data(&self, line: impl Display) {
        write_data(format_args!("{line}\n"));
    }

    /// Writes a document to stdout as indented JSON.
    pub fn json(&self, document: &impl Serialize) {
        let text = serde_json::to_string_pretty(document).expect("our documents hold text keys only");
        write_data(format_args!("{text}\n"));
    }

    /// Tells something to the person at the terminal.
    pub fn message(&self, line: impl Display) {
        if !self.quiet {
            write_message(format_args!("{line}\n"));
        }
    }

    /// Tells of something that went wrong but did not end the work. Printed even when quiet.
    pub fn warning(&self, line: impl Display) {
        write_message(format_args!("warning: {line}\n"));
    }

    /// Whether a person can be asked: both the question and the answer are on a terminal.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks, without a line's end. Printed even when quiet.
    pub fn question(&self, text: impl Display) {
        write_message(format_args!("{text}"));
    }

    /// Tells why the command ended.
    pub fn error(&self, text: impl Display) {
        write_message(format_args!("error: {text}\n"));
    }

    /// Starts to show progress: of `total` steps when known, else of an open-ended count.
    pub fn progress(&self, title: &str, total: Option<u64>) -> Progress {
        let on_terminal = self.progress && io::stderr().is_terminal();
        let target = if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target).with_prefix(title.to_owned());
        let template = match total {
            Some(_) => "{prefix} [{bar:30}] {pos}/{len} {rate} {msg} {eta} left",
            None => "{prefix} {spinner} {pos} {rate} {msg}",
        };
        let style = ProgressStyle::with_template(template).expect("a constant template").progress_chars("=> ");
        bar.set_style(style.with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
            // indicatif writes into a String.
            text.write_str(&rate(state.per_sec())).unwrap_or_default();
        }));
        let plain = (self.progress && !on_terminal).then(|| Mutex::new(Instant::now()));
        Progress { bar, plain, title: title.to_owned(), begun: Instant::now() }
    }
}

/// Progress of one piece of work; disappears when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: Option<Mutex<Instant>>,
    title: String,
    begun: Instant,
}

impl Progress {
    /// Sets how many steps there are, once known.
    pub fn set_total(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// Says how far the work is, in steps since its start, with a short text such as the matches so far.
    pub fn update(&self, position: u64, note: impl Into<String>) {
        let note = note.into();
        self.bar.set_position(position);
        if let Some(last) = &self.plain
            && let Ok(mut last) = last.lock()
            && last.elapsed() >= PLAIN_INTERVAL
        {
            *last = Instant::now();
            let length = self.bar.length();
            let total = length.map(|total| format!("/{total}")).unwrap_or_default();
            let left = length.and_then(|total| time_left(self.begun.elapsed(), position, total));
            let left = left.map(|left| format!(", {}s left", left.as_secs())).unwrap_or_default();
            write_message(format_args!("{}: {position}{total} {note}{left}\n", self.title));
        }
        self.bar.set_message(note);
    }

    /// Prints lines without disturbing the bar.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The time that the rest takes at the pace so far; none before the first step.
fn time_left(elapsed: Duration, position: u64, total: u64) -> Option<Duration> {
    let rest = u128::from(total.saturating_sub(position));
    let millis = elapsed.as_millis().checked_mul(rest)?.checked_div(u128::from(position))?;
    Some(Duration::from_millis(millis.try_into().ok()?))
}

/// Steps a second for people: indicatif's own has four decimals.
fn rate(per_second: f64) -> String {
    const WHOLE_FROM: f64 = 10.0;
    let decimals = usize::from(per_second < WHOLE_FROM);
    format!("{per_second:.decimals$}/s")
}

fn write_data(text: std::fmt::Arguments<'_>) {
    // The reader of a pipe may have gone (`| head`): then nobody wants the rest, which is no failure.
    if let Err(error) = io::stdout().lock().write_fmt(text)
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        write_message(format_args!("warning: can't write to stdout: {error}\n"));
    }
}

fn write_message(text: std::fmt::Arguments<'_>) {
    // Nothing is left to tell a failure of stderr to.
    drop(io::stderr().lock().write_fmt(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_pace() {
        let left = |position| time_left(Duration::from_secs(30), position, 100).map(|left| left.as_secs());
        assert_eq!([0, 10, 100, 120].map(left), [None, Some(270), Some(0), Some(0)]);
    }

    #[test]
    fn a_rate_has_as_many_decimals_as_say_something() {
        assert_eq!([0.0, 0.25, 9.94, 10.0, 1234.567].map(rate), ["0.0/s", "0.2/s", "9.9/s", "10/s", "1235/s"]);
    }
}
