//! c7n-org's accounts file: the accounts of an organization and how each is reached.
//!
//! What c7n-org accepts is accepted, and more: an account id that is not quoted (YAML would make a number of it, with
//! its leading zeros lost), roles by their bare names also within a chain, JSON. What is written here c7n-org reads. Keys that neither
//! knows are allowed, as there.
//!
//! Source: c7n-org's documentation, <https://cloudcustodian.io/docs/tools/c7n-org.html>, and the JSON schema that its command
//! line checks the file by.

mod stanza;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use crate::model::{AccountId, Arn, InvalidRegion, Region, did_you_mean};
use crate::resource_map::FileError;
use crate::text::source::Source;
use stanza::{AccountStanza, File, RolesStanza};

/// The word for all enabled regions of an account.
pub const ALL_REGIONS: &str = "all";

/// An accounts file, or a list of accounts from AWS Organizations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AccountsFile {
    /// The accounts, in the file's order, each id once.
    pub accounts: Vec<Account>,
}

/// An account, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its id.
    #[serde(rename = "account_id")]
    pub id: AccountId,
    /// Its name in output and filters; the id where the file has none.
    pub name: String,
    /// Its name in AWS Organizations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its organization's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    /// Its root user's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its ARN in AWS Organizations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Its state in AWS Organizations: `ACTIVE`, `SUSPENDED`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Roles to assume one after the other, ARNs or bare names of the account's own roles.
    #[serde(rename = "role", skip_serializing_if = "Vec::is_empty", serialize_with = "one_or_list")]
    pub roles: Vec<String>,
    /// The external id for its roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The name of its roles' sessions; ours where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// A profile of AWS's shared configuration, to begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The regions to look at; empty: by the command line, else by the database.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<RegionChoice>,
    /// Its labels, usually `key:value`: `-t` selects accounts by them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Values for c7n-org's policies, which are nothing to us.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub vars: Map<String, Value>,
}

/// A region, or all of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum RegionChoice {
    /// One region.
    One(Region),
    /// All that the account has enabled; written `all`.
    #[serde(serialize_with = "all_regions")]
    All,
}

/// Neither a region's name nor `all`.
#[derive(Debug, thiserror::Error)]
#[error("{:?} is not a region code such as eu-west-1, or all for the enabled ones{}", .0.value, did_you_mean(.0.nearest))]
pub struct InvalidChoice(InvalidRegion);

impl std::str::FromStr for RegionChoice {
    type Err = InvalidChoice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == ALL_REGIONS {
            return Ok(Self::All);
        }
        text.parse().map(Self::One).map_err(InvalidChoice)
    }
}

impl Account {
    /// An account with nothing but an id: reached with the base credentials.
    pub fn new(id: AccountId) -> Self {
        let name = id.to_string();
        let (display_name, org_id, email, arn, status) = (None, None, None, None, None);
        let (external_id, session_name, profile) = (None, None, None);
        let (roles, regions, tags, vars) = (Vec::new(), Vec::new(), Vec::new(), Map::new());
        Self {
            id,
            name,
            display_name,
            org_id,
            email,
            arn,
            status,
            roles,
            external_id,
            session_name,
            profile,
            regions,
            tags,
            vars,
        }
    }

    /// The ARNs of its roles in `partition`: a bare name is a role of this account.
    pub fn role_arns(&self, partition: &str) -> Vec<String> {
        self.roles.iter().map(|role| self.role_arn(role, partition)).collect()
    }

    fn role_arn(&self, role: &str, partition: &str) -> String {
        if Arn::is_arn(role) {
            return role.to_owned();
        }
        format!("arn:{partition}:iam::{}:role/{}", self.id, role.trim_start_matches('/'))
    }
}

impl AccountsFile {
    /// Reads the text of a file; `name` is the file's, for messages.
    ///
    /// # Errors
    /// What can't be understood, with its line and column.
    pub fn parse(name: &str, text: &str) -> Result<Self, FileError> {
        let source = Source { name, text };
        let file: File = source.parse()?;
        for (key, origin) in [
            (&file.subscriptions, "subscriptions are Azure's"),
            (&file.projects, "projects are Google Cloud's"),
            (&file.tenancies, "tenancies are Oracle Cloud's"),
        ] {
            if let Some(key) = key {
                let message = format!("{origin}; trailcreator supports AWS only: give it a file with `accounts`");
                return Err(source.error(key.referenced, message));
            }
        }
        let Some(stanzas) = file.accounts else {
            return Err(source.error(Location::UNKNOWN, "the key `accounts` is missing: a list of accounts"));
        };
        let mut accounts = Vec::with_capacity(stanzas.len());
        let mut lines: HashMap<String, u64> = HashMap::new();
        for stanza in stanzas {
            let line = stanza.referenced.line();
            let account = account(&source, &stanza)?;
            if let Some(first) = lines.insert(account.id.to_string(), line) {
                let message = format!("account {} is listed twice, first at line {first}", account.id);
                return Err(source.error(stanza.referenced, message));
            }
            accounts.push(account);
        }
        Ok(Self { accounts })
    }

    /// The file's text, for c7n-org and for [`AccountsFile::parse`].
    pub fn to_yaml(&self) -> String {
        // Its defaults quote what YAML 1.1, which c7n-org reads, would take for a number or a boolean.
        serde_saphyr::to_string(self).expect("texts and lists of texts are YAML")
    }
}

fn account(source: &Source<'_>, stanza: &Spanned<AccountStanza>) -> Result<Account, FileError> {
    let at = stanza.referenced;
    let stanza = &stanza.value;
    let Some(id) = &stanza.account_id else {
        return Err(source.error(at, "the key `account_id` is missing here"));
    };
    let id = AccountId::parse(id.value.trim()).map_err(|error| {
        source.error(stanza.account_id.as_ref().map_or(at, |id| id.referenced), format!("{error}; quote it"))
    })?;
    let mut regions = Vec::new();
    for region in stanza.regions.iter().flatten() {
        regions.push(
            region.value.parse().map_err(|error: InvalidChoice| source.error(region.referenced, format!("{error}")))?,
        );
    }
    let roles = match stanza.role.as_ref().map(|role| (&role.value, role.referenced)) {
        None => Vec::new(),
        Some((RolesStanza(roles), at)) => {
            if roles.is_empty() || roles.iter().any(|role| role.trim().is_empty()) {
                return Err(source.error(at, "`role` is empty: give a role's ARN or name, or a list of them"));
            }
            roles.clone()
        }
    };
    Ok(Account {
        name: stanza.name.clone().unwrap_or_else(|| id.to_string()),
        display_name: stanza.display_name.clone(),
        org_id: stanza.org_id.clone(),
        email: stanza.email.clone(),
        arn: stanza.arn.clone(),
        status: stanza.status.clone(),
        roles,
        external_id: stanza.external_id.clone(),
        session_name: stanza.session_name.clone(),
        profile: stanza.profile.clone(),
        regions,
        tags: stanza.tags.clone().unwrap_or_default(),
        vars: vars(stanza.vars.as_ref()),
        id,
    })
}

fn vars(vars: Option<&BTreeMap<String, Value>>) -> Map<String, Value> {
    vars.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// One role as a text, as people write it; a chain as a list.
fn one_or_list<S: serde::Serializer>(roles: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match roles {
        [role] => serializer.serialize_str(role),
        roles => roles.serialize(serializer),
    }
}

fn all_regions<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(ALL_REGIONS)
}
