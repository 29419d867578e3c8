//! One type in one place: what every step of listing and tag reading starts from.

use serde_json::Value;

use super::{Place, not_listable};
use crate::aws::{Answer, CallError, Caller, ErrorClass, Session};
use crate::names::Region;
use crate::resource_map::{Access, RenderedCall, Request, TypeDefinition};

/// A type in a place.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    session: &'a Session,
    pub(super) definition: &'a TypeDefinition,
    pub(super) access: &'a Access,
    pub(super) place: &'a Place,
    /// Where it is listed: the region asked, or the partition's home region for global types.
    pub(super) region: Region,
    caller: Caller,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        session: &'a Session,
        definition: &'a TypeDefinition,
        place: &'a Place,
    ) -> Result<Self, CallError> {
        let access = definition.access.as_ref().ok_or_else(|| not_listable(definition, &place.region))?;
        let home = access.service.endpoints.get(place.region.partition()).filter(|_| definition.global);
        let region = home.map_or_else(|| place.region.clone(), |home| Region::new(home.region.as_str()));
        Ok(Self { session, definition, access, place, region, caller: session.caller() })
    }

    /// The same place for another type.
    pub(super) fn of(&self, definition: &'a TypeDefinition) -> Result<Self, CallError> {
        Self::new(self.session, definition, self.place)
    }

    /// The placeholders that don't depend on the resource.
    pub(super) fn lookup(&self, name: &str, region: &Region) -> Option<Value> {
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
        self.caller.call(&self.access.service, region, &call.operation, &call.input).await
    }
}
