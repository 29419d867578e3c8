//! Texts that a person copied from somewhere, and the resources that they name.
//!
//! An ARN, a URL or a typed name (`role/web`) names only resources of its service, type, account, region and partition. A bare
//! name names all resources that have it.

use std::collections::{BTreeSet, HashMap};

use super::address::{Address, addresses, without_scheme};
use super::{Naming, TypeNaming, ends_with_part, last_part, without_wildcard};
use crate::model::{ArnParts, Region, ResourceType};

/// The resource of an event, with its names.
#[derive(Debug, Clone, Copy)]
pub struct NamedRow<'r> {
    /// Its type.
    pub resource_type: &'r ResourceType,
    /// The ID in the event.
    pub id: &'r str,
    /// Its other names in the record.
    pub names: &'r [String],
    /// The account that received the event.
    pub account: &'r str,
    /// The region of the event.
    pub region: &'r str,
    /// `eventSource`.
    pub source: &'r str,
}

/// What a text can mean. Meanings are in order: the first that names a resource is what the person meant.
#[derive(Debug)]
pub struct Asked<'m> {
    /// The meanings.
    pub meanings: Vec<Meaning<'m>>,
}

/// One meaning of a text.
#[derive(Debug)]
pub struct Meaning<'m> {
    naming: &'m Naming,
    address: Address,
    /// For an ARN: the names that it contains, by the types that it can be of.
    names: HashMap<&'m ResourceType, Vec<String>>,
}

impl<'m> Asked<'m> {
    /// The meanings of a text.
    pub fn of(text: &str, naming: &'m Naming) -> Self {
        let text = without_wildcard(text);
        let mut meanings: Vec<Meaning<'m>> =
            addresses(text).into_iter().map(|address| Meaning::new(address, naming)).collect();
        meanings.extend(typed(text, naming));
        Self { meanings }
    }
}

/// The meanings of `role/web`, `function:resize` or `/hostedzone/Z1`: the end of an ARN of some service.
fn typed<'m>(text: &str, naming: &'m Naming) -> Option<Meaning<'m>> {
    let is_typed = !text.starts_with("arn:") && without_scheme(text).is_none() && text.contains(['/', ':']);
    is_typed.then(|| {
        let mut names: HashMap<&'m ResourceType, Vec<String>> = HashMap::new();
        for (name, of_type) in &naming.types {
            for form in &of_type.forms {
                for resource in [text, text.trim_start_matches('/')] {
                    let arn = ArnParts { partition: "", service: form.service(), region: "", account: "", resource };
                    // Without a kind before the name, any text would be of that type.
                    if form.fields(&arn).is_some() && form.has_kind() {
                        names.entry(name).or_default().extend(of_type.names_in_arn(&arn, resource));
                    }
                }
            }
        }
        Meaning { naming, address: Address { is_typed: true, ..Address::text(text) }, names }
    })
}

impl<'m> Meaning<'m> {
    fn new(address: Address, naming: &'m Naming) -> Self {
        let mut names = HashMap::new();
        if let Some(arn) = ArnParts::parse(&address.text) {
            for (name, of_type) in naming.of_service(arn.service) {
                let found = of_type.names_in_arn(&arn, &address.text);
                if !found.is_empty() {
                    names.insert(name, found);
                }
            }
        }
        Self { naming, address, names }
    }

    /// The names in the text: those of its address, without the address itself.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let own = Some(self.address.text.as_str())
            .filter(|text| ArnParts::parse(text).is_none_or(|arn| !arn.partition.is_empty()));
        let names: BTreeSet<&str> = self.names.values().flatten().map(String::as_str).collect();
        own.into_iter().chain(names)
    }

    /// The last parts of the texts that the store has to look up.
    pub fn lookups(&self) -> BTreeSet<String> {
        let texts =
            std::iter::once(self.address.text.as_str()).chain(self.names.values().flatten().map(String::as_str));
        let exact: BTreeSet<String> = texts.map(|text| last_part(text).to_owned()).collect();
        let mut all: BTreeSet<String> = exact.iter().map(|part| part.to_lowercase()).collect();
        // Names in the DNS can end with a dot.
        all.extend(exact.iter().filter(|part| part.contains('.')).map(|part| format!("{part}.")));
        all.extend(exact);
        all
    }

    /// Whether it names the resource of a row.
    pub fn names(&self, row: &NamedRow<'_>) -> bool {
        let of_type = self.naming.of_type(row.resource_type);
        if self.address.is_typed {
            return self.is_in_place(row, of_type) && self.has_name(row, of_type);
        }
        match ArnParts::parse(&self.address.text) {
            Some(arn) => self.is_arn_of(&arn, row, of_type),
            None => self.is_in_place(row, of_type) && self.is_text_of(row, of_type),
        }
    }

    /// Whether the service, account and region of the address are the row's.
    fn is_in_place(&self, row: &NamedRow<'_>, of_type: Option<&TypeNaming>) -> bool {
        let Address { services, account, region, .. } = &self.address;
        let is_global = of_type.is_some_and(|of_type| of_type.is_global);
        let of_service = |service: &String| {
            row.source.split('.').next() == Some(service)
                || of_type.is_some_and(|of_type| of_type.is_of_service(service))
        };
        (services.is_empty() || services.iter().any(of_service))
            && account.as_ref().is_none_or(|account| account == row.account)
            && region.as_ref().is_none_or(|region| is_global || region == row.region)
    }

    fn is_text_of(&self, row: &NamedRow<'_>, of_type: Option<&TypeNaming>) -> bool {
        let text = self.address.text.as_str();
        let same = |own: &str| own == text || of_type.is_some_and(|of_type| of_type.same(own, text));
        texts(row).any(|own| same(own) || is_compound(own) && ends_with_part(own, text))
            || of_type.is_some_and(|of_type| of_type.names_of_id(row.id).iter().any(|own| same(own)))
    }

    fn is_arn_of(&self, asked: &ArnParts<'_>, row: &NamedRow<'_>, of_type: Option<&TypeNaming>) -> bool {
        let arns: Vec<ArnParts<'_>> = texts(row).filter_map(|text| ArnParts::parse(without_wildcard(text))).collect();
        if arns.iter().any(|arn| are_equal(asked, arn)) {
            return true;
        }
        let is_global = of_type.is_some_and(|of_type| of_type.is_global);
        let is_here = agrees(asked.account, row.account)
            && (is_global || agrees(asked.region, row.region))
            && agrees(asked.partition, Region::from(row.region).partition());
        if !is_here {
            return false;
        }
        let Some(of_type) = of_type.filter(|of_type| of_type.knows_forms()) else {
            return is_of_unknown_form(asked, row, &arns);
        };
        let own: Vec<&ArnParts<'_>> = arns.iter().filter(|arn| of_type.has_form_of(arn)).collect();
        if !own.is_empty() {
            return own.iter().any(|arn| of_type.are_of_one(asked, arn));
        }
        self.has_name(row, Some(of_type))
    }

    /// Whether the row has one of the names that its type finds in the text.
    fn has_name(&self, row: &NamedRow<'_>, of_type: Option<&TypeNaming>) -> bool {
        let Some(names) = self.names.get(row.resource_type) else { return false };
        let same = |one: &str, other: &str| of_type.map_or(one == other, |of_type| of_type.same(one, other));
        let of_id = of_type.map(|of_type| of_type.names_of_id(row.id)).unwrap_or_default();
        texts(row).chain(of_id.iter().map(String::as_str)).any(|own| {
            let own_end = if without_scheme(own).is_some() { last_part(own) } else { own };
            let in_own = ArnParts::parse(own).zip(of_type).map(|(arn, of_type)| of_type.names_in_arn(&arn, own));
            names.iter().any(|name| same(name, own_end))
                || in_own.is_some_and(|in_own| in_own.iter().any(|own| names.iter().any(|name| same(name, own))))
        })
    }
}

/// An ARN of a type with unknown ARNs: of the event's service, of a kind that the type's name contains.
fn is_of_unknown_form(asked: &ArnParts<'_>, row: &NamedRow<'_>, arns: &[ArnParts<'_>]) -> bool {
    let is_of_service = row.source.split('.').next() == Some(asked.service);
    let kind = asked.kind();
    let is_of_kind =
        kind.is_empty() || row.resource_type.as_str().contains(kind) || !row.resource_type.as_str().contains('-');
    let has_name = |own: &str| own == asked.name() || own == asked.resource || last_part(own) == asked.resource;
    arns.is_empty() && is_of_service && is_of_kind && texts(row).any(has_name)
}

/// All texts that name the row's resource.
fn texts<'r>(row: &NamedRow<'r>) -> impl Iterator<Item = &'r str> + use<'r> {
    std::iter::once(row.id).chain(row.names.iter().map(String::as_str))
}

/// Whether a text contains a name at its end.
fn is_compound(text: &str) -> bool {
    text.starts_with("arn:") || without_scheme(text).is_some()
}

fn are_equal(one: &ArnParts<'_>, other: &ArnParts<'_>) -> bool {
    (one.service, one.resource) == (other.service, other.resource)
        && agrees(one.partition, other.partition)
        && agrees(one.region, other.region)
        && agrees(one.account, other.account)
}

/// A field that one of two ARNs leaves empty agrees with any.
fn agrees(one: &str, other: &str) -> bool {
    one.is_empty() || other.is_empty() || one == other
}
