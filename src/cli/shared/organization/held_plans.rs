//! Plans that are held back until all account-regions are surveyed: in a file, so that memory does not grow with their size.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::super::confirm::Replaced;
use super::super::private_file::{self, temporary_beside};
use super::super::{CommandError, tagging};
use crate::model::AccountId;
use crate::org::account_job::{PlanAt, UnreadPlan};
use crate::plan::Plan;

/// The plans.
#[derive(Debug)]
pub(super) struct HeldPlans {
    file: File,
    /// Where the file is, if it still has a name.
    path: Option<PathBuf>,
    end: u64,
    /// Where each plan is, by account.
    pub(super) at: HashMap<AccountId, Vec<PlanAt>>,
    /// Writes in all plans.
    pub(super) writes: u64,
    /// Those that replace a value.
    pub(super) replaced: Replaced,
}

impl HeldPlans {
    /// None yet. The file is beside the database, and for its user only.
    pub(super) fn create(database: &Path) -> Result<Self, CommandError> {
        let path = temporary_beside(database);
        let file = private_file::options().read(true).write(true).create_new(true).open(&path).map_err(|error| {
            CommandError::while_doing(format_args!("keeping the plans in {}", path.display()), &error)
        })?;
        // Where an open file needs no name, nothing is left behind however the process ends.
        let path = fs::remove_file(&path).is_err().then_some(path);
        Ok(Self { file, path, end: 0, at: HashMap::new(), writes: 0, replaced: Replaced::default() })
    }

    /// Keeps a plan.
    pub(super) fn add(&mut self, plan: &Plan) -> Result<(), CommandError> {
        let write = |file: &mut File| {
            file.seek(SeekFrom::Start(self.end))?;
            let mut pieces = BufWriter::new(&mut *file);
            serde_json::to_writer(&mut pieces, plan)?;
            pieces.flush()?;
            drop(pieces);
            Ok(file.stream_position()? - self.end)
        };
        let length =
            write(&mut self.file).map_err(|error: io::Error| CommandError::while_doing("keeping the plans", &error))?;
        let at = PlanAt { region: plan.region.clone(), offset: self.end, length };
        self.at.entry(plan.account_id.clone()).or_default().push(at);
        self.end += length;
        self.writes += tagging::count(plan.actions.len());
        self.replaced.add(&plan.actions);
        Ok(())
    }

    /// A plan.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn read(&self, at: &PlanAt) -> Result<Plan, UnreadPlan> {
        let read = || -> io::Result<Plan> {
            let mut file = &self.file;
            file.seek(SeekFrom::Start(at.offset))?;
            Ok(serde_json::from_reader(BufReader::new(file.take(at.length)))?)
        };
        read().map_err(|error| UnreadPlan { what: "a plan".to_owned(), error })
    }
}

impl Drop for HeldPlans {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            drop(fs::remove_file(path));
        }
    }
}
