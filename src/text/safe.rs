//! Text that a terminal prints and does not obey.
//!
//! Names in a trail, tag values, file names and AWS's messages are chosen by others. An escape sequence in one of them could clear the
//! screen, set the clipboard or hide a line; a bidirectional control could show `nimda` for `admin`; a line break could forge a line of
//! a table. [`one_line`] writes each such character as an escape. It does not escape backslashes, so that paths stay readable.
//!
//! Source: <https://www.unicode.org/reports/tr36/>, <https://trojansource.codes/>

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character controls a terminal, changes the order of other characters, or can't be seen.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Soft hyphen, Arabic letter mark, Hangul and Mongolian fillers.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}' | '\u{3164}' | '\u{ffa0}'
            // Zero-width characters, direction marks; line and paragraph separators, embeddings and overrides; isolates.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Byte order mark, interlinear annotations, noncharacters, tags.
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a terminal prints the text as it is.
pub(crate) fn is_safe(text: &str) -> bool {
    !text.contains(is_unsafe)
}

/// The text with each unsafe character escaped, line breaks and tabs too: `\n`, `\t`, `\u{1b}`.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unsafe, escape)
}

/// As [`one_line`], for a text in lines: line ends (LF and CR LF) stay.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    if !text.contains(|character| is_unsafe(character) && character != '\n') {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = match (line.strip_suffix("\r\n"), line.strip_suffix('\n')) {
            (Some(line), _) => (line, "\r\n"),
            (None, Some(line)) => (line, "\n"),
            (None, None) => (line, ""),
        };
        safe.push_str(&one_line(line));
        safe.push_str(end);
    }
    Cow::Owned(safe)
}

/// JSON with the unsafe characters of its strings as `\uXXXX`: the same document. Line ends between values stay.
///
/// `serde_json` escapes only the controls below U+0020.
pub(crate) fn json(document: &str) -> Cow<'_, str> {
    escaped(document, |character| is_unsafe(character) && !matches!(character, '\n' | '\r'), escape_in_json)
}

/// JSON escapes for one character.
fn escape_in_json(text: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        write!(text, "\\u{unit:04x}").expect("writing to a String can't fail");
    }
}

fn escape(text: &mut String, character: char) {
    match character {
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        other => write!(text, "\\u{{{:x}}}", u32::from(other)).expect("writing to a String can't fail"),
    }
}

fn escaped(text: &str, is_meant: impl Fn(char) -> bool, escape: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let Some(first) = text.find(&is_meant) else { return Cow::Borrowed(text) };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    for character in text[first..].chars() {
        if is_meant(character) { escape(&mut safe, character) } else { safe.push(character) }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        let hostile = "a\u{1b}[2J\u{7}\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\n\t\rz";
        let safe = r"a\u{1b}[2J\u{7}\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\n\t\rz";
        assert_eq!(one_line(hostile), safe);
        for text in ["", "C:\\logs\\a.gz", "Zoë (Ops) <z@x.example>", "日本語", "אב", "😀"] {
            assert!(matches!(one_line(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn lines_keep_their_ends_only() {
        assert_eq!(lines("a\nb\u{7}\r\nc\rd\n"), "a\nb\\u{7}\r\nc\\rd\n");
        assert!(matches!(lines("a\nb"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_document() {
        let value = serde_json::json!({"a\u{202e}": ["\u{1b}\u{9b}\u{7f}\u{e0001}\u{2028}\n\t\"\\", "é😀"]});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let safe = json(&text);
        assert!(!safe.contains(|character| is_unsafe(character) && character != '\n'), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
