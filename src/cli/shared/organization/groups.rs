//! Failures in groups: a hundred accounts that refuse the same role are one problem.

use std::collections::BTreeMap;

use super::super::Context;

/// Accounts that are named of each group.
const NAMED: usize = 5;
/// Groups that are kept apart; what does not fit is counted together.
const MOST: usize = 50;
/// The text in place of an account's ID in AWS's messages.
const ANY_ACCOUNT: &str = "*";

/// Failures by what they have in common.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: BTreeMap<String, Group>,
    others: u64,
}

#[derive(Debug, Default)]
struct Group {
    count: u64,
    named: Vec<String>,
    hint: Option<String>,
}

impl Groups {
    /// Adds a failure at `place`.
    pub(super) fn add(&mut self, error: &str, hint: Option<&str>, place: &str) {
        let error = without_accounts(error);
        if !self.groups.contains_key(&error) && self.groups.len() >= MOST {
            self.others += 1;
            return;
        }
        let group = self.groups.entry(error).or_default();
        group.count += 1;
        group.hint = group.hint.take().or_else(|| hint.map(without_accounts));
        // The first by name, in any order of arrival: two runs print the same.
        group.named.push(place.to_owned());
        group.named.sort_unstable();
        group.named.truncate(NAMED);
    }

    /// Prints them, largest first.
    pub(super) fn show(&self, context: &Context, title: &str) {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.count));
        for (error, group) in groups {
            let more = group.count.saturating_sub(group.named.len().try_into().unwrap_or(u64::MAX));
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let hint = group.hint.as_ref().map(|hint| format!("hint: {hint}"));
            let named = format!("{}{more}", group.named.join(", "));
            let details = [Some(named), hint].into_iter().flatten();
            context.console.warning_with(format_args!("{title} ({}): {error}", group.count), details);
        }
        if self.others > 0 {
            context.console.warning(format_args!("{title}: {} other errors", self.others));
        }
    }
}

/// The text without account ids, in which the same failure differs from account to account.
fn without_accounts(text: &str) -> String {
    const DIGITS: usize = 12;
    let mut plain = String::with_capacity(text.len());
    let mut digits = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        plain.push_str(if digits.len() == DIGITS { ANY_ACCOUNT } else { &digits });
        digits.clear();
        plain.push(character);
    }
    plain.truncate(plain.len() - 1);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_the_account_only_is_one_group() {
        let mut groups = Groups::default();
        for number in 0..7 {
            let error = format!("AccessDenied: no sts:AssumeRole on arn:aws:iam::11111111111{number}:role/x in 2026");
            groups.add(&error, None, &format!("a{number}"));
        }
        groups.add("AccessDenied: else 1234567890123", Some("look"), "b");
        let of = |error: &str| &groups.groups[error];
        let roles = of("AccessDenied: no sts:AssumeRole on arn:aws:iam::*:role/x in 2026");
        assert_eq!((roles.count, roles.named.len()), (7, NAMED));
        assert_eq!(of("AccessDenied: else 1234567890123").hint.as_deref(), Some("look"));
    }
}
