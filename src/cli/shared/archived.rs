//! Archived objects in a summary: their number by storage class, and how to have them loaded.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::console::{counted, number};
use crate::load::archived::{ArchiveClass, ArchivedCounts, REMEMBERED_DAYS};

/// The archived objects of a load, as JSON.
#[derive(Serialize)]
pub(in crate::cli) struct ArchivedEntry<'f> {
    /// All of them.
    objects: u64,
    /// Those that S3 is restoring.
    restoring: u64,
    /// All of them by storage class.
    by_storage_class: BTreeMap<&'static str, u64>,
    /// The first by name.
    first: Option<&'f str>,
    /// How to load them.
    advice: String,
}

impl<'f> ArchivedEntry<'f> {
    /// `None` if no object is archived.
    pub(in crate::cli) fn of(counts: &'f ArchivedCounts) -> Option<Self> {
        (counts.objects > 0).then(|| Self {
            objects: counts.objects,
            restoring: counts.restoring,
            by_storage_class: counts.by_class.iter().map(|(class, count)| (class.name(), *count)).collect(),
            first: counts.first.as_deref(),
            advice: advice(counts),
        })
    }
}

/// "3 objects, not read: GLACIER 2, DEEP_ARCHIVE 1; 1 is being restored"
pub(in crate::cli) fn phrase(counts: &ArchivedCounts) -> Option<String> {
    if counts.objects == 0 {
        return None;
    }
    let classes: Vec<String> =
        counts.by_class.iter().map(|(class, count)| format!("{} {}", class.name(), number(*count))).collect();
    let restoring = match counts.restoring {
        0 => String::new(),
        1 => "; 1 is being restored".to_owned(),
        restoring => format!("; {} are being restored", number(restoring)),
    };
    Some(format!("{}, not read: {}{restoring}", counted(counts.objects, "object"), classes.join(", ")))
}

/// How to load archived objects. They are not failures, so this is not an error's hint.
pub(in crate::cli) fn advice(counts: &ArchivedCounts) -> String {
    let again = "then run the same command again";
    if counts.restoring == counts.objects {
        return "wait until S3 has restored them, then run the same command again".to_owned();
    }
    let restore = "restore them with aws s3api restore-object, or S3 Batch Operations for many";
    if counts.by_class.contains_key(&ArchiveClass::IntelligentTiering) {
        return format!(
            "{restore}, {again}; objects of INTELLIGENT_TIERING are requested again after {REMEMBERED_DAYS} days, or at \
             once with --relist"
        );
    }
    format!("{restore}, {again}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archived_objects_are_counted_with_advice() {
        let mut counts = ArchivedCounts::default();
        assert_eq!(phrase(&counts), None);
        assert!(ArchivedEntry::of(&counts).is_none());
        counts.objects = 1203;
        counts.restoring = 1;
        counts.by_class = [(ArchiveClass::DeepArchive, 3), (ArchiveClass::Glacier, 1200)].into();
        let words = phrase(&counts).unwrap();
        assert_eq!(words, "1,203 objects, not read: GLACIER 1,200, DEEP_ARCHIVE 3; 1 is being restored");
        assert!(advice(&counts).starts_with("restore them with aws s3api restore-object"));
        assert!(!advice(&counts).contains("--relist"));
        counts.by_class.insert(ArchiveClass::IntelligentTiering, 1);
        assert!(advice(&counts).contains("after 7 days, or at once with --relist"));
        counts.restoring = counts.objects;
        assert!(advice(&counts).starts_with("wait until"));
    }
}
