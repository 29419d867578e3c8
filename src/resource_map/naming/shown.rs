//! The ARN and the name of a resource, as far as its ID and the names in its create event say.

use serde_json::{Map, Value};

use super::{ArnPlace, insert, simple_field, url_end};
use crate::model::{AccountId, ArnParts, Region, ResourceType};
use crate::resource_map::{ItemText, ResourceMap, TypeDefinition};

/// The end of fields that hold a name: `RoleName`, `Name`.
const NAME: &str = "name";

/// The ARN: the ID or one of the names, else what the type's ARNs make of the ID. `None` if they need more than the ID.
pub fn arn_of(
    map: &ResourceMap,
    resource_type: &ResourceType,
    (id, names): (&str, &[String]),
    (account, region): (&AccountId, &Region),
) -> Option<String> {
    if ArnParts::parse(id).is_some() {
        return Some(id.to_owned());
    }
    let of_type = map.naming().of_type(resource_type)?;
    let is_own = |name: &&String| ArnParts::parse(name).is_some_and(|arn| of_type.has_form_of(&arn));
    if let Some(arn) = names.iter().find(is_own) {
        return Some(arn.clone());
    }
    let access = map.definition(resource_type)?.access.as_ref()?;
    let field = simple_field(&access.id)?;
    let place = ArnPlace { partition: region.partition(), region: region.as_str(), account: account.as_str() };
    if let Some(arn @ ItemText::Template(_)) = &access.arn {
        let value = |text: &str| Some(Value::String(text.to_owned()));
        let lookup = |name: &str| match name {
            "partition" => value(place.partition),
            "region" => value(place.region),
            "account" => value(place.account),
            "id" => value(id),
            _ => None,
        };
        return arn.text(&item_of(field, id), &lookup).ok();
    }
    let forms = of_type.forms.iter().filter(|_| of_type.makes_arn);
    forms.into_iter().find_map(|form| form.render(place, field, url_end(id).unwrap_or(id)))
}

/// A listed resource with its ID only.
fn item_of(field: &str, id: &str) -> Value {
    if field == "@" {
        return Value::String(id.to_owned());
    }
    let mut item = Map::new();
    insert(&mut item, field, id);
    Value::Object(item)
}

/// The name: the ID of a type with names as IDs (a role has a generated `RoleId` beside its name), else one in the record or the list
/// call. `None` for a resource that has only a generated ID.
pub fn name_of(definition: Option<&TypeDefinition>, id: &str, names: &[String]) -> Option<String> {
    let field =
        definition.and_then(|definition| definition.access.as_ref()).and_then(|access| simple_field(&access.id));
    let is_plain = ArnParts::parse(id).is_none() && url_end(id).is_none();
    if is_plain && field.is_some_and(|field| field.to_ascii_lowercase().ends_with(NAME)) {
        return Some(id.to_owned());
    }
    let is_name = |name: &&String| *name != id && !name.starts_with("arn:") && !name.contains("://");
    if let Some(name) = names.iter().find(is_name) {
        return Some(name.clone());
    }
    if let Some(arn) = ArnParts::parse(id) {
        return arn.name().rsplit('/').next().map(str::to_owned);
    }
    if let Some(name) = url_end(id) {
        return Some(name.to_owned());
    }
    (field == Some("@")).then(|| id.to_owned())
}
