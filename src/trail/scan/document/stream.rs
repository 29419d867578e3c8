//! Splits a document that is too large for memory: holds one record at a time, read by `serde_json`.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Cursor, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{BYTE_ORDER_MARK, RECORDS_KEY, Records, Shape, Wants, memory};
use crate::trail::broken::BrokenDocument;
use crate::trail::mend::{self, TextReader};
use crate::trail::scan::frame::is_white;

/// Bytes read at a time from a stream.
const READ_SIZE: usize = 64 * 1024;

/// Splits a document that continues after `head`.
///
/// # Errors
/// Why it can't be read completely, including a record over the limit. Everything before the error was passed on.
pub(in crate::trail::scan) fn split(
    head: &[u8],
    rest: impl Read,
    wants: Wants<'_>,
    records: &mut impl Records,
) -> Result<(), BrokenDocument> {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    // A value that ends within the head is one of JSON Lines; a document of records would continue.
    let start = head.iter().take_while(|byte| is_white(**byte)).count();
    let lines = mend::end_of_value(head, start).is_some();
    let pending = Cell::new(0);
    let reader = Gauge { inner: TextReader::new(Cursor::new(head).chain(rest)), pending: &pending, wants };
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::with_capacity(READ_SIZE, reader));
    if !lines {
        records.begin_document();
        let document = Document { records, wants, pending: &pending };
        if document.deserialize(&mut deserializer).map_err(|error| invalid(&error))? == Shape::Other {
            return Err(BrokenDocument::NoRecords);
        }
    }
    for value in deserializer.into_iter::<Box<RawValue>>() {
        let value = value.map_err(|error| invalid(&error))?;
        pending.set(0);
        memory::split_value(value.get(), wants, records)?;
    }
    Ok(())
}

fn invalid(error: &serde_json::Error) -> BrokenDocument {
    BrokenDocument::InvalidStream(error.to_string())
}

/// Reads one top-level value and passes its records on.
struct Document<'a, R> {
    records: &'a mut R,
    wants: Wants<'a>,
    /// Bytes read since the last record.
    pending: &'a Cell<u64>,
}

impl<'de, R: Records> DeserializeSeed<'de> for Document<'_, R> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Records> Visitor<'de> for Document<'_, R> {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CloudTrail records (an object or a list)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::Other;
        while let Some(key) = map.next_key::<String>()? {
            shape = shape.with_key(&key);
            if key == RECORDS_KEY {
                self.records.begin_list().map_err(A::Error::custom)?;
                map.next_value_seed(List { records: self.records, wants: self.wants, pending: self.pending })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if shape == Shape::Digest {
            self.records.digest();
        }
        Ok(shape)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Shape, A::Error> {
        List { records: self.records, wants: self.wants, pending: self.pending }.visit_seq(list)?;
        Ok(Shape::Records)
    }
}

/// Reads a list of records.
struct List<'a, R> {
    records: &'a mut R,
    wants: Wants<'a>,
    pending: &'a Cell<u64>,
}

impl<'de, R: Records> DeserializeSeed<'de> for List<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Records> Visitor<'de> for List<'_, R> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of records")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Box<RawValue>>()? {
            self.wants.hand_on(record.get().as_bytes(), self.records).map_err(A::Error::custom)?;
            self.pending.set(0);
        }
        Ok(())
    }
}

/// A reader that fails if it returns more bytes than a record may have without reaching the end of a record, because these
/// bytes are held in memory until then.
struct Gauge<'a, R> {
    inner: R,
    pending: &'a Cell<u64>,
    wants: Wants<'a>,
}

impl<R: Read> Read for Gauge<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.get() > self.wants.record_limit + READ_SIZE as u64 {
            return Err(io::Error::other(self.wants.too_large()));
        }
        let length = self.inner.read(buffer)?;
        self.pending.set(self.pending.get() + length as u64);
        Ok(length)
    }
}
