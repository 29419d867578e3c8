//! Reads the list of records of a log file in parts: frames the records in a buffer, moves the incomplete one at its end to the
//! beginning, and fills the buffer again. Elements that `frame` does not accept are read directly, as in `memory`. Log files that
//! follow each other in one document are read like this, too.
//!
//! Other documents, and members of a log file after its list, are for `stream`.

use std::io::{self, Cursor, ErrorKind, Read};

use super::super::frame::{self, PassEnd, Position, is_white};
use super::memory::Walk;
use super::{BYTE_ORDER_MARK, RECORDS_KEY, Records, Wants, stream};
use crate::trail::broken::BrokenDocument;
use crate::trail::envelope::{List, may_be_notification};

/// Bytes in which a log file's list begins, unless there is much white space.
const LONGEST_START: usize = 64;

/// Splits a document that begins with `head` and continues with `rest`, with `head` as the buffer.
///
/// # Errors
/// Why it can't be read completely, including a record over the limit. Everything before the error was passed on.
pub(in crate::trail::scan) fn split(
    head: &mut Vec<u8>,
    rest: impl Read,
    wants: Wants<'_>,
    records: &mut impl Records,
) -> Result<(), BrokenDocument> {
    let Some(start) = list_start(head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head)) else {
        return stream::split(head, rest, wants, records);
    };
    let mark = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    head.drain(..mark);
    let position = Position { offset: start, after_element: false };
    Parts { buffer: head, rest, wants, position, lines: 0, column: 0, ended: None }.documents(records)
}

/// Whether a document begins with a log file's list of records.
pub(in crate::trail::scan) fn begins_with_list(json: &[u8]) -> bool {
    list_start(json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json)).is_some()
}

/// The offset after the `[` of a log file's list of records, if the text begins with it.
fn list_start(json: &[u8]) -> Option<usize> {
    let rest = without_white(json).strip_prefix(b"{")?;
    let rest = without_white(rest).strip_prefix(b"\"")?.strip_prefix(RECORDS_KEY.as_bytes())?.strip_prefix(b"\"")?;
    let rest = without_white(rest).strip_prefix(b":")?;
    let rest = without_white(rest).strip_prefix(b"[")?;
    Some(json.len() - rest.len())
}

fn without_white(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| is_white(**byte)).count()..]
}

struct Parts<'b, 'w, R> {
    /// The bytes from some place of the document on.
    buffer: &'b mut Vec<u8>,
    /// The bytes after them.
    rest: R,
    wants: Wants<'w>,
    /// Where the next element is looked for in the buffer.
    position: Position,
    /// The number of line ends before the buffer.
    lines: usize,
    /// The number of bytes before the buffer in its first line.
    column: usize,
    /// The end of `rest`, with its error.
    ended: Option<io::Result<()>>,
}

/// What follows the elements that were read.
enum Next {
    /// An object, which `frame` may accept.
    Object,
    /// The end of the list; the offset after its `]`.
    End(usize),
    /// An element that does not end in the buffer.
    Incomplete,
}

/// What follows a list.
enum AfterList {
    /// The end of the document.
    End,
    /// The list of another log file.
    LogFile,
    /// Something else.
    Other,
}

impl<R: Read> Parts<'_, '_, R> {
    fn documents(mut self, records: &mut impl Records) -> Result<(), BrokenDocument> {
        loop {
            records.begin_document();
            records.begin_list()?;
            self.list(records)?;
            match self.after_list() {
                AfterList::End => return Ok(()),
                AfterList::LogFile => {}
                AfterList::Other => return self.go_on(records),
            }
        }
    }

    /// Reads a list to its end, where the position is then.
    fn list(&mut self, records: &mut impl Records) -> Result<(), BrokenDocument> {
        let (mut is_first, mut is_checked) = (true, false);
        loop {
            let json = &self.buffer[..];
            let mut walk = Walk::of_list(json, self.wants, records);
            let end = frame::records(json, self.position, self.wants.keys, |record, found| {
                is_checked |= std::mem::take(&mut is_first) && may_be_notification(&json[record.clone()]);
                walk.take(record, found, List::Records, is_checked)
            });
            let next = match end {
                PassEnd::End(offset) => Ok(Next::End(offset)),
                PassEnd::Open(position) | PassEnd::Unusual(position) => {
                    self.position = position;
                    Self::elements(&mut walk, &mut self.position, self.ended.is_none())
                }
            };
            match next.map_err(|error| self.located(error))? {
                Next::Object => {}
                Next::End(offset) => {
                    self.position = Position { offset, after_element: false };
                    return Ok(());
                }
                Next::Incomplete if self.is_over_limit() => return Err(self.wants.too_large()),
                Next::Incomplete => self.fill(),
            }
        }
    }

    /// Reads elements that `frame` does not accept, up to the next object. `has_more`: there are bytes after the buffer.
    fn elements(
        walk: &mut Walk<'_, impl Records>,
        position: &mut Position,
        has_more: bool,
    ) -> Result<Next, BrokenDocument> {
        loop {
            let size = walk.json.len();
            let at = match walk.element(*position) {
                Ok(Some(at)) => at,
                Ok(None) => return Ok(Next::End(walk.skip_white(position.offset) + 1)),
                Err(_) if has_more && walk.skip_white(position.offset) == size => return Ok(Next::Incomplete),
                Err(error) => return Err(error),
            };
            let end = match walk.end_of_value(at) {
                // A number that ends with the buffer may go on.
                Ok(end) if end < size || !has_more => end,
                Err(error) if !has_more => return Err(error),
                Ok(_) | Err(_) => return Ok(Next::Incomplete),
            };
            walk.hand_on(at..end, List::Records)?;
            *position = Position { offset: end, after_element: true };
            if walk.is_before_object(*position) {
                return Ok(Next::Object);
            }
        }
    }

    /// What follows the list that ends at the position. Before another log file's records, the position is in their list.
    fn after_list(&mut self) -> AfterList {
        loop {
            let size = self.buffer.len();
            let rest = without_white(&self.buffer[self.position.offset..]);
            let is_ended = self.ended.is_some();
            match rest.strip_prefix(b"}").map(without_white) {
                Some([]) if matches!(self.ended, Some(Ok(()))) => return AfterList::End,
                Some(next) if let Some(start) = list_start(next) => {
                    self.position.offset = size - next.len() + start;
                    return AfterList::LogFile;
                }
                Some(next) if is_ended || next.len() >= LONGEST_START => return AfterList::Other,
                None if is_ended || !rest.is_empty() => return AfterList::Other,
                _ if self.is_over_limit() => return AfterList::Other,
                _ => self.fill(),
            }
        }
    }

    /// Whether more is held than a record may have.
    fn is_over_limit(&self) -> bool {
        let held = self.buffer.len() - self.position.offset;
        held as u64 > self.wants.record_limit.saturating_add(stream::READ_SIZE as u64)
    }

    /// Reads more bytes behind those from the position on.
    fn fill(&mut self) {
        let size = self.buffer.len();
        let dropped = &self.buffer[..self.position.offset];
        self.lines += memchr::memchr_iter(b'\n', dropped).count();
        self.column = match memchr::memrchr(b'\n', dropped) {
            Some(newline) => dropped.len() - newline - 1,
            None => self.column + dropped.len(),
        };
        let kept = size - self.position.offset;
        self.buffer.copy_within(self.position.offset.., 0);
        self.position.offset = 0;
        // An element that takes most of the buffer gets a larger one.
        let size = if kept > size / 2 { size * 2 } else { size };
        self.buffer.resize(size, 0);
        let mut length = kept;
        while length < size && self.ended.is_none() {
            match self.rest.read(&mut self.buffer[length..]) {
                Ok(0) => self.ended = Some(Ok(())),
                Ok(read) => length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.ended = Some(Err(error)),
            }
        }
        self.buffer.truncate(length);
    }

    /// The error with its position in the document. If not everything could be read, that is the error.
    fn located(&self, error: BrokenDocument) -> BrokenDocument {
        match (&self.ended, error) {
            (Some(Err(unreadable)), _) => BrokenDocument::Unreadable(unreadable.to_string()),
            (_, BrokenDocument::Invalid { what, line, column }) => {
                let column = if line == 1 { self.column + column } else { column };
                BrokenDocument::Invalid { what, line: self.lines + line, column }
            }
            (_, error) => error,
        }
    }

    /// Reads the rest after the list as a stream.
    fn go_on(self, records: &mut impl Records) -> Result<(), BrokenDocument> {
        let Self { buffer, rest, wants, position, ended, .. } = self;
        let left = Cursor::new(&buffer[position.offset..]);
        match ended {
            None => stream::after_list(left.chain(rest), wants, records),
            Some(Ok(())) => stream::after_list(left, wants, records),
            Some(Err(error)) => stream::after_list(left.chain(Failed(Some(error))), wants, records),
        }
    }
}

/// Where reading failed before.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_log_files_begin_with_their_list() {
        for (json, start) in [
            ("{\"Records\":[{", Some(12)),
            (" {\n\"Records\" :\t[", Some(16)),
            ("{\"Records\":", None),
            ("{\" Records\":[", None),
            ("{\"Records \":[", None),
            ("{\"Records\":{}", None),
            ("{\"x\":1,\"Records\":[", None),
            ("[{", None),
            ("", None),
        ] {
            assert_eq!(list_start(json.as_bytes()), start, "{json}");
        }
    }
}
