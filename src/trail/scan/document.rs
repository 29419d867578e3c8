//! A document's JSON → the text of each of its records, in order, unparsed.
//!
//! Two ways with one result: over a slice with borrowed records, and over a stream that holds one record at a time.

use std::borrow::Borrow;
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Cursor, Read};
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Bytes read at a time from a stream.
const READ_SIZE: usize = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Who receives what a document holds.
pub(in crate::trail) trait Records {
    /// A document begins. JSON Lines hold many.
    fn begin_document(&mut self);
    /// Its list of records begins; a second time where the key stands twice.
    fn begin_list(&mut self) -> Result<(), String>;
    /// A record: one JSON value of any kind.
    fn record(&mut self, record: &str);
    /// The document is a digest of log files.
    fn digest(&mut self);

    /// Reads the next record of a list, `R` being how its text is held; `false` at the list's end. Who wants only some fields of
    /// each record may read them here in one walk, in place of a second one in [`Records::record`].
    fn next_record<'de, R, A>(&mut self, list: &mut A, record_limit: u64) -> Result<bool, A::Error>
    where
        R: Deserialize<'de> + Borrow<RawValue>,
        A: SeqAccess<'de>,
    {
        let Some(record) = list.next_element::<R>()? else { return Ok(false) };
        let text = record.borrow().get();
        if text.len() as u64 > record_limit {
            return Err(A::Error::custom(too_large(record_limit)));
        }
        self.record(text);
        Ok(true)
    }
}

/// Splits a document held in memory.
pub(super) fn split_slice(json: &[u8], record_limit: u64, records: &mut impl Records) -> Result<(), String> {
    let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
    if json.trim_ascii().is_empty() {
        return Err("it is empty".to_owned());
    }
    let rest = match first_document(json, record_limit, records).map_err(|error| error.to_string())? {
        FirstDocument::Whole => return Ok(()),
        FirstDocument::Followed(offset) => &json[offset..],
        FirstDocument::Record => json,
    };
    for value in serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>() {
        let value = value.map_err(|error| error.to_string())?;
        split_value(value.get(), record_limit, records)?;
    }
    Ok(())
}

/// Splits a document that goes on after `head`. Fails at a record larger than `record_limit` bytes.
pub(super) fn split_stream(
    head: &[u8],
    rest: impl Read,
    record_limit: u64,
    records: &mut impl Records,
) -> Result<(), String> {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    // What ends within the head is one of JSON Lines; a document of records would go on.
    let lines = matches!(serde_json::Deserializer::from_slice(head).into_iter::<&RawValue>().next(), Some(Ok(_)));
    let pending = Cell::new(0);
    let reader = Gauge { inner: Cursor::new(head).chain(rest), pending: &pending, limit: record_limit };
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::with_capacity(READ_SIZE, reader));
    if !lines {
        let mut gauged = Gauged { inner: records, pending: &pending };
        let document = Document::<_, Box<RawValue>>::new(&mut gauged, record_limit);
        if document.deserialize(&mut deserializer).map_err(|error| error.to_string())? == Shape::Other {
            return Err("it is one object larger than any record, without Records".to_owned());
        }
    }
    for value in deserializer.into_iter::<Box<RawValue>>() {
        let value = value.map_err(|error| error.to_string())?;
        pending.set(0);
        split_value(value.get(), record_limit, records)?;
    }
    Ok(())
}

enum FirstDocument {
    /// It is all there is.
    Whole,
    /// More follows, from this byte on.
    Followed(usize),
    /// It is a record by itself, to be read from its beginning.
    Record,
}

fn first_document(
    json: &[u8],
    record_limit: u64,
    records: &mut impl Records,
) -> Result<FirstDocument, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let shape = Document::<_, &RawValue>::new(records, record_limit).deserialize(&mut deserializer)?;
    if shape == Shape::Other {
        return Ok(FirstDocument::Record);
    }
    Ok(match deserializer.end() {
        Ok(()) => FirstDocument::Whole,
        // serde_json has no byte offset to ask for, but the error names the place of the next character.
        Err(error) => FirstDocument::Followed(offset(json, error.line(), error.column())),
    })
}

/// The byte offset of a line and column, both from 1, as serde_json counts them.
fn offset(json: &[u8], line: usize, column: usize) -> usize {
    let newlines = memchr::memchr_iter(b'\n', json);
    let line_start = line.checked_sub(2).and_then(|index| newlines.into_iter().nth(index)).map_or(0, |at| at + 1);
    line_start + column.saturating_sub(1)
}

/// A value of JSON Lines: a record, or a document of its own.
fn split_value(value: &str, record_limit: u64, records: &mut impl Records) -> Result<(), String> {
    if may_be_document(value) {
        let mut deserializer = serde_json::Deserializer::from_str(value);
        let document = Document::<_, &RawValue>::new(records, record_limit);
        if document.deserialize(&mut deserializer).map_err(|error| error.to_string())? != Shape::Other {
            return Ok(());
        }
    }
    if value.len() as u64 > record_limit {
        return Err(too_large(record_limit));
    }
    records.record(value);
    Ok(())
}

/// Over-approximates: only values whose text holds one of a document's keys, however spelled, are looked at as one.
fn may_be_document(value: &str) -> bool {
    let holds = |text: &[u8]| memchr::memmem::find(value.as_bytes(), text).is_some();
    value.starts_with('[') || holds(b"\"Records\"") || holds(DIGEST_KEY.as_bytes()) || holds(b"\\u00")
}

fn too_large(limit: u64) -> String {
    format!("a record is larger than {limit} bytes")
}

/// What a top-level value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Records,
    Digest,
    Other,
}

/// Reads one top-level value and hands its records on.
struct Document<'s, S, R> {
    records: &'s mut S,
    record_limit: u64,
    raw: PhantomData<R>,
}

impl<'s, S, R> Document<'s, S, R> {
    fn new(records: &'s mut S, record_limit: u64) -> Self {
        Self { records, record_limit, raw: PhantomData }
    }
}

impl<'de, S: Records, R: Deserialize<'de> + Borrow<RawValue>> DeserializeSeed<'de> for Document<'_, S, R> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        self.records.begin_document();
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Records, R: Deserialize<'de> + Borrow<RawValue>> Visitor<'de> for Document<'_, S, R> {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CloudTrail records (an object or a list)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut shape = Shape::Other;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Records => {
                    shape = Shape::Records;
                    self.records.begin_list().map_err(A::Error::custom)?;
                    map.next_value_seed(List::<S, R> {
                        records: self.records,
                        record_limit: self.record_limit,
                        raw: PhantomData,
                    })?;
                }
                Key::Digest | Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    if key == Key::Digest && shape == Shape::Other {
                        shape = Shape::Digest;
                    }
                }
            }
        }
        if shape == Shape::Digest {
            self.records.digest();
        }
        Ok(shape)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Shape, A::Error> {
        List::<S, R> { records: self.records, record_limit: self.record_limit, raw: PhantomData }.visit_seq(list)?;
        Ok(Shape::Records)
    }
}

/// Reads a list of records.
struct List<'s, S, R> {
    records: &'s mut S,
    record_limit: u64,
    raw: PhantomData<R>,
}

impl<'de, S: Records, R: Deserialize<'de> + Borrow<RawValue>> DeserializeSeed<'de> for List<'_, S, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Records, R: Deserialize<'de> + Borrow<RawValue>> Visitor<'de> for List<'_, S, R> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of records")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while self.records.next_record::<R, A>(&mut list, self.record_limit)? {}
        Ok(())
    }
}

/// A key of a top-level object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Records,
    Digest,
    Other,
}

/// A key that every digest file has.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>
const DIGEST_KEY: &str = "digestS3Bucket";

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "Records" => Key::Records,
                    DIGEST_KEY => Key::Digest,
                    _ => Key::Other,
                })
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}

/// A reader that fails where more than `limit` bytes go by without a record's end: what is being read has to be held in
/// memory until then.
struct Gauge<'a, R> {
    inner: R,
    pending: &'a Cell<u64>,
    limit: u64,
}

impl<R: Read> Read for Gauge<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.get() > self.limit + READ_SIZE as u64 {
            return Err(io::Error::other(too_large(self.limit)));
        }
        let length = self.inner.read(buffer)?;
        self.pending.set(self.pending.get() + length as u64);
        Ok(length)
    }
}

/// Tells the gauge of each record.
struct Gauged<'a, S> {
    inner: &'a mut S,
    pending: &'a Cell<u64>,
}

impl<S: Records> Records for Gauged<'_, S> {
    fn begin_document(&mut self) {
        self.inner.begin_document();
    }

    fn begin_list(&mut self) -> Result<(), String> {
        self.inner.begin_list()
    }

    fn record(&mut self, record: &str) {
        self.pending.set(0);
        self.inner.record(record);
    }

    fn digest(&mut self) {
        self.inner.digest();
    }

    fn next_record<'de, R, A>(&mut self, list: &mut A, record_limit: u64) -> Result<bool, A::Error>
    where
        R: Deserialize<'de> + Borrow<RawValue>,
        A: SeqAccess<'de>,
    {
        let is_one = self.inner.next_record::<R, A>(list, record_limit)?;
        self.pending.set(0);
        Ok(is_one)
    }
}
