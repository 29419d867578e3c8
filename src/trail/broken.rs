//! Why a document or a record can't be read.

use std::borrow::Cow;

/// Why a document can't be read completely. Everything before the error is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenDocument {
    /// It has no byte that is not white space.
    #[error("the file is empty")]
    Empty,
    /// It has a format that is not read.
    #[error("{0}")]
    Foreign(&'static str),
    /// Its bytes can't be read or decompressed.
    #[error("{0}")]
    Unreadable(String),
    /// It is not JSON, or not of records.
    #[error("{what} at line {line} column {column}")]
    Invalid {
        /// What is wrong, in the words of `serde_json`.
        what: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A streamed document fails; the words and position of `serde_json`.
    #[error("{0}")]
    InvalidStream(String),
    /// A record exceeds [`Limits::record`](super::scan::Limits).
    #[error("a record is larger than {0} bytes")]
    RecordTooLarge(u64),
    /// It exceeds the limit of records and is none of CloudTrail's documents.
    #[error("a single object that is larger than any record and has no Records")]
    NoRecords,
    /// A second list, after events of the first were passed on.
    #[error("the document has two lists of Records")]
    TwoLists,
}

/// Why a record is not a valid CloudTrail record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenRecord {
    /// Every record has this field.
    #[error("a record has no {0}")]
    NoField(&'static str),
    /// It is JSON, but not an object.
    #[error("a record is not an object")]
    NotAnObject,
    /// It is not JSON, or too deeply nested; what `serde_json` reports.
    #[error("a record{} can't be read: {error}", of_event(.event.as_deref()))]
    Unreadable {
        /// `eventID`, where it can be found.
        event: Option<String>,
        /// The error.
        error: String,
    },
    /// A text in a field that counts can't be read.
    #[error("a record{}{} has text that can't be read in {place}", of_call(Some(.call)), of_event(.event.as_deref()))]
    Damaged {
        /// `eventSource:eventName`.
        call: String,
        /// `eventID`.
        event: Option<String>,
        /// The field.
        place: &'static str,
    },
    /// A field of a record in the map can't be read; what `serde_json` reports.
    #[error("a record{}: {error}", of_call(Some(.call)))]
    UnreadableField {
        /// `eventSource:eventName`.
        call: String,
        /// The error.
        error: String,
    },
    /// `eventTime` is not a time.
    #[error("a record{} has an invalid eventTime {}", of_call(.call.as_deref()), shortened(.time))]
    InvalidTime {
        /// `eventSource:eventName`, where it is known.
        call: Option<String>,
        /// As written, in quotes.
        time: String,
    },
    /// It is larger than a record of CloudTrail can be.
    #[error("a record{}{} is larger than 2 MiB; CloudTrail writes none over 1 MiB", of_call(Some(.call)), of_event(.event.as_deref()))]
    TooLarge {
        /// `eventSource:eventName`.
        call: String,
        /// `eventID`.
        event: Option<String>,
    },
    /// It has more identifiers than a record of CloudTrail can have.
    #[error("a record{}{} has more than 100,000 identifiers", of_call(Some(.call)), of_event(.event.as_deref()))]
    TooManyIds {
        /// `eventSource:eventName`.
        call: String,
        /// `eventID`.
        event: Option<String>,
    },
    /// Its source delivers no record for it: the source's own words.
    #[error("{0}")]
    NotDelivered(String),
}

fn of_event(event: Option<&str>) -> String {
    event.map(|event| format!(" (event {})", shortened(event))).unwrap_or_default()
}

fn of_call(call: Option<&str>) -> String {
    call.map(|call| format!(" of {}", shortened(call))).unwrap_or_default()
}

/// A text of a record for a message: a record can have megabytes where others have an event ID.
fn shortened(text: &str) -> Cow<'_, str> {
    const CHARACTERS: usize = 120;
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

impl BrokenRecord {
    /// The error of a record that is not JSON.
    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        Self::Unreadable { event: None, error: error.to_string() }
    }
}
