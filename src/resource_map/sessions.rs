//! The calls that hand out credentials (`resource-maps/sessions.yml`): what a load with `--chains` reads beside the map.
//!
//! They are in the same index as the map's own events, so every loader looks for them. Sessions are not resources: their rules
//! have no resource type, and the store keeps them in tables of their own.

use super::compile::CompiledEvent;
use super::{EventIndex, ResourceMap, packed};

impl ResourceMap {
    /// The map, and the calls that hand out credentials.
    #[must_use]
    pub fn with_sessions(mut self) -> Self {
        let events = self.events.get_mut();
        for CompiledEvent { source, name, rule } in packed::sessions() {
            events.add(&source, &name, rule);
        }
        self
    }

    /// Whether it knows the calls that hand out credentials.
    pub fn has_sessions(&self) -> bool {
        self.events.has_sessions()
    }
}

/// The calls that hand out credentials, alone.
pub(super) fn index() -> EventIndex {
    EventIndex::of(packed::sessions())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_map::EventRule;
    use crate::trail::extract::{Extraction, read};
    use crate::trail::fields::Fields;
    use crate::trail::filter::RecordFilter;
    use crate::trail::samples::record;
    use serde_json::{Value, json};

    /// The session that a call with these fields made; `None` where it counts as a call that the map doesn't know.
    fn session(more: &Value) -> Option<String> {
        let map = ResourceMap::default().with_sessions();
        let record = record("sts.amazonaws.com", "AssumeRole", more).to_string();
        match read(&map, &RecordFilter::default(), &Fields::parse(&record).unwrap()) {
            Extraction::Touched(event) => {
                assert!(event.touched.is_empty());
                Some(event.sessions.join(" "))
            }
            other => {
                assert_eq!(other, Extraction::Unmatched);
                None
            }
        }
    }

    #[test]
    fn a_session_is_known_by_its_key_or_by_what_its_copies_share() {
        let answer = json!({"credentials": {"accessKeyId": "ASIA1", "expiration": "Jul 10, 2023, 12:17:54 PM"}});
        let with_both = json!({"responseElements": answer, "sharedEventID": "s-1"});
        assert_eq!(session(&with_both), Some("ASIA1".to_owned()));
        assert_eq!(session(&json!({"responseElements": null, "sharedEventID": "s-1"})), Some("s-1".to_owned()));
    }

    #[test]
    fn aws_s_own_calls_and_those_that_nothing_leads_to_are_not_kept_nor_missed() {
        let service = json!({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"});
        let answer = json!({"credentials": {"accessKeyId": "ASIA1"}});
        let of_aws = json!({"userIdentity": service, "responseElements": answer, "sharedEventID": "s-1"});
        assert_eq!(session(&of_aws), None);
        assert_eq!(session(&json!({})), None);
        let typeless = json!({"userIdentity": {"principalId": "AIDA1"}, "responseElements": answer});
        assert_eq!(session(&typeless), Some("ASIA1".to_owned()));
    }

    #[test]
    fn sessions_are_no_type_of_the_map() {
        let mut rules = ResourceMap::built_in_once().events.iter().flat_map(|(_, _, rules)| rules);
        assert!(!rules.any(EventRule::is_of_sessions) && !ResourceMap::built_in_once().has_sessions());
        let map = ResourceMap::built_in().with_sessions();
        assert!(map.has_sessions() && map.types.len() == ResourceMap::built_in_once().types.len());
        assert!(
            map.event_names().contains(&"AssumeRoleWithWebIdentity") && map.sources().contains(&"sts.amazonaws.com")
        );
    }
}
