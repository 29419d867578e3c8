//! The report as one HTML file: no network, no dependency, readable without JavaScript but for the table of all resources.
//!
//! Names in a trail are chosen by others. Each text passes [`text::escaped`] on its way into markup, or [`rows`] on its way into a
//! JSON element, and nowhere else does text of others enter the file. A Content-Security-Policy allows exactly the style and the script
//! of this module, by their hashes: what slipped through could neither run nor load anything. The script makes text nodes only.
//!
//! The file is written as it is made. Memory holds the counts, and each distinct value of the table's columns once.
//!
//! Source: <https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements>,
//! <https://www.w3.org/TR/CSP3/>

mod chart;
mod rows;
mod sections;
mod text;

use std::io;

use sha2::{Digest, Sha256};

use super::live::Report;
use super::trend::Earlier;
use crate::store::StoreError;
use text::escaped;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// Bytes that are written at once.
const WRITTEN_AT_ONCE: usize = 64 * 1024;

/// What the page shows.
#[derive(Debug)]
pub struct Page<'a> {
    /// The report. The table of resources is left out if it has none.
    pub report: &'a Report,
    /// Earlier reports, the latest first.
    pub earlier: &'a [Earlier],
    /// When it was taken, UTC.
    pub taken_at: &'a str,
    /// The tag key.
    pub tag_key: &'a str,
    /// Whether AWS was not asked.
    pub offline: bool,
    /// The number of creators to show.
    pub top: usize,
    /// What could not be read: one line for each.
    pub missing: &'a [String],
}

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The file.
    #[error(transparent)]
    Output(#[from] io::Error),
    /// The resources.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Collects lines, and writes many at once.
struct Out<'w> {
    buffer: String,
    write: &'w mut dyn FnMut(&str) -> io::Result<()>,
}

impl Out<'_> {
    /// Adds markup, and a line end.
    fn line(&mut self, markup: &str) -> io::Result<()> {
        self.buffer.extend([markup, "\n"]);
        if self.buffer.len() >= WRITTEN_AT_ONCE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        (self.write)(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Page<'_> {
    /// Writes the page; each part ends with a line end.
    ///
    /// # Errors
    /// The output, or the temporary database of the resources.
    pub fn write(&self, write: &mut dyn FnMut(&str) -> io::Result<()>) -> Result<(), PageError> {
        let mut out = Out { buffer: String::new(), write };
        self.head(&mut out)?;
        self.sections(&mut out)?;
        if let Some(resources) = self.report.coverage.resources() {
            rows::write(resources, &self.report.coverage, &mut out)?;
            out.line(&format!("<script>{SCRIPT}</script>"))?;
        }
        out.line("</body>\n</html>")?;
        Ok(out.flush()?)
    }

    fn head(&self, out: &mut Out<'_>) -> io::Result<()> {
        let (style, script) = (hash(STYLE), hash(SCRIPT));
        out.line(&format!(
            "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; \
             img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"referrer\" content=\"no-referrer\">
<meta name=\"color-scheme\" content=\"light dark\">
<meta name=\"generator\" content=\"trailcreator {version}\">
<link rel=\"icon\" href=\"data:,\">
<title>Owner coverage, {day}</title>
<style>{STYLE}</style>
</head>
<body>",
            version = env!("CARGO_PKG_VERSION"),
            day = escaped(day(self.taken_at)),
        ))
    }
}

/// The hash of an inline element for a Content-Security-Policy.
fn hash(text: &str) -> String {
    aws_smithy_types::base64::encode(Sha256::digest(text))
}

/// The day of a time.
fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

#[cfg(test)]
mod tests;
