//! Coverage: how many resources have an owner, could have one, or can't be told; by account, region and type, and by
//! creator.
//!
//! Two sources fill it: live facts ([`Coverage::add`]) and the database with the journal (`offline`). Each live
//! resource is counted in one class. Pure and deterministic: rows and creators come in the order of their names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::creator::{OwnerRules, creation_of, is_of_aws};
use crate::inventory::{LiveResource, Tags};
use crate::names::{AccountId, ResourceType, TagKey};
use crate::tag::lineage::Lineage;
use crate::tag::plan::{Decided, Decision, LeftKind, Question, TypeFacts, decisions, present_value};
use crate::trail::record::StoredEvent;

/// What stands for the region of types that exist once for an account.
pub const GLOBAL: &str = "global";

/// The kind of identity that can be looked up in IAM.
const IAM_USER: &str = "IAMUser";

/// What is known of a resource's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It has the tag.
    Owned,
    /// It lacks the tag, and its creator is known: `tag` would write it.
    WouldBeOwned,
    /// It lacks the tag, and the database has no record of its creation.
    NoRecord,
    /// It lacks the tag; an AWS service made it.
    ServiceCreated,
    /// It lacks the tag; by the rules its creator is nobody's name.
    NoOwner,
    /// Whether it has the tag could not be read.
    Unknown,
    /// It can't be tagged: its type, its state, or as many tags as AWS allows.
    NotTaggable,
}

/// The figures of a row. `None`: only the live population tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Resources that exist; the sum of the classes.
    pub live: Option<u64>,
    /// [`Class::Owned`].
    pub owned: u64,
    /// [`Class::WouldBeOwned`].
    pub would_be_owned: u64,
    /// [`Class::NoRecord`].
    pub no_record: Option<u64>,
    /// [`Class::NoOwner`].
    pub no_owner: u64,
    /// [`Class::ServiceCreated`].
    pub service_created: u64,
    /// [`Class::Unknown`].
    pub unknown: Option<u64>,
    /// [`Class::NotTaggable`].
    pub not_taggable: Option<u64>,
}

/// An account's resources of a type in a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The account.
    pub account_id: AccountId,
    /// Its name, where an accounts file has one.
    pub account_name: Option<String>,
    /// The region, or [`GLOBAL`].
    pub region: String,
    /// The type.
    pub resource_type: ResourceType,
    /// How many.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Somebody who made resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Creator {
    /// The owner's name as the tag has it or would have it.
    pub owner: String,
    /// Resources of theirs: by the database's record, else by the tag.
    pub resources: u64,
    /// Of these, how many have the tag, whatever its value.
    pub owned: u64,
    /// Of these, how many `tag` would tag.
    pub would_be_owned: u64,
    /// Whether all IAM users of that name who made them are gone; `None` where that can't be known: other identities,
    /// other accounts, no record, or no listing of users.
    pub gone: Option<bool>,
}

/// Who made a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Maker {
    owner: String,
    identity: MakerIdentity,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MakerIdentity {
    /// An IAM user of the resource's account, by name.
    IamUser(String),
    /// Somebody whom that account's IAM doesn't list.
    Other,
    /// Only the tag tells, or the record of a parent: nothing more is known of them here.
    Unrecorded,
}

/// The figures so far.
#[derive(Debug, Default)]
pub struct Coverage {
    rows: BTreeMap<(AccountId, String, ResourceType), Figures>,
    makers: BTreeMap<String, Tally>,
    /// Accounts of whose IAM users is known who exists.
    users: BTreeMap<AccountId, BTreeSet<String>>,
    names: BTreeMap<AccountId, String>,
}

#[derive(Debug, Default)]
struct Tally {
    resources: u64,
    owned: u64,
    would_be_owned: u64,
    iam_users: BTreeSet<(AccountId, String)>,
    others: bool,
}

impl Figures {
    /// A live population of none so far.
    fn of_none_live() -> Self {
        let none = Some(0);
        Self { live: none, no_record: none, unknown: none, not_taggable: none, ..Self::default() }
    }

    fn count(&mut self, class: Class) {
        let optional = |figure: &mut Option<u64>| *figure.get_or_insert(0) += 1;
        if let Some(live) = &mut self.live {
            *live += 1;
        }
        match class {
            Class::Owned => self.owned += 1,
            Class::WouldBeOwned => self.would_be_owned += 1,
            Class::NoRecord => optional(&mut self.no_record),
            Class::ServiceCreated => self.service_created += 1,
            Class::NoOwner => self.no_owner += 1,
            Class::Unknown => optional(&mut self.unknown),
            Class::NotTaggable => optional(&mut self.not_taggable),
        }
    }

    fn add(&mut self, other: &Self) {
        let sum = |one: Option<u64>, other: Option<u64>| one.map_or(other, |one| Some(one + other.unwrap_or_default()));
        self.live = sum(self.live, other.live);
        self.owned += other.owned;
        self.would_be_owned += other.would_be_owned;
        self.no_record = sum(self.no_record, other.no_record);
        self.no_owner += other.no_owner;
        self.service_created += other.service_created;
        self.unknown = sum(self.unknown, other.unknown);
        self.not_taggable = sum(self.not_taggable, other.not_taggable);
    }
}

impl Coverage {
    /// Adds the live resources of a type.
    pub fn add(&mut self, question: &Question, lineage: Option<&Lineage<'_>>, facts: &TypeFacts<'_>) {
        let mut figures = Figures::of_none_live();
        for Decided { resource, events, decision, is_inherited, .. } in decisions(question, lineage, facts) {
            let class = class_of(resource, &question.key, events, &decision);
            figures.count(class);
            let maker = match &decision {
                Decision::Write(write) if is_inherited => Some(Maker::by_descent(write.value.as_str())),
                _ => maker(&question.rules, &question.account, events),
            };
            let present = present_value(resource, &question.key);
            if let Some(maker) = maker.or_else(|| present.map(Maker::by_tag)) {
                self.add_maker(&question.account, maker, class);
            }
        }
        let region = if facts.definition.global { GLOBAL } else { question.region.as_str() };
        self.add_row(&question.account, region, &facts.definition.resource_type, figures);
    }

    fn add_row(&mut self, account: &AccountId, region: &str, resource_type: &ResourceType, figures: Figures) {
        self.rows.insert((account.clone(), region.to_owned(), resource_type.clone()), figures);
    }

    /// Adds a resource of which the live population says nothing.
    pub(super) fn add_recorded(
        &mut self,
        (account, region, resource_type): (&AccountId, &str, &ResourceType),
        class: Class,
        maker: Option<Maker>,
    ) {
        let place = (account.clone(), region.to_owned(), resource_type.clone());
        self.rows.entry(place).or_default().count(class);
        if let Some(maker) = maker {
            self.add_maker(account, maker, class);
        }
    }

    fn add_maker(&mut self, account: &AccountId, maker: Maker, class: Class) {
        let tally = self.makers.entry(maker.owner).or_default();
        tally.resources += 1;
        tally.owned += u64::from(class == Class::Owned);
        tally.would_be_owned += u64::from(class == Class::WouldBeOwned);
        match maker.identity {
            MakerIdentity::IamUser(user) => drop(tally.iam_users.insert((account.clone(), user))),
            MakerIdentity::Other => tally.others = true,
            MakerIdentity::Unrecorded => {}
        }
    }

    /// Whether IAM users of the account made something: then it is worth asking who of them exists.
    pub fn has_iam_users_of(&self, account: &AccountId) -> bool {
        self.makers.values().any(|tally| tally.iam_users.iter().any(|(of, _)| of == account))
    }

    /// Takes the names of all IAM users that exist in the account.
    pub fn set_users(&mut self, account: &AccountId, names: impl IntoIterator<Item = String>) {
        self.users.insert(account.clone(), names.into_iter().collect());
    }

    /// Names an account.
    pub fn set_name(&mut self, account: &AccountId, name: &str) {
        self.names.insert(account.clone(), name.to_owned());
    }

    /// The figures by account, region and type.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.rows.iter().map(|((account_id, region, resource_type), figures)| Row {
            account_id: account_id.clone(),
            account_name: self.names.get(account_id).cloned(),
            region: region.clone(),
            resource_type: resource_type.clone(),
            figures: figures.clone(),
        })
    }

    /// The figures of all rows together.
    pub fn totals(&self) -> Figures {
        self.rows.values().fold(Figures::default(), |mut totals, figures| {
            totals.add(figures);
            totals
        })
    }

    /// Those who made most first, then by name.
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
        Creator { owner: owner.to_owned(), resources, owned, would_be_owned, gone }
    }
}

impl Maker {
    pub(super) fn by_tag(value: &str) -> Self {
        Self { owner: value.to_owned(), identity: MakerIdentity::Unrecorded }
    }

    /// Who made a parent of it.
    fn by_descent(owner: &str) -> Self {
        Self { owner: owner.to_owned(), identity: MakerIdentity::Unrecorded }
    }
}

/// Who made a resource by its events; `None`: nobody by the rules, or no record.
pub(super) fn maker(rules: &OwnerRules, account: &AccountId, events: &[StoredEvent]) -> Option<Maker> {
    let event = &creation_of(events)?.event;
    let owner = rules.owner_of(event).ok()?.value;
    let identity = &event.identity;
    let is_ours =
        identity.kind.as_deref() == Some(IAM_USER) && identity.account_id.as_deref() == Some(account.as_str());
    let user = identity.user_name.clone().filter(|_| is_ours);
    Some(Maker { owner, identity: user.map_or(MakerIdentity::Other, MakerIdentity::IamUser) })
}

/// The class of a resource that no tag is known of, by its creation.
pub(super) fn class_of_creation(rules: &OwnerRules, creation: &StoredEvent) -> Class {
    if is_of_aws(&creation.event.identity) {
        Class::ServiceCreated
    } else if rules.owner_of(&creation.event).is_ok() {
        Class::WouldBeOwned
    } else {
        Class::NoOwner
    }
}

/// What can't be read comes before what can't be recorded: a resource without a record may have the tag.
fn class_of(resource: &LiveResource, key: &TagKey, events: &[StoredEvent], decision: &Decision) -> Class {
    let kind = match decision {
        Decision::Leave(kind, _) => Some(*kind),
        Decision::Write(_) => None,
    };
    if kind == Some(LeftKind::NotTaggable) {
        return Class::NotTaggable;
    }
    if present_value(resource, key).is_some() {
        return Class::Owned;
    }
    if !matches!(resource.tags, Tags::Known(_)) {
        return Class::Unknown;
    }
    match kind {
        None => Class::WouldBeOwned,
        Some(LeftKind::NoRecord) => Class::NoRecord,
        Some(LeftKind::NoOwner) if creation_of(events).is_some_and(|event| is_of_aws(&event.event.identity)) => {
            Class::ServiceCreated
        }
        // No value is a matter of further tags, which are not looked at here.
        Some(LeftKind::NoOwner | LeftKind::NoValue) => Class::NoOwner,
        Some(LeftKind::NotNow | LeftKind::TagLimit | LeftKind::NotTaggable | LeftKind::SkipTag) => Class::NotTaggable,
        Some(LeftKind::HasTag | LeftKind::SameValue | LeftKind::WrittenByOthers) => Class::Owned,
        Some(LeftKind::TagsUnknown) => Class::Unknown,
    }
}

#[cfg(test)]
mod tests;
