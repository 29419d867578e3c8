//! Listed resources as far as another service describes them: by an ARN, an ID and a name.
//!
//! AWS Config has these of every resource, but not the answer of the list call. Which of the three is the ID of our map differs from type
//! to type, so there are several readings. The caller evaluates the map's expressions on each, and keeps the first that fits.

use serde_json::{Map, Value};

use super::form::ArnForm;
use super::{TypeNaming, ends_with_part, insert, is_simple, simple_field};
use crate::model::ArnParts;
use crate::resource_map::expression::TopLevelFields;
use crate::resource_map::{Access, Expression, ItemText};

/// What another service has of a resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct Described<'a> {
    /// The ARN. Empty if it has none.
    pub arn: &'a str,
    /// Its ID there: an ID, a name, a URL or an ARN.
    pub id: &'a str,
    /// Its name there. Empty if it has none.
    pub name: &'a str,
}

/// The end of fields that hold a name: `RoleName`, `Name`.
const NAME: &str = "name";

/// The field of IAM's resources that holds the path in their ARNs, with a slash before and after it.
const PATH: &str = "Path";

impl TypeNaming {
    /// The listed resources that it can be, the surest first.
    pub fn readings(&self, access: &Access, described: Described<'_>) -> Vec<Value> {
        let mut readings = Vec::new();
        if let Some(arn) = ArnParts::parse(described.arn) {
            readings.extend(self.forms.iter().filter_map(|form| self.of_form(form, &arn, described.arn)));
        }
        let field = simple_field(&access.id);
        let mut ids = [described.id, described.name];
        if field.is_some_and(is_name) {
            ids.reverse();
        }
        for id in ids.into_iter().filter(|id| !id.is_empty()) {
            match field {
                Some("@") => readings.push(Value::String(id.to_owned())),
                Some(field) => {
                    let mut item = Map::new();
                    insert(&mut item, field, id);
                    readings.push(Value::Object(item));
                }
                None => {}
            }
        }
        readings.iter_mut().for_each(|reading| complete(reading, access, described));
        readings
    }

    /// Whether an ID fits what is described: the ARN has it in its known form, or makes it; or it is the other service's.
    pub fn fits(&self, access: &Access, described: Described<'_>, id: &str) -> bool {
        let by_form = || {
            self.makes_arn
                && ArnParts::parse(described.arn)
                    .is_some_and(|arn| self.names_in_arn(&arn, described.arn).iter().any(|name| name == id))
        };
        // The caller compares the ARN that the ID makes.
        let is_derived = matches!(access.arn, Some(ItemText::Template(_))) && !described.arn.is_empty();
        let is_given = id == described.id || (id == described.name && ends_with_part(described.arn, id));
        // Some types have their ARN as ID. The IDs of other types are not ARNs.
        let is_arn = access.arn.as_ref().and_then(simple_field) == simple_field(&access.id);
        if ArnParts::parse(id).is_some() {
            return is_arn && id == described.arn;
        }
        // Of an ID such as `/hostedzone/Z1` or a URL, its last part is a name: alone it is not the ID.
        let has_parts = self.names.iter().any(|name| simple_field(name).is_none());
        let is_whole = !has_parts || !self.names_of_id(id).is_empty();
        is_whole && (is_derived || is_given || by_form())
    }

    fn of_form(&self, form: &ArnForm, arn: &ArnParts<'_>, text: &str) -> Option<Value> {
        let fields = form.fields(arn)?;
        let mut item = self.item(&fields, text);
        if let (Value::Object(item), Some(path)) = (&mut item, form.path(arn)) {
            item.entry(PATH).or_insert_with(|| Value::String(format!("/{path}")));
        }
        Some(item)
    }
}

/// Adds the ARN, the ID and the names that the ARN does not have.
fn complete(item: &mut Value, access: &Access, described: Described<'_>) {
    let Value::Object(item) = item else { return };
    let arn = access.arn.as_ref().and_then(simple_field);
    if let Some(field) = arn.filter(|field| is_field(field) && !described.arn.is_empty()) {
        insert(item, field, described.arn);
    }
    let texts = std::iter::once(&access.id).chain(&access.names).filter_map(simple_field);
    for field in texts.filter(|field| is_field(field)) {
        let value = if is_name(field) { described.name } else { described.id };
        if !value.is_empty() && !has(item, field) {
            insert(item, field, value);
        }
    }
}

fn has(item: &Map<String, Value>, field: &str) -> bool {
    let (first, rest) = field.split_once('.').map_or((field, None), |(first, rest)| (first, Some(rest)));
    match (item.get(first), rest) {
        (Some(Value::Object(inner)), Some(rest)) => has(inner, rest),
        (found, _) => found.is_some(),
    }
}

fn is_field(field: &str) -> bool {
    is_simple(field) && field != "@"
}

fn is_name(field: &str) -> bool {
    field.to_ascii_lowercase().ends_with(NAME)
}

/// Whether the resource has every field that an expression reads: what it gives is then what it gives of the listed resource.
pub fn has_fields_of(expression: &Expression, item: &Value) -> bool {
    match (expression.fields(), item) {
        (TopLevelFields::Some(fields), Value::Object(item)) => fields.iter().all(|field| item.contains_key(field)),
        (TopLevelFields::Some(_), _) => false,
        (TopLevelFields::All, item) => item.is_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ArnPlace;
    use super::*;
    use crate::resource_map::ResourceMap;

    /// The IDs of the readings that fit.
    fn ids(name: &str, arn: &str, id: &str, resource_name: &str) -> Vec<String> {
        let map = ResourceMap::built_in_once();
        let definition = &map.types[name];
        let (access, naming) = (definition.access.as_ref().unwrap(), map.naming().of_type(&definition.resource_type));
        let (naming, described) = (naming.unwrap(), Described { arn, id, name: resource_name });
        let readings = naming.readings(access, described).into_iter();
        let mut ids: Vec<String> = readings.filter_map(|item| access.id.text(&item, &|_| None).ok()).collect();
        ids.retain(|id| naming.fits(access, described, id));
        ids.dedup();
        ids
    }

    #[test]
    fn the_id_of_the_map_is_found_whatever_config_calls_the_resource() {
        let role = "arn:aws:iam::1:role/ci/deploy";
        assert_eq!(ids("iam-role", role, "AROA1", "deploy")[0], "deploy");
        assert_eq!(ids("iam-policy", "arn:aws:iam::1:policy/p", "ANPA1", "p")[0], "ANPA1");
        let queue = "https://sqs.eu-west-1.amazonaws.com/1/jobs";
        assert_eq!(ids("sqs", "arn:aws:sqs:eu-west-1:1:jobs", queue, "jobs")[0], queue);
        let topic = "arn:aws:sns:eu-west-1:1:alarms";
        assert_eq!(ids("sns", topic, topic, "alarms"), [topic]);
        assert_eq!(ids("ebs", "arn:aws:ec2:eu-west-1:1:volume/vol-1", "vol-1", ""), ["vol-1"]);
        let group = "arn:aws:autoscaling:eu-west-1:1:autoScalingGroup:0-1:autoScalingGroupName/web";
        assert_eq!(ids("asg", group, group, "web"), ["web"]);
        let secret = "arn:aws:secretsmanager:eu-west-1:1:secret:prod/db-AbCdEf";
        assert_eq!(ids("secrets-manager", secret, secret, "prod/db"), ["prod/db"]);
        assert_eq!(ids("dynamodb-table", "arn:aws:dynamodb:eu-west-1:1:table/t", "t", "t"), ["t"]);
    }

    /// The ARN of a resource with this ID, if the type's ARNs follow from the ID.
    fn arn_of_id(access: &Access, naming: &TypeNaming, field: &str, id: &str) -> Option<String> {
        let place = ArnPlace { partition: "aws", region: "eu-west-1", account: "123456789012" };
        if let Some(arn @ ItemText::Template(_)) = &access.arn {
            let value = |text: &str| Some(Value::String(text.to_owned()));
            let lookup = |name: &str| match name {
                "partition" => value(place.partition),
                "region" => value(place.region),
                "account" => value(place.account),
                "id" => value(id),
                _ => None,
            };
            let mut item = Map::new();
            insert(&mut item, field, id);
            let item = if field == "@" { Value::String(id.to_owned()) } else { Value::Object(item) };
            return arn.text(&item, &lookup).ok();
        }
        naming.forms.iter().filter(|_| naming.makes_arn).find_map(|form| form.render(place, field, id))
    }

    #[test]
    fn no_type_takes_another_text_for_the_id_that_its_arn_has() {
        let map = ResourceMap::built_in_once();
        let (mut types, mut found) = (0, 0);
        for definition in map.definitions() {
            let Some(access) = definition.access.as_ref() else { continue };
            let (Some(field), Some(naming)) =
                (simple_field(&access.id), map.naming().of_type(&definition.resource_type))
            else {
                continue;
            };
            let Some(arn) = arn_of_id(access, naming, field, "id-1").filter(|_| field != "@") else { continue };
            types += 1;
            for id in ["id-1", arn.as_str(), "other"] {
                for name in ["id-1", "title", ""] {
                    let makes_arn = |id: &String| arn_of_id(access, naming, field, id).as_ref() == Some(&arn);
                    let first = ids(definition.resource_type.as_str(), &arn, id, name).into_iter().find(makes_arn);
                    let is_right = first.as_deref().is_none_or(|first| first == "id-1");
                    assert!(is_right, "{}: {first:?} of {arn} {id} {name}", definition.resource_type);
                    found += usize::from(first.is_some());
                }
            }
        }
        assert!(types > 300 && found > types * 7, "{types} {found}");
    }

    #[test]
    fn regression_the_last_part_of_an_id_is_not_the_id() {
        let zone = "arn:aws:route53:::hostedzone/Z1";
        assert!(ids("hostedzone", zone, "Z1", "example.com").is_empty());
        assert!(ids("sqs", "arn:aws:sqs:eu-west-1:1:jobs", "jobs", "jobs").is_empty());
        assert!(ids("ebs", "", "vol-1", "title").iter().all(|id| id == "vol-1"), "a name is no ID without an ARN");
    }

    #[test]
    fn an_arn_is_no_id_of_a_type_with_other_ids() {
        let cluster = "arn:aws:elasticmapreduce:eu-west-1:1:cluster/j-1";
        assert_eq!(ids("emr", cluster, "j-1", "nightly"), ["j-1"]);
        assert!(ids("emr", cluster, cluster, "nightly").iter().all(|id| id != cluster));
    }

    #[test]
    fn what_depends_on_the_path_of_a_role_is_known() {
        let map = ResourceMap::built_in_once();
        let access = map.types["iam-role"].access.as_ref().unwrap();
        let when = access.write.as_ref().unwrap().when.as_ref().unwrap();
        let read = |arn: &str| {
            let described = Described { arn, id: "AROA1", name: "r" };
            let item = map.naming().of_type(&"iam-role".into()).unwrap().readings(access, described).remove(0);
            assert!(has_fields_of(when, &item), "{item}");
            when.search(&item) == Value::Bool(true)
        };
        assert!(read("arn:aws:iam::1:role/r") && read("arn:aws:iam::1:role/a/b/r"));
        assert!(!read("arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/r"));
    }
}
