//! One resource in an answer of AWS Config, and the live resource that it describes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NotInConfig;
use super::query::GLOBAL;
use crate::inventory::listing::ListedItem;
use crate::inventory::resource::resource;
use crate::inventory::scope::Scope;
use crate::inventory::tag_values::tags_of;
use crate::model::{LiveResource, Tags};
use crate::resource_map::expression::TopLevelFields;
use crate::resource_map::naming::{Described, TypeNaming, has_fields_of};
use crate::resource_map::{Access, Expression, ItemText};

/// A configuration item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) resource_type: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) status: String,
    /// `None`: they could not be read.
    pub(super) tags: Option<BTreeMap<String, String>>,
}

/// What a resource's tags in AWS Config prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagTrust {
    /// Presence only: something is written where a tag is absent.
    Present,
    /// All: nothing is written.
    All,
}

impl Row {
    /// The result of a query: a JSON object in a string. `None` if it is none, or has no type.
    pub(super) fn of(result: &Value) -> Option<Self> {
        let row: Value = serde_json::from_str(result.as_str()?).ok()?;
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let arn = text("arn");
        let row = Self {
            resource_type: text("resourceType"),
            id: text("resourceId"),
            name: text("resourceName"),
            // Log groups end in it in some places.
            arn: arn.strip_suffix(":*").map(str::to_owned).unwrap_or(arn),
            account: text("accountId"),
            region: text("awsRegion"),
            status: text("configurationItemStatus"),
            tags: tags_of(&row["tags"]),
        };
        Some(row).filter(|row| !row.resource_type.is_empty())
    }

    /// Whether the resource is deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.status.starts_with("ResourceDeleted")
    }

    /// Whether the item is out of date, because the type is not recorded.
    pub(super) fn is_not_recorded(&self) -> bool {
        self.status == "ResourceNotRecorded"
    }

    /// Whether the resource belongs to no region.
    pub(super) fn is_global(&self) -> bool {
        self.region == GLOBAL
    }

    /// The live resource. `None` if the list call would leave it out.
    pub(super) fn live(
        &self,
        scope: &Scope<'_>,
        naming: &TypeNaming,
        trust: TagTrust,
    ) -> Result<Option<LiveResource>, NotInConfig> {
        let (access, described) = (scope.access, Described { arn: &self.arn, id: &self.id, name: &self.name });
        for item in naming.readings(access, described) {
            if !is_whole(scope, &item) {
                continue;
            }
            let is_listed = access
                .list
                .filter
                .as_ref()
                .is_none_or(|filter| !has_fields_of(filter, &item) || filter.search(&item) == Value::Bool(true));
            let Ok(live) = resource(scope, ListedItem { value: item.into(), ancestors: Vec::new() }) else { continue };
            let is_it = self.arn.is_empty() || live.arn.as_str() == self.arn;
            if is_it && naming.fits(access, described, live.id.as_str()) {
                return Ok(is_listed.then(|| LiveResource { tags: self.tags(trust), ..live }));
            }
        }
        Err(NotInConfig::Unmatched)
    }

    fn tags(&self, trust: TagTrust) -> Tags {
        match (&self.tags, trust) {
            (Some(tags), TagTrust::All) => Tags::Known(tags.clone()),
            (Some(tags), TagTrust::Present) => Tags::Partial(tags.clone()),
            (None, TagTrust::All) => Tags::Unknown("AWS Config's item has no list of tags".to_owned()),
            (None, TagTrust::Present) => Tags::Partial(BTreeMap::new()),
        }
    }
}

/// Whether an item has all that decides the ID, the names, and whether it is listed and can be tagged.
fn is_whole(scope: &Scope<'_>, item: &Value) -> bool {
    let access = scope.access;
    let when = access.write.as_ref().and_then(|write| write.when.as_ref());
    let lookup = |name: &str| match name {
        // Where the ID is missing, nothing of it is used.
        "id" => Some(Value::String(String::new())),
        _ => scope.lookup(name, &scope.region, &[]),
    };
    let is_known = |text: &ItemText| match text {
        ItemText::Expression(expression) => has_fields_of(expression, item),
        ItemText::Template(_) => text.text(item, &lookup).is_ok(),
    };
    std::iter::once(&access.id).chain(&access.names).all(is_known)
        && when.is_none_or(|when| has_fields_of(when, item))
        && access.list.filter.as_ref().is_none_or(|filter| has_fields_of(filter, item) || is_of_state(filter))
}

/// Whether a filter only leaves out resources that are deleted, or soon will be: AWS Config's items of these end as deleted.
fn is_of_state(filter: &Expression) -> bool {
    let is_state = |field: &str| {
        let field = field.to_ascii_lowercase();
        field.ends_with("state") || field.ends_with("status")
    };
    matches!(filter.fields(), TopLevelFields::Some(fields) if fields.iter().all(|field| is_state(field)))
}

/// Whether a type's resources can be read from AWS Config at all, whatever it has of each.
pub(super) fn is_readable(access: &Access) -> bool {
    access.made_with.is_empty() && access.region.is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_is_an_object_in_a_string() {
        let text = json!({
            "resourceType": "AWS::SQS::Queue", "resourceId": "u", "resourceName": null, "arn": "a:*", "awsRegion": "eu-west-1",
            "tags": [{"tag": "team=blue", "key": "team", "value": "blue"}],
        });
        let row = Row::of(&json!(text.to_string())).unwrap();
        assert_eq!((row.arn.as_str(), row.name.as_str(), row.is_global()), ("a", "", false));
        assert_eq!(row.tags, Some(BTreeMap::from([("team".to_owned(), "blue".to_owned())])));
        for result in [json!({}), json!("{"), json!("{}"), json!("[]"), Value::Null] {
            assert_eq!(Row::of(&result), None, "{result}");
        }
        let unread = Row::of(&json!(json!({"resourceType": "AWS::X::Y", "tags": "?"}).to_string())).unwrap();
        assert_eq!(unread.tags(TagTrust::Present), Tags::Partial(BTreeMap::new()), "its absence is confirmed");
        assert!(matches!(unread.tags(TagTrust::All), Tags::Unknown(_)));
    }

    #[test]
    fn deleted_and_unrecorded_items_are_told_apart() {
        let of = |status: &str| Row { status: status.to_owned(), ..Row::default() };
        assert!(of("ResourceDeleted").is_deleted() && of("ResourceDeletedNotRecorded").is_deleted());
        assert!(!of("OK").is_deleted() && !of("ResourceDiscovered").is_deleted() && !of("").is_deleted());
        assert!(of("ResourceNotRecorded").is_not_recorded() && !of("OK").is_not_recorded());
    }
}
