//! What `--version` prints besides the version. For the build script, so it uses only the standard library.

use std::time::{SystemTime, UNIX_EPOCH};

/// Characters of a commit's hash that are printed.
const COMMIT_LENGTH: usize = 12;

const SECONDS_OF_DAY: u64 = 24 * 60 * 60;

/// Days from 1970 to the year 10000, which has a digit too many.
const DAYS_UNTIL_10000: u64 = 2_932_897;

/// How the program was built.
pub(crate) enum Build {
    /// For work on the program. It says nothing that changes with each commit.
    Debug,
    /// For use.
    Release {
        /// The commit's hash, if it is known.
        commit: Option<String>,
        /// The day of the build: `2026-11-29`.
        date: String,
    },
}

impl Build {
    /// The long version: `0.1.0 (84c2f53d1a2b 2026-11-29)`, as cargo and rustc print theirs.
    pub(crate) fn describe(&self, version: &str) -> String {
        match self {
            Self::Debug => format!("{version} (debug build)"),
            Self::Release { commit: Some(commit), date } => {
                format!("{version} ({} {date})", commit.get(..COMMIT_LENGTH).unwrap_or(commit))
            }
            Self::Release { commit: None, date } => format!("{version} (built {date})"),
        }
    }
}

/// The commit in `.cargo_vcs_info.json`: `{"git": {"sha1": "…"}, …}`.
pub(crate) fn commit_in_vcs_info(text: &str) -> Option<String> {
    let (_, after) = text.split_once("\"sha1\"")?;
    let hash = after.split('"').nth(1)?;
    (!hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| hash.to_owned())
}

/// The day of a `SOURCE_DATE_EPOCH`: seconds since 1970.
///
/// Source: <https://reproducible-builds.org/docs/source-date-epoch/>
pub(crate) fn date_of_epoch(seconds: &str) -> Option<String> {
    let day = seconds.trim().parse::<u64>().ok()? / SECONDS_OF_DAY;
    (day < DAYS_UNTIL_10000).then(|| date_of_day(day))
}

/// The day (UTC) of a time.
pub(crate) fn date_of(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    date_of_day(seconds / SECONDS_OF_DAY)
}

fn date_of_day(mut day: u64) -> String {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut month) = (1970, 1);
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let days_of_month = |month| match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    while day >= days_of_month(month) {
        day -= days_of_month(month);
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", day + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_day_of_source_date_epoch() {
        let dates = [
            ("0", "1970-01-01"),
            ("951782400", "2000-02-29"),
            ("1709164800", "2024-02-29"),
            ("1735689599", "2024-12-31"),
            ("1795910400", "2026-11-29"),
            ("4107542400", "2100-03-01"),
            ("253402300799", "9999-12-31"),
        ];
        for (epoch, date) in dates {
            assert_eq!(date_of_epoch(epoch).as_deref(), Some(date), "{epoch}");
        }
        assert_eq!(["soon", "253402300800"].map(date_of_epoch), [None, None]);
        assert!(date_of(SystemTime::now()).as_str() > "2026");
    }

    #[test]
    fn the_long_version_has_what_is_known() {
        let release =
            |commit: Option<&str>| Build::Release { commit: commit.map(str::to_owned), date: "2026-11-29".to_owned() };
        let hash = "84c2f53d1a2b3c4d5e6f708192a3b4c5d6e7f809";
        assert_eq!(release(Some(hash)).describe("0.1.0"), "0.1.0 (84c2f53d1a2b 2026-11-29)");
        assert_eq!(release(None).describe("0.1.0"), "0.1.0 (built 2026-11-29)");
        assert_eq!(Build::Debug.describe("0.1.0"), "0.1.0 (debug build)");
    }

    #[test]
    fn the_commit_of_an_archive_is_read() {
        let info = "{\n  \"git\": {\n    \"sha1\": \"84c2f53d1a2b\"\n  },\n  \"path_in_vcs\": \"\"\n}";
        assert_eq!(commit_in_vcs_info(info).as_deref(), Some("84c2f53d1a2b"));
        assert_eq!(commit_in_vcs_info("{\"git\": {\"dirty\": true}}"), None);
        assert_eq!(commit_in_vcs_info("{\"git\": {\"sha1\": \"not a hash\"}}"), None);
    }
}
