//! CloudTrail's layout of keys: `[prefix/]AWSLogs/[o-org/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/FILE`.
//!
//! Pure. Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>

use jiff::civil::Date;

use crate::model::AccountId;
use crate::store::ledger::days::{day_at_start, day_text};
use crate::trail::window::TimeWindow;

/// The folder that every trail creates below its prefix.
pub(super) const LOGS: &str = "AWSLogs/";

/// The folder with an account's log files. Digests and Insights events have other folders beside it.
pub(super) const SERVICE: &str = "CloudTrail/";

/// The level of a prefix in the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Above `AWSLogs/`, or outside of the layout.
    Outside,
    /// At `AWSLogs/`: the next level has organizations and accounts.
    Logs,
    /// At an organization: the next level has accounts.
    Organization,
    /// At an account: the next level is `CloudTrail/`.
    Account,
    /// At `CloudTrail/`: the next level has regions.
    Service,
    /// At a region, or deeper.
    Region,
}

/// A unit of listing: the folder of a region in an account, or a folder of logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trail {
    /// The prefix of its keys.
    pub(super) prefix: String,
    /// The part of the keys before the day. `None` without folders for days.
    pub(super) region_folder: Option<String>,
}

impl Trail {
    /// A region's folder, or a folder in it.
    pub(super) fn of_region(prefix: &str) -> Self {
        let parts = after_logs(prefix).map_or(0, |rest| prefix.len() - rest.len());
        let organization = usize::from(prefix[parts..].split('/').next().is_some_and(is_organization));
        // Account, CloudTrail and region.
        let depth = 3 + organization;
        let length: usize = prefix[parts..].split_inclusive('/').take(depth).map(str::len).sum();
        Self { prefix: prefix.to_owned(), region_folder: Some(prefix[..parts + length].to_owned()) }
    }

    /// A folder of logs outside of the layout.
    pub(super) fn flat(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), region_folder: None }
    }

    /// The key after which the objects of a day begin.
    pub(super) fn before_day(&self, day: Date) -> Option<String> {
        Some(format!("{}{}", self.region_folder.as_ref()?, day_text(day)))
    }

    /// The day of the folder that a key is in.
    pub(super) fn day(&self, key: &str) -> Option<Date> {
        day_at_start(key.strip_prefix(self.region_folder.as_deref()?)?)
    }

    /// Whether it is the complete folder of a region, so that all objects of a day are listed.
    pub(super) fn is_region(&self) -> bool {
        self.region_folder.as_ref() == Some(&self.prefix)
    }

    /// Whether a key, and so every later one, is after the time range.
    pub(super) fn is_past(&self, key: &str, window: TimeWindow) -> bool {
        let (Some(folder), Some(last)) = (&self.region_folder, window.delivery_days().last) else { return false };
        let last = day_text(last);
        key.strip_prefix(folder.as_str()).and_then(|rest| rest.get(..last.len())).is_some_and(|day| day > last.as_str())
    }
}

/// The prefix in S3's form: without a leading `/`, and with a trailing one.
pub(super) fn normalized(prefix: &str) -> String {
    let prefix = prefix.trim_start_matches('/').trim_end_matches('/');
    if prefix.is_empty() { String::new() } else { format!("{prefix}/") }
}

/// The part of a prefix after the last `AWSLogs/`.
fn after_logs(prefix: &str) -> Option<&str> {
    let at = format!("/{prefix}").rfind("/AWSLogs/")?;
    Some(&prefix[at + LOGS.len()..])
}

/// The level of a (normalized) prefix.
pub(super) fn level(prefix: &str) -> Level {
    let Some(rest) = after_logs(prefix) else { return Level::Outside };
    let mut parts: Vec<&str> = rest.split_terminator('/').collect();
    let has_organization = parts.first().is_some_and(|part| is_organization(part));
    if has_organization {
        parts.remove(0);
    }
    match parts[..] {
        [] if has_organization => Level::Organization,
        [] => Level::Logs,
        [account] if is_account(account) => Level::Account,
        [account, "CloudTrail"] if is_account(account) => Level::Service,
        [account, "CloudTrail", ..] if is_account(account) => Level::Region,
        _ => Level::Outside,
    }
}

/// The last folder of a prefix: `a/b/` → `b`.
pub(super) fn last_folder(prefix: &str) -> &str {
    prefix.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Source: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html>
pub(super) fn is_organization(folder: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    folder.strip_prefix("o-").is_some_and(|id| (10..=32).contains(&id.len()) && id.bytes().all(valid))
}

pub(super) fn is_account(folder: &str) -> bool {
    AccountId::parse(folder).is_ok()
}

/// Whether a key is of an object with content, and not only the sign of a folder, as the console and Hadoop write it.
pub(super) fn is_file(key: &str) -> bool {
    !key.ends_with('/') && !key.ends_with("_$folder$")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::window::WindowText;

    #[test]
    fn prefix_level_is_recognized() {
        for (prefix, expected) in [
            ("", Level::Outside),
            ("team/logs/", Level::Outside),
            ("team/myAWSLogs/", Level::Outside),
            ("AWSLogs/", Level::Logs),
            ("team/AWSLogs/", Level::Logs),
            ("AWSLogs/o-abcdefghij/", Level::Organization),
            ("AWSLogs/123456789012/", Level::Account),
            ("x/AWSLogs/o-abcdefghij/123456789012/", Level::Account),
            ("AWSLogs/123456789012/CloudTrail/", Level::Service),
            ("AWSLogs/123456789012/CloudTrail/eu-west-1/", Level::Region),
            ("AWSLogs/o-abcdefghij/123456789012/CloudTrail/eu-west-1/2023/07/", Level::Region),
            ("AWSLogs/123456789012/CloudTrail-Digest/", Level::Outside),
            ("AWSLogs/123456789012/Config/", Level::Outside),
        ] {
            assert_eq!(level(prefix), expected, "{prefix}");
        }
    }

    #[test]
    fn prefixes_are_normalized() {
        let normalized: Vec<_> = ["", "/", "a", "/a/b/", "a//"].into_iter().map(normalized).collect();
        assert_eq!(normalized, ["", "", "a/", "a/b/", "a/"]);
        assert_eq!((last_folder("a/b/"), last_folder("")), ("b", ""));
    }

    #[test]
    fn time_range_bounds_the_keys_of_a_region() {
        let folder = "t/AWSLogs/o-abcdefghij/123456789012/CloudTrail/eu-west-1/";
        let deeper = format!("{folder}2019/02/");
        for prefix in [folder, &deeper] {
            let trail = Trail::of_region(prefix);
            assert_eq!(trail.region_folder.as_deref(), Some(folder));
            let day = WindowText { day: Some("2019/02/01"), ..Default::default() };
            let window = TimeWindow::parse(day, "2024-01-01T00:00:00Z".parse().unwrap()).unwrap();
            let first = window.delivery_days().first.unwrap();
            assert_eq!(trail.before_day(first), Some(format!("{folder}2019/02/01")));
            assert_eq!(trail.day(&format!("{folder}2019/02/01/x.json.gz")), Some(first));
            assert_eq!(trail.is_region(), prefix == folder);
            assert!(!trail.is_past(&format!("{folder}2019/02/02/zzz.json.gz"), window));
            assert!(trail.is_past(&format!("{folder}2019/02/03/a.json.gz"), window));
            assert!(!trail.is_past(&format!("{folder}9999/12/31/a"), TimeWindow::default()));
        }
        let account = Trail::of_region("AWSLogs/123456789012/CloudTrail/us-east-1/");
        assert_eq!(account.region_folder.as_deref(), Some("AWSLogs/123456789012/CloudTrail/us-east-1/"));
    }
}
