//! One text of ids → the ids.
//!
//! c7n-trailcreator joined the ids of a list by ` ,` and left a single id as it was: a text without that is one id, whatever
//! commas it holds. With it, ids that bear AWS's own form are taken apart; else the resource map tells whether the event
//! gives a list or one id. Where nothing tells, the text stays one id, so that nothing is made up, and is reported.

use crate::resource_map::EventRule;
use crate::resource_map::expression::Gives;

/// What c7n-trailcreator put between the ids of a list.
const SEPARATOR: &str = " ,";

/// Hexadecimal digits of the ids that EC2 and its kind give: `i-0abc1234`, `vol-0123456789abcdef0`.
const ID_DIGITS: std::ops::RangeInclusive<usize> = 8..=17;

/// The parts of an ARN, separated by colons.
const ARN_PARTS: usize = 6;

/// What a text of ids comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ids<'a> {
    /// One id.
    One(&'a str),
    /// Several, or what is left of several.
    Many(Vec<&'a str>),
    /// One id, which may be several: nothing tells.
    Unclear(&'a str),
}

/// The ids in `text`. `rules` are what the resource map says of the row's event and type.
pub(super) fn ids<'a>(text: &'a str, rules: &[&EventRule]) -> Ids<'a> {
    if !text.contains(SEPARATOR) {
        return Ids::One(text);
    }
    let parts: Vec<&str> = text.split(SEPARATOR).collect();
    if parts.iter().all(|part| has_form_of_id(part)) {
        return Ids::Many(parts);
    }
    match rules {
        [] => Ids::Unclear(text),
        rules if rules.iter().all(|rule| rule.ids.gives() == Gives::List) => {
            Ids::Many(parts.into_iter().filter(|part| !part.trim().is_empty()).collect())
        }
        rules if rules.iter().all(|rule| rule.ids.gives() == Gives::One) => Ids::One(text),
        _ => Ids::Unclear(text),
    }
}

/// Whether a text is one whole id by its form alone.
fn has_form_of_id(text: &str) -> bool {
    is_arn(text) || is_generated(text)
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.splitn(ARN_PARTS, ':').count() == ARN_PARTS && !text.contains([' ', ','])
}

/// `i-0abc1234`, `eipalloc-0123456789abcdef0`, `tgw-attach-0123456789abcdef0`
fn is_generated(text: &str) -> bool {
    let Some((kind, digits)) = text.rsplit_once('-') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    kind.split('-').all(is_word)
        && ID_DIGITS.contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::record::Action;
    use crate::trail::samples::map;

    fn told<'a>(text: &'a str, expressions: &[&str]) -> Ids<'a> {
        let rules: Vec<_> = expressions.iter().map(|ids| ("s", "n", "t", Action::Create, *ids)).collect();
        let map = map(&rules);
        ids(text, &map.rules("s", "n").iter().collect::<Vec<_>>())
    }

    #[test]
    fn only_what_was_joined_is_taken_apart() {
        for one in ["a", "a,b", "a, b", "i-0abc1234,i-0abc1235", "é , b"] {
            assert_eq!(
                told(one, &["a.items[].id"]),
                if one.contains(" ,") { Ids::Many(vec!["é", " b"]) } else { Ids::One(one) }
            );
        }
    }

    #[test]
    fn ids_of_a_form_are_told_by_it_whatever_the_map_says() {
        for joined in [
            "i-0abc1234 ,i-0123456789abcdef0",
            "arn:aws:iam::1:role/a ,arn:aws:elasticloadbalancing:r:1:loadbalancer/app/b/c",
            "vol-0abc1234 ,arn:aws:iam::1:role/a",
            "tgw-attach-0123456789abcdef0 ,eni-0abc1234",
        ] {
            for rules in [&[][..], &["a.name"], &["a.items[].id"]] {
                assert_eq!(told(joined, rules), Ids::Many(joined.split(" ,").collect()), "{joined}");
            }
        }
        for unlike in
            ["i-0abc123 ,i-0abc1234", "i-0ABC1234 ,i-0abc1234", "-0abc1234 ,a-0abc1234", "arn:x ,arn:y", "prod ,eu"]
        {
            assert_eq!(told(unlike, &[]), Ids::Unclear(unlike));
        }
    }

    #[test]
    fn else_the_map_tells() {
        assert_eq!(told("prod ,eu", &["requestParameters.alarmName"]), Ids::One("prod ,eu"));
        assert_eq!(told("prod ,eu", &["a.clusters[].name"]), Ids::Many(vec!["prod", "eu"]));
        assert_eq!(told("prod ,eu", &["a.clusters[].name", "a.name"]), Ids::Unclear("prod ,eu"));
        assert_eq!(told("prod ,", &["a.clusters[].name"]), Ids::Many(vec!["prod"]));
        assert_eq!(told(" ,", &["a.clusters[].name"]), Ids::Many(vec![]));
    }
}
