//! Which accounts of a file are meant: by name or id, and by tags.
//!
//! Pure. Names and ids may have `*` and `?`. An account that is asked for, or to be left out, and is not in the file is an
//! error: a typo must not tag the wrong account.

use regex::Regex;

use super::{Account, AccountsFile};
use crate::text::nearest;

/// Which accounts.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// These, by name or id; all if none are named.
    pub accounts: Vec<String>,
    /// But not these.
    pub not_accounts: Vec<String>,
    /// And only those that have all of these tags.
    pub tags: Vec<String>,
}

/// A name that no account answers to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no account has the name or id {name}{}", nearest.as_ref().map(|near| format!(", did you mean {near}?")).unwrap_or_default())]
pub struct UnknownAccount {
    /// As it was given.
    pub name: String,
    /// The name most like it.
    pub nearest: Option<String>,
}

impl Selection {
    /// The accounts of the file that are meant, in its order.
    ///
    /// # Errors
    /// A name or id that no account has.
    pub fn of(&self, file: AccountsFile) -> Result<Vec<Account>, UnknownAccount> {
        let wanted = patterns(&self.accounts, &file)?;
        let unwanted = patterns(&self.not_accounts, &file)?;
        let mut accounts = file.accounts;
        accounts.retain(|account| {
            let is_named = |patterns: &[Regex]| patterns.iter().any(|pattern| names(pattern, account));
            let has = |tag: &String| account.tags.contains(tag);
            (wanted.is_empty() || is_named(&wanted)) && !is_named(&unwanted) && self.tags.iter().all(has)
        });
        Ok(accounts)
    }
}

fn patterns(texts: &[String], file: &AccountsFile) -> Result<Vec<Regex>, UnknownAccount> {
    let mut patterns = Vec::with_capacity(texts.len());
    for text in texts {
        let pattern = glob(text);
        if !file.accounts.iter().any(|account| names(&pattern, account)) {
            let known = file.accounts.iter().map(|account| account.name.as_str());
            return Err(UnknownAccount { name: text.clone(), nearest: nearest(text, known).map(str::to_owned) });
        }
        patterns.push(pattern);
    }
    Ok(patterns)
}

fn names(pattern: &Regex, account: &Account) -> bool {
    pattern.is_match(&account.name) || pattern.is_match(account.id.as_str())
}

fn glob(text: &str) -> Regex {
    let mut pattern = "^(?s:".to_owned();
    for character in text.chars() {
        match character {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            other => pattern.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern.push_str(")$");
    Regex::new(&pattern).expect("all that could mean something is escaped")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accounts: &[&str], not_accounts: &[&str], tags: &[&str]) -> Result<Vec<String>, UnknownAccount> {
        let text = "accounts:\n\
            - {account_id: '111111111111', name: prod-eu, tags: ['stage:prod', 'area:eu']}\n\
            - {account_id: '222222222222', name: prod-us, tags: ['stage:prod']}\n\
            - {account_id: '333333333333', name: lab (old)}\n";
        let file = AccountsFile::parse("accounts.yml", text).unwrap();
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let selection = Selection { accounts: owned(accounts), not_accounts: owned(not_accounts), tags: owned(tags) };
        Ok(selection.of(file)?.into_iter().map(|account| account.name).collect())
    }

    #[test]
    fn accounts_are_chosen_by_name_id_pattern_and_all_tags() {
        assert_eq!(chosen(&[], &[], &[]).unwrap().len(), 3);
        assert_eq!(chosen(&["222222222222", "lab (old)"], &[], &[]).unwrap(), ["prod-us", "lab (old)"]);
        assert_eq!(chosen(&["prod-*"], &["prod-e?"], &[]).unwrap(), ["prod-us"]);
        assert_eq!(chosen(&[], &["111111111111"], &["stage:prod"]).unwrap(), ["prod-us"]);
        assert_eq!(chosen(&[], &[], &["stage:prod", "area:eu"]).unwrap(), ["prod-eu"]);
        assert_eq!(chosen(&[], &[], &["stage:test"]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_name_that_no_account_has_is_an_error_also_where_it_is_left_out() {
        for (accounts, not_accounts) in [(&["prod-ue"][..], &[][..]), (&[], &["prod-ue"])] {
            let error = chosen(accounts, not_accounts, &[]).unwrap_err();
            assert_eq!(error.to_string(), "no account has the name or id prod-ue, did you mean prod-eu?");
        }
    }
}
