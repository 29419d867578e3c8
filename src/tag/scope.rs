//! Gathers what a run's scope needs to know, and leaves out the types, accounts and regions that cannot hold what it names.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::LiveResource;
use crate::model::{AccountId, ArnParts, Region, ResourceType};
use crate::packed_list::PackedList;
use crate::plan::earlier::Earlier;
use crate::plan::join::{Index, Joined};
use crate::plan::{Creation, Ids, Question, ScopeFacts, Selected, id_parts};
use crate::resource_map::naming::{Asked, NamedRow, Naming};
use crate::resource_map::{ItemText, ResourceMap, TypeDefinition};
use crate::store::{Store, StoreError};
use crate::tag::chosen::Chosen;

/// Live resources, all of one type, and their events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joining<'j> {
    pub(super) live: &'j [LiveResource],
    pub(super) joined: &'j Joined,
}

/// What is known of these live resources.
pub(super) fn facts(
    store: &Store,
    question: &Question,
    definition: &TypeDefinition,
    naming: &Naming,
    Joining { live, joined }: Joining<'_>,
) -> Result<ScopeFacts, StoreError> {
    let mut facts = ScopeFacts::default();
    let scope = &question.scope;
    if scope.refresh && !live.is_empty() {
        let mut earlier = earlier(store, question, definition)?;
        earlier.retain(live);
        facts.earlier = earlier.into();
    }
    if !scope.ids.are_all() {
        facts.selected = Some(select(question, naming, &Index::new(live.iter()), || live.iter()));
    }
    if let Some(wanted) = &scope.created_by {
        facts.created = created(wanted, joined);
        // What inherits an owner has no create event of its own.
        let positions = facts.created.values().copied().collect();
        facts.selected = (!question.inherit).then(|| Selected { positions, ..Selected::default() });
    }
    Ok(facts)
}

/// As [`facts`], for live resources that are packed, found by `index`: what is known of all of them together.
pub(super) fn packed_facts(
    store: &Store,
    question: &Question,
    definition: &TypeDefinition,
    naming: &Naming,
    (index, live): (&Index, &PackedList<LiveResource>),
) -> Result<ScopeFacts, StoreError> {
    let mut facts = ScopeFacts::default();
    if question.scope.refresh {
        facts.earlier = earlier(store, question, definition)?.into();
    }
    if !question.scope.ids.are_all() {
        facts.selected = Some(select(question, naming, index, || live.iter()));
    }
    Ok(facts)
}

/// What earlier runs wrote on resources of a type.
fn earlier(store: &Store, question: &Question, definition: &TypeDefinition) -> Result<Earlier, StoreError> {
    let mut earlier = Earlier::of_type(definition.tag_keys());
    // Global types are looked at from any region.
    let region = (!definition.global).then_some(&question.region);
    let mut add = |write| earlier.add(write);
    store.earlier_writes(&definition.resource_type, &question.account, region, &mut add)?;
    Ok(earlier)
}

/// The resources that the question's ids name. `live` gives all of them, the same each time.
fn select<R: Borrow<LiveResource>, I: Iterator<Item = R>>(
    question: &Question,
    naming: &Naming,
    index: &Index,
    live: impl Fn() -> I,
) -> Selected {
    let find = |text: &str| index.find(text).or_else(|| find_by_name(naming, &question.account, &live, text));
    question.scope.ids.select(find)
}

/// The positions of the live resources that these events created.
fn created(wanted: &BTreeSet<Creation>, joined: &Joined) -> BTreeMap<Creation, usize> {
    let events = joined.events.iter().enumerate().flat_map(|(at, events)| events.iter().map(move |event| (at, event)));
    let creations = events.map(|(position, stored)| {
        (Creation::of(&stored.resource_type, &stored.event.event_id, stored.resource_id.as_str()), position)
    });
    creations.filter(|(creation, _)| wanted.contains(creation)).collect()
}

/// The position of the one resource that a copied text names: an address, a typed name, an ARN of another form.
fn find_by_name<R: Borrow<LiveResource>, I: Iterator<Item = R>>(
    naming: &Naming,
    account: &AccountId,
    live: impl Fn() -> I,
    text: &str,
) -> Option<usize> {
    for meaning in Asked::of(text, naming).meanings {
        let is_named = |resource: &LiveResource| {
            let names: Vec<String> =
                resource.identifiers.iter().cloned().chain([resource.arn.as_str().to_owned()]).collect();
            meaning.names(&NamedRow {
                resource_type: &resource.resource_type,
                id: resource.id.as_str(),
                names: &names,
                account: account.as_str(),
                region: resource.region.as_str(),
                source: "",
            })
        };
        let mut found = live().enumerate().filter(|(_, resource)| is_named(resource.borrow()));
        if let Some((position, _)) = found.next() {
            return found.next().is_none().then_some(position);
        }
    }
    None
}

/// Where the resources of `--id` can be, by their ARNs and by what the database has of them.
#[derive(Debug, Clone, Default)]
pub struct IdHints(Vec<Hint>);

#[derive(Debug, Clone)]
struct Hint {
    arn: Option<SoughtArn>,
    /// Where the database has events of it.
    recorded: BTreeSet<(AccountId, Region, ResourceType)>,
}

#[derive(Debug, Clone)]
struct SoughtArn {
    service: String,
    region: String,
    account: String,
    resource: String,
    /// The types that it may be of.
    types: BTreeSet<ResourceType>,
}

impl IdHints {
    /// Asks the database once for each text. With `account`, only that account's events count.
    ///
    /// # Errors
    /// SQLite's.
    pub fn ask(store: &Store, map: &ResourceMap, ids: &Ids, account: Option<&AccountId>) -> Result<Self, StoreError> {
        let mut hints = Vec::new();
        for text in &ids.0 {
            let whole = Hint::ask(store, map, text, account)?;
            // The whole may be one name with a comma in it.
            let is_known = !text.contains(',') || !whole.recorded.is_empty();
            for part in id_parts(text).filter(|_| !is_known) {
                hints.push(Hint::ask(store, map, part, account)?);
            }
            if is_known || whole.arn.is_some() {
                hints.push(whole);
            }
        }
        Ok(Self(hints))
    }

    /// Leaves out the types that none of the resources can be of. Of those that the map cannot list, the recorded ones stay.
    pub fn narrow(&self, account: &AccountId, region: &Region, chosen: &mut Chosen<'_>) {
        if self.0.is_empty() {
            return;
        }
        chosen.types.retain(|definition| self.may_be(account, region, definition));
        let is_recorded = |name: &ResourceType| {
            self.0.iter().flat_map(|hint| &hint.recorded).any(|(owner, _, of_type)| owner == account && of_type == name)
        };
        chosen.skipped.retain(|skipped| is_recorded(&skipped.resource_type));
    }

    /// Adds the types that an ARN names and that were not chosen: the database has no record of them, but the plan says so
    /// of the resource.
    pub fn add_types_of_arns<'m>(
        &self,
        map: &'m ResourceMap,
        account: &AccountId,
        region: &Region,
        chosen: &mut Chosen<'m>,
    ) {
        for arn in self.0.iter().filter_map(|hint| hint.arn.as_ref()) {
            let is_named =
                |definition: &TypeDefinition| arn.is_here(account, region, definition) && arn.is_of(definition);
            if !chosen.types.iter().any(|definition| is_named(definition)) {
                chosen.types.extend(map.definitions().filter(|definition| is_named(definition)));
            }
        }
    }

    /// Whether one of the resources may be of this type, in this place.
    fn may_be(&self, account: &AccountId, region: &Region, definition: &TypeDefinition) -> bool {
        self.0.iter().any(|hint| hint.may_be(account, region, definition))
    }
}

impl Hint {
    fn ask(store: &Store, map: &ResourceMap, text: &str, account: Option<&AccountId>) -> Result<Self, StoreError> {
        let events = store.events_of_resource(map.naming(), text)?;
        let rows = events.into_iter().map(|row| (row.event.account_id, row.event.region, row.resource_type));
        let recorded = rows.filter(|(owner, ..)| account.is_none_or(|account| owner == account)).collect();
        Ok(Self { arn: SoughtArn::of(text).map(|arn| arn.with_types(map)), recorded })
    }

    fn may_be(&self, account: &AccountId, region: &Region, definition: &TypeDefinition) -> bool {
        let is_recorded = self.recorded.iter().any(|(in_account, in_region, name)| {
            in_account == account && *name == definition.resource_type && (definition.global || in_region == region)
        });
        match &self.arn {
            Some(arn) => arn.is_here(account, region, definition) && (is_recorded || arn.is_of(definition)),
            None => is_recorded || self.recorded.is_empty(),
        }
    }
}

impl SoughtArn {
    fn of(text: &str) -> Option<Self> {
        let ArnParts { service, region, account, resource, .. } = ArnParts::parse(text)?;
        let [service, region, account, resource] = [service, region, account, resource].map(str::to_owned);
        Some(Self { service, region, account, resource, types: BTreeSet::new() })
    }

    /// A field that the ARN leaves empty is any.
    fn is_here(&self, account: &AccountId, region: &Region, definition: &TypeDefinition) -> bool {
        let is = |wanted: &str, here: &str| wanted.is_empty() || wanted == here;
        is(&self.account, account.as_str()) && (definition.global || is(&self.region, region.as_str()))
    }

    /// Finds the types: those with an ARN template that the ARN matches so far, and without any, all types of its service.
    fn with_types(mut self, map: &ResourceMap) -> Self {
        let types = || map.definitions().filter(|definition| definition.access.is_some());
        let is_sure = |definition: &&TypeDefinition| {
            let pattern = pattern_of(definition);
            pattern.is_some_and(|pattern| !pattern.resource.is_empty() && self.begins_as(&pattern))
        };
        let mut names: BTreeSet<ResourceType> =
            types().filter(is_sure).map(|definition| definition.resource_type.clone()).collect();
        if names.is_empty() {
            let may_be = types().filter(|definition| self.may_be_of(definition));
            names.extend(may_be.map(|definition| definition.resource_type.clone()));
        }
        self.types = names;
        self
    }

    fn is_of(&self, definition: &TypeDefinition) -> bool {
        self.types.contains(&definition.resource_type)
    }

    fn begins_as(&self, pattern: &Self) -> bool {
        pattern.service == self.service && self.resource.starts_with(&pattern.resource)
    }

    /// Whether the ARN begins as the map's template of the type's ARNs does. A type without a template (AWS lists its ARNs) is
    /// decided by the ARN's service, and by the Tagging API's name of the type if the map has it.
    fn may_be_of(&self, definition: &TypeDefinition) -> bool {
        let Some(access) = definition.access.as_ref() else { return false };
        if let Some(pattern) = pattern_of(definition) {
            return self.begins_as(&pattern);
        }
        let service = &access.service;
        let source = service.event_source.split('.').next().unwrap_or_default();
        let named = access.tags.rgta.as_deref().map(|filter| filter.split_once(':').unwrap_or((filter, "")));
        let filter_service = named.map_or("", |(service, _)| service);
        let names = [&service.name, &service.signing, &service.iam, &service.endpoint].map(String::as_str);
        if !names.iter().chain(&[source, filter_service]).any(|name| *name == self.service) {
            return false;
        }
        let Some((_, kind)) = named.filter(|(service, kind)| *service == self.service && !kind.is_empty()) else {
            return true;
        };
        self.resource.strip_prefix(kind).is_some_and(|rest| rest.starts_with(['/', ':']))
    }
}

/// The service of a template of ARNs, and its resource up to the first placeholder. `None`: no template, or one with a
/// placeholder as its service.
fn pattern_of(definition: &TypeDefinition) -> Option<SoughtArn> {
    const ANY: &str = "\0";
    let arn = definition.access.as_ref()?.arn.as_ref()?;
    let ItemText::Template(_) = arn else { return None };
    let text = arn.text(&Value::Null, &|_| Some(Value::from(ANY))).ok()?;
    let mut pattern = SoughtArn::of(&text)?;
    let literal = pattern.resource.find(ANY).unwrap_or(pattern.resource.len());
    pattern.resource.truncate(literal);
    (!pattern.service.contains(ANY)).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_map::ResourceMap;

    const ACCOUNT: &str = "123456789012";

    fn types(text: &str, region: &str) -> Vec<String> {
        let map = ResourceMap::built_in_once();
        let hints = IdHints::ask(&Store::in_memory().unwrap(), map, &Ids(vec![text.to_owned()]), None).unwrap();
        let types = map.definitions().filter(|definition| definition.access.is_some());
        let may_be = types.filter(|definition| hints.may_be(&ACCOUNT.into(), &region.into(), definition));
        may_be.map(|definition| definition.resource_type.to_string()).collect()
    }

    #[test]
    fn an_arn_names_its_type() {
        let volume = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-1";
        assert_eq!(types(volume, "eu-west-1"), ["ebs"]);
        assert_eq!(types(volume, "us-east-1"), [""; 0], "of another region");
        assert_eq!(
            types("arn:aws:ec2:eu-west-1:999999999999:volume/vol-1", "eu-west-1"),
            [""; 0],
            "of another account"
        );
        let role = types("arn:aws:iam::123456789012:role/deploy", "eu-west-1");
        assert!(role.contains(&"iam-role".to_owned()) && !role.contains(&"ebs".to_owned()), "{role:?}");
        let both = types(&format!("{volume},arn:aws:sqs:eu-west-1:123456789012:jobs"), "eu-west-1");
        assert!(both.contains(&"ebs".to_owned()) && both.contains(&"sqs".to_owned()) && both.len() < 5, "{both:?}");
        assert!(types("arn:aws:s3:::logs", "eu-west-1").contains(&"s3".to_owned()));
        assert!(types("arn:aws:sqs:eu-west-1:123456789012:jobs", "eu-west-1").contains(&"sqs".to_owned()));
    }

    #[test]
    fn a_type_is_found_by_every_arn_that_its_template_makes() {
        let map = ResourceMap::built_in_once();
        let mut templates = 0;
        for definition in map.definitions() {
            let Some(arn) = definition.access.as_ref().and_then(|access| access.arn.as_ref()) else { continue };
            let ItemText::Template(_) = arn else { continue };
            let text = arn.text(&Value::Null, &|_| Some("x".into())).unwrap();
            let is_of = SoughtArn::of(&text).is_some_and(|parts| parts.with_types(map).is_of(definition));
            assert!(is_of || pattern_of(definition).is_none(), "{text} of {}", definition.resource_type);
            templates += 1;
        }
        assert!(templates > 100, "{templates}");
    }

    #[test]
    fn a_name_that_nothing_records_may_be_anything() {
        assert!(types("jobs", "eu-west-1").len() > 100);
    }
}
