//! What a listing shows about the archiving of an object. Pure.

use aws_sdk_s3::types::{ObjectStorageClass, RestoreStatus};

use crate::load::archived::{ArchiveClass, ArchivedObject};
use crate::store::ledger::ReadUnit;

/// The state of an object in a storage class that archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Archive {
    pub(super) class: ArchiveClass,
    pub(super) restore: Restore,
}

/// The restore of an archived object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restore {
    /// Not requested, or ended and not visible any more.
    Absent,
    InProgress,
    /// A copy can be read.
    Done,
}

impl Archive {
    /// From the storage class and RestoreStatus of a listed object.
    ///
    /// A restored object of the Glacier classes has an expiry date. One of Intelligent-Tiering has none: it moves to another tier.
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html>
    pub(super) fn of_listing(class: Option<&ObjectStorageClass>, status: Option<&RestoreStatus>) -> Option<Self> {
        let class = ArchiveClass::of_listing(class?.as_str())?;
        let expires = |status: &RestoreStatus| status.restore_expiry_date().is_some();
        let restore = match status {
            Some(status) if status.is_restore_in_progress() == Some(true) => Restore::InProgress,
            Some(status) if expires(status) || class == ArchiveClass::IntelligentTiering => Restore::Done,
            _ => Restore::Absent,
        };
        Some(Self { class, restore })
    }

    /// The object as a load counts it. `note`: what the ledger has to remember.
    pub(super) fn object(self, name: String, note: Option<ReadUnit>) -> ArchivedObject {
        ArchivedObject { name, class: self.class, is_restoring: self.restore == Restore::InProgress, note }
    }

    /// Whether the listing alone shows that the object can't be read.
    pub(super) fn is_certain(self) -> bool {
        match self.restore {
            Restore::Absent => self.class != ArchiveClass::IntelligentTiering,
            Restore::InProgress => true,
            Restore::Done => false,
        }
    }

    /// Whether the object can be in an archive tier that the listing does not show.
    pub(super) fn is_hidden(self) -> bool {
        self.class == ArchiveClass::IntelligentTiering && self.restore == Restore::Absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::primitives::DateTime;

    fn state(class: &str, status: Option<(bool, bool)>) -> Option<(Restore, bool, bool)> {
        let status = status.map(|(in_progress, expires)| {
            let expiry = expires.then(|| DateTime::from_secs(1));
            RestoreStatus::builder().is_restore_in_progress(in_progress).set_restore_expiry_date(expiry).build()
        });
        let archive = Archive::of_listing(Some(&ObjectStorageClass::from(class)), status.as_ref())?;
        Some((archive.restore, archive.is_certain(), archive.is_hidden()))
    }

    #[test]
    fn listing_shows_what_is_archived_restoring_and_restored() {
        for (class, status, expected) in [
            ("STANDARD", None, None),
            ("GLACIER_IR", None, None),
            ("GLACIER", None, Some((Restore::Absent, true, false))),
            ("GLACIER", Some((false, false)), Some((Restore::Absent, true, false))),
            ("DEEP_ARCHIVE", Some((true, false)), Some((Restore::InProgress, true, false))),
            ("DEEP_ARCHIVE", Some((false, true)), Some((Restore::Done, false, false))),
            ("INTELLIGENT_TIERING", None, Some((Restore::Absent, false, true))),
            ("INTELLIGENT_TIERING", Some((true, false)), Some((Restore::InProgress, true, false))),
            ("INTELLIGENT_TIERING", Some((false, false)), Some((Restore::Done, false, false))),
        ] {
            assert_eq!(state(class, status), expected, "{class} {status:?}");
        }
        assert_eq!(Archive::of_listing(None, None), None);
    }
}
