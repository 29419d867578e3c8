//! Calls and their placeholders: whether the call suits the protocol, and each placeholder has a value in its place.

use std::borrow::Cow;

use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use super::Compiler;
use crate::resource_map::definition::Service;
use crate::resource_map::yaml::{ActionStanza, ListStanza, Param, ParentValueStanza};
use crate::resource_map::{Request, Template};
use crate::text::source::{FileError, Text};

/// Names that mean the same wherever they have a value; an item's field of that name is `{@.name}`.
const RESERVED: [&str; 12] =
    ["id", "arn", "account", "region", "partition", "parent", "key", "value", "items", "arns", "ids", "tags"];
/// Those that have a value everywhere.
const EVERYWHERE: [&str; 3] = ["account", "region", "partition"];
/// HTTP's methods as AWS's REST protocols use them.
const METHODS: [&str; 6] = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"];

/// Where a type's ancestors stand in placeholders: `{parent}`, `{parent.name}`, `{parent.parent}`.
pub(super) const PARENT: &str = "parent";

/// What a listing's parent gives to placeholders.
#[derive(Debug, Clone)]
pub(super) enum ParentNames {
    /// There is none.
    None,
    /// `{parent}`.
    One,
    /// `{parent.name}` for each of these.
    Several(Vec<String>),
}

impl ParentNames {
    /// Those of a listing.
    pub(super) fn of(list: &ListStanza) -> Self {
        match list.parent.as_ref().map(|parent| &parent.value.value.value) {
            None => Self::None,
            Some(ParentValueStanza::One(_)) => Self::One,
            Some(ParentValueStanza::Several(values)) => {
                Self::Several(values.iter().map(|(name, _)| name.value.clone()).collect())
            }
        }
    }

    /// Whether `{placeholder}` is an ancestor's: `None` if not, else whether it has a value as far as this file shows.
    fn knows(&self, placeholder: &str) -> Option<bool> {
        let rest = placeholder.strip_prefix(PARENT)?;
        let name = match rest.strip_prefix('.') {
            Some(name) => name,
            None if rest.is_empty() => return Some(matches!(self, Self::One)),
            None => return None,
        };
        let is_above = name == PARENT || name.strip_prefix(PARENT).is_some_and(|more| more.starts_with('.'));
        Some(match self {
            Self::None => false,
            // Who is above is only known with all files on the table.
            Self::One | Self::Several(_) if is_above => true,
            Self::One => false,
            Self::Several(names) => names.iter().any(|known| known == name),
        })
    }

    fn placeholders(&self) -> Vec<Cow<'_, str>> {
        match self {
            Self::None => Vec::new(),
            Self::One => vec![PARENT.into()],
            Self::Several(names) => names.iter().map(|name| format!("{PARENT}.{name}").into()).collect(),
        }
    }
}

/// Which placeholders have a value in one place of a map.
pub(super) struct Scope<'names> {
    /// The place by its keys, for messages: `list.params`.
    pub(super) place: &'static str,
    /// The names, besides [`EVERYWHERE`].
    pub(super) names: Vec<&'static str>,
    /// Whether there is one item that JMESPath can be evaluated on.
    pub(super) item: bool,
    /// What the type's parent gives.
    pub(super) parent: &'names ParentNames,
}

impl Scope<'_> {
    /// What is wrong with `{placeholder}` here.
    fn complaint(&self, placeholder: &str) -> Option<String> {
        let is_known = match self.parent.knows(placeholder) {
            Some(is_known) => is_known,
            None => {
                EVERYWHERE.contains(&placeholder)
                    || self.names.contains(&placeholder)
                    || (self.item && !RESERVED.contains(&placeholder))
            }
        };
        if is_known {
            return None;
        }
        let own = self.parent.placeholders().into_iter().chain(self.names.iter().map(|name| Cow::from(*name)));
        let names: Vec<String> = own.chain(EVERYWHERE.map(Cow::from)).map(|name| format!("{{{name}}}")).collect();
        let item =
            if self.item { " and JMESPath on the item" } else { "; there is no single item to take others from" };
        Some(format!("{{{placeholder}}} has no value in {}; known here: {}{item}", self.place, names.join(" "),))
    }
}

impl Compiler<'_> {
    /// Compiles a call, the IAM actions it needs, and its input: of several `params` the later ones add to the earlier
    /// ones or take their place.
    pub(super) fn request(
        &self,
        service: &Service,
        (call, action): (&Text, Option<&Spanned<ActionStanza>>),
        params: &[Option<&Spanned<Param>>],
        scope: &Scope<'_>,
    ) -> Result<Request, FileError> {
        let is_rest = service.protocol.is_rest();
        self.check_call(call, is_rest)?;
        let without_input = Request::compile(&call.value, &Value::Object(Map::new()))
            .map_err(|error| self.source.error(call.referenced, error.to_string()))?;
        self.check_placeholders(without_input.placeholders(), call.referenced, scope)?;
        let mut input = Map::new();
        for params in params.iter().copied().flatten() {
            self.check_params(params, is_rest, scope)?;
            if let Value::Object(fields) = params.value.to_value() {
                input.extend(fields);
            }
        }
        self.check_endpoint_inputs(service, call, &input)?;
        let request = Request::compile(&call.value, &Value::Object(input))
            .map_err(|error| self.source.error(call.referenced, error.to_string()))?;
        Ok(request.with_actions(self.actions_of_call(service, call, action)?))
    }

    fn check_params(&self, params: &Spanned<Param>, is_rest: bool, scope: &Scope<'_>) -> Result<(), FileError> {
        let Param::Object(fields) = &params.value else {
            let message = "`params` is a mapping from the call's parameters to their values";
            return Err(self.source.error(params.referenced, message));
        };
        for (key, _) in fields {
            if let Some(complaint) = key_complaint(&key.value, is_rest) {
                return Err(self.source.error(key.referenced, complaint));
            }
        }
        self.check_param(params, scope)
    }

    /// An endpoint that holds `{name}` takes it from the call's own input, which must have it.
    fn check_endpoint_inputs(
        &self,
        service: &Service,
        call: &Text,
        input: &Map<String, Value>,
    ) -> Result<(), FileError> {
        match service.endpoint_inputs().find(|name| !input.contains_key(*name)) {
            Some(name) => {
                let message = format!("the file's `endpoint` takes `{name}` from each call: add it to `params`");
                Err(self.source.error(call.referenced, message))
            }
            None => Ok(()),
        }
    }

    /// What `action` says; without it the operation's name, which REST calls don't have.
    fn actions_of_call(
        &self,
        service: &Service,
        call: &Text,
        action: Option<&Spanned<ActionStanza>>,
    ) -> Result<Vec<String>, FileError> {
        match action {
            Some(action) => self.actions(service, action),
            None if service.protocol.is_rest() => Ok(Vec::new()),
            None => Ok(vec![format!("{}:{}", service.iam, call.value)]),
        }
    }

    /// Actions as IAM spells them.
    pub(super) fn actions(&self, service: &Service, stanza: &Spanned<ActionStanza>) -> Result<Vec<String>, FileError> {
        let actions = &stanza.value.0;
        let whole = |action: &String| match action.split_once(':') {
            Some(_) => action.clone(),
            None => format!("{}:{action}", service.iam),
        };
        match actions.iter().find(|action| !is_action(&whole(action))) {
            Some(action) => {
                let message = format!("`{action}` is not an IAM action; write its name, such as ListTagsForResource");
                Err(self.source.error(stanza.referenced, message))
            }
            None => Ok(actions.iter().map(whole).collect()),
        }
    }

    /// REST calls are a method and a path, all others an operation's name.
    fn check_call(&self, call: &Text, is_rest: bool) -> Result<(), FileError> {
        let is_operation = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_method_and_path = |text: &str| {
            text.split_once(' ').is_some_and(|(method, path)| METHODS.contains(&method) && path.starts_with('/'))
        };
        let text = call.value.as_str();
        match is_rest {
            true if !is_method_and_path(text) => {
                let message =
                    format!("`{text}` is not a REST call; write method and path, such as GET /clusters/{{id}}");
                Err(self.source.error(call.referenced, message))
            }
            false if !is_operation(text) => {
                let message =
                    format!("`{text}` is not an operation of this protocol; write its name, such as ListRoles");
                Err(self.source.error(call.referenced, message))
            }
            _ => Ok(()),
        }
    }

    /// Checks every text and key below `param`, each at its own place.
    fn check_param(&self, param: &Spanned<Param>, scope: &Scope<'_>) -> Result<(), FileError> {
        match &param.value {
            Param::Constant(_) => Ok(()),
            Param::Text(text) => self.check_template(text, param.referenced, scope),
            Param::List(items) => items.iter().try_for_each(|item| self.check_param(item, scope)),
            Param::Object(fields) => fields.iter().try_for_each(|(key, value)| {
                self.check_template(&key.value, key.referenced, scope)?;
                self.check_param(value, scope)
            }),
        }
    }

    /// Checks that `text` is a template, and that its placeholders have values.
    pub(super) fn check_template(&self, text: &str, at: Location, scope: &Scope<'_>) -> Result<(), FileError> {
        let template = Template::compile(text).map_err(|error| self.source.error(at, error.to_string()))?;
        self.check_placeholders(template.placeholders(), at, scope)
    }

    fn check_placeholders<'text>(
        &self,
        placeholders: impl IntoIterator<Item = &'text str>,
        at: Location,
        scope: &Scope<'_>,
    ) -> Result<(), FileError> {
        match placeholders.into_iter().find_map(|placeholder| scope.complaint(placeholder)) {
            Some(complaint) => Err(self.source.error(at, complaint)),
            None => Ok(()),
        }
    }
}

/// Whether `request` takes anything from the resource it is for; one that doesn't asks the same for every resource.
pub(super) fn names_a_resource(request: &Request) -> bool {
    let is_general = |name: &str| EVERYWHERE.contains(&name) || ParentNames::None.knows(name).is_some();
    request.placeholders().any(|placeholder| !is_general(placeholder))
}

/// What is wrong with a parameter's name.
fn key_complaint(key: &str, is_rest: bool) -> Option<String> {
    match key.strip_prefix('^') {
        _ if is_rest && key.starts_with('?') => None,
        _ if key.starts_with('?') => Some(format!("`{key}`: only REST protocols have a query string; leave out the ?")),
        Some(_) if !is_rest => Some(format!("`{key}`: only REST protocols have headers of their own; leave out the ^")),
        Some(name) if !is_header(name) => {
            Some(format!("`{key}` is not a header: lower-case letters, digits and `-`, as ^x-amz-account-id"))
        }
        _ => None,
    }
}

fn is_header(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.bytes().all(is_plain)
}

/// `service:Action`, as IAM spells it.
fn is_action(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, action)| {
        is_header(service) && !action.is_empty() && action.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}
