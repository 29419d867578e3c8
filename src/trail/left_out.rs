//! What a filter left out: to say what is there where it left nothing.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use smol_str::SmolStr;

/// Accounts and regions that are named; more would make the message longer, not better.
const NAMED: usize = 5;

/// Time, account and region of a record that the filter doesn't want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwanted {
    /// `eventTime`.
    pub time: Timestamp,
    /// `recipientAccountId`.
    pub account_id: SmolStr,
    /// `awsRegion`.
    pub region: SmolStr,
}

/// The records that a filter left out, in short. Its size is bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    times: Option<(Timestamp, Timestamp)>,
    accounts: BTreeSet<SmolStr>,
    regions: BTreeSet<SmolStr>,
}

impl LeftOut {
    /// Adds a record.
    pub fn add(&mut self, record: Unwanted) {
        self.span(record.time, record.time);
        insert(&mut self.accounts, record.account_id);
        insert(&mut self.regions, record.region);
    }

    /// Adds another's records.
    pub fn merge(&mut self, other: &Self) {
        if let Some((first, last)) = other.times {
            self.span(first, last);
        }
        other.accounts.iter().for_each(|account| insert(&mut self.accounts, account.clone()));
        other.regions.iter().for_each(|region| insert(&mut self.regions, region.clone()));
    }

    fn span(&mut self, first: Timestamp, last: Timestamp) {
        let (known_first, known_last) = self.times.unwrap_or((first, last));
        self.times = Some((known_first.min(first), known_last.max(last)));
    }
}

fn insert(names: &mut BTreeSet<SmolStr>, name: SmolStr) {
    // One more than are named, so that the others show.
    if names.len() <= NAMED {
        names.insert(name);
    }
}

fn listed(names: &BTreeSet<SmolStr>) -> String {
    let mut text = names.iter().take(NAMED).map(SmolStr::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text.push_str(" and others");
    }
    text
}

/// "account 123456789012, region us-east-1, from 2019-02-01T00:00:00Z to 2019-02-03T00:00:00Z"
impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, last)) = self.times else { return formatter.write_str("nothing") };
        write!(formatter, "account {}, region {}, ", listed(&self.accounts), listed(&self.regions))?;
        write!(formatter, "from {first} to {last}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_regions_and_times_are_summed_up_within_bounds() {
        let mut all = LeftOut::default();
        assert_eq!(all.to_string(), "nothing");
        for number in 0..9 {
            let mut one = LeftOut::default();
            let time = format!("2019-02-0{}T00:00:00Z", 9 - number).parse().unwrap();
            one.add(Unwanted { time, account_id: format!("11111111111{number}").into(), region: "us-east-1".into() });
            all.merge(&one);
        }
        assert_eq!(
            all.to_string(),
            "account 111111111110, 111111111111, 111111111112, 111111111113, 111111111114 and others, region us-east-1, from \
             2019-02-01T00:00:00Z to 2019-02-09T00:00:00Z"
        );
    }
}
