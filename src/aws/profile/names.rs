//! Names of profiles that the SDK's parser does not accept, in a form that it does.
//!
//! The AWS CLI writes `[profile 'two words']` and reads such names as a shell does; the SDK drops the whole section. Names are
//! percent-encoded on the way to the SDK and decoded on the way back. In the credentials file a name is not quoted: `[two words]`.

use aws_runtime::env_config::file::EnvConfigFileKind;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What the SDK allows in a name besides letters and digits: `_ - / . @ : +`. Also `%`, which is encoded so that every encoded
/// name has one meaning.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'!')
    .add(b'"')
    .add(b'#')
    .add(b'$')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b',')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'~');

/// The name as the SDK's parser accepts it.
pub(super) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

/// The name as people write it.
pub(super) fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// A file's text with the names in its section headers encoded. Lines keep their numbers.
pub(super) fn with_encoded_names(text: &str, kind: EnvConfigFileKind) -> String {
    let line = |line: &str| header(line, kind).or_else(|| services(line)).unwrap_or_else(|| line.to_owned());
    text.lines().map(line).collect::<Vec<String>>().join("\n")
}

/// A section's header, encoded; `None` where the line is not a header with a name.
fn header(line: &str, kind: EnvConfigFileKind) -> Option<String> {
    let (inner, rest) = line.strip_prefix('[')?.rsplit_once(']')?;
    // A `]` in a comment behind the header ends no name.
    let (inner, rest) = match inner.split_once(']') {
        Some((name, _)) => (name, ""),
        None => (inner, rest),
    };
    match kind {
        EnvConfigFileKind::Credentials => Some(format!("[{}]{rest}", encoded(inner.trim()))),
        EnvConfigFileKind::Config => {
            let (word, name) = inner.trim().split_once(char::is_whitespace)?;
            Some(format!("[{word} {}]{rest}", encoded(&unquoted(name.trim()))))
        }
    }
}

/// `services = NAME` refers to a section with an encoded header.
fn services(line: &str) -> Option<String> {
    let (key, name) = line.split_once('=')?;
    let name = name.trim();
    (key.trim() == "services" && !name.is_empty() && !name.contains(['#', ';']))
        .then(|| format!("services = {}", encoded(name)))
}

/// A name without a shell's quotes and backslashes; as it is where a quote does not end.
fn unquoted(name: &str) -> String {
    let (mut text, mut quote) = (String::with_capacity(name.len()), None);
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => text.extend(letters.next()),
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            (letter, _) => text.push(letter),
        }
    }
    if quote.is_some() { name.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_encoded_and_other_lines_kept() {
        for (header, expected) in [
            ("[default]", "[default]"),
            ("[profile plain-1.x@y]", "[profile plain-1.x@y]"),
            ("[profile 'two words']", "[profile two%20words]"),
            ("[profile \"two words\"] ; why", "[profile two%20words] ; why"),
            ("[profile\ttwo\\ words]", "[profile two%20words]"),
            ("[profile spaces in name]", "[profile spaces%20in%20name]"),
            ("[profile Zoë]", "[profile Zo%C3%AB]"),
            ("[profile 100%]", "[profile 100%25]"),
            ("[sso-session 'my corp']", "[sso-session my%20corp]"),
            ("[services a b]", "[services a%20b]"),
            ("services = a b", "services = a%20b"),
            ("region = us-east-1 # [x]", "region = us-east-1 # [x]"),
            ("[profile a] # [b]", "[profile a]"),
        ] {
            assert_eq!(with_encoded_names(header, EnvConfigFileKind::Config), expected);
        }
        let credentials = |header| with_encoded_names(header, EnvConfigFileKind::Credentials);
        assert_eq!(credentials("[two words]\nx = y"), "[two%20words]\nx = y");
    }

    #[test]
    fn encoding_can_be_undone() {
        for name in ["plain", "two words", "100%", "a%20b", "Zoë", "x=[y]"] {
            assert_eq!(decoded(&encoded(name)), name);
        }
    }
}
