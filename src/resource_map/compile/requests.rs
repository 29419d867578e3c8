//! Calls and their placeholders: whether the call suits the protocol, and each placeholder has a value where it stands.

use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use super::Compiler;
use crate::resource_map::definition::{Protocol, Service};
use crate::resource_map::source::{MapError, Text};
use crate::resource_map::yaml::Param;
use crate::resource_map::{Request, Template};

/// Names that mean the same wherever they have a value; an item's field of that name is `{@.name}`.
const RESERVED: [&str; 12] =
    ["id", "arn", "account", "region", "partition", "parent", "key", "value", "items", "arns", "ids", "tags"];
/// Those that have a value everywhere.
const EVERYWHERE: [&str; 3] = ["account", "region", "partition"];
/// HTTP's methods as AWS's REST protocols use them.
const METHODS: [&str; 6] = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"];

/// Which placeholders have a value in one place of a map.
pub(super) struct Scope {
    /// The place by its keys, for messages: `list.params`.
    pub(super) place: &'static str,
    /// The names, besides [`EVERYWHERE`].
    pub(super) names: Vec<&'static str>,
    /// Whether there is one item that JMESPath can be evaluated on.
    pub(super) item: bool,
}

impl Scope {
    /// What is wrong with `{placeholder}` here.
    fn complaint(&self, placeholder: &str) -> Option<String> {
        let is_known = EVERYWHERE.contains(&placeholder) || self.names.contains(&placeholder);
        if is_known || (self.item && !RESERVED.contains(&placeholder)) {
            return None;
        }
        let names: Vec<String> = self.names.iter().chain(&EVERYWHERE).map(|name| format!("{{{name}}}")).collect();
        let item =
            if self.item { " and JMESPath on the item" } else { "; there is no single item to take others from" };
        Some(format!("{{{placeholder}}} has no value in {}; known here: {}{item}", self.place, names.join(" "),))
    }
}

impl Compiler<'_> {
    /// Compiles a call and its input.
    pub(super) fn request(
        &self,
        service: &Service,
        call: &Text,
        params: Option<&Spanned<Param>>,
        scope: &Scope,
    ) -> Result<Request, MapError> {
        let is_rest = matches!(service.protocol, Protocol::RestJson | Protocol::RestXml);
        self.check_call(call, is_rest)?;
        let without_input = Request::compile(&call.value, &Value::Object(Map::new()))
            .map_err(|error| self.source.error(call.referenced, error.to_string()))?;
        self.check_placeholders(without_input.placeholders(), call.referenced, scope)?;
        let Some(params) = params else { return Ok(without_input) };
        let Param::Object(fields) = &params.value else {
            let message = "`params` is a mapping from the call's parameters to their values";
            return Err(self.source.error(params.referenced, message));
        };
        if let Some((key, _)) = fields.iter().find(|(key, _)| key.value.starts_with('?') && !is_rest) {
            let message = format!("`{}`: only REST protocols have a query string; leave out the ?", key.value);
            return Err(self.source.error(key.referenced, message));
        }
        self.check_param(params, scope)?;
        Request::compile(&call.value, &params.value.to_value())
            .map_err(|error| self.source.error(params.referenced, error.to_string()))
    }

    /// REST calls are a method and a path, all others an operation's name.
    fn check_call(&self, call: &Text, is_rest: bool) -> Result<(), MapError> {
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
    fn check_param(&self, param: &Spanned<Param>, scope: &Scope) -> Result<(), MapError> {
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

    /// Checks that `text` is a template whose placeholders have values.
    pub(super) fn check_template(&self, text: &str, at: Location, scope: &Scope) -> Result<(), MapError> {
        let template = Template::compile(text).map_err(|error| self.source.error(at, error.to_string()))?;
        self.check_placeholders(template.placeholders(), at, scope)
    }

    fn check_placeholders<'text>(
        &self,
        placeholders: impl IntoIterator<Item = &'text str>,
        at: Location,
        scope: &Scope,
    ) -> Result<(), MapError> {
        match placeholders.into_iter().find_map(|placeholder| scope.complaint(placeholder)) {
            Some(complaint) => Err(self.source.error(at, complaint)),
            None => Ok(()),
        }
    }
}

/// Whether `request` takes anything from the resource it is for; one that doesn't asks the same for every resource.
pub(super) fn names_a_resource(request: &Request) -> bool {
    request.placeholders().any(|placeholder| !EVERYWHERE.contains(&placeholder))
}
