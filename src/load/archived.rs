//! Objects that S3 has archived: they have to be restored before anything can read them.
//!
//! The listing shows the archived storage classes, but not the archive tiers of Intelligent-Tiering: only a refused GET does. The
//! ledger remembers that refusal for [`REMEMBERED_DAYS`], so that these objects are not requested by each load.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html>

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::unit::Identity;
use crate::store::Fingerprint;
use crate::store::ledger::{ReadUnit, archived_prefix};

/// For how many days an object is not requested again after S3 refused it as archived. No listing shows that such an object was
/// restored, so it has to be requested at some time.
pub const REMEMBERED_DAYS: i64 = 7;

/// The storage classes with objects that can be archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArchiveClass {
    /// S3 Glacier Flexible Retrieval.
    Glacier,
    /// S3 Glacier Deep Archive.
    DeepArchive,
    /// Archived are only the objects in its Archive Access and Deep Archive Access tiers.
    IntelligentTiering,
}

impl ArchiveClass {
    /// The class that a listing calls so. `None`: its objects can be read at any time.
    pub fn of_listing(name: &str) -> Option<Self> {
        [Self::Glacier, Self::DeepArchive, Self::IntelligentTiering].into_iter().find(|class| class.name() == name)
    }

    /// S3's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
        }
    }
}

/// An object that was not read because it is archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedObject {
    /// `s3://bucket/key`
    pub name: String,
    /// Its storage class.
    pub class: ArchiveClass,
    /// Whether S3 is restoring it.
    pub is_restoring: bool,
    /// What the ledger has to remember about it.
    pub note: Option<ReadUnit>,
}

/// The archived objects of a load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchivedCounts {
    /// All of them.
    pub objects: u64,
    /// Those that S3 is restoring.
    pub restoring: u64,
    /// All of them by storage class.
    pub by_class: BTreeMap<ArchiveClass, u64>,
    /// The first by name.
    pub first: Option<String>,
}

impl ArchivedCounts {
    /// Counts an object.
    pub(super) fn add(&mut self, object: ArchivedObject) {
        self.objects += 1;
        self.restoring += u64::from(object.is_restoring);
        *self.by_class.entry(object.class).or_default() += 1;
        if self.first.as_ref().is_none_or(|first| object.name < *first) {
            self.first = Some(object.name);
        }
    }
}

/// The ledger's entry of an object that S3 refused as archived on `day`.
pub(super) fn refused_note(identity: &Identity, day: Date) -> ReadUnit {
    note(identity, refused_on(identity, day))
}

/// The ledger's entry that makes the next load request the object again: it is being restored.
pub(super) fn restoring_note(identity: &Identity) -> ReadUnit {
    note(identity, Fingerprint::of(&[identity.content.as_bytes(), b"restoring"]))
}

/// Whether an entry shows that S3 refused the object as archived, in this version, in the days before `today`.
pub(super) fn is_remembered(known: Fingerprint, identity: &Identity, today: Date) -> bool {
    (0..REMEMBERED_DAYS).any(|ago| known == refused_on(identity, today.saturating_sub(ago.days())))
}

fn refused_on(identity: &Identity, day: Date) -> Fingerprint {
    Fingerprint::of(&[identity.content.as_bytes(), b"archived", day.to_string().as_bytes()])
}

fn note(identity: &Identity, version: Fingerprint) -> ReadUnit {
    ReadUnit { prefix: archived_prefix(&identity.prefix), name: identity.name.clone(), version }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn identity(content: &str) -> Identity {
        Identity {
            prefix: "s3://b/2026/03/01/".to_owned(),
            name: "a.json.gz".to_owned(),
            content: Fingerprint::of(&[content.as_bytes()]),
        }
    }

    #[test]
    fn refusal_is_remembered_for_some_days_and_for_one_version() {
        let known = refused_note(&identity("1"), date(2026, 3, 30)).version;
        for (today, expected) in
            [(date(2026, 3, 29), false), (date(2026, 3, 30), true), (date(2026, 4, 5), true), (date(2026, 4, 6), false)]
        {
            assert_eq!(is_remembered(known, &identity("1"), today), expected, "{today}");
        }
        assert!(!is_remembered(known, &identity("2"), date(2026, 3, 30)));
        let restoring = restoring_note(&identity("1")).version;
        assert!(!is_remembered(restoring, &identity("1"), date(2026, 3, 30)));
    }

    #[test]
    fn classes_have_the_names_of_listings() {
        for (name, expected) in [
            ("GLACIER", Some(ArchiveClass::Glacier)),
            ("DEEP_ARCHIVE", Some(ArchiveClass::DeepArchive)),
            ("INTELLIGENT_TIERING", Some(ArchiveClass::IntelligentTiering)),
            ("GLACIER_IR", None),
            ("STANDARD", None),
        ] {
            assert_eq!(ArchiveClass::of_listing(name), expected, "{name}");
        }
    }
}
