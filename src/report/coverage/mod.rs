//! Tag coverage: how many resources have an owner, could have one, or are unknown; by account, region and type, and by
//! creator.
//!
//! There are two sources: live resources ([`Coverage::add`]), and the database with the journal (`offline`). Each live
//! resource is counted in one class. Deterministic: rows and creators are ordered by name. The resources themselves are kept if wanted, on
//! disk ([`Resources`]).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use super::figures::{Class, Figures, Percent};

use super::resources::{Counted, Resources};
use crate::creator::{MissingPeople, MissingPerson, NoOwner, Owner, OwnerRules, Sought, creation_of, is_of_aws};
use crate::model::event::{Event, StoredEvent};
use crate::model::{AccountId, ResourceType};
use crate::model::{LiveResource, Tags};
use crate::plan::lineage::Lineage;
use crate::plan::{Decided, Decision, Question, Skip, SkipKind, TypeFacts, decisions, owner_tag};
use crate::resource::LiveFacts;
use crate::store::StoreError;

/// The region of types that exist once per account.
pub const GLOBAL: &str = "global";

/// The identity type that can be looked up in IAM.
const IAM_USER: &str = "IAMUser";

/// An account's resources of a type in a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The account.
    pub account_id: AccountId,
    /// Its name in the accounts file, if any.
    pub account_name: Option<String>,
    /// The region, or [`GLOBAL`].
    pub region: String,
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// The counts.
    #[serde(flatten)]
    pub figures: Figures,
}

/// A creator of resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Creator {
    /// The owner as in the tag, existing or planned.
    pub owner: String,
    /// The number of its resources: by create event, else by tag.
    pub resources: u64,
    /// How many of them have the tag, with any value.
    pub owned: u64,
    /// How many of them `tag` would tag.
    pub would_be_owned: u64,
    /// Whether all IAM users with that name who created them are deleted. `None` if that is unknown: for other identities, other accounts,
    /// resources without a create event, or without a list of users.
    pub gone: Option<bool>,
    /// Its resources by type, the largest number first.
    #[serde(skip)]
    pub types: Vec<(ResourceType, u64)>,
}

/// What rows are summed up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// The type.
    Type,
    /// The account.
    Account,
    /// The region, or [`GLOBAL`].
    Region,
}

/// The creator of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Maker {
    owner: String,
    identity: MakerIdentity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MakerIdentity {
    /// An IAM user in the account of the resource, by name.
    IamUser(String),
    /// A principal that is not an IAM user of that account.
    Other,
    /// Known only from the tag, or from the create event of a parent.
    Unrecorded,
}

/// The counts so far.
#[derive(Debug, Default)]
pub struct Coverage {
    rows: BTreeMap<(AccountId, String, ResourceType), Figures>,
    makers: BTreeMap<String, Tally>,
    /// Accounts with a known list of IAM users.
    users: BTreeMap<AccountId, BTreeSet<String>>,
    names: BTreeMap<AccountId, String>,
    /// The resources themselves, if they are wanted.
    resources: Option<Resources>,
    /// The people without a row in the table of people.
    missing: MissingPeople,
}

#[derive(Debug, Default)]
struct Tally {
    resources: u64,
    owned: u64,
    would_be_owned: u64,
    types: BTreeMap<ResourceType, u64>,
    iam_users: BTreeSet<(AccountId, String)>,
    others: bool,
}

impl Coverage {
    /// None so far, with the resources themselves kept.
    ///
    /// # Errors
    /// There is no place for a temporary database.
    pub fn with_resources() -> Result<Self, StoreError> {
        Ok(Self { resources: Some(Resources::new()?), ..Self::default() })
    }

    /// Adds the live resources of a type.
    ///
    /// # Errors
    /// The temporary database fails: the disk is full.
    pub fn add(
        &mut self,
        question: &Question,
        lineage: Option<&Lineage<'_>>,
        facts: &TypeFacts<'_>,
    ) -> Result<(), StoreError> {
        let definition = facts.definition;
        let region = if definition.global { GLOBAL } else { question.region.as_str() };
        let place = (question.account.clone(), region.to_owned(), definition.resource_type.clone());
        // A large type comes in parts.
        let mut figures = self.rows.remove(&place).unwrap_or_else(Figures::of_none_live);
        for Decided { resource, events, decision, is_inherited, .. } in decisions(question, lineage, facts) {
            let present = owner_tag(question, definition, resource).map(|tag| tag.value);
            if matches!(decision, Decision::Leave(Skip::Where)) {
                continue;
            }
            let class = class_of(resource, present.is_some(), events, &decision);
            figures.count(class);
            if let Decision::Leave(skip) = &decision {
                skip.no_owner().into_iter().for_each(|no_owner| self.missing.add(no_owner));
            }
            let planned = match &decision {
                Decision::Write(write) => Some(write.value.as_str()),
                Decision::Leave(_) => None,
            };
            if let Some(resources) = &mut self.resources {
                let (account, account_name) = (&question.account, question.scope.account_name.as_deref());
                let live = LiveFacts { definition, resource, events, account, account_name, inherited: None };
                resources.add(Counted::new(live.describe(&question.rules), class, region, present.or(planned)))?;
            }
            let maker = match planned {
                Some(owner) if is_inherited || creation_of(events).is_none() => Some(Maker::by_descent(owner)),
                _ => maker(&question.rules, &question.account, question.sought(definition, resource, events)),
            };
            if let Some(maker) = maker.or_else(|| present.map(Maker::by_tag)) {
                self.add_maker((&question.account, &definition.resource_type), maker, class);
            }
        }
        self.rows.insert(place, figures);
        Ok(())
    }

    /// Adds a resource that is not among the live resources. `describe`: the resource itself, called if it is wanted.
    ///
    /// # Errors
    /// The temporary database fails: the disk is full.
    pub(super) fn add_recorded(
        &mut self,
        (account, region, resource_type): (&AccountId, &str, &ResourceType),
        class: Class,
        maker: Option<Maker>,
        describe: impl FnOnce() -> Counted,
    ) -> Result<(), StoreError> {
        let place = (account.clone(), region.to_owned(), resource_type.clone());
        self.rows.entry(place).or_default().count(class);
        if let Some(maker) = maker {
            self.add_maker((account, resource_type), maker, class);
        }
        self.resources.as_mut().map_or(Ok(()), |resources| resources.add(describe()))
    }

    fn add_maker(&mut self, (account, resource_type): (&AccountId, &ResourceType), maker: Maker, class: Class) {
        let tally = self.makers.entry(maker.owner).or_default();
        tally.resources += 1;
        tally.owned += u64::from(class == Class::Owned);
        tally.would_be_owned += u64::from(class == Class::WouldBeOwned);
        *tally.types.entry(resource_type.clone()).or_default() += 1;
        match maker.identity {
            MakerIdentity::IamUser(user) => drop(tally.iam_users.insert((account.clone(), user))),
            MakerIdentity::Other => tally.others = true,
            MakerIdentity::Unrecorded => {}
        }
    }

    /// The resources themselves, if they were wanted.
    pub fn resources(&self) -> Option<&Resources> {
        self.resources.as_ref()
    }

    /// Whether IAM users of the account created resources, so that it makes sense to list them.
    pub fn has_iam_users_of(&self, account: &AccountId) -> bool {
        self.makers.values().any(|tally| tally.iam_users.iter().any(|(of, _)| of == account))
    }

    /// Adds the names of all IAM users of the account.
    pub fn set_users(&mut self, account: &AccountId, names: impl IntoIterator<Item = String>) {
        self.users.insert(account.clone(), names.into_iter().collect());
    }

    /// Sets the name of an account.
    pub fn set_name(&mut self, account: &AccountId, name: &str) {
        self.names.insert(account.clone(), name.to_owned());
    }

    /// The name of an account, if it was set.
    pub fn name(&self, account: &AccountId) -> Option<&str> {
        self.names.get(account).map(String::as_str)
    }

    /// Counts a resource that is not among the live resources and has no owner, if it waits for a person.
    pub(super) fn add_missing(&mut self, no_owner: &NoOwner) {
        self.missing.add(no_owner);
    }

    /// The people without a row in the table of people.
    pub fn missing_people(&self) -> Vec<MissingPerson> {
        self.missing.list()
    }

    /// The counts by account, region and type.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.rows.iter().map(|((account_id, region, resource_type), figures)| Row {
            account_id: account_id.clone(),
            account_name: self.names.get(account_id).cloned(),
            region: region.clone(),
            resource_type: resource_type.clone(),
            figures: figures.clone(),
        })
    }

    /// The totals of all rows.
    pub fn totals(&self) -> Figures {
        self.rows.values().fold(Figures::default(), |mut totals, figures| {
            totals.add(figures);
            totals
        })
    }

    /// The sums of the rows of each type, account or region: those with most unowned resources first, then with most resources, then
    /// by name.
    pub fn sums(&self, by: GroupBy) -> Vec<(String, Figures)> {
        let mut sums: BTreeMap<&str, Figures> = BTreeMap::new();
        for ((account, region, resource_type), figures) in &self.rows {
            let name = match by {
                GroupBy::Type => resource_type.as_str(),
                GroupBy::Account => account.as_str(),
                GroupBy::Region => region,
            };
            sums.entry(name).or_default().add(figures);
        }
        let mut sums: Vec<(String, Figures)> =
            sums.into_iter().map(|(name, figures)| (name.to_owned(), figures)).collect();
        let rank = |figures: &Figures| (figures.unowned(), figures.resources());
        sums.sort_by_key(|(_, figures)| Reverse(rank(figures)));
        sums
    }

    /// The creators, those with most resources first, then by name.
    pub fn creators(&self) -> Vec<Creator> {
        let mut creators: Vec<Creator> = self.makers.iter().map(|(owner, tally)| self.creator(owner, tally)).collect();
        creators.sort_by(|one, other| (other.resources, &one.owner).cmp(&(one.resources, &other.owner)));
        creators
    }

    fn creator(&self, owner: &str, tally: &Tally) -> Creator {
        let exists =
            |(account, user): &(AccountId, String)| self.users.get(account).map(|users| users.contains(user.as_str()));
        let known: Option<Vec<bool>> = tally.iam_users.iter().map(exists).collect();
        let known = known.filter(|known| !known.is_empty());
        let gone = match known.map(|known| known.contains(&true)) {
            Some(true) => Some(false),
            Some(false) if !tally.others => Some(true),
            _ => None,
        };
        let Tally { resources, owned, would_be_owned, .. } = *tally;
        let mut types: Vec<_> = tally.types.iter().map(|(name, count)| (name.clone(), *count)).collect();
        types.sort_by(|(_, one), (_, other)| other.cmp(one));
        Creator { owner: owner.to_owned(), resources, owned, would_be_owned, gone, types }
    }
}

impl Maker {
    /// The creator of a resource in `account`, by its create event.
    pub(super) fn of(owner: String, account: &AccountId, event: &Event) -> Self {
        let identity = &event.identity;
        let is_ours =
            identity.kind.as_deref() == Some(IAM_USER) && identity.account_id.as_deref() == Some(account.as_str());
        let user = identity.user_name.clone().filter(|_| is_ours);
        Self { owner, identity: user.map_or(MakerIdentity::Other, |user| MakerIdentity::IamUser(user.to_string())) }
    }

    pub(super) fn by_tag(value: &str) -> Self {
        Self { owner: value.to_owned(), identity: MakerIdentity::Unrecorded }
    }

    /// The creator of a parent.
    fn by_descent(owner: &str) -> Self {
        Self { owner: owner.to_owned(), identity: MakerIdentity::Unrecorded }
    }
}

/// The creator of a resource by its create event. `None` without an owner, or without a create event.
fn maker(rules: &OwnerRules, account: &AccountId, sought: Sought<'_>) -> Option<Maker> {
    let event = sought.event?;
    let owner = rules.owner_of(sought).ok()?.value;
    Some(Maker::of(owner, account, event))
}

/// The class of a resource without known tags, by its create event.
pub(super) fn class_of_creation(creation: &StoredEvent, found: &Result<Owner, NoOwner>) -> Class {
    match found {
        Ok(_) => Class::WouldBeOwned,
        Err(_) if is_of_aws(&creation.event.identity) => Class::ServiceCreated,
        // Only AWS has the tags that decide.
        Err(NoOwner::Undecided(_)) => Class::Unknown,
        Err(_) => Class::NoOwner,
    }
}

/// Unreadable tags take precedence over a missing create event: a resource without one can have the tag.
fn class_of(resource: &LiveResource, is_owned: bool, events: &[StoredEvent], decision: &Decision) -> Class {
    let kind = match decision {
        Decision::Leave(skip) => Some(skip.kind()),
        Decision::Write(_) => None,
    };
    if kind == Some(SkipKind::NotTaggable) {
        return Class::NotTaggable;
    }
    if is_owned {
        return Class::Owned;
    }
    if !matches!(resource.tags, Tags::Known(_)) {
        return Class::Unknown;
    }
    match kind {
        None => Class::WouldBeOwned,
        Some(SkipKind::NoRecord) => Class::NoRecord,
        Some(SkipKind::NoOwner) if creation_of(events).is_some_and(|event| is_of_aws(&event.event.identity)) => {
            Class::ServiceCreated
        }
        // Further tags have no values here, because only the owner tag is reported.
        Some(SkipKind::NoOwner | SkipKind::NoValue | SkipKind::SameKey) => Class::NoOwner,
        Some(
            SkipKind::NotNow
            | SkipKind::TagLimit
            | SkipKind::NotTaggable
            | SkipKind::SideEffects
            | SkipKind::RolledBack
            | SkipKind::SkipTag
            | SkipKind::Where,
        ) => Class::NotTaggable,
        Some(SkipKind::HasTag | SkipKind::SameValue | SkipKind::WrittenByOthers) => Class::Owned,
        Some(SkipKind::TagsUnknown) => Class::Unknown,
    }
}

#[cfg(test)]
mod tests;
