//! Files of saved plans: one plan as a document (`tag --save-plan`, `tag --dry-run --output json`), or one on each line (`tag-org
//! --save-plan`). All of it is checked before anything is applied; plans are read again when it is their turn.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{CommandError, Context, Outcome, tagging};
use crate::model::{AccountId, Region, ResourceId, ResourceType, TagKey, TextHash};
use crate::org::account_job::{PlanAt, UnreadPlan};
use crate::packed_list::PackedList;
use crate::plan::{FORMAT_VERSION, PlannedWrite};
use crate::store::Store;
use crate::text::safe;

/// A plan's document. Fields that only people need are ignored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanDocument {
    format_version: u32,
    pub(crate) actions: PackedList<PlannedWrite>,
    #[serde(default)]
    region: Option<Region>,
    #[serde(default)]
    account_id: Option<AccountId>,
    #[serde(default)]
    tag_key: Option<TagKey>,
    #[serde(default, rename = "skipped")]
    _skipped: IgnoredAny,
    #[serde(default, rename = "summary")]
    _summary: IgnoredAny,
}

/// A plan that has something to write.
#[derive(Debug, Clone)]
pub(in crate::cli) struct SavedPlan {
    pub(in crate::cli) account: AccountId,
    pub(in crate::cli) key: TagKey,
    pub(in crate::cli) at: PlanAt,
    /// How many writes it has, also those that are made already.
    pub(in crate::cli) writes: u64,
}

/// What a plan without writes is about, as far as its file has it.
#[derive(Debug)]
pub(in crate::cli) struct PlanHead {
    pub(in crate::cli) account: Option<AccountId>,
    pub(in crate::cli) region: Option<Region>,
    pub(in crate::cli) key: Option<TagKey>,
}

/// A file of plans.
#[derive(Debug, Default)]
pub(in crate::cli) struct SavedPlans {
    path: PathBuf,
    pub(in crate::cli) plans: Vec<SavedPlan>,
    /// The plans that have nothing to write.
    pub(in crate::cli) heads: Vec<PlanHead>,
}

impl SavedPlans {
    /// Checks the file, and finds the plans in it that have something to write.
    pub(in crate::cli) fn open(context: &Context, path: &Path) -> Result<Self, CommandError> {
        let unread = |error: &io::Error| CommandError {
            outcome: Outcome::Usage,
            ..CommandError::while_doing(format_args!("reading the plan {}", path.display()), error)
        };
        let save = || format!("save a plan with: {}", context.suggest("tag").option("save-plan", path));
        // A plan is read twice, and opening a pipe waits for its writer.
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            let message =
                format_args!("{}: a plan must be a regular file, not a folder, pipe or device", path.display());
            return Err(CommandError::usage(message).hint(save()));
        }
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => unread(&error).hint(save()),
            _ => unread(&error),
        });
        let mut saved = Self { path: path.to_owned(), ..Self::default() };
        // Plans are read one value at a time, so the text of the file is never in memory as a whole.
        let mut plans = serde_json::Deserializer::from_reader(BufReader::new(file?)).into_iter::<PlanDocument>();
        let mut offset = 0;
        while let Some(plan) = plans.next() {
            let plan = plan.map_err(|error| {
                if error.is_io() {
                    return unread(&error.into());
                }
                let (name, line, column) = (path.display(), error.line(), error.column());
                CommandError::usage(format_args!("{name}:{line}:{column}: not a plan: {error}"))
                    .hint(format!("save one with: {}", context.suggest("tag").option("save-plan", unused_name(path))))
            })?;
            let end = tagging::count(plans.byte_offset());
            saved.add(check(path, plan, offset, end - offset)?);
            offset = end;
        }
        Ok(saved)
    }

    fn add(&mut self, plan: Result<SavedPlan, PlanHead>) {
        match plan {
            Ok(plan) => self.plans.push(plan),
            Err(head) => self.heads.push(head),
        }
    }

    /// The writes of a plan.
    ///
    /// # Errors
    /// The file was changed or taken away meanwhile.
    pub(in crate::cli) fn read(&self, at: &PlanAt) -> Result<PackedList<PlannedWrite>, UnreadPlan> {
        let read = || -> io::Result<PlanDocument> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(at.offset))?;
            Ok(serde_json::from_reader(BufReader::new(file.take(at.length)))?)
        };
        let plan = read().map_err(|error| UnreadPlan { what: self.path.display().to_string(), error })?;
        Ok(plan.actions)
    }
}

/// A name for a new plan that doesn't replace the file that is none.
fn unused_name(path: &Path) -> &'static str {
    const NAME: &str = "plan.json";
    if path.file_name().is_some_and(|name| name == NAME) { "new-plan.json" } else { NAME }
}

/// A plan, or what is known of one that has nothing to write.
fn check(
    path: &Path,
    plan: PlanDocument,
    offset: u64,
    length: u64,
) -> Result<Result<SavedPlan, PlanHead>, CommandError> {
    let name = path.display();
    if plan.format_version != FORMAT_VERSION {
        let version = plan.format_version;
        return Err(CommandError::usage(format_args!("{name} has format_version {version}, not {FORMAT_VERSION}"))
            .hint("save the plan again with this version of trailcreator"));
    }
    let PlanDocument { account_id, region, tag_key, .. } = plan;
    let Some(first) = plan.actions.iter().next() else {
        return Ok(Err(PlanHead { account: account_id, region, key: tag_key }));
    };
    let (account, key) = (first.account_id.clone(), tag_key.unwrap_or_else(|| first.key.clone()));
    for PlannedWrite { old_key, key, .. } in &plan.actions {
        old_key.iter().chain([&key]).try_for_each(|key| tagging::parse_key(key.as_str()).map(drop))?;
    }
    check_writes(&plan.actions).map_err(|error| CommandError::usage(format_args!("{name}: {error}")))?;
    if let Some(other) = plan.actions.iter().find(|action| action.account_id != account) {
        return Err(CommandError::usage(format_args!(
            "{name}: {} {} is in another account than the first action; a plan covers one account",
            other.resource_type, other.id
        )));
    }
    let region = region.unwrap_or_else(|| first.region.clone());
    let writes = tagging::count(plan.actions.len());
    Ok(Ok(SavedPlan { account, key, at: PlanAt { region, offset, length }, writes }))
}

/// The most characters of a tag value, in all of AWS. Counted in UTF-16, as where it matters.
const MAX_VALUE: usize = 256;

/// What is wrong with a write of a plan.
#[derive(Debug, thiserror::Error)]
#[error("{resource_type} {id}: {fault}")]
pub(crate) struct InvalidWrite {
    resource_type: ResourceType,
    id: ResourceId,
    fault: WriteFault,
}

#[derive(Debug, thiserror::Error)]
enum WriteFault {
    #[error("the value of {0} is empty")]
    NoValue(TagKey),
    #[error("the value of {0} has more than {MAX_VALUE} characters")]
    LongValue(TagKey),
    #[error("the value of {0} has control characters or invisible characters")]
    UnsafeValue(TagKey),
    #[error("the value of {0} begins with aws:, which is reserved")]
    ReservedValue(TagKey),
    #[error("the id or ARN is empty or has control characters")]
    UnsafeId,
    #[error("the plan has two values for {0}; remove one of them")]
    TwoValues(TagKey),
}

/// A plan may have been edited: checks its writes, before any is made.
pub(crate) fn check_writes(writes: &PackedList<PlannedWrite>) -> Result<(), InvalidWrite> {
    let mut seen = HashSet::new();
    for write in writes {
        let PlannedWrite { resource_type, id, region, key, .. } = &write;
        // Some types ignore case in keys.
        let lower_key = key.as_str().to_lowercase();
        let names = [resource_type.as_str(), id.as_str(), region.as_str(), lower_key.as_str()];
        let is_second = !seen.insert(TextHash::of(names));
        let fault = fault_of(&write).or_else(|| is_second.then(|| WriteFault::TwoValues(key.clone())));
        if let Some(fault) = fault {
            return Err(InvalidWrite { resource_type: resource_type.clone(), id: id.clone(), fault });
        }
    }
    Ok(())
}

fn fault_of(PlannedWrite { id, arn, key, value, .. }: &PlannedWrite) -> Option<WriteFault> {
    let value = value.as_str();
    let fault: fn(TagKey) -> WriteFault = if value.trim().is_empty() {
        WriteFault::NoValue
    } else if value.encode_utf16().count() > MAX_VALUE {
        WriteFault::LongValue
    } else if !safe::is_safe(value) {
        WriteFault::UnsafeValue
    } else if value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        WriteFault::ReservedValue
    } else {
        let is_named = !id.as_str().is_empty() && safe::is_safe(id.as_str()) && safe::is_safe(arn.as_str());
        return (!is_named).then_some(WriteFault::UnsafeId);
    };
    Some(fault(key.clone()))
}

/// The journal. Where nothing is written, none is made.
pub(in crate::cli) fn store_of_plans(context: &Context, dry_run: bool) -> Result<Store, CommandError> {
    let failed = |error| context.store_error(&error);
    if dry_run { Store::in_memory().map_err(failed) } else { context.open_store()?.with_small_cache().map_err(failed) }
}
