//! Recognizes names that only software writes, by their shape: they contain a number, an ID or an address that no person would
//! choose, or end in a word for software.
//!
//! The limits keep personnel numbers (`12345`, `b1234567`), years and dates (`dev-2024`, `anna-20240115`) and hexadecimal words
//! (`deadbeef`) out.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

/// The minimum number of digits of a generated number: an epoch in seconds (ten digits since 2001) to nanoseconds, or an account
/// ID. Shorter numbers count as employee numbers.
const LONG_NUMBER: usize = 10;

/// The minimum number of hexadecimal digits of a whole name that is not a word or short ID.
const LONG_HEXADECIMAL: usize = 16;

/// The same for a part of a name, which has letters and digits: container IDs have twelve.
const LONG_HEXADECIMAL_PART: usize = 12;

/// The minimum number of hexadecimal digits of a shortened ID: Git's short hashes have seven, the first group of a UUID eight.
const SHORT_HEXADECIMAL: usize = 7;

/// The minimum number of changes between letters and digits in a shortened ID. A personnel number has one (`b1234567`).
const ALTERNATIONS: usize = 3;

/// The minimum length of random letters and digits, as in the IDs of DB instances and in the sessions of state machines.
const RANDOM: usize = 20;

/// The maximum length of a session name. Longer names are cut.
///
/// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const MAX_LENGTH: usize = 64;

/// Numbers and IDs that need no further check.
///
/// * Numbers of ten digits or more after anything but a letter; glued to a word, only epochs and longer numbers.
/// * Times: `20230713T101112Z`, `2023-07-13T10-11-12`, `20230713-101112`.
/// * UUIDs, also with their beginning or end cut off: three groups identify them.
/// * Kubernetes pods of a deployment. Their suffixes have no vowels and no 0, 1 and 3, so that they spell no words.
/// * Host names in a VPC: `ip-10-0-0-12.ec2.internal`, `EC2AMAZ-HCNHA1G`.
/// * Service principals.
static GENERATED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:^|[^0-9A-Za-z])[0-9]{10,}(?:$|[^0-9])",
        r"|[A-Za-z](?:(?:1[4-9]|20)[0-9]{8}|[0-9]{13,})$",
        r"|(?:^|[^0-9])(?:19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9][Tt_.-]?[0-2][0-9][-_.]?[0-5][0-9](?:$|[^0-9]|[-_.]?[0-5][0-9])",
        r"|(?i:(?:^|[^0-9a-f])[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}(?:$|[^0-9a-f]))",
        r"|(?i:(?:^|[^0-9a-f])[0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}(?:$|[^0-9a-f]))",
        r"|-[b-df-hj-np-tv-xz2456789]{8,10}-[b-df-hj-np-tv-xz2456789]{5}$",
        r"|(?i:^ip(?:-[0-9]{1,3}){4}(?:$|\.))",
        r"|EC2AMAZ-[0-9A-Z]{7}",
        r"|\.amazonaws\.com(?:\.cn)?$",
    ))
    .expect("a constant expression, which the tests use")
});

/// A UUID or its end, with its hyphens.
static UUID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[^0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}(?:$|[^0-9a-f])")
        .expect("a constant expression, which the tests use")
});

/// The beginning of a UUID at the end of a cut name.
static CUT_UUID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)[-_.](?:[0-9a-f]{8}-(?:[0-9a-f]{0,4}|[0-9a-f]{4}-[0-9a-f]{0,4})|[0-9a-f]*[0-9][0-9a-f]*)$")
        .expect("a constant expression, which the tests use")
});

/// Words for software, as the last word of a name: `DatadogAWSIntegration`, `security-scanner`.
const SOFTWARE: [&str; 34] = [
    "assume",
    "automation",
    "autoscaler",
    "bot",
    "ci",
    "cicd",
    "collector",
    "connector",
    "controller",
    "crawler",
    "cron",
    "cronjob",
    "daemon",
    "deployer",
    "execution",
    "executor",
    "exporter",
    "handler",
    "ingestion",
    "integration",
    "integrations",
    "lambda",
    "orchestrator",
    "pipeline",
    "poller",
    "provisioner",
    "replication",
    "runner",
    "scanner",
    "scheduler",
    "service",
    "webhook",
    "worker",
    "workflow",
];

/// Words that say nothing, at the end of a name.
const EMPTY_WORDS: [&str; 2] = ["role", "session"];

/// Whether a name, or the rest of one, has the shape of a generated name.
pub(super) fn is_generated(name: &str) -> bool {
    is_hexadecimal(name, LONG_HEXADECIMAL)
        || (may_have_number_or_id(name) && GENERATED.is_match(name))
        || (name.len() == MAX_LENGTH && CUT_UUID.is_match(name))
        || has_address(name)
        || has_id(name)
        || ends_in_software(name)
}

/// Whether [`GENERATED`] can match. To compile and search it takes more time and memory than all other checks, and few names have so
/// many digits or separators.
fn may_have_number_or_id(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let separators = name.bytes().filter(|byte| matches!(byte, b'-' | b'_')).count();
    digits >= LONG_NUMBER || separators > 1 || name.contains("EC2AMAZ-") || name.contains(".amazonaws.com")
}

/// Whether the text is one long number.
pub(super) fn is_long_number(text: &str) -> bool {
    text.len() >= LONG_NUMBER && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text contains a UUID, which may be cut after its third group.
pub(super) fn has_uuid(text: &str) -> bool {
    UUID.is_match(text)
}

/// Hexadecimal digits of at least this number, with a decimal digit.
fn is_hexadecimal(text: &str, at_least: usize) -> bool {
    text.len() >= at_least
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// An IP address, alone or after a prefix.
fn has_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
        || name.split(|character: char| !character.is_ascii_digit() && character != '.').any(is_ipv4)
}

fn is_ipv4(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

/// An ID among the parts of a name.
fn has_id(name: &str) -> bool {
    let parts: Vec<&str> = name.split(|character: char| !character.is_ascii_alphanumeric()).collect();
    let is_compound = parts.len() > 1;
    let is_id = |part: &&str| {
        is_random(part)
            || (is_compound && has_letter(part) && is_hexadecimal(part, LONG_HEXADECIMAL_PART))
            || (is_compound && is_hexadecimal(part, SHORT_HEXADECIMAL) && alternations(part) >= ALTERNATIONS)
    };
    parts.iter().any(is_id)
}

fn has_letter(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// How often letters and digits follow each other.
fn alternations(text: &str) -> usize {
    text.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count()
}

/// Letters and digits without order: digits in several places, or capitals inside of what would be words.
fn is_random(text: &str) -> bool {
    /// The minimum number of groups of digits, or of fragments.
    const MANY: usize = 3;
    /// The maximum length of lower-case letters between others that form no word.
    const FRAGMENT: usize = 2;
    if text.len() < RANDOM {
        return false;
    }
    let groups = |is_inside: fn(&char) -> bool| -> Vec<usize> {
        let outside = |character: char| !is_inside(&character);
        text.split(outside).filter(|group| !group.is_empty()).map(str::len).collect()
    };
    let numbers = groups(char::is_ascii_digit).len();
    let fragments = groups(char::is_ascii_lowercase).into_iter().filter(|length| *length <= FRAGMENT).count();
    (numbers >= MANY && has_letter(text)) || fragments > MANY
}

/// Several words, the last of them one for software. A name with a dot can be a person's first and last name.
fn ends_in_software(name: &str) -> bool {
    let words = words(name);
    let is_empty = |word: &&String| EMPTY_WORDS.contains(&word.as_str());
    let counts = words.iter().rev().skip_while(is_empty).collect::<Vec<_>>();
    !name.contains('.') && words.len() > 1 && counts.first().is_some_and(|last| SOFTWARE.contains(&last.as_str()))
}

/// The words of a name in lower case: `DatadogAWSIntegration` → datadog, aws, integration. Numbers are not words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let characters: Vec<char> = name.chars().collect();
    for (index, &character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| characters[before]);
        let is_start = character.is_uppercase()
            && (before.is_some_and(char::is_lowercase)
                || characters.get(index + 1).is_some_and(|next| next.is_lowercase()));
        if is_start || !character.is_alphabetic() {
            words.push(String::new());
        }
        if character.is_alphabetic() {
            let last = words.last_mut().expect("there is always one");
            last.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn names_that_are_not_searched_would_not_be_found(name in parts_of_names()) {
            prop_assert!(may_have_number_or_id(&name) || !GENERATED.is_match(&name), "{name}");
        }
    }

    /// Generated names and others, cut off and put together.
    fn parts_of_names() -> impl Strategy<Value = String> {
        let parts = [
            "ip-10-0-0-12",
            "IP-1-2-3-4.ec2.internal",
            "EC2AMAZ-HCNHA1G",
            "20230713T101112Z",
            "2023-07-13T10-11-12",
            "202307131011",
            "web-5d4f8c9b7-x2zqp",
            "6f1e2d3c-4b5a-6978-8f7e-6d5c4b3a2910",
            "6f1e2d3c_4b5a_6978",
            "1699999999",
            "build",
            "ec2.amazonaws.com.cn",
            "_",
            ".",
        ];
        let part = (prop::sample::select(parts.to_vec()), 0_usize..40, 0_usize..40);
        prop::collection::vec(part, 1..4).prop_map(|parts| {
            let cut = |(part, from, to): (&str, usize, usize)| {
                let (from, to) = (from.saturating_sub(20).min(part.len()), (to + 10).min(part.len()));
                part.get(from..to).unwrap_or_default().to_owned()
            };
            parts.into_iter().map(cut).collect()
        })
    }
}
