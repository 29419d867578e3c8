//! The facts of `userIdentity`, read without the other values in it.
//!
//! [`identity`] is the reference: it reads any value. [`UserIdentity`] has the same result for JSON that it accepts.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use smol_str::SmolStr;

use crate::model::event::Identity;
use crate::trail::text::Text;

/// The facts of a `userIdentity`. Deserializing fails if something in it is not JSON or a text can't be read; [`crate::trail::mend`] may help.
#[derive(Debug)]
pub(super) struct UserIdentity(pub(super) Identity);

impl<'de> Deserialize<'de> for UserIdentity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut facts = Identity::default();
        read(deserializer, &mut facts)?;
        Ok(Self(facts))
    }
}

fn read<'de, D: Deserializer<'de>>(deserializer: D, facts: &mut Identity) -> Result<(), D::Error> {
    let mut issuer = [
        ("type", Place::Text(&mut facts.issuer_type)),
        ("arn", Place::Text(&mut facts.issuer_arn)),
        ("userName", Place::Text(&mut facts.issuer_user_name)),
    ];
    let mut federation = [("federatedProvider", Place::Text(&mut facts.federated_provider))];
    let mut session = [
        ("sessionIssuer", Place::Object(&mut issuer)),
        ("sourceIdentity", Place::Text(&mut facts.source_identity)),
        ("webIdFederationData", Place::Object(&mut federation)),
    ];
    let mut person = [
        ("userId", Place::Text(&mut facts.on_behalf_of_user_id)),
        ("identityStoreArn", Place::Text(&mut facts.on_behalf_of_store_arn)),
    ];
    let mut user = [
        ("type", Place::Text(&mut facts.kind)),
        ("principalId", Place::Text(&mut facts.principal_id)),
        ("arn", Place::Text(&mut facts.arn)),
        ("accountId", Place::Text(&mut facts.account_id)),
        ("accessKeyId", Place::Text(&mut facts.access_key_id)),
        ("userName", Place::Text(&mut facts.user_name)),
        ("sessionContext", Place::Object(&mut session)),
        ("onBehalfOf", Place::Object(&mut person)),
        ("invokedBy", Place::Text(&mut facts.invoked_by)),
    ];
    Reader(&mut Place::Object(&mut user)).deserialize(deserializer)
}

/// Where the value of a member goes.
enum Place<'p> {
    /// A text that is not empty. Other values are none.
    Text(&'p mut Option<SmolStr>),
    /// Its members. Other values have none.
    Object(&'p mut [(&'static str, Place<'p>)]),
}

impl Place<'_> {
    /// Of two equal keys, the last counts.
    fn clear(&mut self) {
        match self {
            Self::Text(text) => **text = None,
            Self::Object(members) => members.iter_mut().for_each(|(_, place)| place.clear()),
        }
    }
}

struct Reader<'r, 'p>(&'r mut Place<'p>);

impl<'de> DeserializeSeed<'de> for Reader<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.clear();
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if let Place::Text(place) = self.0 {
            **place = (!text.is_empty()).then(|| text.into());
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut none = [];
        let members = match self.0 {
            Place::Object(members) => &mut **members,
            Place::Text(_) => &mut none,
        };
        while let Some(Text(key)) = map.next_key()? {
            match members.iter_mut().find(|(name, _)| *name == key) {
                Some((_, place)) => map.next_value_seed(Reader(place))?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

/// The facts in a `userIdentity` of any kind.
pub(crate) fn identity(user: &Value) -> Identity {
    let text = |path: &str| {
        let found = path.split('.').try_fold(user, |value, key| value.get(key))?;
        found.as_str().filter(|text| !text.is_empty()).map(SmolStr::from)
    };
    Identity {
        kind: text("type"),
        arn: text("arn"),
        user_name: text("userName"),
        principal_id: text("principalId"),
        account_id: text("accountId"),
        access_key_id: text("accessKeyId"),
        issuer_type: text("sessionContext.sessionIssuer.type"),
        issuer_arn: text("sessionContext.sessionIssuer.arn"),
        issuer_user_name: text("sessionContext.sessionIssuer.userName"),
        source_identity: text("sessionContext.sourceIdentity"),
        federated_provider: text("sessionContext.webIdFederationData.federatedProvider"),
        on_behalf_of_user_id: text("onBehalfOf.userId"),
        on_behalf_of_store_arn: text("onBehalfOf.identityStoreArn"),
        invoked_by: text("invokedBy"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> serde_json::Result<Identity> {
        serde_json::from_str(json).map(|UserIdentity(identity)| identity)
    }

    fn assert_same(json: &str) {
        let Ok(value) = serde_json::from_str::<Value>(json) else { return };
        assert_eq!(read(json).unwrap(), identity(&value), "{json}");
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_with_all_that_is_in_it() {
        for json in [
            r#"{"type":"A","type":"B"}"#,
            r#"{"type":"A","type":1}"#,
            r#"{"type":"A","\u0074ype":""}"#,
            r#"{"sessionContext":{"sourceIdentity":"a","sessionIssuer":{"arn":"b"}},"sessionContext":{"sessionIssuer":{"type":"c"}}}"#,
            r#"{"onBehalfOf":{"userId":"u"},"onBehalfOf":null}"#,
            r#"{"onBehalfOf":{"userId":"u"},"onBehalfOf":["v"]}"#,
        ] {
            assert_same(json);
        }
    }

    #[test]
    fn values_of_other_kinds_are_none() {
        for json in
            ["null", "1", "[]", "\"AssumedRole\"", r#"["AssumedRole","id"]"#, r#"{"type":{"type":"x"},"arn":["y"]}"#]
        {
            assert_same(json);
        }
        assert!(read("{").is_err() && read("{} x").is_err() && read(r#"{"arn":"\ud83d"}"#).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_value_is_read_as_the_reference_reads_it(json in any_identity()) {
            assert_same(&json);
        }
    }

    /// JSON of the names that are read, in any place.
    fn any_identity() -> impl Strategy<Value = String> {
        let scalar = prop::sample::select(vec!["null", "true", "-1", "1.5", "\"\"", "\"x\"", "\"\\u0041\"", "[]"]);
        let leaf = scalar.prop_map(str::to_owned);
        leaf.prop_recursive(4, 40, 6, |inner| {
            let names = [
                "type",
                "arn",
                "userName",
                "sessionContext",
                "sessionIssuer",
                "sourceIdentity",
                "onBehalfOf",
                "userId",
                "x",
            ];
            let member = (prop::sample::select(names.to_vec()), inner.clone());
            prop_oneof![
                prop::collection::vec(member, 0..6).prop_map(|members| {
                    let members: Vec<String> =
                        members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
                prop::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            ]
        })
    }
}
