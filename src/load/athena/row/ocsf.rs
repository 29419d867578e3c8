//! Rows of Security Lake: the fields that OCSF has in another form are put back to where CloudTrail wrote them. Pure.
//!
//! Source: <https://github.com/ocsf/examples/tree/main/mappings/markdown/AWS/v1.1.0/CloudTrail>

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{BadRow, Field, Need, Row, json_text};
use crate::load::athena::table::ocsf::{ACCOUNT_COLUMN, IDP_NAME_COLUMN, IDP_UID_COLUMN, TIME_COLUMN, UNMAPPED_COLUMN};

/// Fields that OCSF has columns for, so that what `unmapped` has of them is not an addition.
const MAPPED: [&str; 2] = ["requestParameters", "responseElements"];
/// Objects without a column. `unmapped` has their values as text, and lists in them as JSON.
const OBJECTS: [&str; 2] = ["additionalEventData", "serviceEventDetails"];
/// Names that `unmapped` can have in another spelling than records.
const SPELLINGS: [(&str, &str); 1] = [("sharedEventId", "sharedEventID")];
/// The deepest path. Deeper ones are cut off: no field of a record that anything reads is nested like that.
const MAX_DEPTH: usize = 16;

const IDENTITY: &str = "userIdentity";
const IDENTITY_CENTER: &str = "IdentityCenterUser";
/// Principals that an identity provider signed in. `actor.idp.name` is their provider, and not that of a role's session.
const FEDERATED: [&str; 2] = ["SAMLUser", "WebIdentityUser"];
const PROVIDER: [&str; 2] = [IDENTITY, "identityProvider"];
const SESSIONS_PROVIDER: [&str; 4] = [IDENTITY, "sessionContext", "webIdFederationData", "federatedProvider"];
const ON_BEHALF_USER: [&str; 3] = [IDENTITY, "onBehalfOf", "userId"];
const ON_BEHALF_STORE: [&str; 3] = [IDENTITY, "onBehalfOf", "identityStoreArn"];

/// The positions of the columns that are not fields of a record.
#[derive(Debug)]
pub(super) struct OcsfLayout {
    time: usize,
    unmapped: Option<usize>,
    idp_name: Option<usize>,
    idp_uid: Option<usize>,
    account: Option<usize>,
}

/// A value of a record that is being put together.
#[derive(Debug)]
enum Node<'r> {
    Object(BTreeMap<Cow<'r, str>, Node<'r>>),
    Text(Cow<'r, str>),
    Json(Cow<'r, str>),
}

impl OcsfLayout {
    /// `None`: the result is of a CloudTrail table.
    pub(super) fn of(header: &[String]) -> Option<Self> {
        let position = |wanted: &str| header.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        Some(Self {
            time: position(TIME_COLUMN)?,
            unmapped: position(UNMAPPED_COLUMN),
            idp_name: position(IDP_NAME_COLUMN),
            idp_uid: position(IDP_UID_COLUMN),
            account: position(ACCOUNT_COLUMN),
        })
    }

    /// Writes a row as the JSON text of its record. `places`: the columns that are fields of it.
    pub(super) fn record(
        &self,
        places: &[(usize, &'static Field)],
        row: &Row,
        text: &mut String,
        describe: &impl Fn() -> String,
    ) -> Result<(), BadRow> {
        let mut record = Record(BTreeMap::new());
        for (position, field) in places {
            let Some(value) = row[*position].as_deref() else { continue };
            let node = match field.need {
                Need::JsonByMap => Node::Json(json_text(value, field.record[0], describe)?),
                _ => Node::Text(value.into()),
            };
            record.set(field.record, node);
        }
        let value = |position: Option<usize>| position.and_then(|position| row[position].as_deref());
        if let Some(time) = value(Some(self.time)) {
            let time = event_time(time).ok_or_else(|| BadRow::NotTime { row: describe(), time: time.to_owned() })?;
            record.set(&["eventTime"], Node::Text(time.into()));
        }
        record.restore_caller(value(self.idp_name), value(self.idp_uid));
        if let Some(unmapped) = value(self.unmapped) {
            record.add_unmapped(unmapped, describe)?;
        }
        if let Some(account) = value(self.account) {
            record.add(&["recipientAccountId"], Node::Text(account.into()));
        }
        write_object(&record.0, text);
        Ok(())
    }
}

/// `1700000000000` → `2023-11-14T22:13:20Z`
fn event_time(milliseconds: &str) -> Option<String> {
    Timestamp::from_millisecond(milliseconds.parse().ok()?).ok().map(|time| time.to_string())
}

/// A record that is being put together.
struct Record<'r>(BTreeMap<Cow<'r, str>, Node<'r>>);

impl<'r> Record<'r> {
    /// Sets a field. A field with another value stays as it is if it would have to become an object.
    fn set<S: Into<Cow<'r, str>> + Clone>(&mut self, path: &[S], node: Node<'r>) {
        let Some((name, parents)) = path.split_last() else { return };
        let mut object = &mut self.0;
        for parent in parents {
            let below = object.entry(parent.clone().into()).or_insert_with(|| Node::Object(BTreeMap::new()));
            let Node::Object(below) = below else { return };
            object = below;
        }
        object.insert(name.clone().into(), node);
    }

    /// Sets a field that has no value yet.
    fn add<S: Into<Cow<'r, str>> + AsRef<str> + Clone>(&mut self, path: &[S], node: Node<'r>) {
        if self.get(path).is_none() {
            self.set(path, node);
        }
    }

    fn get<S: AsRef<str>>(&self, path: &[S]) -> Option<&Node<'r>> {
        let (name, parents) = path.split_last()?;
        let mut object = &self.0;
        for parent in parents {
            let Node::Object(below) = object.get(parent.as_ref())? else { return None };
            object = below;
        }
        object.get(name.as_ref())
    }

    fn text(&self, path: &[&str]) -> Option<&str> {
        match self.get(path)? {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Takes a field of the caller out of the record.
    fn take(&mut self, name: &str) -> Option<Node<'r>> {
        match self.0.get_mut(IDENTITY)? {
            Node::Object(caller) => caller.remove(name),
            _ => None,
        }
    }

    /// Puts back what OCSF has in one column for several kinds of callers.
    fn restore_caller(&mut self, idp_name: Option<&'r str>, idp_uid: Option<&'r str>) {
        let kind = self.text(&[IDENTITY, "type"]);
        let (is_person, is_federated) =
            (kind == Some(IDENTITY_CENTER), kind.is_some_and(|kind| FEDERATED.contains(&kind)));
        if is_person {
            for (from, to) in [
                ("userName", &["additionalEventData", "UserName"][..]),
                ("accessKeyId", &[IDENTITY, "credentialId"]),
                ("principalId", &ON_BEHALF_USER),
            ] {
                if let Some(node) = self.take(from) {
                    self.set(to, node);
                }
            }
        } else if idp_uid.is_some()
            && self.text(&[IDENTITY, "principalId"]).is_some_and(is_identity_store_user)
            && let Some(user) = self.take("principalId")
        {
            self.set(&ON_BEHALF_USER, user);
        }
        if let Some(store) = idp_uid {
            self.set(&ON_BEHALF_STORE, Node::Text(store.into()));
        }
        match idp_name {
            Some(name) if is_federated => self.set(&PROVIDER, Node::Text(name.into())),
            Some(name) => self.set(&SESSIONS_PROVIDER, Node::Text(name.into())),
            None => {}
        }
    }

    /// Adds what the mapping has no column for.
    fn add_unmapped(&mut self, unmapped: &'r str, describe: &impl Fn() -> String) -> Result<(), BadRow> {
        let values: Option<BTreeMap<String, Option<String>>> = serde_json::from_str(unmapped)
            .map_err(|error| BadRow::NotJson { row: describe(), field: UNMAPPED_COLUMN, error })?;
        for (name, value) in values.unwrap_or_default() {
            let Some(value) = value else { continue };
            let spelling = SPELLINGS.iter().find(|(other, _)| *other == name);
            let path: Vec<String> =
                spelling.map_or(name.as_str(), |(_, own)| own).split('.').take(MAX_DEPTH).map(str::to_owned).collect();
            if MAPPED.contains(&path[0].as_str()) {
                continue;
            }
            let is_json = OBJECTS.contains(&path[0].as_str()) && is_list_or_object(&value);
            self.add(&path, if is_json { Node::Json(value.into()) } else { Node::Text(value.into()) });
        }
        Ok(())
    }
}

/// Whether an ID is a user's in an identity store, and not a principal's: `94482488-3041-7026-4cd1-2b4f5e9f6f1b`, also with ten hexadecimal
/// digits before it.
///
/// Source: <https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_User.html>
fn is_identity_store_user(id: &str) -> bool {
    const HYPHENS: usize = 4;
    let is_hexadecimal = id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_hexadecimal && id.bytes().filter(|byte| *byte == b'-').count() >= HYPHENS
}

fn is_list_or_object(value: &str) -> bool {
    value.starts_with(['[', '{']) && serde_json::from_str::<&serde_json::value::RawValue>(value).is_ok()
}

fn write_object(object: &BTreeMap<Cow<'_, str>, Node<'_>>, text: &mut String) {
    text.push('{');
    for (index, (name, node)) in object.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(&**name).to_string());
        text.push(':');
        match node {
            Node::Object(below) => write_object(below, text),
            Node::Text(value) => text.push_str(&serde_json::Value::from(&**value).to_string()),
            Node::Json(value) => text.push_str(value),
        }
    }
    text.push('}');
}
