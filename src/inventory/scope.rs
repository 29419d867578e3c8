//! A type in an account-region: the context of every step of listing and tag reading.

use serde_json::Value;

use super::{AccountRegion, not_listable};
use crate::aws::{Answer, CallError, Caller, ErrorClass, Session};
use crate::model::Region;
use crate::resource_map::{Access, RenderedCall, Request, Service, TypeDefinition};

/// A type in an account-region.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    session: &'a Session,
    pub(super) definition: &'a TypeDefinition,
    pub(super) access: &'a Access,
    pub(super) place: &'a AccountRegion,
    /// Where it is listed: the requested region, or the partition's home region for global types.
    pub(super) region: Region,
    caller: Caller,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        session: &'a Session,
        definition: &'a TypeDefinition,
        place: &'a AccountRegion,
    ) -> Result<Self, CallError> {
        let access = definition.access.as_ref().ok_or_else(|| not_listable(definition, &place.region))?;
        let home = access.service.endpoints.get(place.region.partition()).filter(|_| definition.global);
        let home = home.and_then(|home| home.region.as_deref());
        let region = home.map_or_else(|| place.region.clone(), Region::new);
        Ok(Self { session, definition, access, place, region, caller: session.caller() })
    }

    /// The same account-region for another type.
    pub(super) fn of(&self, definition: &'a TypeDefinition) -> Result<Self, CallError> {
        Self::new(self.session, definition, self.place)
    }

    /// The placeholders that don't depend on the resource itself. `ancestors` are the parameters of its parent, its parent's
    /// parent and so on.
    pub(super) fn lookup(&self, name: &str, region: &Region, ancestors: &[Value]) -> Option<Value> {
        if let Some(value) = of_ancestors(name, ancestors) {
            return Some(value);
        }
        let text = match name {
            "account" => self.place.account.as_str(),
            "region" => region.as_str(),
            "partition" => region.partition(),
            _ => return None,
        };
        Some(Value::String(text.to_owned()))
    }

    /// Fills a request's placeholders.
    pub(super) fn render(
        &self,
        request: &Request,
        item: &Value,
        lookup: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<RenderedCall, CallError> {
        request.render(item, lookup).map_err(|missing| {
            let operation = format!("{}:{}", self.access.service.signing, request.call());
            let bare = CallError::bare(&operation, &self.region, ErrorClass::Refused, "incomplete call");
            CallError { message: missing.to_string(), ..bare }
        })
    }

    /// Calls the type's service.
    pub(super) async fn call(&self, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        self.call_of(&self.access.service, region, call).await
    }

    /// Calls another service that has something to say of the type.
    pub(super) async fn call_of(
        &self,
        service: &Service,
        region: &Region,
        call: &RenderedCall,
    ) -> Result<Answer, CallError> {
        self.caller.call(service, region, &call.operation, &call.input).await
    }
}

/// `parent`, `parent.name` if the parent has several parameters, `parent.parent` for the parent's own parent, and so on.
pub(crate) fn of_ancestors(name: &str, ancestors: &[Value]) -> Option<Value> {
    let (parent, above) = ancestors.split_first()?;
    match name.strip_prefix("parent")?.strip_prefix('.') {
        None => (name == "parent").then(|| parent.clone()),
        Some(rest) => parent.get(rest).cloned().or_else(|| of_ancestors(rest, above)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ancestors_are_found_by_level() {
        let ancestors = [json!({"index": "i", "parents": 1}), json!("app"), json!({"root": "r"})];
        let of = |name: &str| of_ancestors(name, &ancestors);
        assert_eq!(of("parent"), Some(ancestors[0].clone()));
        assert_eq!(of("parent.index"), Some(json!("i")));
        assert_eq!(of("parent.parents"), Some(json!(1)));
        assert_eq!(of("parent.parent"), Some(json!("app")));
        assert_eq!(of("parent.parent.parent.root"), Some(json!("r")));
        assert_eq!(of("parent.parent.root"), None);
        assert_eq!(of("parents"), None);
        assert_eq!(of("id"), None);
    }
}
