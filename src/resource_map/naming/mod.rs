//! The names of resources: which texts name a resource of a type, and which texts name the same one.
//!
//! A resource has an ID, an ARN, often a name, and for some services a URL. Events, list calls and people use any of them.
//! What a type's stanza says of the listed resource (`id`, `names`, `arn`, the types of `tags.rgta`, `arn_forms`) decides what
//! its ARNs look like and which names they contain. Pure.

mod address;
mod asked;
mod described;
mod form;
mod shown;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::definition::ItemText;
use super::{Later, ResourceMap, TypeDefinition};
use crate::model::{ArnParts, ResourceType};

pub use asked::{Asked, Meaning, NamedRow};
pub use described::{Described, has_fields_of};
use form::Field;
pub use form::{ArnForm, ArnPlace};
pub use shown::{arn_of, name_of};

/// The names of all types. Made on first use: loads and lookups need it, most commands do not. Those of the built-in map are packed,
/// and read for the types that are asked for.
#[derive(Debug, Default)]
pub struct Naming {
    /// Sorted by type, for binary search. A hash map would take twice the memory.
    pub(super) types: Vec<(ResourceType, Later<TypeNaming>)>,
    /// The types by the service in their ARNs.
    pub(super) by_service: Later<HashMap<String, Vec<ResourceType>>>,
}

/// The names of a type.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct TypeNaming {
    /// The forms of its ARNs. Empty if they are not known.
    forms: Vec<ArnForm>,
    /// Whether the ID makes the ARN.
    makes_arn: bool,
    /// ID and names on a listed resource.
    names: Vec<ItemText>,
    /// The fields of a listed resource that hold its ID or a name, in lower case.
    name_fields: Vec<String>,
    /// The field of a listed resource that holds its ARN, in lower case.
    arn_field: Option<String>,
    /// Whether records have names that do not follow from the ID.
    pub is_searched: bool,
    /// Whether the service ignores case in names. IDs in events are then in lower case.
    pub ignores_case: bool,
    /// Exists once per account.
    is_global: bool,
    /// The services that the type belongs to, besides that in its ARNs.
    services: Vec<String>,
}

impl Naming {
    /// The names of the types of a map.
    pub(super) fn of(map: &ResourceMap) -> Self {
        let mut types = Vec::with_capacity(map.types.len());
        let mut by_service: HashMap<String, Vec<ResourceType>> = HashMap::new();
        for (name, definition) in &*map.types {
            let of_type = TypeNaming::new(definition);
            for form in &of_type.forms {
                let of_service = by_service.entry(form.service().to_owned()).or_default();
                if of_service.last() != Some(name) {
                    of_service.push(name.clone());
                }
            }
            types.push((name.clone(), of_type.into()));
        }
        Self { types, by_service: by_service.into() }
    }

    /// The names of a type. `None` for a type that the map does not have.
    pub fn of_type(&self, resource_type: &ResourceType) -> Option<&TypeNaming> {
        let place = self.types.binary_search_by(|(name, _)| name.cmp(resource_type)).ok()?;
        Some(&self.types[place].1)
    }

    /// The types with ARNs of this service.
    fn of_service(&self, service: &str) -> impl Iterator<Item = (&ResourceType, &TypeNaming)> {
        let names = self.by_service.get(service).map_or(&[][..], Vec::as_slice);
        names.iter().filter_map(|name| Some((name, self.of_type(name)?)))
    }

    /// The texts that all names of one resource of this type share, as far as its name alone says: the text itself, the names in an
    /// ARN, the end of a URL.
    pub fn keys(&self, resource_type: &ResourceType, text: &str) -> Vec<String> {
        let text = without_wildcard(text);
        let of_type = self.of_type(resource_type);
        if let Some(arn) = ArnParts::parse(text) {
            let names = of_type.map(|of_type| of_type.names_in_arn(&arn, text)).unwrap_or_default();
            let names = if names.is_empty() { vec![arn.name().to_owned()] } else { names };
            return std::iter::once(text.to_owned()).chain(names).collect();
        }
        let key = url_end(text).unwrap_or(text);
        let Some(of_type) = of_type else { return vec![key.to_owned()] };
        let key = if of_type.ignores_case { key.to_lowercase() } else { key.to_owned() };
        let derived = of_type.names_of_id(&key);
        std::iter::once(key).chain(derived).collect()
    }
}

impl TypeNaming {
    fn new(definition: &TypeDefinition) -> Self {
        let Some(access) = definition.access.as_ref() else {
            return Self { is_global: definition.global, ..Self::default() };
        };
        let id = simple_field(&access.id);
        let mut forms = access.arn_forms.clone();
        if let (true, Some(ItemText::Template(template))) = (forms.is_empty(), &access.arn) {
            forms.extend(ArnForm::of_pieces(template.pieces()));
        }
        if let (true, Some(kind)) = (forms.is_empty(), &access.tags.rgta) {
            let own = if access.arn.as_ref().and_then(simple_field) == id { "" } else { id.unwrap_or_default() };
            forms.extend(ArnForm::of_kind(kind, own));
        }
        let names: Vec<ItemText> = std::iter::once(&access.id).chain(&access.names).cloned().collect();
        let last = |field: &str| field.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let arn_field = access.arn.as_ref().and_then(simple_field).map(last);
        let fields = names.iter().filter_map(simple_field).map(last);
        let field = id.unwrap_or_default();
        // What the Tagging API calls a type does not say whether its ARNs end in the ID.
        let is_known = !access.arn_forms.is_empty() || matches!(access.arn, Some(ItemText::Template(_)));
        let follows = is_known && forms.iter().all(|form| form.render(ArnPlace::default(), field, "").is_some());
        Self {
            is_searched: access.names.iter().any(is_in_records) || !follows && arn_field.is_some(),
            name_fields: fields.filter(|field| Some(field) != arn_field.as_ref() && field != "@").collect(),
            makes_arn: is_known,
            arn_field: arn_field.filter(|field| field != "@"),
            forms,
            names,
            ignores_case: access.ignores_case,
            is_global: definition.global,
            services: vec![access.service.name.clone(), access.service.signing.clone()],
        }
    }

    /// Whether a record's field holds the ID or a name.
    pub fn has_name_field(&self, key: &str) -> bool {
        self.name_fields.iter().any(|field| field.eq_ignore_ascii_case(key))
    }

    /// Whether a record's field holds the ARN.
    pub fn has_arn_field(&self, key: &str) -> bool {
        self.arn_field.as_ref().is_some_and(|field| field.eq_ignore_ascii_case(key))
    }

    /// The ID and names that an object with the fields of a listed resource has.
    pub fn names_of(&self, item: &Value) -> Vec<String> {
        self.names.iter().flat_map(|name| name.texts(item, &|_| None)).collect()
    }

    /// Whether an ARN can be of this type, by its form.
    pub fn has_form_of(&self, arn: &ArnParts<'_>) -> bool {
        self.forms.iter().any(|form| form.fields(arn).is_some())
    }

    /// Whether the forms of its ARNs are known.
    pub fn knows_forms(&self) -> bool {
        !self.forms.is_empty()
    }

    /// The names in an ARN that only its resource has.
    pub fn names_in_arn(&self, arn: &ArnParts<'_>, text: &str) -> Vec<String> {
        self.parts_of_arn(arn, text).into_iter().filter(|(_, is_own)| *is_own).map(|(name, _)| name).collect()
    }

    /// All names in an ARN: also those that resources with another parent can have.
    pub fn labels_in_arn(&self, arn: &ArnParts<'_>, text: &str) -> Vec<String> {
        self.parts_of_arn(arn, text).into_iter().map(|(name, _)| name).collect()
    }

    /// The names in an ARN, and whether only its resource has each.
    fn parts_of_arn(&self, arn: &ArnParts<'_>, text: &str) -> Vec<(String, bool)> {
        let mut found: Vec<(String, bool)> = Vec::new();
        let add = |found: &mut Vec<(String, bool)>, name: String, is_own: bool| {
            if !name.is_empty() && name != text && !found.iter().any(|(known, _)| *known == name) {
                found.push((name, is_own));
            }
        };
        for fields in self.forms.iter().filter_map(|form| form.fields(arn)) {
            let item = self.item(&fields, text);
            let lookup = |name: &str| {
                let value = fields.iter().find(|(field, _)| *field == name).map(|(_, value)| *value);
                value.map(|value| Value::String(value.to_owned()))
            };
            let before = found.len();
            for (at, name) in self.names.iter().enumerate() {
                for name in name.texts(&item, &lookup) {
                    let is_own = at == 0 || fields.iter().all(|(_, value)| name.contains(value));
                    add(&mut found, name, is_own);
                }
            }
            if found.len() == before {
                let all = fields.iter().map(|(_, value)| *value).collect::<Vec<_>>().join("/");
                add(&mut found, all.trim_start_matches('/').to_owned(), true);
                add(&mut found, all, true);
            }
            if let Some((_, last)) = fields.last() {
                add(&mut found, (*last).to_owned(), fields.len() == 1);
            }
        }
        found
    }

    /// The names that follow from an ID: `/hostedzone/Z1` is `Z1`.
    fn names_of_id(&self, id: &str) -> Vec<String> {
        let is_derived = |name: &&ItemText| simple_field(name).is_none();
        let Some(field) =
            self.names.first().and_then(simple_field).filter(|_| self.names.iter().any(|name| is_derived(&name)))
        else {
            return Vec::new();
        };
        let item = if field == "@" {
            Value::String(id.to_owned())
        } else {
            let mut item = Map::new();
            insert(&mut item, field, id);
            Value::Object(item)
        };
        let names = self.names.iter().filter(is_derived).flat_map(|name| name.texts(&item, &|_| None));
        names.filter(|name| name != id).collect()
    }

    /// A listed resource with what its ARN says of it.
    fn item(&self, fields: &[Field<'_, '_>], arn: &str) -> Value {
        if let Some((_, value)) = fields.iter().find(|(field, _)| *field == "@") {
            return Value::String((*value).to_owned());
        }
        let mut item = Map::new();
        let simple = fields.iter().filter(|(field, _)| is_simple(field));
        for (field, value) in simple {
            insert(&mut item, field.strip_prefix("@.").unwrap_or(field), value);
        }
        for field in self.names.iter().filter_map(simple_field) {
            if self.arn_field.as_deref() == Some(field.to_ascii_lowercase().as_str()) {
                insert(&mut item, field, arn);
            }
        }
        Value::Object(item)
    }

    /// Whether two ARNs are of the same resource, as far as both say what it is: some services have ARNs of an older form.
    fn are_of_one(&self, one: &ArnParts<'_>, other: &ArnParts<'_>) -> bool {
        let of = |arn| self.forms.iter().enumerate().filter_map(move |(at, form)| Some((at, form.fields(arn)?)));
        of(one).any(|(form, fields)| {
            let mut others = of(other).filter(|(other, _)| *other != form);
            others.any(|(_, others)| {
                let common: Vec<_> = fields
                    .iter()
                    .filter_map(|(field, value)| {
                        others.iter().find(|(other, _)| other == field).map(|(_, o)| (value, o))
                    })
                    .collect();
                !common.is_empty() && common.iter().all(|(value, other)| value == other)
            })
        })
    }

    /// Whether a service is that of the type.
    fn is_of_service(&self, service: &str) -> bool {
        self.services.iter().any(|own| own == service) || self.forms.iter().any(|form| form.service() == service)
    }

    /// Whether an ARN follows from the ID, so that it need not be stored.
    pub fn is_derived(&self, arn: &str, id: &str, place: ArnPlace<'_>) -> bool {
        let field = self.names.first().and_then(simple_field).unwrap_or_default();
        let by_form = |form: &ArnForm| form.render(place, field, id).is_some_and(|derived| derived == arn);
        self.forms.iter().any(by_form)
    }

    /// Whether two names are the same to the service.
    fn same(&self, one: &str, other: &str) -> bool {
        one == other || self.ignores_case && one.eq_ignore_ascii_case(other)
    }
}

/// Whether records can have the name, other than by the ID: a field, or several joined.
fn is_in_records(name: &ItemText) -> bool {
    simple_field(name).is_some() || matches!(name, ItemText::Template(_))
}

/// The field of a listed resource, where the text is that field.
fn simple_field(text: &ItemText) -> Option<&str> {
    match text {
        ItemText::Expression(expression) => Some(expression.source()).filter(|source| is_simple(source)),
        ItemText::Template(_) => None,
    }
}

fn is_simple(field: &str) -> bool {
    let of_field = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'@');
    !field.is_empty() && field.bytes().all(of_field)
}

/// Sets a field, also a nested one (`Metadata.Name`).
fn insert(item: &mut Map<String, Value>, field: &str, value: &str) {
    match field.split_once('.') {
        None => drop(item.insert(field.to_owned(), Value::String(value.to_owned()))),
        Some((outer, inner)) => {
            let object = item.entry(outer.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(object) = object {
                insert(object, inner, value);
            }
        }
    }
}

/// ARNs of log groups end with `:*` in some places and not in others.
pub(crate) fn without_wildcard(text: &str) -> &str {
    let text = text.trim();
    if text.starts_with("arn:") { text.strip_suffix(":*").unwrap_or(text) } else { text }
}

/// A URL's last part.
fn url_end(text: &str) -> Option<&str> {
    let rest = address::without_scheme(text)?;
    rest.rsplit('/').next().filter(|end| !end.is_empty())
}

/// Whether `part` is all of `whole`, or its end after a `/` or `:`.
pub(crate) fn ends_with_part(whole: &str, part: &str) -> bool {
    let before = whole.strip_suffix(part);
    !part.is_empty()
        && before.is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']) || part.starts_with('/'))
}

/// The part of a text after its last `/` or `:`. The store's indexes have it.
pub fn last_part(text: &str) -> &str {
    text.rsplit(['/', ':']).next().unwrap_or(text)
}
