//! The regions of an account: by the command line, else by the accounts file, else by the database.

use super::{Account, RegionChoice};
use crate::aws::{CallError, Session, regions};
use crate::model::Region;

/// The regions to look at.
#[derive(Debug, PartialEq, Eq)]
pub enum Regions {
    /// Those the database has records for.
    OfDatabase,
    /// These.
    These(Vec<Region>),
    /// All that the account has enabled.
    Enabled,
}

impl Regions {
    /// The regions that are known before any call.
    pub fn given(self) -> Option<Vec<Region>> {
        match self {
            Self::These(regions) => Some(regions),
            Self::OfDatabase | Self::Enabled => None,
        }
    }

    /// The regions themselves, from AWS if necessary. `None`: those of the database.
    ///
    /// # Errors
    /// Neither service that knows the enabled regions returns them.
    pub async fn ask(self, session: &Session) -> Result<Option<Vec<Region>>, CallError> {
        match self {
            Self::OfDatabase => Ok(None),
            Self::These(regions) => Ok(Some(regions)),
            Self::Enabled => {
                let (mut enabled, _) = regions::enabled(session).await?;
                // Credentials are of one partition. AWS names no regions of others; a test server may.
                enabled.retain(|region| region.partition() == session.region().partition());
                Ok(Some(enabled))
            }
        }
    }
}

/// The regions of an account: by the command line (`given`), else by the file, else by the database.
pub fn regions_of(given: &[RegionChoice], account: &Account) -> Regions {
    let wanted = if given.is_empty() { &account.regions } else { given };
    if wanted.is_empty() {
        return Regions::OfDatabase;
    }
    let one = |choice: &RegionChoice| match choice {
        RegionChoice::One(region) => Some(region.clone()),
        RegionChoice::All => None,
    };
    wanted.iter().map(one).collect::<Option<Vec<_>>>().map_or(Regions::Enabled, Regions::These)
}
