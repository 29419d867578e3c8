//! A second look at a record in which no rule finds an identifier: its fields may be spelled in another way.
//!
//! Services differ in the case of a field's letters (`brokerId`, `BrokerId`, `aRN`), and some changed it over the years. Some
//! answers are inside one more object (`{"CreateImageResponse": {…}}`, `{"cluster": {…}}`) than others of the same service. So here
//! all names are in lower case, and the fields of such an object also count as the answer's own. Only records without any
//! identifier are read so: a field that is spelled as in the map always comes first.

use std::collections::BTreeMap;

use jmespath::{Rcvar, Variable};

const REQUEST: &str = "requestparameters";
const RESPONSE: &str = "responseelements";

/// What follows the event's name in the name of an object that holds the whole request or answer.
const WRAPPERS: [&str; 3] = ["request", "response", "result"];

/// The record with all field names in lower case, and without objects around its request and answer.
pub(super) fn unified(record: &Rcvar, event_name: &str) -> Rcvar {
    let Variable::Object(mut fields) = in_lower_case(record) else { return record.clone() };
    let event_name = event_name.to_lowercase();
    for side in [REQUEST, RESPONSE] {
        let unwrapped = fields.get(side).and_then(|value| unwrapped(value, &event_name, side == RESPONSE));
        fields.extend(unwrapped.map(|value| (side.to_owned(), Rcvar::new(value))));
    }
    Rcvar::new(Variable::Object(fields))
}

/// Of two fields that differ in case only, the first in the order of their characters counts.
fn in_lower_case(value: &Rcvar) -> Variable {
    match &**value {
        Variable::Array(items) => Variable::Array(items.iter().map(|item| Rcvar::new(in_lower_case(item))).collect()),
        Variable::Object(fields) => {
            let mut lower = BTreeMap::new();
            for (name, field) in fields {
                lower.entry(name.to_lowercase()).or_insert_with(|| Rcvar::new(in_lower_case(field)));
            }
            Variable::Object(lower)
        }
        other => other.clone(),
    }
}

/// The object with the fields of the one that wraps it added. An answer's only object is one: a request's may be its tags.
fn unwrapped(value: &Variable, event_name: &str, is_answer: bool) -> Option<Variable> {
    let Variable::Object(fields) = value else { return None };
    let is_named = |name: &str| name.strip_prefix(event_name).is_some_and(|rest| WRAPPERS.contains(&rest));
    let mut objects = fields.iter().filter_map(|(name, field)| Some((name, field.as_object()?)));
    let (name, inner) = objects.next()?;
    if objects.next().is_some() || !(is_named(name) || is_answer && fields.len() == 1) {
        return None;
    }
    let mut all = inner.clone();
    all.extend(fields.clone());
    Some(Variable::Object(all))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::resource_map::expression::{to_value, to_variable};

    fn of(record: &Value) -> Value {
        to_value(&unified(&to_variable(record), "CreateThing"))
    }

    #[test]
    fn names_are_in_lower_case_at_every_level_and_values_are_kept() {
        let record = json!({"responseElements": {"Things": [{"ThingARN": "A"}], "x": 1}});
        assert_eq!(of(&record), json!({"responseelements": {"things": [{"thingarn": "A"}], "x": 1}}));
    }

    #[test]
    fn an_object_around_the_answer_or_the_request_is_taken_off() {
        let inner = json!({"Id": "i", "list": []});
        for wrapped in [json!({"thing": inner}), json!({"CreateThingResponse": inner, "xmlns": "u"})] {
            let answer = &of(&json!({ "responseElements": wrapped }))["responseelements"];
            assert_eq!((&answer["id"], &answer["list"]), (&json!("i"), &json!([])), "{answer}");
        }
        let request = &of(&json!({"requestParameters": {"CreateThingRequest": {"Name": "n"}}}))["requestparameters"];
        assert_eq!(request["name"], "n");
    }

    #[test]
    fn tags_and_one_of_several_objects_are_no_wrappers() {
        let tags = json!({"requestParameters": {"tags": {"Name": "n"}}});
        assert_eq!(of(&tags), json!({"requestparameters": {"tags": {"name": "n"}}}));
        let several = json!({"responseElements": {"a": {"id": "1"}, "b": {"id": "2"}}});
        assert_eq!(of(&several)["responseelements"].get("id"), None);
        let null = json!({"responseElements": null});
        assert_eq!(of(&null), json!({"responseelements": null}));
    }
}
