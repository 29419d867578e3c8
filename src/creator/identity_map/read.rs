//! Reads an identity map from YAML and reports errors in it. `docs/owners.md` documents the format.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::fit::ResourcePatterns;
use super::{Action, IdentityMap, Placeholder, Rule};
use crate::creator::facts::Field;
use crate::creator::people_table::{NameColumns, PeopleTable};
use crate::creator::resource_field::{ResourceField, ResourcePlaceholder};
use crate::creator::template_field::TemplateField;
use crate::creator::text_template::{InvalidTemplate, TextTemplate};
use crate::resource_map::{FileError, ResourceMap};
use crate::text::pattern::{Pattern, is_literal};
use crate::text::source::{Source, Text, instead, read_file};

mod people_stanza;

use people_stanza::PeopleStanza;

/// The prefix of a placeholder for a column, where an event's field has the same name.
const PERSON: &str = "person:";

/// The prefix of a placeholder for a field of the resource, where a column has the same name.
const RESOURCE: &str = "resource:";

/// The prefix of a placeholder for a tag of the resource's account.
const ACCOUNT_TAG: &str = "account_tag:";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    people: Option<Spanned<PeopleStanza>>,
    accounts: Option<Text>,
    rules: Option<Spanned<Vec<Spanned<Stanza>>>>,
    default: Option<Text>,
}

/// A rule. That `owner` and `skip` exclude each other is checked later, for a better message.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stanza {
    name: Option<String>,
    r#type: Option<Text>,
    account: Option<Text>,
    arn: Option<Text>,
    role: Option<Text>,
    session: Option<Text>,
    user: Option<Text>,
    source_identity: Option<Text>,
    provider: Option<Text>,
    invoked_by: Option<Text>,
    user_agent: Option<Text>,
    resource: Option<Spanned<ResourceStanza>>,
    person: Option<Spanned<HashMap<Text, Text>>>,
    owner: Option<Text>,
    skip: Option<Text>,
}

/// Patterns for the fields of the resource document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceStanza {
    r#type: Option<Text>,
    id: Option<Text>,
    arn: Option<Text>,
    name: Option<Text>,
    account: Option<Text>,
    account_id: Option<Text>,
    account_name: Option<Text>,
    region: Option<Text>,
    tags: Option<BTreeMap<String, Text>>,
}

impl Stanza {
    fn patterns(&self) -> impl Iterator<Item = (Field, &Text)> {
        let all = [
            (Field::Type, &self.r#type),
            (Field::Account, &self.account),
            (Field::Arn, &self.arn),
            (Field::Role, &self.role),
            (Field::Session, &self.session),
            (Field::User, &self.user),
            (Field::SourceIdentity, &self.source_identity),
            (Field::Provider, &self.provider),
            (Field::InvokedBy, &self.invoked_by),
            (Field::UserAgent, &self.user_agent),
        ];
        all.into_iter().filter_map(|(field, text)| Some((field, text.as_ref()?)))
    }
}

impl ResourceStanza {
    fn patterns(&self) -> impl Iterator<Item = (ResourceField, &Text)> {
        let all = [
            (ResourceField::Type, &self.r#type),
            (ResourceField::Id, &self.id),
            (ResourceField::Arn, &self.arn),
            (ResourceField::Name, &self.name),
            (ResourceField::Account, &self.account),
            (ResourceField::AccountId, &self.account_id),
            (ResourceField::AccountName, &self.account_name),
            (ResourceField::Region, &self.region),
        ];
        all.into_iter().filter_map(|(field, text)| Some((field, text.as_ref()?)))
    }
}

/// A file that is being read.
#[derive(Clone, Copy)]
struct ReadContext<'a> {
    source: Source<'a>,
    /// Resolves the names of resource types.
    types: Option<&'a ResourceMap>,
    people: Option<&'a PeopleTable>,
}

impl IdentityMap {
    /// Reads a file, and the table of people that it names. Names of resource types are those of `types`.
    ///
    /// # Errors
    /// A file can't be read or is not valid. The message has file, line, column and a correction.
    pub fn load(path: &Path, types: &ResourceMap) -> Result<Self, FileError> {
        let (name, text) = read_file(path, "the identity map")?;
        Self::read(&name, &text, Some((types, path.parent().unwrap_or(Path::new("")))))
    }

    /// Reads a text. `name` is the file name for messages. Names of resource types are not checked, and no other file is read.
    ///
    /// # Errors
    /// As [`IdentityMap::load`].
    pub fn parse(name: &str, text: &str) -> Result<Self, FileError> {
        Self::read(name, text, None)
    }

    fn read(name: &str, text: &str, around: Option<(&ResourceMap, &Path)>) -> Result<Self, FileError> {
        let source = Source { name, text };
        let File { people, accounts, rules, default } = source.parse()?;
        let (types, folder) = around.unzip();
        let people = people.map(|people| load_people(source, folder, &people)).transpose()?;
        let reading = ReadContext { source, types, people: people.as_ref() };
        let rules = match rules {
            Some(rules) if rules.value.is_empty() && default.is_none() => {
                return Err(source.error(rules.referenced, "an identity map needs at least one rule here"));
            }
            Some(rules) => {
                let rules = (1..).zip(&rules.value).map(|(number, stanza)| reading.compile(number, stanza));
                rules.collect::<Result<Vec<_>, _>>()?
            }
            None if default.is_none() => {
                let message = "an identity map needs `rules`, or a `default` owner";
                return Err(FileError { file: name.to_owned(), line: 1, column: 1, message: message.to_owned() });
            }
            None => Vec::new(),
        };
        let default = default.map(|owner| reading.default(&owner)).transpose()?;
        let accounts = accounts.map(|accounts| folder.unwrap_or(Path::new("")).join(accounts.value));
        let (name, text, asked) = (name.to_owned(), text.to_owned(), AtomicBool::new(false));
        Ok(Self { name, text, people, accounts, rules, default, asked })
    }
}

/// The table of people. Its path is relative to the folder of the identity map.
fn load_people(
    source: Source<'_>,
    folder: Option<&Path>,
    Spanned { value: PeopleStanza { file, names }, referenced, .. }: &Spanned<PeopleStanza>,
) -> Result<PeopleTable, FileError> {
    let Some(folder) = folder else {
        return Err(source.error(*referenced, "a table of people needs an identity map in a file"));
    };
    let path: PathBuf = folder.join(file);
    let loaded = PeopleTable::load(&path, &NameColumns { columns: names, source });
    loaded.map_err(|error| {
        let is_unreadable = error.line == 0;
        if is_unreadable { source.error(*referenced, format!("{}: {}", error.file, error.message)) } else { error }
    })
}

impl ReadContext<'_> {
    fn pattern(self, text: &Text) -> Result<Pattern, FileError> {
        Pattern::parse(&text.value).map_err(|why| self.source.error(text.referenced, why.to_string()))
    }

    fn compile(
        self,
        number: usize,
        Spanned { value: stanza, referenced, .. }: &Spanned<Stanza>,
    ) -> Result<Rule, FileError> {
        let principal = stanza.patterns().map(|(field, text)| Ok((field, self.pattern(text)?)));
        let principal = principal.collect::<Result<Vec<_>, FileError>>()?;
        let resource = stanza.resource.as_ref().map(|resource| self.resource(resource)).transpose()?;
        let person = stanza.person.as_ref().map(|person| self.person(person)).transpose()?;
        let (resource, person) = (resource.unwrap_or_default(), person.unwrap_or_default());
        let of_principal = principal.iter().map(|(_, pattern)| pattern);
        let of_person = person.iter().map(|(_, pattern)| pattern);
        let patterns: Vec<&Pattern> = of_principal.chain(of_person).chain(resource.all()).collect();
        let action = self.action(*referenced, stanza, &patterns)?;
        let called = stanza.name.clone().unwrap_or_else(|| number.to_string());
        let title = format!("rule {called} ({})", self.source.place(*referenced).file_and_line());
        Ok(Rule {
            title,
            principal,
            person,
            resource,
            action,
            fitted: AtomicBool::new(false),
            undecided: AtomicBool::new(false),
        })
    }

    fn default(self, owner: &Text) -> Result<Rule, FileError> {
        let action = Action::Owner(self.template(owner, &[])?);
        let title = format!("default ({})", self.source.place(owner.referenced).file_and_line());
        let (principal, person, resource) = (Vec::new(), Vec::new(), ResourcePatterns::default());
        Ok(Rule {
            title,
            principal,
            person,
            resource,
            action,
            fitted: AtomicBool::new(false),
            undecided: AtomicBool::new(false),
        })
    }

    fn resource(
        self,
        Spanned { value: stanza, referenced, .. }: &Spanned<ResourceStanza>,
    ) -> Result<ResourcePatterns, FileError> {
        let fields = stanza.patterns().map(|(field, text)| {
            let pattern = if field == ResourceField::Type { self.type_pattern(text) } else { self.pattern(text) };
            Ok((field, pattern?))
        });
        let fields = fields.collect::<Result<Vec<_>, FileError>>()?;
        let tags = stanza.tags.iter().flatten().map(|(key, text)| Ok((key.clone(), self.pattern(text)?)));
        let patterns = ResourcePatterns { fields, tags: tags.collect::<Result<_, FileError>>()? };
        if patterns.is_empty() {
            return Err(self
                .source
                .error(*referenced, "`resource` has no pattern; to match every resource, leave it out"));
        }
        Ok(patterns)
    }

    /// A name of a type, in any spelling that `--type` takes, or a pattern for Cloud Custodian's names.
    fn type_pattern(self, text: &Text) -> Result<Pattern, FileError> {
        let Some(types) = self.types.filter(|_| is_literal(&text.value)) else { return self.pattern(text) };
        let resolved = types.resolve_type(&text.value).map_err(|unknown| {
            let hint = unknown.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            self.source.error(text.referenced, format!("{unknown}{hint}"))
        })?;
        self.pattern(&Text { value: resolved.to_string(), ..text.clone() })
    }

    fn person(
        self,
        Spanned { value: patterns, referenced, .. }: &Spanned<HashMap<Text, Text>>,
    ) -> Result<Vec<(usize, Pattern)>, FileError> {
        let Some(people) = self.people else {
            return Err(self
                .source
                .error(*referenced, "`person` needs a table of people: add people: FILE to the identity map"));
        };
        let compiled = patterns.iter().map(|(name, text)| {
            let column = people.column(&name.value).ok_or_else(|| {
                let columns: Vec<&str> = people.columns().collect();
                let message =
                    format!("{} has no column `{}`; {}", people.name(), name.value, instead(&name.value, &columns));
                self.source.error(name.referenced, message)
            })?;
            Ok((column, self.pattern(text)?))
        });
        let mut compiled = compiled.collect::<Result<Vec<_>, FileError>>()?;
        if compiled.is_empty() {
            return Err(self.source.error(*referenced, "`person` has no pattern; write COLUMN: PATTERN"));
        }
        compiled.sort_by_key(|(column, _)| *column);
        Ok(compiled)
    }

    fn action(self, at: Location, stanza: &Stanza, patterns: &[&Pattern]) -> Result<Action, FileError> {
        let source = self.source;
        match (&stanza.owner, &stanza.skip) {
            (Some(owner), None) => Ok(Action::Owner(self.template(owner, patterns)?)),
            (None, Some(reason)) if reason.value.trim().is_empty() => {
                Err(source.error(reason.referenced, "`skip` needs a reason, such as skip: \"created by a pipeline\""))
            }
            (None, Some(reason)) => Ok(Action::Skip(reason.value.clone())),
            (Some(_), Some(skip)) => {
                Err(source.error(skip.referenced, "a rule can't have both `owner` and `skip`: remove one of them"))
            }
            (None, None) => {
                Err(source.error(at, "the rule has no result: add `owner` (a template) or `skip` (a reason)"))
            }
        }
    }

    fn template(self, owner: &Text, patterns: &[&Pattern]) -> Result<TextTemplate<Placeholder>, FileError> {
        let template = TextTemplate::parse(&owner.value, |name| self.placeholder(name, patterns));
        template.map_err(|why| self.source.error(owner.referenced, self.explained(&why)))
    }

    /// The error of a template. Without a table of people, a name can be that of a column.
    fn explained(self, why: &InvalidTemplate) -> String {
        match (why, self.people) {
            (InvalidTemplate::UnknownPlaceholder { .. }, None) => {
                format!("{why}. Columns of a table of people need people: FILE in the identity map")
            }
            (InvalidTemplate::UnknownPlaceholder { name, .. }, Some(people)) => {
                format!("{} has no column `{}`: {why}", people.name(), name.trim_start_matches(PERSON))
            }
            _ => why.to_string(),
        }
    }

    /// The meaning of a placeholder: a named group first, then a fact of the event, then a column, then a field of the resource.
    fn placeholder(self, name: &str, patterns: &[&Pattern]) -> Result<Placeholder, InvalidTemplate> {
        let groups = || patterns.iter().flat_map(|pattern| pattern.groups());
        if let Some(key) = name.strip_prefix(ACCOUNT_TAG).map(str::trim).filter(|key| !key.is_empty()) {
            return Ok(Placeholder::AccountTag(key.to_owned()));
        }
        if groups().any(|group| group == name) {
            return Ok(Placeholder::Group(name.to_owned()));
        }
        let column = |name: &str| self.people.and_then(|people| people.column(name.trim())).map(Placeholder::Column);
        let meaning = if let Some(name) = name.strip_prefix(PERSON) {
            column(name)
        } else if let Some(name) = name.strip_prefix(RESOURCE) {
            ResourcePlaceholder::parse(name.trim()).map(|found| Placeholder::Field(TemplateField::Resource(found)))
        } else {
            match TemplateField::parse(name) {
                Some(field @ TemplateField::Resource(_)) => column(name).or(Some(Placeholder::Field(field))),
                Some(field) => Some(Placeholder::Field(field)),
                None => column(name),
            }
        };
        meaning.ok_or_else(|| {
            let columns = self.people.into_iter().flat_map(PeopleTable::columns);
            let nearest_of = name.strip_prefix(PERSON).or_else(|| name.strip_prefix(RESOURCE)).unwrap_or(name);
            let allowed = groups().chain(columns).chain(TemplateField::names()).chain(["account_tag:KEY"]);
            InvalidTemplate::unknown(nearest_of, allowed)
        })
    }
}
