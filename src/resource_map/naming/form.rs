//! The form of a type's ARNs: which ARNs can be of the type, and which names they contain.
//!
//! A form is a template like those of `arn`: `arn:{partition}:iam::{account}:role/{path}{RoleName}`. `{path}` is a path that
//! ends in `/`, or nothing; `{*}` is one part that AWS generates; any other placeholder is a field of the listed resource.

use serde::{Deserialize, Serialize};

use crate::model::ArnParts;
use crate::resource_map::template::{self, InvalidTemplate, RawPart};

/// The number of fields of an ARN, separated by colons.
const ARN_FIELDS: usize = 6;

/// The longest text that is compared with forms. AWS's ARNs have at most 2,048 characters.
const LONGEST: usize = 2_048;

/// Why a text is not the form of an ARN.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// It is not a template.
    #[error(transparent)]
    Template(#[from] InvalidTemplate),
    /// It is not a template of an ARN.
    #[error("`{0}` is not the form of an ARN, such as arn:{{partition}}:iam::{{account}}:role/{{path}}{{RoleName}}")]
    NoArn(String),
}

/// A field of the listed resource, and its value in an ARN.
pub(super) type Field<'f, 'a> = (&'f str, &'a str);

/// The form of a type's ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArnForm {
    service: String,
    /// Whether ARNs of this form have a region, and an account.
    has_region: bool,
    has_account: bool,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Part {
    Text(String),
    Path,
    Generated,
    Field(String),
}

/// The parts of an ARN that do not depend on the resource.
#[derive(Debug, Clone, Copy, Default)]
pub struct ArnPlace<'a> {
    /// The partition.
    pub partition: &'a str,
    /// The region.
    pub region: &'a str,
    /// The account.
    pub account: &'a str,
}

impl ArnForm {
    /// Reads a template of an ARN.
    ///
    /// # Errors
    /// It is not a template, or not of an ARN.
    pub fn of_template(template: &str) -> Result<Self, FormError> {
        Self::of_pieces(template::split(template)?).ok_or_else(|| FormError::NoArn(template.to_owned()))
    }

    /// As [`ArnForm::of_template`], for the pieces of a template.
    pub(super) fn of_pieces<'t>(pieces: impl IntoIterator<Item = RawPart<'t>>) -> Option<Self> {
        let mut head = String::new();
        let mut parts = Vec::new();
        for part in pieces {
            match part {
                RawPart::Text(text) if !is_complete(&head) => {
                    let rest = fill_head(&mut head, &text);
                    if !rest.is_empty() {
                        parts.push(Part::Text(rest));
                    }
                }
                RawPart::Placeholder(name) if !is_complete(&head) => head.push_str(head_value(name)),
                RawPart::Text(text) => parts.push(Part::Text(text)),
                RawPart::Placeholder("path") => parts.push(Part::Path),
                RawPart::Placeholder("*") => parts.push(Part::Generated),
                RawPart::Placeholder(name) => parts.push(Part::Field(name.to_owned())),
            }
        }
        let fields: Vec<&str> = head.split(':').collect();
        match fields[..] {
            ["arn", _, service, region, account, ""] if !service.is_empty() && !parts.is_empty() => Some(Self {
                service: service.to_owned(),
                has_region: !region.is_empty(),
                has_account: !account.is_empty(),
                parts,
            }),
            _ => None,
        }
    }

    /// The forms of a type if only the service and the kind in its ARNs are known: `iam:policy`, `sqs`.
    pub(super) fn of_kind(kind: &str, field: &str) -> Vec<Self> {
        let (service, kind) = kind.split_once(':').map_or((kind, ""), |(service, kind)| (service, kind));
        let form = |text: Option<String>| Self {
            service: service.to_owned(),
            has_region: true,
            has_account: true,
            parts: text.map(Part::Text).into_iter().chain([Part::Field(field.to_owned())]).collect(),
        };
        if kind.is_empty() {
            return vec![form(None)];
        }
        [":", "/"].into_iter().map(|separator| form(Some(format!("{kind}{separator}")))).collect()
    }

    /// The service in the ARNs.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether ARNs of this form have a text before the name.
    pub(super) fn has_kind(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Text(text)) if text.ends_with(['/', ':']))
    }

    /// The fields in an ARN. `None` if the ARN is of another form.
    pub(super) fn fields<'f, 'a>(&'f self, arn: &ArnParts<'a>) -> Option<Vec<Field<'f, 'a>>> {
        let fits = arn.service == self.service
            && (self.has_region || arn.region.is_empty())
            && (self.has_account || arn.account.is_empty())
            && arn.resource.len() <= LONGEST;
        let mut found = Vec::new();
        (fits && read(&self.parts, arn.resource, &mut found)).then_some(found)
    }

    /// The path in an ARN of this form, with the slash at its end. `None` if the form has none.
    pub(super) fn path<'a>(&self, arn: &ArnParts<'a>) -> Option<&'a str> {
        let [Part::Text(kind), Part::Path, Part::Field(_)] = self.parts.as_slice() else { return None };
        let rest = arn.resource.strip_prefix(kind.as_str())?;
        Some(&rest[..rest.rfind('/').map_or(0, |at| at + 1)])
    }

    /// The ARN of the resource with these fields. `None` if the form has parts that no field decides.
    pub(super) fn render(
        &self,
        ArnPlace { partition, region, account }: ArnPlace<'_>,
        field: &str,
        value: &str,
    ) -> Option<String> {
        let region = if self.has_region { region } else { "" };
        let account = if self.has_account { account } else { "" };
        let mut arn = format!("arn:{partition}:{}:{region}:{account}:", self.service);
        for part in &self.parts {
            match part {
                Part::Text(text) => arn.push_str(text),
                Part::Path => {}
                Part::Field(name) if name == field => arn.push_str(value),
                Part::Field(_) | Part::Generated => return None,
            }
        }
        Some(arn)
    }
}

/// Whether it has the five fields before an ARN's resource.
fn is_complete(head: &str) -> bool {
    head.matches(':').count() >= ARN_FIELDS - 1
}

/// Adds a text to the fields before the resource, and returns what is after them.
fn fill_head(head: &mut String, text: &str) -> String {
    let mut rest = text.char_indices();
    while !is_complete(head) {
        match rest.next() {
            Some((_, character)) => head.push(character),
            None => return String::new(),
        }
    }
    rest.as_str().to_owned()
}

/// A field that has a value, whatever it is.
fn head_value(name: &str) -> &str {
    if name.contains(':') { "?" } else { name }
}

/// Whether the parts are all of a text; adds their values. Fields take as much as they can.
fn read<'f, 'a>(parts: &'f [Part], text: &'a str, found: &mut Vec<Field<'f, 'a>>) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    match part {
        Part::Text(expected) => text.strip_prefix(expected.as_str()).is_some_and(|text| read(rest, text, found)),
        Part::Path => {
            let ends = text.rmatch_indices('/').map(|(at, _)| at + 1).chain([0]);
            ends.into_iter().any(|end| read(rest, &text[end..], found))
        }
        Part::Generated => {
            let longest = text.find([':', '/']).unwrap_or(text.len());
            longest > 0 && read(rest, &text[longest..], found)
        }
        Part::Field(name) => {
            let next = match rest.first() {
                None => return !text.is_empty() && take(name, text, found),
                Some(Part::Text(next)) => next.as_str(),
                Some(_) => "",
            };
            let mut ends = text.rmatch_indices(next).map(|(at, _)| at).filter(|at| *at > 0);
            ends.any(|end| {
                let before = found.len();
                let fits = take(name, &text[..end], found) && read(rest, &text[end..], found);
                if !fits {
                    found.truncate(before);
                }
                fits
            })
        }
    }
}

fn take<'f, 'a>(name: &'f str, value: &'a str, found: &mut Vec<Field<'f, 'a>>) -> bool {
    found.push((name, value));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(form: &str, arn: &str) -> Option<Vec<(String, String)>> {
        let form = ArnForm::of_template(form).unwrap();
        let fields = form.fields(&ArnParts::parse(arn)?)?;
        Some(fields.into_iter().map(|(field, value)| (field.to_owned(), value.to_owned())).collect())
    }

    fn one(form: &str, arn: &str) -> Option<String> {
        fields(form, arn).map(|fields| fields.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn names_are_found_where_the_form_has_them() {
        for (form, arn, names) in [
            ("arn:{partition}:iam::{account}:role/{path}{RoleName}", "arn:aws:iam::1:role/web", "web"),
            ("arn:{partition}:iam::{account}:role/{path}{RoleName}", "arn:aws:iam::1:role/a/b/web", "web"),
            ("arn:{partition}:logs:{region}:{account}:log-group:{Name}", "arn:aws:logs:r:1:log-group:/aws/f", "/aws/f"),
            (
                "arn:{partition}:sm:{region}:{account}:secret:{Name}-{*}",
                "arn:aws:sm:r:1:secret:prod/db-x-AbCdEf",
                "prod/db-x",
            ),
            ("arn:{partition}:cfn:{region}:{account}:stack/{StackName}/{*}", "arn:aws:cfn:r:1:stack/web/0a-1b", "web"),
            ("arn:{partition}:elb:{region}:{account}:lb/{*}/{Name}/{*}", "arn:aws:elb:r:1:lb/app/web/50dc", "web"),
            ("arn:{partition}:as:{region}:{account}:group:{*}:name/{Name}", "arn:aws:as:r:1:group:0-1:name/web", "web"),
            ("arn:{partition}:s3:::{Name}", "arn:aws:s3:::photos", "photos"),
            ("arn:{partition}:api:{region}::/apis/{parent}/stages/{stage}", "arn:aws:api:r::/apis/a/stages/b", "a b"),
        ] {
            assert_eq!(one(form, arn).as_deref(), Some(names), "{form}");
        }
    }

    #[test]
    fn other_arns_are_of_no_such_form() {
        let role = "arn:{partition}:iam::{account}:role/{path}{RoleName}";
        for arn in
            ["arn:aws:iam::1:user/web", "arn:aws:iam:r:1:role/web", "arn:aws:sts::1:role/web", "arn:aws:iam::1:role/"]
        {
            assert_eq!(one(role, arn), None, "{arn}");
        }
        assert_eq!(one("arn:{partition}:sm:{region}:{account}:secret:{Name}-{*}", "arn:aws:sm:r:1:secret:db"), None);
    }

    #[test]
    fn arn_is_rendered_where_one_field_decides_it() {
        let form = |text: &str| ArnForm::of_template(text).unwrap();
        let place = ArnPlace { partition: "aws", region: "r", account: "1" };
        let role = form("arn:{partition}:iam::{account}:role/{path}{RoleName}");
        assert_eq!(role.render(place, "RoleName", "web").as_deref(), Some("arn:aws:iam::1:role/web"));
        let secret = form("arn:{partition}:sm:{region}:{account}:secret:{Name}-{*}");
        assert_eq!(secret.render(place, "Name", "db"), None);
    }

    #[test]
    fn texts_that_are_no_form_are_refused() {
        for text in
            ["role/{RoleName}", "arn:{partition}:iam", "arn:{partition}:iam::{account}:", "arn:{partition:iam::1:x"]
        {
            assert!(ArnForm::of_template(text).is_err(), "{text}");
        }
    }
}
