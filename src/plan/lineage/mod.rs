//! Lineage: the owner of a resource that no person created, from the resources that it belongs to.
//!
//! AWS's own tags and the resource's item name its parents (`resource_map::parents`); a parent that a service made too has
//! parents of its own. [`Lineage`] holds what is known of them, and reports what is missing ([`Lineage::needs`]): `gather` asks the
//! store, and lists a parent's type only if the store's events give no owner.
//!
//! Pure but for `gather`. Facts alone decide, in the order of the map's rules; circles and long lines end.
//!
//! A name may have been another resource's before: of a parent's events only those count that happened before the child was made.
//! If that time is unknown, a parent with a known ARN must exist under that ARN.

#[cfg(test)]
mod tests;

mod orphan;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use orphan::{Orphan, Tried, UnreadParent};

use crate::creator::{NoOwner, Owner, ResourceFacts, Sought, creation_of};
use crate::model::event::Event;
use crate::model::event::StoredEvent;
use crate::model::{AccountId, ArnParts, Region, ResourceType};
use crate::model::{LiveResource, Tags};
use crate::plan::{Question, TypeFacts, is_wanted};
use crate::resource_map::{Names, ResourceMap, TypeDefinition, parents};

/// Generations that are looked at. AWS's longest lines (a volume of an instance of a group of a node group of a cluster of a nested stack
/// of a stack of a stack set) are shorter.
const MAX_GENERATIONS: usize = 12;

/// A resource that another one belongs to, as that one names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParentRef {
    pub(crate) resource_type: ResourceType,
    /// Where it is; `None` for global types.
    pub(crate) region: Option<Region>,
    /// What its events call it.
    pub(crate) id: String,
    /// Its ARN, where that is known beside the id.
    pub(crate) arn: Option<String>,
}

/// What is known of a parent.
#[derive(Debug)]
pub(crate) struct Parent<'m> {
    /// Its events in the store by its id, ordered by time.
    pub(crate) recorded: Vec<StoredEvent>,
    pub(crate) live: Live<'m>,
}

/// Whether a parent exists.
#[derive(Debug)]
pub(crate) enum Live<'m> {
    /// Not requested yet.
    Unasked,
    /// It does not, several bear its name, or its type can't be listed.
    Gone,
    /// Its type's listing failed with this error of AWS.
    Unreadable(String),
    /// It does.
    Alive(Box<Relative<'m>>),
}

/// A parent that exists.
#[derive(Debug)]
pub(crate) struct Relative<'m> {
    pub(crate) definition: &'m TypeDefinition,
    pub(crate) resource: LiveResource,
    /// By all its names, ordered by time.
    pub(crate) events: Vec<StoredEvent>,
}

/// A fact that is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// The events of a parent.
    Recorded(ParentRef),
    /// Whether it exists, and what its own parents are.
    Live(ParentRef),
}

/// What is known of parents.
#[derive(Debug)]
pub struct Lineage<'m> {
    map: &'m ResourceMap,
    account: AccountId,
    pub(crate) parents: HashMap<ParentRef, Parent<'m>>,
}

/// An owner by descent.
#[derive(Debug, Clone)]
pub(crate) struct Inherited {
    /// The owner.
    pub(crate) owner: Owner,
    /// The create event of the ancestor that gives the owner; `None` if a tag names the principal itself.
    pub(crate) event: Option<Event>,
    /// The ancestors, the nearest first: "asg web (aws:autoscaling:groupName)".
    way: Vec<String>,
}

/// Why no owner is found.
enum NoOwnerFound {
    /// Not yet: this must be known first.
    Ask(Need),
    /// A parent could not be read.
    Unreadable(UnreadParent),
    /// For good: all this was tried.
    Tried(Vec<Tried>),
}

/// A resource that may inherit from its parents.
#[derive(Clone, Copy)]
struct Child<'a> {
    definition: &'a TypeDefinition,
    resource: &'a LiveResource,
    /// Its own creation.
    creation: Option<&'a StoredEvent>,
}

/// How far up one is.
#[derive(Clone, Copy)]
struct Branch<'a> {
    /// The ancestors on the way here.
    path: &'a [&'a ParentRef],
    /// When the last of them that is recorded was made.
    made_at: Option<&'a str>,
}

/// Something that names a parent.
#[derive(PartialEq, Eq)]
enum Link {
    /// Who made it, and the tag that says so.
    Principal(String, String),
    /// A resource, and the tag that names it.
    Resource(ParentRef, Option<String>),
    /// A resource of another account: its type, and the text that names it.
    OtherAccount(ResourceType, String),
}

impl Inherited {
    /// "inherited from asg web (aws:autoscaling:groupName), from …: IAM user name, CreateStack 2026-…"
    pub(crate) fn reason(&self) -> String {
        let event = self.event.as_ref().map(|event| format!(", {} {}", event.name, event.time)).unwrap_or_default();
        format!("inherited from {}: {}{event}", self.way.join(", from "), self.owner.reason)
    }

    fn through(mut self, ancestor: String) -> Self {
        self.way.insert(0, ancestor);
        self
    }
}

/// Whether a resource with these events has its parent's owner, if it has one at all: no person made it as far as is known.
pub(crate) fn may_inherit(
    question: &Question,
    definition: &TypeDefinition,
    resource: &LiveResource,
    events: &[StoredEvent],
) -> bool {
    question.rules.is_left_to_parents(question.sought(definition, resource, events))
}

impl<'m> Lineage<'m> {
    /// Nothing known yet.
    pub(crate) fn new(map: &'m ResourceMap, account: AccountId) -> Self {
        Self { map, account, parents: HashMap::new() }
    }

    /// The owner that a resource has from its parents.
    ///
    /// # Errors
    /// None, and why.
    pub(crate) fn owner_of(
        &self,
        question: &Question,
        definition: &TypeDefinition,
        resource: &LiveResource,
        events: &[StoredEvent],
    ) -> Result<Inherited, Orphan> {
        let child = Child { definition, resource, creation: creation_of(events) };
        self.by_parents(question, child, Branch { path: &[], made_at: None }).map_err(|missing| match missing {
            NoOwnerFound::Ask(_) => Orphan::NoOwnerFound(Vec::new()),
            NoOwnerFound::Unreadable(unread) => Orphan::Unreadable(unread),
            NoOwnerFound::Tried(tried) => Orphan::NoOwnerFound(tried),
        })
    }

    /// The data still needed to decide the owners of these resources.
    pub(crate) fn needs(&self, question: &Question, facts: &TypeFacts<'_>) -> BTreeSet<Need> {
        let mut needs = BTreeSet::new();
        for (_, resource, events) in facts.subjects() {
            let may_inherit = || may_inherit(question, facts.definition, resource, events);
            if !is_wanted(question, facts, resource, events) || !may_inherit() {
                continue;
            }
            let child = Child { definition: facts.definition, resource, creation: creation_of(events) };
            let found = self.by_parents(question, child, Branch { path: &[], made_at: None });
            if let Err(NoOwnerFound::Ask(need)) = found {
                needs.insert(need);
            }
        }
        needs
    }

    /// The first parent that has an owner decides.
    fn by_parents(&self, question: &Question, child: Child<'_>, branch: Branch<'_>) -> Result<Inherited, NoOwnerFound> {
        let made_at = child.creation.map(|creation| creation.event.time.as_str()).or(branch.made_at);
        let branch = Branch { made_at, ..branch };
        let mut tried = Vec::new();
        for link in self.links(child) {
            let found = match link {
                Link::Principal(arn, tag) => self.by_principal(question, child, (&arn, &tag)),
                Link::Resource(parent, _) if branch.path.contains(&&parent) => continue,
                Link::Resource(parent, _) if branch.path.len() >= MAX_GENERATIONS => {
                    Err(NoOwnerFound::Tried(vec![Tried::TooFar(parent)]))
                }
                Link::Resource(parent, tag) => self.by_parent(question, &parent, tag.as_deref(), branch),
                Link::OtherAccount(name, text) => Err(NoOwnerFound::Tried(vec![Tried::OtherAccount(name, text)])),
            };
            match found {
                Err(NoOwnerFound::Tried(more)) => {
                    tried.extend(more.into_iter().filter(|why| !tried.contains(why)).collect::<Vec<_>>())
                }
                decided => return decided,
            }
        }
        Err(NoOwnerFound::Tried(tried))
    }

    fn by_principal(
        &self,
        question: &Question,
        Child { definition, resource, .. }: Child<'_>,
        (arn, tag): (&str, &str),
    ) -> Result<Inherited, NoOwnerFound> {
        let rules = &question.rules;
        let facts = rules.read_resources().then(|| question.live_facts(definition, resource, &[]).facts());
        match rules.owner_of_principal(arn, self.account.as_str(), facts) {
            Ok(owner) => {
                let way = vec![format!("its provisioning principal ({tag})")];
                Ok(Inherited { owner, event: None, way })
            }
            Err(no_owner) => Err(NoOwnerFound::Tried(vec![Tried::Principal(no_owner)])),
        }
    }

    /// The parent's own owner: by its creation where a person made it, else by its parents, else by its creation all the same.
    fn by_parent(
        &self,
        question: &Question,
        parent: &ParentRef,
        tag: Option<&str>,
        branch: Branch<'_>,
    ) -> Result<Inherited, NoOwnerFound> {
        let Some(known) = self.parents.get(parent) else {
            return Err(NoOwnerFound::Ask(Need::Recorded(parent.clone())));
        };
        let creation = known.creation(parent, branch.made_at);
        let way = tag.map_or_else(|| parent.to_string(), |tag| format!("{parent} ({tag})"));
        let sought = self.sought(question, parent, known, creation);
        let is_left = question.rules.is_left_to_parents(sought.clone());
        let above = if is_left { self.above(question, parent, known, creation, branch) } else { Ok(None) };
        let above = match above {
            Ok(Some(inherited)) => return Ok(inherited.through(way)),
            Ok(None) => Vec::new(),
            Err(NoOwnerFound::Tried(tried)) => tried,
            Err(open) => return Err(open),
        };
        let no_owner = match question.rules.owner_without_default(sought) {
            Ok(owner) => {
                let event = creation.map(|creation| creation.event.clone());
                return Ok(Inherited { owner, event, way: vec![way] });
            }
            // Its tags decide.
            Err(NoOwner::Undecided(_)) if matches!(known.live, Live::Unasked) => {
                return Err(NoOwnerFound::Ask(Need::Live(parent.clone())));
            }
            Err(NoOwner::NoEvent) => None,
            Err(no_owner) => Some(no_owner),
        };
        Err(NoOwnerFound::Tried(vec![Tried::Parent { parent: parent.clone(), no_owner, above }]))
    }

    /// What the rules for owners need to know of a parent.
    fn sought<'a>(
        &'a self,
        question: &'a Question,
        parent: &'a ParentRef,
        known: &'a Parent<'_>,
        creation: Option<&'a StoredEvent>,
    ) -> Sought<'a> {
        let event = creation.map(|creation| &creation.event);
        let facts = || match &known.live {
            Live::Alive(relative) => question.live_facts(relative.definition, &relative.resource, &[]).facts(),
            _ => ResourceFacts {
                resource_type: &parent.resource_type,
                id: &parent.id,
                arn: parent.arn.as_deref(),
                name: None,
                account_id: &self.account,
                account_name: question.scope.account_name.as_deref(),
                region: parent.region.as_ref().map(Region::as_str).unwrap_or_default(),
                tags: Cow::Owned(ResourceFacts::tags_of_database()),
            },
        };
        Sought { event, resource: question.rules.read_resources().then(facts) }
    }

    /// Who is above a parent that no person made.
    fn above(
        &self,
        question: &Question,
        parent: &ParentRef,
        known: &Parent<'_>,
        creation: Option<&StoredEvent>,
        branch: Branch<'_>,
    ) -> Result<Option<Inherited>, NoOwnerFound> {
        let unreadable = |only_tags: bool, error: &str| {
            NoOwnerFound::Unreadable(UnreadParent { parent: parent.clone(), only_tags, error: error.to_owned() })
        };
        let relative = match &known.live {
            Live::Unasked => return Err(NoOwnerFound::Ask(Need::Live(parent.clone()))),
            Live::Gone => return Err(NoOwnerFound::Tried(vec![Tried::NotLive])),
            Live::Unreadable(error) => return Err(unreadable(false, error)),
            Live::Alive(relative) => relative,
        };
        if let Tags::Unknown(error) = &relative.resource.tags {
            return Err(unreadable(true, error));
        }
        let path: Vec<&ParentRef> = branch.path.iter().copied().chain([parent]).collect();
        let child = Child { definition: relative.definition, resource: &relative.resource, creation };
        self.by_parents(question, child, Branch { path: &path, ..branch }).map(Some)
    }

    /// What names the parents of a resource, the surest first.
    fn links(&self, child: Child<'_>) -> Vec<Link> {
        let Child { definition, resource, creation } = child;
        let is_recorded = creation.is_some();
        let none = BTreeMap::new();
        let tags = match &resource.tags {
            Tags::Known(tags) | Tags::Partial(tags) => tags,
            Tags::Unknown(_) => &none,
        };
        let rules = definition.access.iter().flat_map(|access| &access.parents);
        let mut links: Vec<Link> = Vec::new();
        let mut item = None;
        for rule in rules.filter(|rule| is_recorded || rule.unrecorded) {
            for id in rule.ids(item.get_or_insert_with(|| resource.item.value())) {
                let link = self.link(&rule.resource_type, &id, id.clone(), None, resource);
                // Two rules may find the same parent, and one of them may count only with a record.
                if !links.contains(&link) {
                    links.push(link);
                }
            }
        }
        for rule in self.map.tag_rules.iter().filter(|rule| is_recorded || rule.is_of_aws()) {
            for (tag, value) in rule.matches(tags) {
                match &rule.names {
                    Names::Principal => links.push(Link::Principal(value.to_owned(), tag.to_owned())),
                    Names::Resource(name, id) => {
                        let Some(id) = parents::id_of(value, tags, id.as_ref()) else { continue };
                        links.push(self.link(name, value, id, Some(tag), resource));
                    }
                }
            }
        }
        links
    }

    /// A parent by the text that names it, in the account; its region is that of its ARN, else the child's.
    fn link(&self, name: &ResourceType, text: &str, id: String, tag: Option<&str>, child: &LiveResource) -> Link {
        let (mut region, mut arn) = (child.region.clone(), None);
        if let Some(parts) = ArnParts::parse(text) {
            if !parts.account.is_empty() && parts.account != self.account.as_str() {
                return Link::OtherAccount(name.clone(), text.to_owned());
            }
            if !parts.region.is_empty() {
                region = Region::new(parts.region);
            }
            arn = (text != id).then(|| text.to_owned());
        }
        let region = (!self.map.is_global(name)).then_some(region);
        Link::Resource(ParentRef { resource_type: name.clone(), region, id, arn }, tag.map(str::to_owned))
    }
}

impl Parent<'_> {
    /// Its creation, if it was made before `before`.
    fn creation(&self, parent: &ParentRef, before: Option<&str>) -> Option<&StoredEvent> {
        let of_live = match &self.live {
            Live::Alive(relative) => relative.events.as_slice(),
            _ => &[],
        };
        let is_it = before.is_some() || parent.arn.is_none() || matches!(self.live, Live::Alive(_));
        let recorded = if is_it { self.recorded.as_slice() } else { &[] };
        creation_before(recorded, before).or_else(|| creation_before(of_live, before))
    }
}

/// The creation by the events up to a time; they are in its order.
fn creation_before<'e>(events: &'e [StoredEvent], before: Option<&str>) -> Option<&'e StoredEvent> {
    let until =
        before.map_or(events.len(), |before| events.partition_point(|event| event.event.time.as_str() <= before));
    creation_of(&events[..until])
}
