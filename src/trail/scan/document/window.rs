//! Splits the list of records of a log file that is too large for memory: frames the records in a buffer, moves the incomplete one at
//! its end to the beginning, and fills the buffer again.
//!
//! What is not such a list, or is unusual in it, is for `stream`.

use std::io::{self, Cursor, ErrorKind, Read};

use super::super::frame::{self, PassEnd, Position, is_white};
use super::memory::Walk;
use super::{BYTE_ORDER_MARK, RECORDS_KEY, Records, Wants, stream};
use crate::trail::broken::BrokenDocument;
use crate::trail::envelope::{List, may_be_notification};

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
    let Some(start) = list_start(head) else { return stream::split(head, rest, wants, records) };
    records.begin_document();
    records.begin_list()?;
    let position = Position { offset: start, after_element: false };
    Window { buffer: head, rest, wants, position, ended: None }.list(records)
}

/// The offset after the `[` of a log file's list of records, if the document begins with it.
pub(in crate::trail::scan) fn list_start(json: &[u8]) -> Option<usize> {
    let rest = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
    let rest = without_white(rest).strip_prefix(b"{")?;
    let rest = without_white(rest).strip_prefix(b"\"")?.strip_prefix(RECORDS_KEY.as_bytes())?.strip_prefix(b"\"")?;
    let rest = without_white(rest).strip_prefix(b":")?;
    let rest = without_white(rest).strip_prefix(b"[")?;
    Some(json.len() - rest.len())
}

fn without_white(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| is_white(**byte)).count()..]
}

struct Window<'b, 'w, R> {
    /// The bytes from some element on.
    buffer: &'b mut Vec<u8>,
    /// The bytes after them.
    rest: R,
    wants: Wants<'w>,
    /// Where the next element is looked for in the buffer.
    position: Position,
    /// The end of `rest`, with its error.
    ended: Option<io::Result<()>>,
}

impl<R: Read> Window<'_, '_, R> {
    fn list(mut self, records: &mut impl Records) -> Result<(), BrokenDocument> {
        let (mut is_first, mut is_checked) = (true, false);
        loop {
            let json = &self.buffer[..];
            let mut walk = Walk::of_list(json, self.wants, records);
            let end = frame::records(json, self.position, self.wants.keys, |record, found| {
                is_checked |= std::mem::take(&mut is_first) && may_be_notification(&json[record.clone()]);
                walk.take(record, found, List::Records, is_checked)
            });
            self.position = match end {
                PassEnd::End(offset) => {
                    self.position.offset = offset;
                    return self.go_on(stream::Place::AfterList, records);
                }
                PassEnd::Unusual(position) => match Self::unusual(&mut walk, position)? {
                    Some(after) => {
                        self.position = after;
                        continue;
                    }
                    None => position,
                },
                PassEnd::Open(position) => position,
            };
            let is_larger = self.is_over_limit();
            if is_larger && matches!(end, PassEnd::Open(_)) {
                return Err(self.wants.too_large());
            }
            if is_larger || self.ended.is_some() {
                let after_element = self.position.after_element;
                return self.go_on(stream::Place::InList { after_element }, records);
            }
            self.fill();
        }
    }

    /// Reads the element after `position`, which `frame` does not accept. Returns the position after it. `None` if its end is not known.
    fn unusual(walk: &mut Walk<'_, impl Records>, position: Position) -> Result<Option<Position>, BrokenDocument> {
        let Ok(Some(at)) = walk.element(position) else { return Ok(None) };
        // Nothing ends at the end of the buffer for certain.
        let Some(end) = walk.end_of_value(at).ok().filter(|&end| end < walk.json.len()) else { return Ok(None) };
        walk.hand_on(at..end, List::Records)?;
        Ok(Some(Position { offset: end, after_element: true }))
    }

    /// Whether the incomplete element is a record over the limit.
    fn is_over_limit(&self) -> bool {
        let held = self.buffer.len() - self.position.offset;
        held as u64 > self.wants.record_limit.saturating_add(stream::READ_SIZE as u64)
    }

    /// Reads more bytes behind the incomplete element.
    fn fill(&mut self) {
        let size = self.buffer.len();
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

    /// Reads the rest as a stream.
    fn go_on(self, place: stream::Place, records: &mut impl Records) -> Result<(), BrokenDocument> {
        let Self { buffer, rest, wants, position, ended } = self;
        let left = Cursor::new(&buffer[position.offset..]);
        match ended {
            None => stream::go_on(place, left.chain(rest), wants, records),
            Some(Ok(())) => stream::go_on(place, left, wants, records),
            Some(Err(error)) => stream::go_on(place, left.chain(Failed(Some(error))), wants, records),
        }
    }
}

/// Where a stream failed before.
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
            ("\u{feff} {\n\"Records\" :\t[", Some(19)),
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
