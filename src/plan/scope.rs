//! Which resources a run may write to, and which values it may replace, independent of the owner.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::Case;
use super::document::SkipKind;
use super::present::{has_tag, present_tag};
use super::skip::{NotOurs, Skip};
use super::skip_tag::SkipTag;
use crate::creator::creation_of;
use crate::model::{ResourceType, TagKey, Tags};
use crate::plan::earlier::{Earlier, Ours};
use crate::resource::{Condition, LiveFacts};
use crate::resource_map::PresentTag;

/// What a question is limited to. The default limits nothing and replaces nothing.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Whether values that earlier runs wrote are replaced where the owner is another now.
    pub refresh: bool,
    /// Resources that carry one of these tags are left.
    pub skip_tags: Vec<SkipTag>,
    /// Only the resources that these texts name; empty: all.
    pub ids: Ids,
    /// Only the resources for which this is true.
    pub condition: Option<Condition>,
    /// The name of the account in the accounts file, for the condition and the rules for owners.
    pub account_name: Option<String>,
    /// Only the resources that these events created; `None`: all.
    pub created_by: Option<Arc<BTreeSet<Creation>>>,
}

/// One resource of a create event. An event can give a resource's ID in several spellings (a URL and the name in it): the last part is
/// the same in all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Creation {
    /// The resource's type.
    pub resource_type: ResourceType,
    /// The event.
    pub event_id: String,
    /// The last part of the resource's ID in the event.
    pub name: String,
}

impl Creation {
    /// The resource with this ID in an event.
    pub fn of(resource_type: &ResourceType, event_id: &str, id: &str) -> Self {
        let name = id.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
        Self { resource_type: resource_type.clone(), event_id: event_id.to_owned(), name }
    }
}

/// What is known of a type's resources for the sake of the [`Scope`].
#[derive(Debug, Clone, Default)]
pub struct ScopeFacts {
    /// What earlier runs wrote on them; empty unless values are refreshed.
    pub earlier: Arc<Earlier>,
    /// Those that the ids name, and the ids that named one; `None`: all resources count.
    pub selected: Option<Selected>,
    /// The live resources of [`Scope::created_by`], by their positions.
    pub created: BTreeMap<Creation, usize>,
}

/// Resources by their positions, and the texts that named them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selected {
    /// The resources.
    pub positions: HashSet<usize>,
    /// The texts.
    pub texts: BTreeSet<String>,
}

/// Texts that name resources, as a person gave them. A comma separates two, unless the whole text names a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids(pub Vec<String>);

impl ScopeFacts {
    /// What is known of the first `count` resources. The others keep the rest: they have positions from 0 afterwards.
    #[must_use]
    pub fn split_to(&mut self, count: usize) -> Self {
        let selected = self.selected.as_mut().map(|selected| {
            let (here, later): (Vec<usize>, Vec<usize>) = selected.positions.drain().partition(|at| *at < count);
            selected.positions = later.into_iter().map(|at| at - count).collect();
            Selected { positions: here.into_iter().collect(), texts: std::mem::take(&mut selected.texts) }
        });
        Self { earlier: Arc::clone(&self.earlier), selected, created: BTreeMap::new() }
    }

    /// Whether a resource is one of those that count.
    pub(super) fn has(&self, position: usize) -> bool {
        self.selected.as_ref().is_none_or(|selected| selected.positions.contains(&position))
    }
}

impl Ids {
    /// Whether all resources count.
    pub fn are_all(&self) -> bool {
        self.0.is_empty()
    }

    /// The resources that `find` knows by these texts.
    pub fn select(&self, find: impl Fn(&str) -> Option<usize>) -> Selected {
        let mut selected = Selected::default();
        for text in &self.0 {
            let whole: Vec<(usize, &str)> = find(text).map(|position| (position, text.as_str())).into_iter().collect();
            let found = if whole.is_empty() {
                parts(text).filter_map(|part| Some((find(part)?, part))).collect()
            } else {
                whole
            };
            for (position, text) in found {
                selected.positions.insert(position);
                selected.texts.insert(text.to_owned());
            }
        }
        selected
    }

    /// The texts that named no resource, given those that did.
    pub fn missing<'i>(&'i self, found: &BTreeSet<String>) -> Vec<&'i str> {
        let unknown = self.0.iter().filter(|text| !found.contains(*text));
        let missing: BTreeSet<&str> =
            unknown.flat_map(|text| parts(text)).filter(|part| !found.contains(*part)).collect();
        missing.into_iter().collect()
    }
}

/// The texts between commas; without commas, the text.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// That no tag of the resource keeps it from being written to, as far as its tags are known.
pub(super) fn check_skip_tags(case: Case<'_>) -> Result<(), Skip> {
    let skip_tags = &case.question.scope.skip_tags;
    let carried = skip_tags.iter().find_map(|skip| {
        let (Tags::Known(tags) | Tags::Partial(tags)) = &case.resource.tags else { return None };
        skip.find(tags, case.definition.tag_keys())
    });
    carried.map_or(Ok(()), |present| Err(Skip::SkipTag(present.into())))
}

/// That the condition of `--where` is true, as far as the tags that were read say: [`prove_scope`] asks for the others.
pub(super) fn check_condition(case: Case<'_>) -> Result<(), Skip> {
    match prove_condition(case) {
        Err(Skip::TagsUnknown(_) | Skip::MayMatch) => Ok(()),
        checked => checked,
    }
}

/// That the condition is true.
fn prove_condition(case: Case<'_>) -> Result<(), Skip> {
    let Scope { condition: Some(condition), .. } = &case.question.scope else { return Ok(()) };
    if condition.needs_tags(&case.question.rules) {
        match &case.resource.tags {
            Tags::Known(_) => {}
            Tags::Partial(_) => return Err(Skip::MayMatch),
            Tags::Unknown(reason) => return Err(Skip::TagsUnknown(reason.clone())),
        }
    }
    let inherited = case.inherited.and_then(|inherited| Some(inherited.as_ref().ok()?.owner.value.as_str()));
    let facts = LiveFacts { inherited, ..case.question.live_facts(case.definition, case.resource, case.events) };
    if condition.keeps(&facts.describe(&case.question.rules)) { Ok(()) } else { Err(Skip::Where) }
}

/// That it is proven that the resource is in the scope: it carries no tag that keeps it from being written to, and the condition is true.
pub(super) fn prove_scope(case: Case<'_>) -> Result<(), Skip> {
    prove_condition(case)?;
    match (case.question.scope.skip_tags.first(), &case.resource.tags) {
        (Some(skip), Tags::Partial(_)) => Err(Skip::MayHave(skip.to_string())),
        _ => Ok(()),
    }
}

/// That this value of the tag may be replaced.
pub(super) fn check_replaceable(case: Case<'_>, key: &TagKey, present: PresentTag<'_>) -> Result<(), Skip> {
    if case.question.overwrite {
        return Ok(());
    }
    if !case.question.scope.refresh {
        return Err(has_tag(case.definition, key, present));
    }
    let others = |why: NotOurs| Err(Skip::WrittenByOthers { tag: present.into(), why });
    match case.earlier.of(case.resource, key) {
        None => others(NotOurs::NeverWritten),
        Some(ours) if ours.value.as_str() != present.value => {
            others(NotOurs::Changed { value: ours.value.to_string(), at: ours.at.to_owned() })
        }
        // Its namesake had that value from us.
        Some(ours) if is_newer(case, ours) => others(NotOurs::Recreated { at: ours.at.to_owned() }),
        Some(_) => Ok(()),
    }
}

/// Whether the resource was created after the value was written, by another event than the one that the value rests on.
fn is_newer(case: Case<'_>, ours: Ours<'_>) -> bool {
    let creation = creation_of(case.events).map(|creation| &creation.event);
    creation.is_some_and(|event| event.time.as_str() > ours.at && Some(event.event_id.as_str()) != ours.event_id)
}

/// Whether a value of the tag may be replaced.
pub(super) fn is_replaceable(case: Case<'_>, key: &TagKey, present: PresentTag<'_>) -> bool {
    check_replaceable(case, key, present).is_ok()
}

/// Adds to the reason for leaving a resource that it keeps what an earlier run wrote. What tags decide that are not read yet is open.
pub(super) fn keeps(case: Case<'_>, key: &TagKey, why: Skip) -> Skip {
    if why.kind() == SkipKind::TagsUnknown {
        return why;
    }
    match present_tag(case.definition, case.resource, key).filter(|_| case.question.scope.refresh) {
        Some(present) => Skip::Keeps { tag: present.into(), why: Box::new(why) },
        None => why,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::test_data::{live, stored, tags};
    use super::super::{Plan, Question, TypeFacts, plan, unproven};
    use super::*;
    use crate::creator::OwnerRules;
    use crate::model::LiveResource;
    use crate::plan::SkipKind;
    use crate::plan::earlier::{Direction, EarlierWrite};
    use crate::plan::join::Join;
    use crate::plan::updates::Updates;
    use crate::resource_map::ResourceMap;

    static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);
    const CREATED: &str = "2024-01-01T00:00:00Z";
    const WRITTEN: &str = "2024-02-01T00:00:00Z";

    fn question(scope: Scope) -> Question {
        Question {
            account: "123456789012".into(),
            region: "eu-west-1".into(),
            key: "Owner".into(),
            more_tags: Vec::new(),
            overwrite: false,
            inherit: false,
            owner_keys: Vec::new(),
            rules: OwnerRules::default(),
            updates: Updates::default(),
            scope,
        }
    }

    /// Queues that alice created at these times, and on which an earlier run wrote `deploy`.
    fn facts(live: Vec<LiveResource>, created: &[&str]) -> TypeFacts<'static> {
        let mut join = Join::new(&live);
        let mut earlier = Earlier::default();
        for resource in &live {
            created.iter().for_each(|time| join.add(stored("create", resource.id.as_str(), "alice", time)));
            earlier.add(EarlierWrite {
                id: resource.id.clone(),
                arn: resource.arn.clone(),
                key: "Owner".into(),
                old_value: None,
                new_value: Some("deploy".into()),
                event_id: Some(format!("{}-{CREATED}", resource.id)),
                direction: Direction::Sets,
                is_certain: true,
                at: WRITTEN.to_owned(),
            });
        }
        let scope = ScopeFacts { earlier: earlier.into(), ..ScopeFacts::default() };
        TypeFacts { definition: &MAP.types["sqs"], live, joined: join.finish(), scope, source: None }
    }

    fn queue(tags: Tags) -> LiveResource {
        live("q", "arn:aws:sqs:eu-west-1:123456789012:q").with(tags)
    }

    fn kinds(plan: &Plan) -> Vec<SkipKind> {
        plan.skipped.iter().map(|left| left.kind).collect()
    }

    fn refreshed(value: &str, created: &[&str]) -> Plan {
        let scope = Scope { refresh: true, ..Scope::default() };
        plan(&question(scope), None, &[facts(vec![queue(Tags::Known(tags(&[("Owner", value)])))], created)])
    }

    #[test]
    fn a_value_of_ours_is_replaced_and_another_is_not() {
        let plan = refreshed("deploy", &[CREATED]);
        let write = &plan.actions.get(0);
        assert_eq!((write.value.as_str(), write.old_value.as_ref().unwrap().as_str()), ("alice", "deploy"));
        assert_eq!(kinds(&refreshed("zoe", &[CREATED])), [SkipKind::WrittenByOthers]);
        let kept = refreshed("deploy", &[]);
        assert_eq!(kinds(&kept), [SkipKind::NoRecord]);
        assert!(kept.skipped.get(0).reason.starts_with("keeps Owner=deploy"), "{}", kept.skipped.get(0).reason);
    }

    #[test]
    fn a_resource_created_anew_does_not_have_its_namesakes_value_from_us() {
        let anew = refreshed("deploy", &[CREATED, "2024-03-01T00:00:00Z"]);
        assert_eq!(kinds(&anew), [SkipKind::WrittenByOthers]);
        assert!(anew.skipped.get(0).reason.contains("recreated"), "{}", anew.skipped.get(0).reason);
        let before_the_write = refreshed("deploy", &[CREATED, "2024-01-15T00:00:00Z"]);
        assert_eq!(before_the_write.actions.len(), 1, "its creation was loaded after the write only");
    }

    #[test]
    fn what_is_replaced_is_read_first_and_a_skip_tag_must_be_proven_absent() {
        let partial = |pairs: &[(&str, &str)]| facts(vec![queue(Tags::Partial(tags(pairs)))], &[CREATED]);
        let refresh = question(Scope { refresh: true, ..Scope::default() });
        assert_eq!(unproven(&refresh, &partial(&[("Owner", "deploy")])), [0]);
        assert_eq!(unproven(&refresh, &partial(&[("Owner", "zoe")])), [0; 0]);

        let skip = question(Scope { skip_tags: vec!["stage=prod".parse().unwrap()], ..Scope::default() });
        for pairs in [&[][..], &[("stage", "dev")]] {
            assert_eq!(unproven(&skip, &partial(pairs)), [0]);
            assert_eq!(kinds(&plan(&skip, None, &[partial(pairs)])), [SkipKind::TagsUnknown]);
        }
        assert_eq!(kinds(&plan(&skip, None, &[partial(&[("stage", "prod")])])), [SkipKind::SkipTag]);
        let known = facts(vec![queue(Tags::Known(tags(&[("stage", "dev")])))], &[CREATED]);
        assert_eq!(plan(&skip, None, &[known]).actions.len(), 1);
        let overwriting = Question { overwrite: true, ..skip };
        let plan = plan(&overwriting, None, &[partial(&[("Owner", "zoe")])]);
        assert_eq!(kinds(&plan), [SkipKind::TagsUnknown], "an unreadable skip tag also protects what has the tag");
    }

    #[test]
    fn only_selected_resources_are_in_the_plan_and_its_figures() {
        let arn = |name: &str| format!("arn:aws:sqs:eu-west-1:123456789012:{name}");
        let mut facts = facts(["a", "b"].map(|name| live(name, &arn(name))).to_vec(), &[CREATED]);
        facts.scope.selected = Some(ids(&["b"]).select(|text| (text == "b").then_some(1)));
        let plan = plan(&question(Scope::default()), None, &[facts]);
        assert_eq!(plan.actions.iter().map(|write| write.id.to_string()).collect::<Vec<_>>(), ["b"]);
        assert_eq!((plan.skipped.len(), plan.summary.types[0].population), (0, 1));
    }

    fn ids(texts: &[&str]) -> Ids {
        Ids(texts.iter().map(|&text| text.to_owned()).collect())
    }

    fn find(text: &str) -> Option<usize> {
        ["a", "b", "smith,john", "smith"].iter().position(|known| *known == text)
    }

    #[test]
    fn commas_separate_ids_unless_the_whole_names_a_resource() {
        let of = |texts: &[&str]| {
            let mut positions: Vec<usize> = ids(texts).select(find).positions.into_iter().collect();
            positions.sort_unstable();
            positions
        };
        assert_eq!(of(&["a,b"]), [0, 1]);
        assert_eq!(of(&["a", "b"]), [0, 1]);
        assert_eq!(of(&["smith,john"]), [2], "and not smith");
        assert_eq!(of(&["c"]), [0; 0]);
    }

    #[test]
    fn an_id_that_names_nothing_is_missing() {
        let missing = |texts: &[&str]| {
            let ids = ids(texts);
            let found = ids.select(find).texts;
            ids.missing(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(missing(&["a,c", "d"]), ["c", "d"]);
        assert_eq!(missing(&["smith,john"]), [""; 0]);
    }
}
