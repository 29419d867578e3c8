//! What a tag key may be.

use super::{InvalidName, TagKey};

/// Characters a tag's key may have.
///
/// Source: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
pub const MAX_KEY_CHARACTERS: usize = 128;

/// Checks what every service demands of a tag's key: 1 to 128 characters, not in AWS's own name space.
///
/// # Errors
/// It can't be a key.
pub fn parse_key(text: &str) -> Result<TagKey, InvalidName> {
    let reserved = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    let length = text.chars().count();
    if reserved || length == 0 || length > MAX_KEY_CHARACTERS || text.chars().any(char::is_control) {
        let expected = "a tag key: 1 to 128 characters that don't begin with aws:";
        return Err(InvalidName { value: text.to_owned(), expected });
    }
    Ok(TagKey::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_128_characters_outside_of_awss_name_space() {
        assert!(parse_key("Owner").is_ok());
        assert!(parse_key(&"ü".repeat(128)).is_ok());
        assert!(parse_key("awsome").is_ok());
        for bad in ["", "aws:owner", "AWS:Owner", "a\nb"] {
            assert!(parse_key(bad).is_err(), "{bad:?}");
        }
        assert!(parse_key(&"x".repeat(129)).is_err());
    }
}
