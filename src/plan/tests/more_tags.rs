//! Further tags beside the owner's.

use super::*;

fn outcomes(plan: &Plan) -> (Vec<String>, Vec<String>) {
    let actions = plan.actions.iter().map(|write| format!("{} {}={}", write.id, write.key, write.value));
    let left = plan.skipped.iter().map(|left| {
        let key = left.key.as_ref().map_or("owner", |key| key.as_str());
        format!("{} {key} {:?}", left.id, left.kind)
    });
    (actions.collect(), left.collect())
}

#[test]
fn further_tags_are_written_each_for_itself() {
    let service = |id: &str| {
        let mut event = stored("create", id, "x", "2026-01-01T00:00:00Z");
        event.event.identity = crate::model::event::Identity::default();
        event
    };
    let by_alice = |id: &str| stored("create", id, "alice", "2026-01-01T00:00:00Z");
    let live = vec![
        queue("bare"),
        queue("owned").with(Tags::Known(tags(&[("Owner", "bob")]))),
        queue("dated").with(Tags::Known(tags(&[("At", "then")]))),
        queue("no-owner"),
        queue("unrecorded"),
        queue("unread").with(Tags::Unknown("denied".to_owned())),
        queue("partial").with(Tags::Partial(tags(&[("Owner", "bob")]))),
    ];
    let events = ["bare", "owned", "dated", "unread", "partial"].map(by_alice).into_iter().chain([service("no-owner")]);
    let facts = facts("sqs", live, events.collect());
    let question = asking(false, &["At={event_time}", "By={creator}"]);
    assert_eq!(unproven(&question, &facts).len(), 2, "unread and partial");
    let plan = plan(&question, None, &[facts]);
    let (actions, left) = outcomes(&plan);
    assert_eq!(
        actions,
        [
            "bare Owner=alice",
            "bare At=2026-01-01T00:00:00Z",
            "bare By=alice",
            "dated Owner=alice",
            "dated By=alice",
            "no-owner At=2026-01-01T00:00:00Z",
            "owned At=2026-01-01T00:00:00Z",
            "owned By=alice",
        ]
    );
    assert_eq!(
        left,
        [
            "dated At HasTag",
            "no-owner owner NoOwner",
            "no-owner By NoValue",
            "owned owner HasTag",
            "partial owner HasTag",
            "partial At TagsUnknown",
            "partial By TagsUnknown",
            "unread owner TagsUnknown",
            "unrecorded owner NoRecord",
        ]
    );
    assert_eq!((plan.summary.tag, plan.summary.more_tags["At"], plan.summary.more_tags["By"]), (2, 3, 3));
    assert_eq!(plan.summary.skipped[&SkipKind::HasTag], 2, "the owner's only");
}

#[test]
fn further_tags_find_room_beside_the_owner_or_are_left() {
    let full: BTreeMap<String, String> = (0..MAX_USER_TAGS - 2).map(|n| (format!("t{n}"), String::new())).collect();
    let events = vec![stored("create", "q", "alice", "2026-01-01T00:00:00Z")];
    let facts = facts("sqs", vec![queue("q").with(Tags::Known(full))], events);
    let (actions, left) = outcomes(&plan(&asking(false, &["A={creator}", "B={creator}"]), None, &[facts]));
    assert_eq!(actions, ["q Owner=alice", "q A=alice"]);
    assert_eq!(left, ["q B TagLimit"]);
}

#[test]
fn further_tags_are_replaced_on_demand_only_and_where_they_differ() {
    let events = vec![stored("create", "q", "alice", "2026-01-01T00:00:00Z")];
    let present = tags(&[("Owner", "alice"), ("A", "bob"), ("B", "alice")]);
    let facts = facts("sqs", vec![queue("q").with(Tags::Known(present))], events);
    let plan = plan(&asking(true, &["A={creator}", "B={creator}"]), None, &[facts]);
    assert_eq!(
        outcomes(&plan),
        (vec!["q A=alice".to_owned()], vec!["q B SameValue".to_owned(), "q owner SameValue".to_owned()])
    );
    assert_eq!(plan.actions.get(0).old_value, Some("bob".into()));
}

#[test]
fn a_further_tag_is_a_key_and_a_template() {
    for (text, expected) in [
        ("At", "KEY=TEMPLATE is expected"),
        ("aws:x={creator}", "aws:"),
        ("At={event_tim}", "did you mean `event_time`?"),
        ("={creator}", "1 to 128 characters"),
    ] {
        let error = text.parse::<MoreTag>().unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    assert_eq!("a=b=c".parse::<MoreTag>().unwrap().key, "a".into());
}
