//! The parents of resources that no person created: the tags, or the fields of the item, that name a parent.
//!
//! Two sources: `resource-maps/parents.yml` has AWS's own tags that name a parent, on resources of any type; a type's
//! stanza has the fields of its own item (`parents`: an instance, for its volumes). Pure; `plan::lineage` finds the parent's owner.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Access, Expression, ResourceMap};
use crate::model::ResourceType;
use crate::text::source::Position;

/// What the keys of AWS's own tags begin with. Only AWS can write them.
///
/// Source: <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>
const OF_AWS: &str = "aws:";

/// A parent that a resource's item names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParentRule {
    /// The parent's type.
    pub resource_type: ResourceType,
    /// JMESPath on the item to the parent's id, or to several.
    pub id: Expression,
    /// Whether that proves the creator even without a create event.
    pub unrecorded: bool,
    pub(super) place: Position,
}

/// A tag that names a parent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TagRule {
    /// The tag's key. With a `*` at its end, all keys with that beginning: the rest of the key names the parent.
    pub tag: String,
    /// The values that count, if not all do.
    pub value: Option<String>,
    /// What its value, or the rest of its key, names.
    pub names: Names,
}

/// What a tag's value names.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Names {
    /// A resource of this type; JMESPath on value and tags to its id where that isn't the value itself.
    Resource(ResourceType, Option<Expression>),
    /// Who made it, by ARN.
    Principal,
}

impl ParentRule {
    /// The parents' ids by the resource's item.
    pub fn ids(&self, item: &Value) -> Vec<String> {
        let found = self.id.search(item);
        let texts = found.as_array().map_or(std::slice::from_ref(&found), Vec::as_slice);
        texts.iter().filter_map(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }
}

impl TagRule {
    /// Whether only AWS can have written the tag.
    pub fn is_of_aws(&self) -> bool {
        self.tag.starts_with(OF_AWS)
    }

    /// The tags of a resource that name a parent: each key, with the text that names the parent.
    pub fn matches<'t>(&'t self, tags: &'t BTreeMap<String, String>) -> Vec<(&'t str, &'t str)> {
        let named = |(key, value): (&'t String, &'t String)| {
            let name = match self.tag.strip_suffix('*') {
                Some(beginning) => key.strip_prefix(beginning)?,
                None => (*key == self.tag).then_some(value.as_str())?,
            };
            let counts = !name.is_empty() && self.value.as_ref().is_none_or(|wanted| wanted == value);
            counts.then_some((key.as_str(), name))
        };
        tags.iter().filter_map(named).collect()
    }
}

/// The parent's id by a tag's value and the tags beside it.
pub fn id_of(value: &str, tags: &BTreeMap<String, String>, id: Option<&Expression>) -> Option<String> {
    match id {
        None => Some(value.to_owned()),
        Some(id) => {
            let found = id.search(&json!({"value": value, "tags": tags}));
            found.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
        }
    }
}

impl ResourceMap {
    /// The types that resources of `types` may belong to, and those that these may belong to, and so on.
    pub fn parent_types<'t>(&self, types: impl IntoIterator<Item = &'t ResourceType>) -> BTreeSet<ResourceType> {
        let by_tag = self.tag_rules.iter().filter_map(|rule| match &rule.names {
            Names::Resource(name, _) => Some(name.clone()),
            Names::Principal => None,
        });
        let mut found: BTreeSet<ResourceType> = by_tag.collect();
        let mut open: Vec<ResourceType> = types.into_iter().cloned().chain(found.iter().cloned()).collect();
        while let Some(name) = open.pop() {
            let above = self.parent_rules(&name).iter().map(|rule| rule.resource_type.clone());
            open.extend(above.filter(|parent| found.insert(parent.clone())));
        }
        found
    }

    /// The types with items that name a parent of `types`, directly or through others: for instances, their volumes.
    pub fn child_types(&self, types: &[ResourceType]) -> BTreeSet<ResourceType> {
        let mut found: BTreeSet<ResourceType> = types.iter().cloned().collect();
        loop {
            let is_child = |name: &&ResourceType| {
                !found.contains(*name) && self.parent_rules(name).iter().any(|rule| found.contains(&rule.resource_type))
            };
            let more: Vec<ResourceType> = self.types.keys().filter(is_child).cloned().collect();
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        found.retain(|name| !types.contains(name));
        found
    }

    fn parent_rules(&self, name: &ResourceType) -> &[ParentRule] {
        let access: Option<&Access> = self.types.get(name).and_then(|definition| definition.access.as_ref());
        access.map_or(&[], |access| &access.parents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(tag: &str, tags: &[(&str, &str)]) -> Option<(String, String)> {
        let map = ResourceMap::built_in_once();
        let tags: BTreeMap<String, String> =
            tags.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        let rule = map.tag_rules.iter().find(|rule| rule.tag == tag).unwrap();
        let Names::Resource(name, id) = &rule.names else { return None };
        let (_, value) = rule.matches(&tags).into_iter().next()?;
        Some((name.to_string(), id_of(value, &tags, id.as_ref())?))
    }

    fn found(name: &str, id: &str) -> Option<(String, String)> {
        Some((name.to_owned(), id.to_owned()))
    }

    #[test]
    fn a_tag_names_a_parent_by_what_its_events_call_it() {
        let stack = "arn:aws:cloudformation:eu-west-1:123456789012:stack/web/51af3dc0-da77-11e4-872e-1234567db123";
        assert_eq!(id("aws:cloudformation:stack-id", &[("aws:cloudformation:stack-id", stack)]), found("cfn", "web"));
        let nodes = [("eks:nodegroup-name", "general"), ("eks:cluster-name", "prod")];
        assert_eq!(id("eks:nodegroup-name", &nodes), found("eks-nodegroup", "prod/general"));
        assert_eq!(id("eks:nodegroup-name", &nodes[..1]), None, "a node group's name alone names none");
        assert_eq!(id("eks:cluster-name", &nodes), found("eks", "prod"));
        for tag in ["eks:eks-cluster-name", "aws:eks:cluster-name", "karpenter.sh/managed-by", "elbv2.k8s.aws/cluster"]
        {
            assert_eq!(id(tag, &[(tag, "prod")]), found("eks", "prod"), "{tag}");
        }
        let owned = "kubernetes.io/cluster/*";
        assert_eq!(id(owned, &[("kubernetes.io/cluster/prod", "owned")]), found("eks", "prod"));
        assert_eq!(id(owned, &[("kubernetes.io/cluster/prod", "shared")]), None, "not created for the cluster");
        assert_eq!(id(owned, &[("kubernetes.io/cluster/", "owned"), ("kubernetes.io/clusters", "owned")]), None);
        let task = [("aws:ecs:serviceName", "api"), ("aws:ecs:clusterName", "blue")];
        assert_eq!(id("aws:ecs:serviceName", &task), found("ecs-service", "blue/api"));
        assert_eq!(id("aws:autoscaling:groupName", &[("aws:autoscaling:groupName", "")]), None);
    }

    #[test]
    fn every_parent_is_a_type_that_can_be_listed() {
        let map = ResourceMap::built_in_once();
        for rule in map.tag_rules.iter() {
            if let Names::Resource(name, _) = &rule.names {
                assert!(map.types[name].access.is_some(), "{} names {name}", rule.tag);
            }
        }
        assert!(map.tag_rules.iter().any(|rule| matches!(rule.names, Names::Principal)));
    }

    #[test]
    fn families_are_found_upwards_and_downwards() {
        let map = ResourceMap::built_in_once();
        let above = map.parent_types(&["ebs".into()]);
        for name in ["ec2", "asg", "cfn", "eks-nodegroup"] {
            assert!(above.contains(&ResourceType::from(name)), "{name}");
        }
        assert!(!above.contains(&ResourceType::from("nat-gateway")), "volumes have nothing to do with it");
        let below = map.child_types(&["ec2".into()]);
        assert_eq!(below.iter().map(ResourceType::as_str).collect::<Vec<_>>(), ["ebs", "eni"]);
        assert!(map.child_types(&["sqs".into()]).is_empty());
    }
}
