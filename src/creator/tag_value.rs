//! Makes a text a valid tag value for every service.
//!
//! AWS documents one common set for tags: letters, spaces and numbers of any script and `_ . : / = + - @`, at most 256 characters, and no
//! `aws:` at the beginning, in any case (some services refuse it in values too). Its pattern is `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`:
//! combining marks (`\p{M}`) and symbols are not in it, although Unicode calls many of them alphabetic.
//!
//! So a text is composed first (NFC), and what is still not allowed is replaced by what reads best:
//! * Scripts with vowels that are marks (Devanagari, Thai…) are transliterated to Latin letters: without its vowels, a word is unreadable.
//! * Other marks (accents without a composed letter, points of Hebrew and Arabic) and invisible characters are dropped.
//! * Symbols that stand for letters or for allowed characters (`Ⓐ`, full-width `＠`) become these, and dashes become `-`.
//! * All else becomes `_`, one by one.
//!
//! Sources: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>; the patterns of tag values in
//! the API models; <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html> for the length, which counts in UTF-16.

use std::borrow::Cow;
use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;
use regex::Regex;

/// The maximum length of a tag value, in UTF-16 code units. Some services count characters, which are never more.
const MAX_LENGTH: usize = 256;

/// Replaces characters that tags don't allow.
const STAND_IN: char = '_';

/// The prefix that is reserved for AWS.
const RESERVED: &str = "aws:";

/// The characters of the scripts that write vowels as marks.
const VOWEL_SCRIPTS: &str = r"[\p{Balinese}\p{Bengali}\p{Buginese}\p{Cham}\p{Devanagari}\p{Gujarati}\p{Gurmukhi}\p{Javanese}\p{Kannada}\p{Khmer}\p{Lao}\p{Lepcha}\p{Limbu}\p{Malayalam}\p{Meetei_Mayek}\p{Myanmar}\p{Oriya}\p{Sinhala}\p{Sundanese}\p{Tagalog}\p{Tai_Tham}\p{Tamil}\p{Telugu}\p{Thaana}\p{Thai}\p{Tibetan}]";

/// Sets of characters.
struct Sets {
    legal: Regex,
    /// The characters of scripts with marks for vowels, and these marks.
    vowel_script: Regex,
    vowel_mark: Regex,
    mark: Regex,
    invisible: Regex,
    dash: Regex,
    line_end: Regex,
    meaningful: Regex,
}

static SETS: LazyLock<Sets> = LazyLock::new(|| {
    let set = |pattern: &str| Regex::new(pattern).expect("a constant expression, which the tests use");
    Sets {
        legal: set(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]$"),
        vowel_script: set(VOWEL_SCRIPTS),
        vowel_mark: set(&format!(r"[\p{{M}}&&{VOWEL_SCRIPTS}]")),
        mark: set(r"\p{M}"),
        invisible: set(r"\p{Cf}"),
        dash: set(r"\p{Pd}"),
        line_end: set(r"[\p{Zl}\p{Zp}]"),
        meaningful: set(r"[\p{L}\p{N}]"),
    }
});

/// Returns the text as a tag value. Spaces at both ends are removed, and a long text is cut at its end. `None` if no letter or
/// number is left.
pub(super) fn legal(text: &str) -> Option<String> {
    let value = cut(unreserved(allowed(text).trim()).as_str()).trim_end().to_owned();
    let is_meaningful = value.bytes().any(|byte| byte.is_ascii_alphanumeric()) || SETS.meaningful.is_match(&value);
    is_meaningful.then_some(value)
}

/// The text with only allowed characters.
fn allowed(text: &str) -> String {
    let composer = ComposingNormalizerBorrowed::new_nfc();
    let text = text.trim();
    // ASCII is composed, and most names are: the composer's tables need not be in memory.
    let composed = if text.is_ascii() { Cow::Borrowed(text) } else { composer.normalize(text) };
    if composed.is_ascii() {
        return composed.chars().map(|character| if is_legal(character) { character } else { STAND_IN }).collect();
    }
    let is_transliterated = SETS.vowel_mark.is_match(&composed);
    let mut value = String::with_capacity(composed.len());
    for character in composed.chars() {
        let is = |set: &Regex| set.is_match(character.encode_utf8(&mut [0; 4]));
        match latin(character).filter(|_| is_transliterated && is(&SETS.vowel_script)) {
            Some(latin) => value.push_str(latin),
            None if is(&SETS.line_end) => value.push(' '),
            None if is_legal(character) => value.push(character),
            None if is(&SETS.mark) || is(&SETS.invisible) => {}
            None if is(&SETS.dash) => value.push('-'),
            None => value.push_str(&compatible(character)),
        }
    }
    // Letters that have become neighbours may have a composed form.
    composer.normalize(&value).into_owned()
}

/// Latin letters and digits for a character, if there are any; none for signs without a sound.
fn latin(character: char) -> Option<&'static str> {
    deunicode::deunicode_char(character).map(str::trim).filter(|text| text.chars().all(is_legal))
}

/// The allowed characters that a symbol represents.
fn compatible(character: char) -> String {
    let text = ComposingNormalizerBorrowed::new_nfkc().normalize(character.encode_utf8(&mut [0; 4])).into_owned();
    if !text.is_empty() && text.chars().all(is_legal) { text } else { STAND_IN.to_string() }
}

fn is_legal(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@' => true,
        _ if character.is_ascii() => false,
        _ => SETS.legal.is_match(character.encode_utf8(&mut [0; 4])),
    }
}

/// The longest beginning that AWS accepts.
fn cut(text: &str) -> &str {
    let mut length = 0;
    let is_over = |(_, character): &(usize, char)| {
        length += character.len_utf16();
        length > MAX_LENGTH
    };
    text.char_indices().find(is_over).map_or(text, |(at, _)| &text[..at])
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
    use proptest::prelude::*;

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
            "Nguyễn Thị",
            "İstanbul",
            "山田 太郎",
            "Жанна",
            "שלום",
            "٣٤٥",
            "ⅷª５",
            "नमन",
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
        assert_eq!(legal("O’Neill").as_deref(), Some("O_Neill"));
    }

    #[test]
    fn accents_are_composed_and_those_without_a_letter_dropped() {
        assert_eq!(legal("zoe\u{308}").as_deref(), Some("zoë"));
        assert_eq!(legal("Nguye\u{302}\u{303}n").as_deref(), Some("Nguyễn"));
        assert_eq!(legal("x\u{30c}avi").as_deref(), Some("xavi"));
        assert_eq!(legal("\u{5e9}\u{5c1}\u{5b8}\u{5dc}\u{5d5}\u{5b9}\u{5dd}").as_deref(), Some("שלום"));
        assert_eq!(legal("\u{639}\u{64e}\u{644}\u{650}\u{64a}\u{651}").as_deref(), Some("علي"));
    }

    #[test]
    fn words_with_vowel_signs_are_transliterated() {
        for (text, expected) in
            [("हिन्दी", "hindii"), ("अमित", "amit"), ("अमित@example.com", "amit@example.com"), ("สมศักดิ์", "smsakdi")]
        {
            assert_eq!(legal(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn symbols_that_stand_for_letters_become_letters() {
        assert_eq!(legal("Ⓐlice").as_deref(), Some("Alice"));
        assert_eq!(legal("ａｎｎａ＠example．com").as_deref(), Some("ａｎｎａ@example.com"));
        assert_eq!(legal("a–b").as_deref(), Some("a-b"));
    }

    #[test]
    fn invisible_characters_are_dropped() {
        assert_eq!(legal("a\u{200b}b\u{feff}\u{200d}").as_deref(), Some("ab"));
        assert_eq!(legal("a\u{2028}b").as_deref(), Some("a b"));
    }

    #[test]
    fn outer_spaces_are_removed_and_inner_ones_kept() {
        assert_eq!(legal("  jane doe \n").as_deref(), Some("jane doe"));
        assert_eq!(legal("jane\u{a0}doe\u{3000}").as_deref(), Some("jane\u{a0}doe"));
    }

    #[test]
    fn limit_counts_as_aws_does_and_leaves_no_trailing_space() {
        assert_eq!(legal(&"é".repeat(256)), Some("é".repeat(256)));
        assert_eq!(legal(&"é".repeat(257)), Some("é".repeat(256)));
        assert_eq!(legal(&format!("{} b", "a".repeat(255))), Some("a".repeat(255)));
        // Two UTF-16 code units each; a pair is not split.
        assert_eq!(legal(&"𠮷".repeat(200)), Some("𠮷".repeat(128)));
        assert_eq!(legal(&format!("a{}", "𠮷".repeat(200))), Some(format!("a{}", "𠮷".repeat(127))));
    }

    #[test]
    fn reserved_prefix_is_changed() {
        assert_eq!(legal("aws:alice").as_deref(), Some("aws_alice"));
        assert_eq!(legal("AWS:alice").as_deref(), Some("AWS_alice"));
        assert_eq!(legal(" aws:alice").as_deref(), Some("aws_alice"));
        assert_eq!(legal("a\u{200b}ws：alice").as_deref(), Some("aws_alice"));
        assert_eq!(legal("awsome").as_deref(), Some("awsome"));
        assert_eq!(legal("aw€:x").as_deref(), Some("aw_:x"));
    }

    #[test]
    fn regression_letters_that_become_neighbours_are_composed() {
        // A circled consonant and a vowel; a consonant and a vowel with an invisible character between them.
        for text in ["\u{3260}\u{1161}", "\u{1100}\u{200b}\u{1161}"] {
            assert_eq!(legal(text).as_deref(), Some("\u{ac00}"), "{text:?}");
        }
    }

    #[test]
    fn text_without_letters_and_digits_is_no_value() {
        for text in ["", "  ", "\n", "---", "🦊🦊", ",;", "_", "\u{301}", "\u{200b}", "\u{2028}"] {
            assert_eq!(legal(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_value_has_the_pattern_of_aws(text in any::<String>(), other in "[\\p{M}\\p{L}\\p{So}\\p{Zs}aws:]{0,300}") {
            let pattern = Regex::new(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$").unwrap();
            for text in [text, other] {
                let Some(value) = legal(&text) else { continue };
                prop_assert!(pattern.is_match(&value), "{value:?}");
                prop_assert!(value.encode_utf16().count() <= MAX_LENGTH && value.trim() == value, "{value:?}");
                prop_assert!(!value.to_lowercase().starts_with(RESERVED), "{value:?}");
                prop_assert_eq!(legal(&value), Some(value));
            }
        }
    }
}
