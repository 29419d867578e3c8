//! The log on stderr: `LEVEL message fields`, one line per event, escaped as all text is.

use std::fmt;
use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::text::{safe, secrets};

/// Sends the log to stderr. Only our own events are shown in detail: the debug output of AWS's crates is not for users, and has
/// credentials.
pub fn start(level: LevelFilter) {
    let targets = Targets::new().with_default(LevelFilter::ERROR).with_target("trailcreator", level);
    let colors = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colors).event_format(SafeLine);
    tracing_subscriber::registry().with(targets).with(lines).init();
}

/// Formats an event as one escaped line.
struct SafeLine;

impl<S, N> FormatEvent<S, N> for SafeLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = String::new();
        context.format_fields(Writer::new(&mut fields), event)?;
        let level = event.metadata().level();
        let level =
            if to.has_ansi_escapes() { format!("{}{level:>5}\u{1b}[0m", color(*level)) } else { format!("{level:>5}") };
        writeln!(to, "{level} {}", safe::one_line(&secrets::redacted(&fields)))
    }
}

fn color(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        _ => "\u{1b}[34m",
    }
}
