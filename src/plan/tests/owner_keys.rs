//! Further keys that count as the owner tag, and types that ignore the case of keys.

use super::*;

fn with_owner_keys(keys: &[&str], overwrite: bool) -> Question {
    Question { owner_keys: keys.iter().map(|&key| key.into()).collect(), ..question(overwrite) }
}

/// The decision on a resource with these tags and no others.
fn fate_of(question: &Question, resource_type: &str, has: &[(&str, &str)]) -> Result<PlannedWrite, (SkipKind, String)> {
    let mut resource = queue("q").with(Tags::Known(tags(has)));
    resource.resource_type = resource_type.into();
    resource.item = json!({"Path": "/"}).into();
    let plan = plan(question, None, &[facts(resource_type, vec![resource], by_alice())]);
    let left = plan.skipped.iter().next().map(|left| (left.kind, left.reason));
    plan.actions.iter().next().ok_or_else(|| left.expect("one resource has one fate"))
}

#[test]
fn keys_are_compared_as_the_type_compares_them() {
    let has = [("owner", "payments")];
    let (kind, reason) = fate_of(&question(false), "iam-role", &has).unwrap_err();
    assert_eq!(
        (kind, reason.as_str()),
        (SkipKind::HasTag, "already has the tag: owner=payments, the same key as Owner on iam-role")
    );
    let write = fate_of(&question(true), "iam-role", &has).unwrap();
    assert_eq!((write.old_key, write.old_value), (Some("owner".into()), Some("payments".into())));
    assert_eq!(fate_of(&question(true), "iam-user", &[("OWNER", "alice")]).unwrap_err().0, SkipKind::SameValue);
    for with_case in ["sqs", "iam-policy", "iam-profile"] {
        let write = fate_of(&question(true), with_case, &has).unwrap();
        assert_eq!((write.old_key, write.old_value), (None, None), "{with_case}");
    }
}

#[test]
fn owner_keys_count_as_the_tag_and_an_overwrite_writes_beside_them() {
    let asked = with_owner_keys(&["Owner", "OwnerEmail"], false);
    let has = [("OwnerEmail", "a@example.com")];
    let (kind, reason) = fate_of(&asked, "sqs", &has).unwrap_err();
    assert_eq!(
        (kind, reason.as_str()),
        (SkipKind::HasTag, "already has the tag: OwnerEmail=a@example.com, an owner key beside Owner")
    );
    assert!(fate_of(&asked, "sqs", &[("owneremail", "a@example.com")]).is_ok());
    assert_eq!(fate_of(&asked, "iam-role", &[("owneremail", "a@example.com")]).unwrap_err().0, SkipKind::HasTag);
    let write = fate_of(&asked, "sqs", &[]).unwrap();
    assert_eq!(write.owner_keys, vec![TagKey::from("OwnerEmail")], "applying proves that none came");
    let write = fate_of(&with_owner_keys(&["OwnerEmail"], true), "sqs", &has).unwrap();
    assert_eq!((write.old_value, write.owner_keys), (None, vec![]));
}

#[test]
fn a_shown_owner_key_needs_no_read_and_the_absence_of_all_is_proven() {
    let asked = with_owner_keys(&["OwnerEmail"], false);
    let unread = |pairs: &[(&str, &str)]| {
        let facts = facts("sqs", vec![queue("q").with(Tags::Partial(tags(pairs)))], by_alice());
        (unproven(&asked, &facts), without_proof(&asked, &facts))
    };
    assert_eq!(unread(&[("OwnerEmail", "a@example.com")]), (vec![], vec![]));
    assert_eq!(unread(&[("team", "blue")]), (vec![0], vec![0]));
}
