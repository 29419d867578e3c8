//! How a type's tags are read and written.

use std::sync::Arc;

use serde_saphyr::{Location, Spanned};

use super::Compiler;
use super::requests::{ParentNames, Scope, names_a_resource};
use crate::resource_map::Request;
use crate::resource_map::definition::{
    NativeWriting, Page, Service, SideEffects, TagReading, TagRequest, TagWriting, WriteActions, WriteMethod,
};
use crate::resource_map::yaml::{
    ActionStanza, FullWriteStanza, OtherTagsStanza, OtherWriteStanza, Param, RemoveStanza, TagsStanza, UpdatesStanza,
    WriteStanza,
};
use crate::text::source::{FileError, Text, instead};

/// Calls that write a tag, as a stanza says them.
struct WriteCall<'s> {
    call: &'s Text,
    action: Option<&'s Spanned<ActionStanza>>,
    params: Option<&'s Spanned<Param>>,
    remove: Option<&'s Spanned<RemoveStanza>>,
}

impl Compiler<'_> {
    /// Where tags are read; nowhere for a type without `tags`.
    pub(super) fn tag_reading(
        &self,
        service: &Arc<Service>,
        stanza: Option<&Spanned<TagsStanza>>,
        parent: &ParentNames,
    ) -> Result<TagReading, FileError> {
        let Some(Spanned { value: stanza, referenced: at, .. }) = stanza else { return Ok(TagReading::default()) };
        if stanza.path.is_none() && stanza.rgta.is_none() && stanza.call.is_none() {
            return Err(self.source.error(*at, "`tags` is empty: give `path`, `rgta` or `call`"));
        }
        let request = match &stanza.call {
            Some(call) => Some(self.tag_request(service, stanza, call, parent)?),
            None => self.no_tag_request(stanza)?,
        };
        Ok(TagReading {
            path: self.optional_expression(stanza.path.as_ref())?,
            rgta: stanza.rgta.as_ref().map(|filter| filter.value.clone()),
            request,
        })
    }

    fn no_tag_request(&self, stanza: &TagsStanza) -> Result<Option<TagRequest>, FileError> {
        let useless = [
            ("action", stanza.action.as_ref().map(|action| action.referenced)),
            ("params", stanza.params.as_ref().map(|params| params.referenced)),
            ("items", stanza.items.as_ref().map(|items| items.referenced)),
            ("batch", stanza.batch.as_ref().map(|batch| batch.referenced)),
            ("page", stanza.page.as_ref().map(|page| page.referenced)),
            ("absent", stanza.absent.as_ref().map(|absent| absent.referenced)),
            ("otherwise", stanza.otherwise.as_ref().map(|otherwise| otherwise.referenced)),
        ];
        self.refuse_without_call(&useless)?;
        Ok(None)
    }

    fn tag_request(
        &self,
        service: &Arc<Service>,
        stanza: &TagsStanza,
        call: &Text,
        parent: &ParentNames,
    ) -> Result<TagRequest, FileError> {
        let items =
            self.required(stanza.items.as_ref(), "items", call.referenced, "JMESPath from the answer to the tags")?;
        let batch = stanza.batch.as_ref().map_or(1, |batch| batch.value.get());
        let scope = if batch > 1 {
            Scope { place: "`tags` with `batch`", names: vec!["arns", "ids"], item: false, parent: &ParentNames::None }
        } else {
            Scope { place: "`tags` without `batch`", names: vec!["id", "arn"], item: true, parent }
        };
        let request = self.request(service, (call, stanza.action.as_ref()), &[stanza.params.as_ref()], &scope)?;
        if !names_a_resource(&request) {
            let message =
                "the call is the same for every resource; use '{id}' or '{arn}', or '{ids}' or '{arns}' with `batch`";
            return Err(self.source.error(call.referenced, message));
        }
        let otherwise = match &stanza.otherwise {
            Some(otherwise) if batch > 1 => {
                let message = "`otherwise` is for calls that read one resource, without `batch`";
                return Err(self.source.error(otherwise.referenced, message));
            }
            Some(otherwise) => Some(Box::new(self.other_tag_request(service, &otherwise.value, parent)?)),
            None => None,
        };
        Ok(TagRequest {
            service: Arc::clone(service),
            request,
            path: self.expression(items)?,
            batch,
            page: self.tag_page(service, stanza, batch)?,
            absent: stanza.absent.as_ref().map(|absent| absent.value.clone()).unwrap_or_default(),
            otherwise,
        })
    }

    fn other_tag_request(
        &self,
        service: &Arc<Service>,
        stanza: &OtherTagsStanza,
        parent: &ParentNames,
    ) -> Result<TagRequest, FileError> {
        let service = self.service_named(service, stanza.service.as_ref())?;
        let scope = Scope { place: "`otherwise`", names: vec!["id", "arn"], item: true, parent };
        let call = (&stanza.call, stanza.action.as_ref());
        let request = self.request(&service, call, &[stanza.params.as_ref()], &scope)?;
        if !names_a_resource(&request) {
            let message = "the call is the same for every resource; use '{id}' or '{arn}'";
            return Err(self.source.error(stanza.call.referenced, message));
        }
        let (path, absent) = (self.expression(&stanza.items)?, stanza.absent.clone());
        Ok(TagRequest { service, request, path, batch: 1, page: None, absent, otherwise: None })
    }

    /// The file's own service, or the one named.
    fn service_named(&self, own: &Arc<Service>, name: Option<&Text>) -> Result<Arc<Service>, FileError> {
        let Some(name) = name.filter(|name| name.value != own.name) else { return Ok(Arc::clone(own)) };
        (self.others)(&name.value).map(Arc::new).ok_or_else(|| {
            let message = format!(
                "there is no built-in map of service `{}`; write botocore's name of the service, such as s3control",
                name.value
            );
            self.source.error(name.referenced, message)
        })
    }

    fn tag_page(&self, service: &Service, stanza: &TagsStanza, batch: usize) -> Result<Option<Page>, FileError> {
        match &stanza.page {
            Some(page) if batch > 1 => {
                Err(self.source.error(page.referenced, "`page` is for calls that read one resource, without `batch`"))
            }
            Some(page) => self.page(service, &page.value).map(Some),
            None => Ok(None),
        }
    }

    /// How a tag is written.
    pub(super) fn tag_writing(
        &self,
        service: &Arc<Service>,
        stanza: &Spanned<WriteStanza>,
        parent: &ParentNames,
    ) -> Result<TagWriting, FileError> {
        let at = stanza.referenced;
        let stanza = match &stanza.value {
            WriteStanza::Short(name) => {
                let method = self.short_method(name, at)?;
                let (actions, updates) = (usual_actions(service, method), usual_side_effects(method));
                return Ok(TagWriting { method, native: None, when: None, actions, updates });
            }
            WriteStanza::Full(stanza) => stanza,
        };
        let native = match (stanza.method, &stanza.call) {
            (WriteMethod::Native | WriteMethod::Rgta, Some(call)) => Some(self.native(service, stanza, call, parent)?),
            (WriteMethod::Native, None) => {
                let message = "method native needs `call`, the service's own call that writes a tag";
                return Err(self.source.error(at, message));
            }
            (WriteMethod::Ec2 | WriteMethod::StackUpdate, Some(call)) => {
                let message = "this method has its own call; remove `call`, or use method native";
                return Err(self.source.error(call.referenced, message));
            }
            (_, None) => {
                self.refuse_native_parts(stanza)?;
                None
            }
        };
        let actions = match &native {
            Some(native) => actions_of(native),
            None => self.actions_without_call(service, stanza)?,
        };
        let when = self.optional_expression(stanza.when.as_ref())?;
        let updates = match &stanza.updates {
            Some(updates) => Some(self.side_effects(updates)?),
            None => usual_side_effects(stanza.method),
        };
        Ok(TagWriting { method: stanza.method, native, when, actions, updates })
    }

    fn side_effects(&self, stanza: &Spanned<UpdatesStanza>) -> Result<SideEffects, FileError> {
        let UpdatesStanza { what, page } = &stanza.value;
        let at = stanza.referenced;
        let what = self.required(what.as_ref(), "what", at, "one sentence on what else writing a tag does")?;
        let page = self.required(page.as_ref(), "page", at, "the page of AWS's documentation that says so")?;
        if what.value.trim().is_empty() {
            return Err(self.source.error(what.referenced, "`what` is empty: say what else writing a tag does"));
        }
        if !page.value.starts_with(AWS_DOCUMENTATION) {
            let message =
                format!("`page` is not a page of AWS's documentation: it must begin with {AWS_DOCUMENTATION}");
            return Err(self.source.error(page.referenced, message));
        }
        Ok(SideEffects { what: what.value.trim().to_owned(), page: page.value.clone() })
    }

    /// What is for the service's own call only. `remove` may name the action that the Tagging API needs.
    fn refuse_native_parts(&self, stanza: &FullWriteStanza) -> Result<(), FileError> {
        let remove = stanza.remove.as_ref();
        let is_action_only = |remove: &RemoveStanza| remove.call.is_none() && remove.params.is_none();
        self.refuse_without_call(&[
            ("params", stanza.params.as_ref().map(|params| params.referenced)),
            ("remove", remove.filter(|remove| !is_action_only(&remove.value)).map(|remove| remove.referenced)),
            ("service", stanza.service.as_ref().map(|service| service.referenced)),
            ("otherwise", stanza.otherwise.as_ref().map(|otherwise| otherwise.referenced)),
        ])
    }

    /// The actions of a write by the Tagging API that names no call of the service's own.
    fn actions_without_call(&self, service: &Service, stanza: &FullWriteStanza) -> Result<WriteActions, FileError> {
        let remove = stanza.remove.as_ref().and_then(|remove| remove.value.action.as_ref());
        let usual = usual_actions(service, stanza.method);
        if let (true, Some(action)) = (stanza.method != WriteMethod::Rgta, stanza.action.as_ref().or(remove)) {
            let message = "this method has its own actions; remove `action`";
            return Err(self.source.error(action.referenced, message));
        }
        let named = |action: Option<&Spanned<ActionStanza>>, usual| {
            action.map_or(Ok(usual), |action| self.actions(service, action))
        };
        Ok(WriteActions { add: named(stanza.action.as_ref(), usual.add)?, remove: named(remove, usual.remove)? })
    }

    /// `write: ec2`: the methods that need no more than their name.
    fn short_method(&self, name: &str, at: Location) -> Result<WriteMethod, FileError> {
        const SHORT: [(&str, WriteMethod); 3] =
            [("rgta", WriteMethod::Rgta), ("ec2", WriteMethod::Ec2), ("stack-update", WriteMethod::StackUpdate)];
        let found = SHORT.iter().find(|(known, _)| *known == name);
        found.map(|(_, method)| *method).ok_or_else(|| {
            let advice = instead(name, &SHORT.map(|(known, _)| known));
            self.source.error(at, format!("`write: {name}` is not allowed here; {advice}"))
        })
    }

    fn native(
        &self,
        service: &Arc<Service>,
        stanza: &FullWriteStanza,
        call: &Text,
        parent: &ParentNames,
    ) -> Result<NativeWriting, FileError> {
        let otherwise = |stanza: &Spanned<OtherWriteStanza>| {
            let OtherWriteStanza { service: other, call, action, params, remove } = &stanza.value;
            let service = self.service_named(service, other.as_ref())?;
            let (action, params, remove) = (action.as_ref(), params.as_ref(), remove.as_ref());
            self.write_call(service, &WriteCall { call, action, params, remove }, parent)
        };
        let otherwise = stanza.otherwise.as_ref().map(otherwise).transpose()?;
        let service = self.service_named(service, stanza.service.as_ref())?;
        let (action, params, remove) = (stanza.action.as_ref(), stanza.params.as_ref(), stanza.remove.as_ref());
        let first = self.write_call(service, &WriteCall { call, action, params, remove }, parent)?;
        if let (Some(stanza), true) = (&stanza.otherwise, first.add.uses("tags")) {
            let message = "the call before `otherwise` replaces all tags: the one that adds a tag comes first";
            return Err(self.source.error(stanza.referenced, message));
        }
        Ok(NativeWriting { otherwise: otherwise.map(Box::new), ..first })
    }

    fn write_call(
        &self,
        service: Arc<Service>,
        stanza: &WriteCall<'_>,
        parent: &ParentNames,
    ) -> Result<NativeWriting, FileError> {
        let call = stanza.call;
        let names = vec!["id", "arn", "key", "value", "tags"];
        let scope = Scope { place: "`write`", names, item: true, parent };
        let add = self.request(&service, (call, stanza.action), &[stanza.params], &scope)?;
        let replaces_all = add.uses("tags");
        if replaces_all == (add.uses("key") || add.uses("value")) || (!replaces_all && !add.uses("value")) {
            let message =
                "`params` must hold either '{key}' and '{value}', or '{tags}' where the call replaces all tags";
            return Err(self.source.error(call.referenced, message));
        }
        let remove = match stanza.remove {
            Some(remove) if replaces_all => {
                let message = "a write with '{tags}' replaces all tags and so needs no `remove`";
                return Err(self.source.error(remove.referenced, message));
            }
            Some(remove) => Some(self.removal(&service, remove, parent)?),
            None if replaces_all => None,
            None => {
                let message = "`remove` is missing here: the call that removes the tag, for undo";
                return Err(self.source.error(call.referenced, message));
            }
        };
        Ok(NativeWriting { service, add, remove, otherwise: None })
    }

    fn removal(
        &self,
        service: &Service,
        stanza: &Spanned<RemoveStanza>,
        parent: &ParentNames,
    ) -> Result<Request, FileError> {
        let RemoveStanza { call, action, params } = &stanza.value;
        let call = self.required(call.as_ref(), "call", stanza.referenced, "the call that removes the tag")?;
        let scope = Scope { place: "`remove`", names: vec!["id", "arn", "key"], item: true, parent };
        let request = self.request(service, (call, action.as_ref()), &[params.as_ref()], &scope)?;
        if request.uses("key") {
            return Ok(request);
        }
        Err(self.source.error(call.referenced, "`remove` doesn't say which tag: put '{key}' into its params"))
    }

    fn refuse_without_call(&self, keys: &[(&str, Option<Location>)]) -> Result<(), FileError> {
        match keys.iter().find_map(|(key, at)| at.map(|at| (key, at))) {
            Some((key, at)) => Err(self.source.error(at, format!("`{key}` needs `call`"))),
            None => Ok(()),
        }
    }
}

/// How pages of AWS's documentation begin.
const AWS_DOCUMENTATION: &str = "https://docs.aws.amazon.com/";

/// What an update of a stack needs: a look at the stack, its template and the values that it refers to, a change set, and the
/// update itself.
const STACK_UPDATE_ACTIONS: [&str; 8] = [
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:UpdateStack",
    "ssm:GetParameters",
];

/// The side effects of a method whatever the map says.
fn usual_side_effects(method: WriteMethod) -> Option<SideEffects> {
    (method == WriteMethod::StackUpdate).then(|| SideEffects {
        what: "the stack is updated".to_owned(),
        page: "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html".to_owned(),
    })
}

/// The actions of the calls that write, and of those to fall back on.
fn actions_of(native: &NativeWriting) -> WriteActions {
    let mut actions = WriteActions::default();
    for way in native.ways() {
        let remove = way.remove.as_ref().unwrap_or(&way.add);
        actions.add.extend_from_slice(way.add.actions());
        actions.remove.extend_from_slice(remove.actions());
    }
    actions
}

/// The actions where a map names none: most services have these, for the Tagging API asks for them. EC2's tags are read just before
/// the write.
fn usual_actions(service: &Service, method: WriteMethod) -> WriteActions {
    let named = |name: &str| format!("{}:{name}", service.iam);
    let action = |name: &str| vec![named(name)];
    match method {
        WriteMethod::Rgta | WriteMethod::Native => {
            WriteActions { add: action("TagResource"), remove: action("UntagResource") }
        }
        WriteMethod::Ec2 => {
            let of = |write: &str| vec![named(write), named("DescribeTags")];
            WriteActions { add: of("CreateTags"), remove: of("DeleteTags") }
        }
        WriteMethod::StackUpdate => {
            let actions: Vec<String> = STACK_UPDATE_ACTIONS.iter().map(|&action| action.to_owned()).collect();
            WriteActions { add: actions.clone(), remove: actions }
        }
    }
}
