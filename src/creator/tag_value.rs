//! Makes a text a valid tag value for every service.
//!
//! AWS documents one common set for tags: letters, digits and spaces of any script, `_ . : / = + - @`, at most 256 characters,
//! and no `aws:` at the beginning, in any case (some services refuse it in values too).
//!
//! Source: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>; the pattern
//! `[\p{L}\p{Z}\p{N}_.:/=+\-@]*` is the Resource Groups Tagging API's and that of most services' models.

/// The maximum length of a tag value, in characters.
const MAX_CHARACTERS: usize = 256;

/// Replaces characters that tags don't allow.
const STAND_IN: char = '_';

/// The prefix that is reserved for AWS.
const RESERVED: &str = "aws:";

/// Returns the text as a tag value: invalid characters become `_`, spaces at both ends are removed, and a long text is cut at
/// its end. `None` if no letter or digit is left.
pub(super) fn legal(text: &str) -> Option<String> {
    let allowed: String =
        text.trim().chars().map(|character| if is_legal(character) { character } else { STAND_IN }).collect();
    let value: String = unreserved(allowed.trim()).chars().take(MAX_CHARACTERS).collect();
    let value = value.trim_end();
    value.contains(char::is_alphanumeric).then(|| value.to_owned())
}

/// Rust's "alphabetic" is `\p{L}` and the vowel signs of some scripts, which are parts of words like letters.
fn is_legal(character: char) -> bool {
    let space = character.is_whitespace() && !character.is_control();
    character.is_alphanumeric() || space || "_.:/=+-@".contains(character)
}

fn unreserved(text: &str) -> String {
    match text.get(..RESERVED.len()) {
        Some(start) if start.eq_ignore_ascii_case(RESERVED) => {
            format!("{}{STAND_IN}{}", &text[..RESERVED.len() - 1], &text[RESERVED.len()..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_identities_are_unchanged() {
        for text in [
            "alice",
            "alice@example.com",
            "arn:aws:iam::111122223333:user/teams/alice",
            "AROAIDPPEZS35WEXAMPLE:anna.schmidt",
            "a+b=c_d-e.f/g:h",
            "Zoë Łukasz",
            "山田 太郎",
            "अमित",
            "٣٤٥",
        ] {
            assert_eq!(legal(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn invalid_characters_are_replaced_one_by_one() {
        assert_eq!(legal("doe, jane").as_deref(), Some("doe_ jane"));
        assert_eq!(legal("CORP\\alice").as_deref(), Some("CORP_alice"));
        assert_eq!(legal("a\tb\u{0}c<d>").as_deref(), Some("a_b_c_d_"));
        assert_eq!(legal("fox🦊").as_deref(), Some("fox_"));
    }

    #[test]
    fn outer_spaces_are_removed_and_inner_ones_kept() {
        assert_eq!(legal("  jane doe \n").as_deref(), Some("jane doe"));
        assert_eq!(legal("jane\u{a0}doe\u{3000}").as_deref(), Some("jane\u{a0}doe"));
    }

    #[test]
    fn limit_counts_characters_and_leaves_no_trailing_space() {
        assert_eq!(legal(&"é".repeat(256)), Some("é".repeat(256)));
        assert_eq!(legal(&"é".repeat(257)), Some("é".repeat(256)));
        assert_eq!(legal(&format!("{} b", "a".repeat(255))), Some("a".repeat(255)));
    }

    #[test]
    fn reserved_prefix_is_changed() {
        assert_eq!(legal("aws:alice").as_deref(), Some("aws_alice"));
        assert_eq!(legal("AWS:alice").as_deref(), Some("AWS_alice"));
        assert_eq!(legal(" aws:alice").as_deref(), Some("aws_alice"));
        assert_eq!(legal("awsome").as_deref(), Some("awsome"));
        assert_eq!(legal("aw€:x").as_deref(), Some("aw_:x"));
    }

    #[test]
    fn text_without_letters_and_digits_is_no_value() {
        for text in ["", "  ", "\n", "---", "🦊🦊", ",;", "_"] {
            assert_eq!(legal(text), None, "{text:?}");
        }
    }
}
