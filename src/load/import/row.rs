//! Converts a row of c7n-trailcreator to an event and the resources that it created.
//!
//! Pure. Facts that the row lacks stay absent: it has no event ID and no caller type. The ID is computed from the row's
//! content, so that equal rows (c7n-trailcreator duplicated them with every load) are one event.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use smol_str::SmolStr;

use super::ids::{Ids, ids};
use crate::model::event::{Action, Event, Identity, ResourceEvent, Touched};
use crate::model::{Arn, ResourceId, ResourceType};
use crate::resource_map::{EventRule, ResourceMap};
use crate::store::Fingerprint;
use crate::store::c7n_db::{BadValue, PredecessorRow};
use crate::store::imported::ID_PREFIX;
use crate::trail::extract::HIDDEN;
use crate::trail::extract::names_of_id;

/// The length of `2023-07-10T11:54:39Z`.
const TIME_LENGTH: usize = 20;

/// The result for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, taken apart where it is returned")]
pub(super) enum ParsedRow {
    /// An event. `unclear` is its identifier text if it can be several.
    Event { event: ResourceEvent, unclear: Option<String> },
    /// It names no resource: c7n-trailcreator found an empty list.
    WithoutIds {
        /// `eventSource:eventName`.
        call: String,
    },
}

/// A row that c7n-trailcreator can't have written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRow {
    /// A value can't be read.
    #[error(transparent)]
    Value(#[from] BadValue),
    /// Every row has a value in this column.
    #[error("no {0}")]
    Missing(&'static str),
    /// `event_date` is something else.
    #[error("event_date {0:?} is not a date with a time")]
    Date(String),
}

/// Reads a row.
///
/// # Errors
/// Why c7n-trailcreator can't have written this row.
pub(super) fn read(map: &ResourceMap, row: PredecessorRow) -> Result<ParsedRow, BadRow> {
    let PredecessorRow { account_id, region, event_date, event_name, event_source, .. } = row;
    let name = event_name.ok_or(BadRow::Missing("event_name"))?;
    let source = event_source.ok_or(BadRow::Missing("event_source"))?;
    let resource_type: ResourceType = row.rtype.ok_or(BadRow::Missing("rtype"))?.parse().expect("any text is a type");
    let date = event_date.ok_or(BadRow::Missing("event_date"))?;
    let time = time(&date).ok_or(BadRow::Date(date))?;
    let text = row.resource_ids.unwrap_or_default();
    // c7n-trailcreator had no renames: an event that it stored as a creation stays a create event.
    let is_known = |rule: &&EventRule| rule.resource_type() == Some(&resource_type) && rule.action != Action::Rename;
    let rules: Vec<&EventRule> = map.rules(&source, &name).iter().filter(is_known).collect();
    let (found, unclear) = match ids(&text, &rules) {
        Ids::One(id) => (vec![id], None),
        Ids::Many(ids) => (ids, None),
        Ids::Unclear(id) => (vec![id], Some(id.to_owned())),
    };
    // For an event that is not in the map, the latest for each identifier counts, as in c7n-trailcreator.
    let action = rules.first().map_or(Action::Create, |rule| rule.action);
    let of_type = map.naming().of_type(&resource_type);
    let mut touched: Vec<Touched> = Vec::new();
    for id in found.into_iter().filter(|id| !id.trim().is_empty() && *id != HIDDEN) {
        if !touched.iter().any(|other| other.resource_id.as_str() == id) {
            touched.push(Touched {
                resource_type: resource_type.clone(),
                resource_id: ResourceId::new(id),
                action,
                names: of_type.map(|naming| names_of_id(naming, id)).unwrap_or_default(),
                renamed_to: None,
            });
        }
    }
    if touched.is_empty() {
        return Ok(ParsedRow::WithoutIds { call: format!("{source}:{name}") });
    }
    let user_id = row.user_id.unwrap_or_default();
    let mut event = Event {
        event_id: SmolStr::default(),
        account_id: account_id.unwrap_or_default().into(),
        region: region.unwrap_or_default().into(),
        time: time.into(),
        name: name.into(),
        source: source.into(),
        user_agent: row.user_agent.map(SmolStr::from),
        source_ip: row.client_ip.map(SmolStr::from),
        shared_event_id: None,
        identity: identity(&user_id),
        makers: Vec::new(),
    };
    event.event_id = event_id(&event, &user_id, &resource_type, &text).into();
    Ok(ParsedRow::Event { event: ResourceEvent { event, touched, sessions: Vec::new() }, unclear })
}

/// Returns the time in CloudTrail's format, `2023-07-10T11:54:39Z`. `None` if the text is not a time. Without an offset it is
/// UTC, as in CloudTrail. Fractions of seconds are cut off, because CloudTrail has none.
fn time(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    if !text.contains(':') {
        return None;
    }
    let moment = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(|local| Offset::UTC.to_timestamp(local).ok()))?;
    let seconds = Timestamp::from_second(moment.as_second()).ok()?.to_string();
    (seconds.len() == TIME_LENGTH).then_some(seconds)
}

/// The identity in `user_id`: `root`, a principal's ARN, an AWS service, or the name of a SAML user.
fn identity(user_id: &str) -> Identity {
    let some = |text: &str| Some(SmolStr::from(text));
    match user_id.trim() {
        "" => Identity::default(),
        "root" => Identity { kind: some("Root"), ..Identity::default() },
        arn if Arn::is_arn(arn) => Identity { arn: some(arn), ..Identity::default() },
        service if service == "AWS Internal" || service.ends_with(".amazonaws.com") => {
            Identity { invoked_by: some(service), ..Identity::default() }
        }
        name => Identity { kind: some("SAMLUser"), user_name: some(name), ..Identity::default() },
    }
}

fn event_id(event: &Event, user_id: &str, resource_type: &ResourceType, ids: &str) -> String {
    let Event { account_id, region, time, name, source, user_agent, source_ip, .. } = event;
    let (user_agent, source_ip) = (user_agent.as_deref().unwrap_or_default(), source_ip.as_deref().unwrap_or_default());
    let (account_id, region) = (account_id.as_str(), region.as_str());
    let parts = [account_id, region, time, name, source, user_agent, source_ip, user_id, resource_type.as_str(), ids];
    let mut id = ID_PREFIX.to_owned();
    for byte in Fingerprint::of(&parts.map(str::as_bytes)).as_bytes() {
        write!(id, "{byte:02x}").expect("writing to a String can't fail");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creator::{OwnerRules, creation_of};
    use crate::model::event::StoredEvent;
    use crate::trail::samples::map;

    fn row() -> PredecessorRow {
        let some = |text: &str| Some(text.to_owned());
        PredecessorRow {
            account_id: some("123456789012"),
            region: some("eu-west-1"),
            event_date: some("2023-07-10T11:54:39Z"),
            event_name: some("CreateBucket"),
            event_source: some("s3.amazonaws.com"),
            user_agent: some("aws-cli/2.0"),
            client_ip: some("192.0.2.1"),
            user_id: some("arn:aws:iam::123456789012:user/ann"),
            rtype: some("s3"),
            resource_ids: some("photos"),
        }
    }

    fn event(row: PredecessorRow) -> ResourceEvent {
        let rules = [("s3.amazonaws.com", "CreateBucket", "s3", Action::Upsert, "requestParameters.bucketName")];
        match read(&map(&rules), row).unwrap() {
            ParsedRow::Event { event, .. } => event,
            other @ ParsedRow::WithoutIds { .. } => panic!("{other:?}"),
        }
    }

    #[test]
    fn common_date_formats_become_cloudtrails() {
        for text in [
            "2023-07-10T11:54:39Z",
            "2023-07-10 11:54:39",
            "2023-07-10T11:54:39",
            " 2023-07-10 11:54:39.000000 ",
            "2023-07-10 11:54:39.999",
            "2023-07-10 13:54:39+02:00",
            "2023-07-10T11:54:39.5+00:00",
            "2023-07-10 11:54:39.000 UTC",
            "2023-07-10 11:54:39+0000",
        ] {
            assert_eq!(time(text).as_deref(), Some("2023-07-10T11:54:39Z"), "{text}");
        }
        for text in
            ["", "2023-07-10", "yesterday", "1688990079", "2023-13-10T11:54:39Z", "11:54:39", "-000001-07-10T11:54:39Z"]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn missing_facts_stay_absent() {
        let event = event(row()).event;
        assert!(event.event_id.starts_with(ID_PREFIX) && event.shared_event_id.is_none());
        let identity = Identity { arn: Some("arn:aws:iam::123456789012:user/ann".into()), ..Identity::default() };
        assert_eq!(event.identity, identity);
        let bare = PredecessorRow {
            user_agent: None,
            client_ip: None,
            user_id: None,
            account_id: None,
            region: None,
            ..row()
        };
        let bare = self::event(bare).event;
        assert_eq!((bare.user_agent, bare.source_ip, bare.identity), (None, None, Identity::default()));
        assert_eq!((bare.account_id.as_str(), bare.region.as_str()), ("", ""));
    }

    #[test]
    fn owners_are_the_same_as_in_c7n_trailcreator() {
        for (user_id, owner) in [
            ("root", Some("root")),
            ("arn:aws:iam::1:user/team/ann", Some("ann")),
            ("arn:aws:sts::1:assumed-role/dev/bob@example.com", Some("bob@example.com")),
            ("arn:aws:sts::1:federated-user/fay", Some("fay")),
            ("sam", Some("sam")),
            ("corp/sam", Some("sam")),
            ("arn:aws:sts::1:assumed-role/AWSServiceRoleForRDS/x", None),
            ("AWS Internal", None),
            ("rds.amazonaws.com", None),
            ("", None),
        ] {
            let ResourceEvent { event, touched, .. } =
                event(PredecessorRow { user_id: Some(user_id.to_owned()), ..row() });
            let Touched { resource_type, resource_id, action, names, renamed_to } = touched[0].clone();
            let stored = [StoredEvent { resource_type, resource_id, action, names, renamed_to, event }];
            let found = OwnerRules::default().owner_of(&creation_of(&stored).unwrap().event);
            assert_eq!(found.ok().map(|owner| owner.value).as_deref(), owner, "{user_id}");
        }
    }

    #[test]
    fn equal_rows_are_one_event_for_all_date_formats() {
        let id = |row| event(row).event.event_id;
        let date = |text: &str| PredecessorRow { event_date: Some(text.to_owned()), ..row() };
        assert_eq!(id(row()), id(date("2023-07-10 11:54:39")));
        assert_ne!(id(row()), id(date("2023-07-10T11:54:40Z")));
        assert_ne!(id(row()), id(PredecessorRow { user_id: None, ..row() }));
        assert_ne!(id(row()), id(PredecessorRow { resource_ids: Some("other".to_owned()), ..row() }));
    }

    #[test]
    fn map_sets_the_action_and_unknown_events_create() {
        assert_eq!(event(row()).touched[0].action, Action::Upsert);
        let unknown = PredecessorRow { rtype: Some("aws.own-type".to_owned()), ..row() };
        let touched = event(unknown).touched.remove(0);
        assert_eq!((touched.resource_type.as_str(), touched.action), ("own-type", Action::Create));
    }

    #[test]
    fn rows_without_resources_differ_from_invalid_rows() {
        let read = |row| super::read(&map(&[]), row);
        for ids in [None, Some("".to_owned()), Some(" ".to_owned()), Some(HIDDEN.to_owned())] {
            let call = "s3.amazonaws.com:CreateBucket".to_owned();
            assert_eq!(read(PredecessorRow { resource_ids: ids, ..row() }), Ok(ParsedRow::WithoutIds { call }));
        }
        for (broken, reason) in [
            (PredecessorRow { event_date: Some("soon".to_owned()), ..row() }, "event_date \"soon\" is not a date"),
            (PredecessorRow { event_date: None, ..row() }, "no event_date"),
            (PredecessorRow { event_name: None, ..row() }, "no event_name"),
            (PredecessorRow { event_source: None, ..row() }, "no event_source"),
            (PredecessorRow { rtype: None, ..row() }, "no rtype"),
        ] {
            let error = read(broken).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
