//! Mends JSON with complete brackets and strings that `serde_json` refuses: faults in a text that does not matter must not cost an event.
//!
//! * Bytes that are not UTF-8, unpaired surrogate escapes (a text that was cut in an emoji) and invalid escapes become [`DAMAGED`].
//! * Raw control characters in strings are escaped.
//! * Values nested deeper than [`MAX_DEPTH`] become null.
//! * Numbers that no double can hold become strings; `NaN` and `Infinity`, which Python writes, become null.
//!
//! Only what failed to parse is mended, so that the usual record costs nothing.

use std::borrow::Cow;
use std::io::{self, Read};

/// In place of text that could not be read. A noncharacter, so that no recorded text has it.
///
/// Source: <https://www.unicode.org/faq/private_use.html#noncharacters>
pub(super) const DAMAGED: char = '\u{fdd0}';

/// What people see in its place.
const REPLACEMENT: &str = "\u{fffd}";

/// The maximum depth of a mended value. `serde_json` allows 127 levels; the value can be in further ones.
const MAX_DEPTH: usize = 100;

/// Whether a text contains damage.
pub(super) fn is_damaged(text: &str) -> bool {
    // Most texts are ASCII, and that is checked faster.
    !text.is_ascii() && text.contains(DAMAGED)
}

/// The text with the usual replacement character in place of damage.
pub(super) fn readable(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_damaged(&text) { text.replace(DAMAGED, REPLACEMENT).into() } else { text }
}

/// The bytes as text, with [`DAMAGED`] in place of those that are not UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend((!chunk.invalid().is_empty()).then_some(DAMAGED));
            }
            Cow::Owned(text)
        }
    }
}

/// The same for people: with the usual replacement character in place of damage.
pub(crate) fn mended_for_display(json: &[u8]) -> String {
    mended(json).replace(DAMAGED, REPLACEMENT)
}

/// The JSON without the faults that this module knows.
pub(crate) fn mended(json: &[u8]) -> String {
    let text = text(json);
    let mut mender = Mender { text: &text, at: 0, depth: 0, out: String::with_capacity(text.len()) };
    while let Some(&byte) = text.as_bytes().get(mender.at) {
        mender.token(byte);
    }
    mender.out
}

/// The offset after the object, list or string at `at`, by its brackets and quotes alone. `None` if it is not complete.
pub(super) fn end_of_value(json: &[u8], at: usize) -> Option<usize> {
    let mut open = Vec::new();
    let mut at = at;
    loop {
        match *json.get(at)? {
            b'"' => at = end_of_string(json, at)? - 1,
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            close @ (b'}' | b']') if open.pop()? != close => return None,
            _ => {}
        }
        at += 1;
        if open.is_empty() {
            return matches!(json[at - 1], b'"' | b'}' | b']').then_some(at);
        }
    }
}

/// The offset after the string at `at`.
fn end_of_string(json: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        match json[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

struct Mender<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    out: String,
}

impl Mender<'_> {
    fn token(&mut self, byte: u8) {
        match byte {
            b'"' => self.string(),
            b'{' | b'[' if self.depth == MAX_DEPTH => {
                self.at = end_of_value(self.text.as_bytes(), self.at).unwrap_or(self.text.len());
                self.out.push_str("null");
            }
            b'{' | b'[' => self.copy_bracket(byte, self.depth + 1),
            b'}' | b']' => self.copy_bracket(byte, self.depth.saturating_sub(1)),
            b'-' | b'0'..=b'9' | b'N' | b'I' => self.number(),
            _ => {
                let character = self.text[self.at..].chars().next().unwrap_or_default();
                self.out.push(character);
                self.at += character.len_utf8();
            }
        }
    }

    fn copy_bracket(&mut self, byte: u8, depth: usize) {
        self.out.push(char::from(byte));
        self.at += 1;
        self.depth = depth;
    }

    fn number(&mut self) {
        let rest = &self.text[self.at..];
        let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '+' | '.');
        let token = &rest[..rest.find(|character| !is_part(character)).unwrap_or(rest.len())];
        self.at += token.len();
        let is_too_large = || token.parse::<f64>().is_ok_and(f64::is_infinite);
        match token {
            "NaN" | "Infinity" | "-Infinity" => self.out.push_str("null"),
            _ if serde_json::from_str::<serde_json::Number>(token).is_err() && is_too_large() => {
                self.out.extend(["\"", token, "\""]);
            }
            _ => self.out.push_str(token),
        }
    }

    fn string(&mut self) {
        self.out.push('"');
        self.at += 1;
        while let Some(character) = self.text[self.at..].chars().next() {
            match character {
                '"' => {
                    self.out.push('"');
                    self.at += 1;
                    return;
                }
                '\\' => self.escape(),
                '\0'..='\u{1f}' => {
                    push_control(&mut self.out, character);
                    self.at += 1;
                }
                _ => {
                    self.out.push(character);
                    self.at += character.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) {
        let escape = &self.text.as_bytes()[self.at..];
        let length = match (escape.get(1), code_unit(escape)) {
            (Some(b'u'), Some(0xd800..=0xdbff)) => {
                let is_pair = matches!(code_unit(&escape[6..]), Some(0xdc00..=0xdfff));
                if is_pair { 12 } else { return self.damage(6) }
            }
            (Some(b'u'), Some(0xdc00..=0xdfff)) => return self.damage(6),
            (Some(b'u'), Some(_)) => 6,
            (Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'), _) => 2,
            _ => return self.damage(1),
        };
        self.out.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    fn damage(&mut self, length: usize) {
        self.out.push(DAMAGED);
        self.at += length;
    }
}

/// The code unit of an escape `\uXXXX`.
fn code_unit(escape: &[u8]) -> Option<u16> {
    let digits = escape.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

/// Reads JSON as text that `serde_json` can split: replaces bytes that are not UTF-8 and invalid escapes by [`DAMAGED`], and escapes raw
/// control characters in strings.
pub(super) struct TextReader<R> {
    inner: R,
    /// The beginning of a character that is not complete.
    open: Vec<u8>,
    ready: io::Cursor<Vec<u8>>,
    state: JsonState,
}

/// The position in the JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JsonState {
    Outside,
    String,
    /// After a backslash in a string.
    Escape,
}

impl<R: Read> TextReader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, open: Vec::new(), ready: io::Cursor::default(), state: JsonState::Outside }
    }

    /// Writes a character of the text.
    fn write(&mut self, character: char, out: &mut String) {
        match (self.state, character) {
            (JsonState::Outside | JsonState::String, '"') => {
                self.state = if self.state == JsonState::String { JsonState::Outside } else { JsonState::String };
            }
            (JsonState::Outside, _) => {}
            (JsonState::String, '\\') => {
                self.state = JsonState::Escape;
                return;
            }
            (JsonState::String, '\0'..='\u{1f}') => return push_control(out, character),
            (JsonState::String, _) => {}
            (JsonState::Escape, _) => {
                self.state = JsonState::String;
                let is_valid = matches!(character, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u');
                out.push(if is_valid { '\\' } else { DAMAGED });
                if matches!(character, '\0'..='\u{1f}') {
                    return push_control(out, character);
                }
            }
        }
        out.push(character);
    }
}

impl<R: Read> Read for TextReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.ready.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let mut bytes = std::mem::take(&mut self.open);
            let start = bytes.len();
            bytes.resize(start + buffer.len(), 0);
            let read = self.inner.read(&mut bytes[start..])?;
            bytes.truncate(start + read);
            if bytes.is_empty() {
                return Ok(0);
            }
            if read > 0 {
                self.open = bytes.split_off(start_of_open_character(&bytes));
            }
            let mut out = String::with_capacity(bytes.len());
            for character in text(&bytes).chars() {
                self.write(character, &mut out);
            }
            self.ready = io::Cursor::new(out.into_bytes());
        }
    }
}

/// The offset of a last character that is not complete; otherwise the length.
fn start_of_open_character(bytes: &[u8]) -> usize {
    /// The number of bytes of the longest character without its last byte.
    const LONGEST: usize = 3;
    let first = bytes.len().saturating_sub(LONGEST);
    let is_open = |at: &usize| {
        str::from_utf8(&bytes[*at..]).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (first..bytes.len()).find(is_open).unwrap_or(bytes.len())
}

fn push_control(out: &mut String, character: char) {
    out.push_str(&format!("\\u{:04x}", u32::from(character)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn value(json: &[u8]) -> Value {
        let mended = mended(json);
        serde_json::from_str(&mended).unwrap_or_else(|error| panic!("{error}: {mended}"))
    }

    #[test]
    fn faults_are_replaced_and_everything_else_is_kept() {
        let damaged = |text: &str| text.replace('?', "\u{fdd0}");
        for (json, expected) in [
            (&br#"{"a":"x\ud83d","b":1}"#[..], json!({"a": damaged("x?"), "b": 1})),
            (br#"["\udc4d\ud83d\ude00\ud83dx\ud83d\u0041"]"#, json!([damaged("?\u{1f600}?x?A")])),
            (br#"["\x\u12\""]"#, json!([damaged("?x?u12\"")])),
            (b"[\"caf\xe9\xff\", \"\xc3\xa9\"]", json!([damaged("caf??"), "\u{e9}"])),
            (b"[\"a\nb\0\"]", json!(["a\nb\0"])),
            (b"[1e999, -1E999, 1.5e3, -0, NaN, -Infinity]", json!(["1e999", "-1E999", 1.5e3, -0.0, null, null])),
            (br#"{"\ud83d":{"Name":"N","I":true}}"#, json!({damaged("?"): {"Name": "N", "I": true}})),
        ] {
            assert_eq!(value(json), expected);
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_null() {
        let deep = format!("{{\"a\":{}1{},\"b\":2}}", "[\"]\",".repeat(5000), "]".repeat(5000));
        let value = value(deep.as_bytes());
        assert_eq!(value["b"], 2);
        assert_eq!(value["a"][0], "]");
    }

    #[test]
    fn end_of_a_value_is_found_by_its_brackets() {
        let end = |json: &str| end_of_value(json.as_bytes(), 0);
        assert_eq!(end(r#"{"a":["}\""]} x"#), Some(13));
        assert_eq!(end(r#""a\\" x"#), Some(5));
        for open in ["{", r#"{"a"#, r#"{"a":[}"#, "[[]", "1", "", r#""\"#] {
            assert_eq!(end(open), None, "{open}");
        }
    }

    #[test]
    fn streamed_text_can_be_split() {
        for (json, expected) in [
            (
                &b"{\"a\nb\": \"x\\q\\n\\\\\"}\n[\"caf\xe9\"]"[..],
                "{\"a\\u000ab\": \"x\u{fdd0}q\\n\\\\\"}\n[\"caf\u{fdd0}\"]",
            ),
            (b"[\"\xc3\xa9\", \"\xc3\"]", "[\"\u{e9}\", \"\u{fdd0}\"]"),
        ] {
            let mut text = String::new();
            TextReader::new(json).read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn valid_json_is_unchanged(text in any::<String>(), number in any::<f64>(), other in any::<i64>()) {
            let valid = json!({&text: [number, other, {"x": &text}], "y": null}).to_string();
            prop_assert_eq!(mended(valid.as_bytes()), valid);
        }

        #[test]
        fn reading_in_pieces_gives_the_same_text(
            bytes in prop::collection::vec(prop::sample::select(b"a\n\\\"\xc3\xa9\xf0\x9f\x98\x80\xff".to_vec()), 0..60),
            size in 1..9_usize,
        ) {
            let read_by = |size: usize| {
                let mut read = Vec::new();
                let mut reader = TextReader::new(&bytes[..]);
                let mut buffer = vec![0; size];
                loop {
                    let length = reader.read(&mut buffer).unwrap();
                    if length == 0 {
                        return String::from_utf8(read).unwrap();
                    }
                    read.extend_from_slice(&buffer[..length]);
                }
            };
            prop_assert_eq!(read_by(size), read_by(1000));
        }
    }
}
