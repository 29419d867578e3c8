//! The accounts file as it is written: shapes, unchecked beyond keys and kinds.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::text::source::Text;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) accounts: Option<Vec<Spanned<AccountStanza>>>,
    pub(super) subscriptions: Option<Spanned<IgnoredAny>>,
    pub(super) projects: Option<Spanned<IgnoredAny>>,
    pub(super) tenancies: Option<Spanned<IgnoredAny>>,
    /// For c7n-org's policies.
    #[serde(rename = "vars")]
    _vars: Option<IgnoredAny>,
}

/// An account. Other keys are allowed, as c7n-org allows them.
#[derive(Debug, Deserialize)]
pub(super) struct AccountStanza {
    pub(super) account_id: Option<Text>,
    pub(super) name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) org_id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) arn: Option<String>,
    pub(super) status: Option<String>,
    pub(super) role: Option<Spanned<RolesStanza>>,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) regions: Option<Vec<Text>>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) vars: Option<BTreeMap<String, Value>>,
}

/// A role, or a chain of them.
#[derive(Debug)]
pub(super) struct RolesStanza(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for RolesStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RolesVisitor;

        impl<'de> Visitor<'de> for RolesVisitor {
            type Value = RolesStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a role's ARN or name, or a list of them")
            }

            fn visit_str<E>(self, role: &str) -> Result<RolesStanza, E> {
                Ok(RolesStanza(vec![role.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RolesStanza, A::Error> {
                let mut roles = Vec::new();
                while let Some(role) = list.next_element()? {
                    roles.push(role);
                }
                Ok(RolesStanza(roles))
            }
        }

        deserializer.deserialize_any(RolesVisitor)
    }
}
