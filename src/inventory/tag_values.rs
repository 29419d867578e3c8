//! Parses tags in all forms that services use: a map, or a list of objects with one of several names for key and value.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

const KEYS: [&str; 4] = ["Key", "key", "TagKey", "tagKey"];
const VALUES: [&str; 4] = ["Value", "value", "TagValue", "tagValue"];

/// The tags. `None` if the value is not tags. Null is no tags. For duplicate keys, the last counts.
pub(super) fn tags_of(value: &Value) -> Option<BTreeMap<String, String>> {
    match value {
        Value::Null => Some(BTreeMap::new()),
        Value::Object(fields) => fields.iter().map(|(key, value)| Some((key.clone(), text_of(value)?))).collect(),
        Value::Array(items) => items.iter().map(|item| tag_of(item.as_object()?)).collect(),
        _ => None,
    }
}

fn tag_of(item: &Map<String, Value>) -> Option<(String, String)> {
    let field = |names: [&str; 4]| names.iter().find_map(|name| item.get(*name));
    let key = field(KEYS)?.as_str()?.to_owned();
    // A tag without a value has an empty value. XML's empty element is null.
    Some((key, field(VALUES).map_or(Some(String::new()), text_of)?))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Option<Vec<(String, String)>> {
        tags_of(value).map(|tags| tags.into_iter().collect())
    }

    #[test]
    fn every_form_is_parsed() {
        let wanted = Some(vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())]);
        for value in [
            json!({"a": "1", "b": null}),
            json!({"a": 1, "b": ""}),
            json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": null}]),
            json!([{"key": "a", "value": "1"}, {"key": "b"}]),
            json!([{"TagKey": "a", "TagValue": "1"}, {"TagKey": "b", "TagValue": ""}]),
            json!([{"tagKey": "a", "tagValue": "0"}, {"tagKey": "b", "tagValue": ""}, {"tagKey": "a", "tagValue": "1"}]),
        ] {
            assert_eq!(read(&value), wanted, "{value}");
        }
        assert_eq!(read(&Value::Null), Some(vec![]));
    }

    #[test]
    fn other_values_are_not_taken_for_no_tags() {
        for value in
            [json!("a"), json!([["a", "b"]]), json!([{"Name": "a"}]), json!({"Tag": {"Key": "a"}}), json!([{"Key": 1}])]
        {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
