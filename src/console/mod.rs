//! The one module that prints: data to stdout, messages, progress and the log to stderr.
//!
//! All text is made safe for a terminal here ([`text::safe`](crate::text)), so that no command can forget it. A line is one line: line
//! breaks in a value are escaped too. A text of several lines is [`Lines`]; a document that has line ends of its own (YAML, SQL,
//! CSV) goes through [`Console::document`].
//!
//! Progress bars appear on a terminal only; elsewhere a plain line every few seconds. A closed pipe is not an error:
//! the program stops writing data and ends normally. indicatif and clap honour `NO_COLOR`.

use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

mod json;
mod lines;
mod log;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::Serialize;

pub use json::Each;
pub use lines::Lines;
pub use log::start as start_log;

use crate::text::{safe, secrets};

/// How often a plain progress line is written where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// The format of the data on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// One document with `format_version`, for machines.
    Json,
}

/// Where a command's output goes.
#[derive(Debug)]
pub struct Console {
    /// The format of the data on stdout.
    pub format: OutputFormat,
    quiet: bool,
    progress: bool,
    /// Whether data could not be written.
    lost_data: AtomicBool,
    /// Whether the reader of stdout has gone.
    is_closed: AtomicBool,
}

impl Console {
    /// `quiet` suppresses messages, but not warnings, errors and data; `progress` allows bars and progress lines.
    pub fn new(format: OutputFormat, quiet: bool, progress: bool) -> Self {
        Self {
            format,
            quiet,
            progress: progress && !quiet,
            lost_data: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Writes a line of data to stdout.
    pub fn data(&self, line: impl Display) {
        self.write_data(&safe::one_line(&line.to_string()), "\n");
    }

    /// Writes lines of data to stdout.
    pub fn lines(&self, lines: &Lines) {
        self.write_data(&safe::lines(lines.as_str()), "");
    }

    /// Writes a document with line ends of its own to stdout, and a last one if it has none.
    pub fn document(&self, text: &str) {
        self.write_data(&safe::lines(text), if text.ends_with('\n') { "" } else { "\n" });
    }

    /// Writes a document to stdout as indented JSON, while it is made.
    pub fn json(&self, document: &impl Serialize) {
        self.try_json(document).expect("our documents hold text keys only");
    }

    /// The same, of a document that can fail to be made. Then it ends where it failed.
    ///
    /// # Errors
    /// Those of the document.
    pub fn try_json(&self, document: &impl Serialize) -> serde_json::Result<()> {
        let mut parts = json::Parts::new(self);
        let made = serde_json::to_writer_pretty(&mut parts, document);
        parts.finish();
        made
    }

    /// Writes a part of a JSON document to stdout, and a line end.
    pub fn json_part(&self, part: &str) {
        self.write_data(&safe::json(part), "\n");
    }

    /// Whether data was lost because stdout could not be written (a full disk): then the command has failed.
    pub fn has_lost_data(&self) -> bool {
        self.lost_data.load(Ordering::Relaxed)
    }

    /// Whether nothing that is written to stdout is read any more: long output can end.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed) || self.has_lost_data()
    }

    /// The number of columns of the terminal that stdout is. `None` if it is none.
    pub fn data_width(&self) -> Option<usize> {
        terminal_size::terminal_size_of(io::stdout()).map(|(terminal_size::Width(width), _)| width.into())
    }

    fn write_data(&self, text: &str, end: &str) {
        // The reader of a pipe may close it early (`| head`). That is not an error.
        let mut stdout = io::stdout().lock();
        let Err(error) = stdout.write_fmt(format_args!("{text}{end}")).and_then(|()| stdout.flush()) else { return };
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.is_closed.store(true, Ordering::Relaxed);
        } else if !self.lost_data.swap(true, Ordering::Relaxed) {
            self.error(format_args!("can't write to stdout: {error}"), [] as [&str; 0]);
        }
    }

    /// Prints a message to stderr, unless quiet.
    pub fn message(&self, line: impl Display) {
        if !self.quiet {
            write_message(format_args!("{}\n", SafeLine(line)));
        }
    }

    /// Prints lines to stderr, unless quiet.
    pub fn message_lines(&self, lines: &Lines) {
        if !self.quiet {
            write_message(format_args!("{}", safe::lines(lines.as_str())));
        }
    }

    /// Prints a warning to stderr: something failed, but the command continues. Printed even when quiet.
    pub fn warning(&self, line: impl Display) {
        self.warning_with(line, None::<&str>);
    }

    /// Prints a warning with details, each on a line of its own below it.
    pub fn warning_with<D: Display>(&self, line: impl Display, details: impl IntoIterator<Item = D>) {
        write_message(format_args!("warning: {}\n{}", SafeLine(line), below(details)));
    }

    /// Prints a warning with advice, one on a line.
    pub fn warning_with_hints<D: Display>(&self, line: impl Display, hints: impl IntoIterator<Item = D>) {
        self.warning_with(line, hints.into_iter().map(|hint| format!("hint: {hint}")));
    }

    /// Whether messages go to a terminal, where a person reads them.
    pub fn shows_messages_on_terminal(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Whether a person can be asked: both the question and the answer are on a terminal.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks, without a line end after the question, below the lines that it is about. Printed even when quiet.
    pub fn question(&self, about: &Lines, question: impl Display) {
        write_message(format_args!("{}{} ", about.as_str(), SafeLine(question)));
    }

    /// Prints to stderr why the command failed, with advice.
    pub fn error<D: Display>(&self, line: impl Display, hints: impl IntoIterator<Item = D>) {
        let hints = below(hints.into_iter().map(|hint| format!("hint: {hint}")));
        write_message(format_args!("error: {}\n{hints}", SafeLine(line)));
    }

    /// Starts a progress bar of `total` steps. Without a total it shows a spinner and a count.
    pub fn progress(&self, title: &str, total: Option<u64>) -> Progress {
        let on_terminal = self.progress && io::stderr().is_terminal();
        let target = if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target).with_prefix(SafeLine(title).to_string());
        let template = match total {
            Some(_) => "{prefix} [{bar:30}] {pos}/{len} {rate}{msg} {eta} left",
            None => "{prefix} {spinner} {pos} {rate}{msg}",
        };
        let style = ProgressStyle::with_template(template).expect("a constant template").progress_chars("=> ");
        bar.set_style(style.with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
            // indicatif writes into a String.
            text.write_str(&rate(state.per_sec())).unwrap_or_default();
        }));
        let plain = (self.progress && !on_terminal).then(|| Mutex::new(Instant::now()));
        Progress { bar, plain, title: SafeLine(title).to_string(), begun: Instant::now() }
    }
}

/// Asks the person at the terminal and returns the line that is typed. Reads from the terminal also where stdin is data.
///
/// # Errors
/// There is no terminal.
pub fn ask(question: impl Display) -> io::Result<String> {
    if !io::stderr().is_terminal() {
        return Err(io::Error::other("there is no terminal to ask on"));
    }
    let mut line = String::new();
    let stdin = io::stdin();
    if stdin.is_terminal() {
        write_message(format_args!("{}", SafeLine(&question)));
        stdin.read_line(&mut line)?;
    } else {
        let terminal = File::open(TERMINAL).map_err(|_| io::Error::other("there is no terminal to ask on"))?;
        write_message(format_args!("{}", SafeLine(&question)));
        BufReader::new(terminal).read_line(&mut line)?;
    }
    Ok(line.trim_end().to_owned())
}

/// What a process's own terminal is called.
const TERMINAL: &str = if cfg!(windows) { "CONIN$" } else { "/dev/tty" };

/// The progress display of one task. Cleared when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: Option<Mutex<Instant>>,
    title: String,
    begun: Instant,
}

impl Progress {
    /// Sets the number of steps, once it is known.
    pub fn set_total(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// Sets the number of completed steps, with a short note such as the number of events so far.
    pub fn update(&self, position: u64, note: impl Into<String>) {
        let note = note.into();
        let note = if note.is_empty() { note } else { format!(" {}", SafeLine(note)) };
        self.bar.set_position(position);
        if let Some(last) = &self.plain
            && let Ok(mut last) = last.lock()
            && last.elapsed() >= PLAIN_INTERVAL
        {
            *last = Instant::now();
            let state = plain_state(position, self.bar.length(), &note, self.begun.elapsed());
            write_message(format_args!("{}: {state}\n", self.title));
        }
        self.bar.set_message(note);
    }

    /// Hides the bar while `print` runs.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What a plain progress line says after the title: `881/4060 12 failed, 36s left`. A note begins with its space. The time has the
/// form that a bar has.
fn plain_state(position: u64, total: Option<u64>, note: &str, elapsed: Duration) -> String {
    let left = total.and_then(|total| time_left(elapsed, position, total));
    let left = left.map(|left| format!(", {:#} left", HumanDuration(left))).unwrap_or_default();
    let total = total.map(|total| format!("/{total}")).unwrap_or_default();
    format!("{position}{total}{note}{left}")
}

/// The estimated time for the remaining steps at the average pace so far. `None` before the first step.
fn time_left(elapsed: Duration, position: u64, total: u64) -> Option<Duration> {
    let rest = u128::from(total.saturating_sub(position));
    let millis = elapsed.as_millis().checked_mul(rest)?.checked_div(u128::from(position))?;
    Some(Duration::from_millis(millis.try_into().ok()?))
}

/// Steps per second. indicatif's own format has four decimals.
fn rate(per_second: f64) -> String {
    const WHOLE_FROM: f64 = 10.0;
    let decimals = usize::from(per_second < WHOLE_FROM);
    format!("{per_second:.decimals$}/s")
}

/// A count with thousands separators, for text output: `18,000`.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, which takes an `s` in the plural: `1 log file`, `18,000 events`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(count))
}

/// Prints a text in lines to stderr as it is without a console: what the command line's parser says.
pub fn plain_message(text: &str) {
    write_message(format_args!("{}", safe::lines(&secrets::redacted(text))));
}

/// Displays a message as one escaped line, without secrets.
struct SafeLine<D>(D);

impl<D: Display> Display for SafeLine<D> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&safe::one_line(&secrets::redacted(&self.0.to_string())))
    }
}

/// Details of a message, indented, each with a line end.
fn below<D: Display>(details: impl IntoIterator<Item = D>) -> String {
    details.into_iter().map(|detail| format!("  {}\n", SafeLine(detail))).collect()
}

fn write_message(text: std::fmt::Arguments<'_>) {
    // A failure of stderr can't be reported anywhere.
    drop(io::stderr().lock().write_fmt(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_extrapolated_from_average_pace() {
        let left = |position| time_left(Duration::from_secs(30), position, 100).map(|left| left.as_secs());
        assert_eq!([0, 10, 100, 120].map(left), [None, Some(270), Some(0), Some(0)]);
    }

    #[test]
    fn plain_line_has_what_is_known() {
        let state = |position, total, note| plain_state(position, total, note, Duration::from_secs(30));
        assert_eq!(
            [
                state(881, None, ""),
                state(881, None, " 3 failed"),
                state(0, Some(4060), ""),
                state(30, Some(60), ""),
                state(30, Some(60), " sqs"),
                state(30, Some(9_000), " sqs"),
            ],
            ["881", "881 3 failed", "0/4060", "30/60, 30s left", "30/60 sqs, 30s left", "30/9000 sqs, 2h left"]
        );
    }

    #[test]
    fn numbers_have_thousands_separators() {
        assert_eq!(
            [0, 12, 999, 1000, 18_000, 1_234_567].map(number),
            ["0", "12", "999", "1,000", "18,000", "1,234,567"]
        );
        assert_eq!([0, 1, 1_000].map(|count| counted(count, "event")), ["0 events", "1 event", "1,000 events"]);
    }

    #[test]
    fn rate_below_ten_has_one_decimal() {
        assert_eq!([0.0, 0.25, 9.94, 10.0, 1234.567].map(rate), ["0.0/s", "0.2/s", "9.9/s", "10/s", "1235/s"]);
    }
}
