//! AWS Config as the source of the population: one query for the resources of all types, in place of each service's list call.
//!
//! ```text
//! aggregator ─► held (a file) ─┐
//!                              ├─► snapshot of an account-region ─► population of a type, or why its service lists it
//! recorder, query ─────────────┘
//! ```
//!
//! AWS Config lags, does not record every type, and does not have the answers of list calls. So a type is read from it only where that
//! gives the same resources: the recorder records it, there are items of it, and each item leads to the resource's ID, names and
//! ARN. All other types are listed by their services. Absent tags are never proven by it where something is written.

mod client;
mod held;
mod query;
mod recorder;
mod row;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::Population;
use super::scope::Scope;
use crate::aws::{CallError, Session};
use crate::model::{AccountId, AccountRegion, Arn, ArnParts, Region};
use crate::resource_map::{ResourceMap, TypeDefinition};
use client::Client;
use held::Held;
use query::{names_of, queries};
use recorder::{Recorded, recorded};
use row::{Row, is_readable};

pub use row::TagTrust;

/// An aggregator of AWS Config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregator {
    /// By its name, in the region of the session.
    Name(String),
    /// By its ARN, in any region.
    Arn(Arn),
}

/// A text that is not an aggregator's name or ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", match self {
    Self::Name => "an aggregator's name has only letters, digits, _ and -",
    Self::Arn => "the ARN is not of an aggregator: arn:aws:config:REGION:ACCOUNT:config-aggregator/ID",
})]
pub enum InvalidAggregator {
    /// It has other characters, or is empty.
    Name,
    /// It is the ARN of something else.
    Arn,
}

impl FromStr for Aggregator {
    type Err = InvalidAggregator;

    fn from_str(text: &str) -> Result<Self, InvalidAggregator> {
        if Arn::is_arn(text) {
            let is_it = ArnParts::parse(text).is_some_and(|arn| {
                arn.service == "config" && !arn.region.is_empty() && arn.kind() == "config-aggregator"
            });
            return if is_it { Ok(Self::Arn(Arn::new(text))) } else { Err(InvalidAggregator::Arn) };
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if text.is_empty() || !text.bytes().all(is_name) {
            return Err(InvalidAggregator::Name);
        }
        Ok(Self::Name(text.to_owned()))
    }
}

impl Aggregator {
    /// As it was given.
    pub fn text(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => arn.as_str(),
        }
    }

    fn region(&self, session: &Session) -> Region {
        let own = match self {
            Self::Arn(arn) => arn.parts().map(|arn| Region::from(arn.region)),
            Self::Name(_) => None,
        };
        own.unwrap_or_else(|| session.region().clone())
    }
}

/// Why AWS Config could not be queried.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub struct ConfigError {
    /// The error.
    pub error: CallError,
    /// What to do about it, where the error itself does not lead to it.
    pub hint: Option<String>,
}

impl From<CallError> for ConfigError {
    fn from(error: CallError) -> Self {
        Self { hint: error.hint(), error }
    }
}

/// Why an aggregator's answer could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum AggregatorError {
    /// AWS Config could not be queried.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file could not be written.
    #[error("keeping the aggregator's answer: {0}")]
    File(#[from] io::Error),
}

/// Why a type is listed by its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInConfig {
    /// The map does not have CloudFormation's name of the type.
    #[error("AWS Config has no such type")]
    NoName,
    /// The recorder does not record it.
    #[error("AWS Config does not record it here")]
    NotRecorded,
    /// It may have no resources. Its service knows.
    #[error("AWS Config has no items of it")]
    NoItems,
    /// The items of a global type are in several regions, where nothing says that all of them are recorded.
    #[error("AWS Config records it region by region")]
    Regional,
    /// An item does not lead to the resource of the list call.
    #[error("AWS Config's items do not identify its resources")]
    Unmatched,
    /// The database has events that AWS Config has not caught up with.
    #[error("the database has newer events than AWS Config")]
    Behind,
    /// Only the list call has the tags that prove that the tag is absent.
    #[error("its list call proves which tags are absent")]
    Proof,
    /// What its resources belong to is in the answer of the list call only.
    #[error("its list call has the parents of its resources")]
    Parents,
    /// AWS Config could not be queried at all.
    #[error("AWS Config could not be queried")]
    Unreachable,
}

/// AWS Config: each account-region's own, or an aggregator's answer for all of them.
#[derive(Debug)]
pub struct ConfigSource {
    aggregate: Option<Mutex<Held>>,
    is_strict: bool,
}

/// What AWS Config has of an account-region.
#[derive(Debug)]
pub struct Snapshot {
    recorded: Recorded,
    is_aggregated: bool,
    by_type: HashMap<String, Vec<Row>>,
}

/// What an aggregator is queried for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// The types.
    pub types: &'w [&'w TypeDefinition],
    /// The accounts. Empty: all.
    pub accounts: &'w [AccountId],
    /// The regions. Empty: all.
    pub regions: &'w [Region],
}

impl ConfigSource {
    /// Each account-region's own.
    pub fn of_account_regions() -> Self {
        Self { aggregate: None, is_strict: false }
    }

    /// An aggregator, queried once for all. The answer is kept in `file`.
    ///
    /// # Errors
    /// There is no such aggregator; a call fails; the file can't be written.
    pub async fn of_aggregator(
        session: &Session,
        aggregator: &Aggregator,
        wanted: Wanted<'_>,
        file: File,
    ) -> Result<Self, AggregatorError> {
        let client = Client::new(session, &aggregator.region(session));
        let name = client.name_of(aggregator).await?;
        let types: BTreeSet<&str> = wanted.types.iter().copied().flat_map(names_of).collect();
        let accounts: HashSet<&str> = wanted.accounts.iter().map(AccountId::as_str).collect();
        let mut held = Held::new(file);
        let mut failed = None;
        for query in queries(&types, wanted.accounts, wanted.regions) {
            let mut keep = |results: &[Value]| {
                let rows = results.iter().filter_map(Row::of);
                let rows: Vec<Row> =
                    rows.filter(|row| accounts.is_empty() || accounts.contains(row.account.as_str())).collect();
                failed = failed.take().or_else(|| held.add(&rows).err());
            };
            if let Err(error) = client.select(&query, Some(&name), &mut keep).await {
                return Err(client.advised(error, aggregator).await.into());
            }
            if let Some(error) = failed {
                return Err(error.into());
            }
        }
        Ok(Self { aggregate: Some(Mutex::new(held)), is_strict: false })
    }

    /// The same, where a failure to ask ends the work: nothing else was asked for.
    #[must_use]
    pub fn strict(self) -> Self {
        Self { is_strict: true, ..self }
    }

    /// Whether a failure to ask ends the work. Else the services list all types.
    pub fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// What AWS Config has of these types in an account-region. An aggregator's answer is read again, not asked for again.
    ///
    /// # Errors
    /// The account-region has no recorder, or it is stopped; a call fails; the aggregator's answer can't be read.
    pub async fn snapshot(
        &self,
        session: &Session,
        place: &AccountRegion,
        types: &[&TypeDefinition],
    ) -> Result<Snapshot, ConfigError> {
        let client = Client::new(session, &place.region);
        let recorded = recorded(&client, place).await?;
        let rows = match &self.aggregate {
            Some(held) => {
                let rows = held.lock().unwrap_or_else(PoisonError::into_inner).of_place(place);
                let unread = |error: io::Error| {
                    CallError::bad_answer("config:SelectAggregateResourceConfig", &place.region, error.to_string())
                };
                rows.map_err(unread)?
            }
            None => {
                let names = types.iter().copied().flat_map(names_of).filter(|name| recorded.has(name)).collect();
                let mut rows: Vec<Row> = Vec::new();
                for query in queries(&names, &[], &[]) {
                    let mut keep = |results: &[Value]| rows.extend(results.iter().filter_map(Row::of));
                    client.select(&query, None, &mut keep).await?;
                }
                rows
            }
        };
        let mut by_type: HashMap<String, Vec<Row>> = HashMap::new();
        for row in rows.into_iter().filter(|row| !row.is_deleted()) {
            by_type.entry(row.resource_type.clone()).or_default().push(row);
        }
        Ok(Snapshot { recorded, is_aggregated: self.aggregate.is_some(), by_type })
    }
}

impl Snapshot {
    /// The population of a type.
    ///
    /// # Errors
    /// Its service must list it, and why.
    pub fn population(
        &self,
        session: &Session,
        map: &ResourceMap,
        definition: &TypeDefinition,
        place: &AccountRegion,
        trust: TagTrust,
    ) -> Result<Population, NotInConfig> {
        let names = names_of(definition);
        if names.is_empty() {
            return Err(NotInConfig::NoName);
        }
        let scope = Scope::new(session, definition, place).map_err(|_| NotInConfig::Unmatched)?;
        let naming = map.naming().of_type(&definition.resource_type).ok_or(NotInConfig::Unmatched)?;
        if !is_readable(scope.access) {
            return Err(if definition.global { NotInConfig::Regional } else { NotInConfig::Unmatched });
        }
        // A type with several names is whole if each of them is.
        let is_recorded = names.iter().all(|name| self.recorded.has(name));
        let rows: Vec<&Row> = names.iter().filter_map(|name| self.by_type.get(*name)).flatten().collect();
        // Items of IAM can be from the recorder of another region, which an aggregator has too.
        let is_elsewhere = self.is_aggregated && rows.iter().all(|row| row.is_global());
        if !is_recorded && (rows.is_empty() || !is_elsewhere) {
            return Err(NotInConfig::NotRecorded);
        }
        if rows.is_empty() {
            return Err(NotInConfig::NoItems);
        }
        let mut population = Population::default();
        let mut seen = HashSet::new();
        for row in rows {
            if row.is_not_recorded() {
                return Err(NotInConfig::NotRecorded);
            }
            if row.is_global() != definition.global {
                return Err(NotInConfig::Regional);
            }
            // Several regions can record the same role.
            if let Some(live) = row.live(&scope, naming, trust)?
                && seen.insert((live.id.clone(), live.arn.clone()))
            {
                population.resources.push(&live);
            }
        }
        Ok(population)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregators_are_names_or_arns() {
        let arn = "arn:aws:config:eu-west-1:111111111111:config-aggregator/config-aggregator-ab12";
        assert_eq!("org-wide_1".parse(), Ok(Aggregator::Name("org-wide_1".to_owned())));
        assert_eq!(arn.parse(), Ok(Aggregator::Arn(arn.into())));
        for (text, error) in [
            ("", InvalidAggregator::Name),
            ("a b", InvalidAggregator::Name),
            ("arn:aws:config:eu-west-1:1:config-rule/x", InvalidAggregator::Arn),
            ("arn:aws:iam::1:role/x", InvalidAggregator::Arn),
        ] {
            assert_eq!(text.parse::<Aggregator>(), Err(error), "{text}");
        }
    }
}
