//! The owners in `tests/fixtures/identities.json`: identities as CloudTrail records them, each with the expected owner by
//! default and with every option. `after` names the record or page that an identity is based on.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::trail::identity::identity;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    after: String,
    /// The account that received the event.
    account: String,
    identity: Value,
    /// By option; null is none.
    owners: BTreeMap<String, Option<String>>,
    /// The reason for the default owner, or for having none.
    reason: String,
}

const MAP: &str = r#"
rules:
  - invoked_by: rds.*
    owner: dba
  - type: AWSAccount
    skip: a stranger
  - role: /ci-(?<team>[a-z]+)/
    owner: "{team}@example.com"
  - provider: "*:oidc-provider/oidc.eks.*"
    owner: "eks:{role}"
  - user: bert-*
    owner: bert@example.com
"#;

fn options() -> Vec<(&'static str, OwnerRules)> {
    let value = |value| OwnerRules { value, ..OwnerRules::default() };
    let machines = |machine_sessions| OwnerRules { machine_sessions, ..OwnerRules::default() };
    let map = IdentityMap::parse("map.yml", MAP).unwrap_or_else(|error| panic!("{error}"));
    vec![
        ("default", OwnerRules::default()),
        ("machine-sessions keep", machines(MachineSessions::Keep)),
        ("machine-sessions skip", machines(MachineSessions::Skip)),
        ("creator-value arn", value(CreatorValue::Arn)),
        ("creator-value principal-id", value(CreatorValue::PrincipalId)),
        ("creator-value role", value(CreatorValue::Role)),
        ("creator-value email", value(CreatorValue::Email)),
        (
            "user-suffix @example.com",
            OwnerRules { user_suffix: Some("@example.com".to_owned()), ..OwnerRules::default() },
        ),
        ("identity-map", OwnerRules { identity_map: Some(Arc::new(map)), ..OwnerRules::default() }),
    ]
}

fn event(row: &Row) -> Event {
    Event { account_id: row.account.as_str().into(), identity: identity(&row.identity), ..Event::default() }
}

#[test]
fn every_identity_has_its_owner_with_every_option() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../../tests/fixtures/identities.json")).unwrap();
    assert!(rows.len() >= 60, "{}", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let of = |rules: &OwnerRules| rules.owner_of(&event(row)).ok().map(|owner| owner.value);
        let found: BTreeMap<String, _> =
            options().iter().map(|(option, rules)| ((*option).to_owned(), of(rules))).collect();
        let reason = match OwnerRules::default().owner_of(&event(row)) {
            Ok(owner) => owner.reason,
            Err(no_owner) => no_owner.to_string(),
        };
        if (&found, &reason) != (&row.owners, &row.reason) {
            wrong.push(format!("{} (after {}): {found:#?} {reason}", row.name, row.after));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
