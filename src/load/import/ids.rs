//! Splits the text with a row's identifiers.
//!
//! c7n-trailcreator joined the identifiers of a list with ` ,` and stored a single identifier unchanged. So a text without ` ,` is one
//! identifier, even with commas. Otherwise identifiers in a form that AWS generates are split; else the resource map determines whether the event
//! has a list or a single identifier. If that is unknown, the text is kept as one identifier, so that nothing is invented, and is reported.

use crate::model::ArnParts;
use crate::resource_map::EventRule;
use crate::resource_map::expression::Cardinality;

/// The separator of c7n-trailcreator.
const SEPARATOR: &str = " ,";

/// Numbers of hexadecimal digits in the IDs of EC2 and similar services: `i-0abc1234`, `vol-0123456789abcdef0`.
const ID_DIGITS: std::ops::RangeInclusive<usize> = 8..=17;

/// The result for a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ids<'a> {
    /// One identifier.
    One(&'a str),
    /// Several identifiers, or those of several that are not empty.
    Many(Vec<&'a str>),
    /// Kept as one identifier, but it can be several.
    Unclear(&'a str),
}

/// Splits `text`. `rules` are the rules of the resource map for the row's event and type.
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
        rules if rules.iter().all(|rule| rule.ids.gives() == Cardinality::List) => {
            Ids::Many(parts.into_iter().filter(|part| !part.trim().is_empty()).collect())
        }
        rules if rules.iter().all(|rule| rule.ids.gives() == Cardinality::One) => Ids::One(text),
        _ => Ids::Unclear(text),
    }
}

/// Whether a text is a complete identifier by its form.
fn has_form_of_id(text: &str) -> bool {
    (ArnParts::parse(text).is_some() && !text.contains([' ', ','])) || is_generated(text)
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
    use crate::model::event::Action;
    use crate::trail::samples::map;

    fn by_map<'a>(text: &'a str, expressions: &[&str]) -> Ids<'a> {
        let rules: Vec<_> = expressions.iter().map(|ids| ("s", "n", "t", Action::Create, *ids)).collect();
        let map = map(&rules);
        ids(text, &map.rules("s", "n").iter().collect::<Vec<_>>())
    }

    #[test]
    fn only_joined_texts_are_split() {
        for one in ["a", "a,b", "a, b", "i-0abc1234,i-0abc1235", "é , b"] {
            assert_eq!(
                by_map(one, &["a.items[].id"]),
                if one.contains(" ,") { Ids::Many(vec!["é", " b"]) } else { Ids::One(one) }
            );
        }
    }

    #[test]
    fn generated_ids_are_recognized_regardless_of_the_map() {
        for joined in [
            "i-0abc1234 ,i-0123456789abcdef0",
            "arn:aws:iam::1:role/a ,arn:aws:elasticloadbalancing:r:1:loadbalancer/app/b/c",
            "vol-0abc1234 ,arn:aws:iam::1:role/a",
            "tgw-attach-0123456789abcdef0 ,eni-0abc1234",
        ] {
            for rules in [&[][..], &["a.name"], &["a.items[].id"]] {
                assert_eq!(by_map(joined, rules), Ids::Many(joined.split(" ,").collect()), "{joined}");
            }
        }
        for unlike in
            ["i-0abc123 ,i-0abc1234", "i-0ABC1234 ,i-0abc1234", "-0abc1234 ,a-0abc1234", "arn:x ,arn:y", "prod ,eu"]
        {
            assert_eq!(by_map(unlike, &[]), Ids::Unclear(unlike));
        }
    }

    #[test]
    fn otherwise_the_map_decides() {
        assert_eq!(by_map("prod ,eu", &["requestParameters.alarmName"]), Ids::One("prod ,eu"));
        assert_eq!(by_map("prod ,eu", &["a.clusters[].name"]), Ids::Many(vec!["prod", "eu"]));
        assert_eq!(by_map("prod ,eu", &["a.clusters[].name", "a.name"]), Ids::Unclear("prod ,eu"));
        assert_eq!(by_map("prod ,", &["a.clusters[].name"]), Ids::Many(vec!["prod"]));
        assert_eq!(by_map(" ,", &["a.clusters[].name"]), Ids::Many(vec![]));
    }
}
