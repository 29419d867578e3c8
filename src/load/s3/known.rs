//! What is known about listed objects, from their names, the listing and the ledger: only the others are requested.

use super::Request;
use super::archive::Archive;
use super::list::Object;
use crate::load::Versions;
use crate::load::archived::{self, ArchiveClass};
use crate::load::unit::Identity;
use crate::store::StoreError;
use crate::store::ledger::{Ledger, archived_prefix};
use crate::trail::envelope::Kind;
use crate::trail::scan::kind_of_name;

/// What is known about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Not in the ledger: it is read.
    No,
    /// Its name says that it has no records.
    Other(Kind),
    Loaded {
        filtered: bool,
    },
    /// It can't be read before it is restored.
    Archived {
        archive: Archive,
        /// Whether S3 refused it in the last days.
        was_refused: bool,
    },
}

/// What is known about listed objects before they are requested.
pub(super) struct KnownObjects<'k> {
    pub(super) versions: &'k Versions,
    pub(super) ledger: &'k Ledger,
    pub(super) request: &'k Request,
}

impl KnownObjects<'_> {
    /// Looks an object up in the ledger, unless its name or its listing decides.
    pub(super) fn look_up(&self, object: &Object, identity: &Identity) -> Result<Known, StoreError> {
        if let Some(kind) = kind_of_name(object.name()) {
            return Ok(Known::Other(kind));
        }
        if let Some(filtered) = self.versions.loaded(self.ledger, identity)? {
            return Ok(Known::Loaded { filtered });
        }
        let Some(archive) = object.archive else { return Ok(Known::No) };
        let was_refused = archive.class == ArchiveClass::IntelligentTiering && self.was_refused(identity)?;
        let is_archived = archive.is_certain() || was_refused && archive.is_hidden() && !self.request.relist;
        Ok(if is_archived { Known::Archived { archive, was_refused } } else { Known::No })
    }

    /// Whether S3 refused the object as archived in the last days.
    fn was_refused(&self, identity: &Identity) -> Result<bool, StoreError> {
        let noted = self.ledger.version(&archived_prefix(&identity.prefix), &identity.name)?;
        Ok(noted.is_some_and(|noted| archived::is_remembered(noted, identity, self.request.today)))
    }
}
