use smol_str::SmolStr;

use super::*;
use crate::creator::creation_of;
use crate::plan::test_data::{live, stored};

fn matches(live_resources: &[LiveResource], id: &str) -> Option<usize> {
    let mut join = Join::new(live_resources);
    join.add(stored("create", id, "alice", "2024-01-01T00:00:00Z"));
    join.finish().events.iter().position(|events| !events.is_empty())
}

#[test]
fn ids_names_and_arns_match_in_both_directions() {
    let role = live("deploy", "arn:aws:iam::1:role/ci/deploy").named("AROA1");
    for id in ["deploy", "AROA1", "arn:aws:iam::1:role/ci/deploy"] {
        assert_eq!(matches(std::slice::from_ref(&role), id), Some(0), "{id}");
    }
    let by_arn = live("arn:aws:sns:eu-west-1:1:alarms", "arn:aws:sns:eu-west-1:1:alarms");
    assert_eq!(matches(&[by_arn], "alarms"), Some(0));
    let function = live("resize", "arn:aws:lambda:eu-west-1:1:function:resize:*");
    assert_eq!(matches(&[function], "arn:aws:lambda:eu-west-1:1:function:resize"), Some(0));
    let queue = live("https://sqs.eu-west-1.amazonaws.com/1/jobs", "arn:aws:sqs:eu-west-1:1:jobs");
    assert_eq!(matches(&[queue], "https://queue.amazonaws.com/1/jobs"), Some(0));
}

#[test]
fn what_was_made_together_has_the_event_of_all_unless_it_has_its_own() {
    let made_with = |id: &str, whole: &str| {
        let mut snapshot = live(id, &format!("arn:aws:ec2:eu-west-1::snapshot/{id}"));
        snapshot.made_with = vec![whole.to_owned()];
        snapshot
    };
    let resources = [
        made_with("snap-1", "ami-1"),
        made_with("snap-2", "ami-1"),
        made_with("snap-3", "ami-1"),
        made_with("snap-4", "ami-2"),
    ];
    let mut join = Join::new(&resources);
    join.add(stored("create", "ami-1", "alice", "2024-01-02T00:00:00Z"));
    join.add(stored("create", "snap-3", "bob", "2024-01-01T00:00:00Z"));
    let events = join.finish().events;
    let ids = |position: usize| events[position].iter().map(|event| event.resource_id.as_str()).collect::<Vec<_>>();
    assert_eq!([ids(0), ids(1), ids(2), ids(3)], [vec!["ami-1"], vec!["ami-1"], vec!["snap-3"], vec![]]);
}

#[test]
fn what_was_renamed_has_the_events_of_its_earlier_names() {
    let arn = |name: &str| format!("arn:aws:sqs:eu-west-1:1:{name}");
    let mut rename = stored("delete", &arn("old"), "carol", "2024-01-03T00:00:00Z");
    rename.renamed_to = Some("new".into());
    let events = [
        stored("create", "new", "bob", "2024-01-01T00:00:00Z"),
        stored("create", "old", "alice", "2024-01-02T00:00:00Z"),
        stored("create", "unrelated", "bob", "2024-01-02T00:00:00Z"),
        rename.clone(),
        stored("create", "https://sqs.eu-west-1.amazonaws.com/1/old", "dora", "2024-01-04T00:00:00Z"),
    ];
    let makers = |resources: &[LiveResource]| -> Vec<Option<SmolStr>> {
        let mut join = Join::new(resources).with_renames(std::slice::from_ref(&rename));
        events.iter().for_each(|event| join.add(event.clone()));
        let joined = join.finish();
        assert_eq!(joined.records, 4);
        let maker = |events: &Vec<StoredEvent>| creation_of(events)?.event.identity.user_name.clone();
        joined.events.iter().map(maker).collect()
    };
    let (new, old) = (live(&arn("new"), &arn("new")), live("https://sqs.eu-west-1.amazonaws.com/1/old", &arn("old")));
    let [alice, dora] = ["alice", "dora"].map(|name| Some(name.into()));
    assert_eq!(makers(&[new.clone(), old.clone()]), [alice.clone(), dora.clone()]);
    assert_eq!(makers(&[new]), [alice], "what bears the old name now need not live");
    assert_eq!(makers(&[old]), [dora]);
}

#[test]
fn another_resource_with_the_same_end_does_not_match() {
    let function = live("f", "arn:aws:lambda:eu-west-1:1:function:f");
    assert_eq!(matches(&[function], "arn:aws:lambda:eu-west-1:2:function:f"), None);
    let service = live("web", "arn:aws:ecs:eu-west-1:1:service/blue/web");
    assert_eq!(matches(&[service], "arn:aws:ecs:eu-west-1:1:service/green/web"), None);
    let queue = live("https://sqs.eu-west-1.amazonaws.com/1/jobs", "arn:aws:sqs:eu-west-1:1:jobs");
    assert_eq!(matches(&[queue], "https://sqs.eu-west-1.amazonaws.com/2/jobs"), None);
    assert_eq!(matches(&[live("i-1", "arn:aws:ec2:r:1:instance/i-1")], "i-11"), None);
}

#[test]
fn a_name_that_several_answer_to_belongs_to_none_but_an_id_wins() {
    let twins =
        [live("sg-1", "arn:aws:ec2:r:1:x/sg-1").named("web"), live("sg-2", "arn:aws:ec2:r:1:x/sg-2").named("web")];
    assert_eq!(matches(&twins, "web"), None);
    assert_eq!(matches(&twins, "sg-2"), Some(1));
    let named_like_the_id = [live("a", "arn:aws:x:r:1:t/1"), live("b", "arn:aws:x:r:1:t/2").named("a")];
    assert_eq!(matches(&named_like_the_id, "a"), Some(0));
}

#[test]
fn only_events_that_are_kept_are_wanted() {
    let mut together = live("snap-1", "arn:aws:ec2:r::snapshot/snap-1");
    together.made_with = vec!["ami-1".to_owned()];
    let resources = [live("jobs", "arn:aws:sqs:r:1:jobs"), together];
    let mut rename = stored("delete", "arn:aws:sqs:r:1:old", "carol", "2024-01-03T00:00:00Z");
    rename.renamed_to = Some("jobs".into());
    let mut join = Join::new(&resources).with_renames(std::slice::from_ref(&rename));
    for (id, is_wanted) in [("jobs", true), ("ami-1", true), ("old", true), ("other", false), ("ami-2", false)] {
        let event = stored("create", id, "alice", "2024-01-01T00:00:00Z");
        assert_eq!(join.wants(&event.event_names()).is_some(), is_wanted, "{id}");
    }
    let mut by_arn = stored("delete", "other", "alice", "2024-01-01T00:00:00Z");
    by_arn.names = vec!["jobs".to_owned(), "arn:aws:sqs:r:1:jobs".to_owned()];
    assert_eq!(join.wants(&by_arn.event_names()), Some(Wanted(Some(0))));
    assert_eq!(join.finish().records, 5);
}

#[test]
fn thousands_of_resources_are_found_and_others_are_not() {
    let resources: Vec<LiveResource> =
        (0..3000).map(|number| live(&format!("i-{number}"), &format!("arn:aws:ec2:r:1:instance/i-{number}"))).collect();
    let index = Index::new(resources.iter());
    assert!((0..3000).all(|number| index.find(&format!("i-{number}")) == Some(number)));
    assert!((3000..9000).all(|number| index.find(&format!("i-{number}")).is_none()));
}

#[test]
fn records_count_creations_only_and_events_are_in_the_order_of_time() {
    let mut join = Join::new(&[live("q", "arn:aws:sqs:r:1:q")]);
    join.add(stored("delete", "q", "bob", "2024-01-02T00:00:00Z"));
    join.add(stored("upsert", "q", "alice", "2024-01-01T00:00:00Z"));
    join.add(stored("create", "gone", "alice", "2024-01-01T00:00:00Z"));
    for id in ["https://sqs.r.amazonaws.com/1/both", "both", "another"] {
        let mut row = stored("create", id, "alice", "2024-01-03T00:00:00Z");
        row.event.event_id = "one event".into();
        join.add(row);
    }
    let joined = join.finish();
    assert_eq!(joined.records, 4, "q, gone, both, another");
    let times: Vec<&str> = joined.events[0].iter().map(|event| event.event.time.as_str()).collect();
    assert_eq!(times, ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"]);
}
