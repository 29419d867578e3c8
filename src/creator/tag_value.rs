//! A text made legal as a tag value that every service takes.
//!
//! AWS documents one common set for tags: letters, digits and spaces of any script, `_ . : / = + - @`, at most 256 characters,
//! and no `aws:` at the beginning, in any case (some services refuse it in values too).
//!
//! Source: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>; the pattern
//! `[\p{L}\p{Z}\p{N}_.:/=+\-@]*` is the Resource Groups Tagging API's and that of most services' models.

/// What a tag value holds at most, in characters.
const MAX_CHARACTERS: usize = 256;

/// What stands in for a character that tags do not allow.
const STAND_IN: char = '_';

/// What only AWS may begin a tag with.
const RESERVED: &str = "aws:";

/// The text as a tag value: illegal characters become `_`, spaces at both ends are dropped, what is too long is cut at its
/// end. `None` where no letter or digit is left.
pub(super) fn legal(text: &str) -> Option<String> {
    let allowed: String =
        text.trim().chars().map(|character| if is_legal(character) { character } else { STAND_IN }).collect();
    let value: String = unreserved(allowed.trim()).chars().take(MAX_CHARACTERS).collect();
    let value = value.trim_end();
    value.contains(char::is_alphanumeric).then(|| value.to_owned())
}

/// Rust's "alphabetic" is `\p{L}` and the vowel signs of some scripts, which belong to a word as its letters do.
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
    fn what_identities_usually_hold_is_kept_as_it_is() {
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
    fn illegal_characters_are_replaced_one_by_one() {
        assert_eq!(legal("doe, jane").as_deref(), Some("doe_ jane"));
        assert_eq!(legal("CORP\\alice").as_deref(), Some("CORP_alice"));
        assert_eq!(legal("a\tb\u{0}c<d>").as_deref(), Some("a_b_c_d_"));
        assert_eq!(legal("fox🦊").as_deref(), Some("fox_"));
    }

    #[test]
    fn spaces_at_the_ends_go_and_those_within_stay() {
        assert_eq!(legal("  jane doe \n").as_deref(), Some("jane doe"));
        assert_eq!(legal("jane\u{a0}doe\u{3000}").as_deref(), Some("jane\u{a0}doe"));
    }

    #[test]
    fn the_limit_counts_characters_and_leaves_no_space_at_the_end() {
        assert_eq!(legal(&"é".repeat(256)), Some("é".repeat(256)));
        assert_eq!(legal(&"é".repeat(257)), Some("é".repeat(256)));
        assert_eq!(legal(&format!("{} b", "a".repeat(255))), Some("a".repeat(255)));
    }

    #[test]
    fn the_reserved_beginning_is_broken_up() {
        assert_eq!(legal("aws:alice").as_deref(), Some("aws_alice"));
        assert_eq!(legal("AWS:alice").as_deref(), Some("AWS_alice"));
        assert_eq!(legal(" aws:alice").as_deref(), Some("aws_alice"));
        assert_eq!(legal("awsome").as_deref(), Some("awsome"));
        assert_eq!(legal("aw€:x").as_deref(), Some("aw_:x"));
    }

    #[test]
    fn nothing_left_is_nothing() {
        for text in ["", "  ", "\n", "---", "🦊🦊", ",;", "_"] {
            assert_eq!(legal(text), None, "{text:?}");
        }
    }
}
