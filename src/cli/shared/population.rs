//! `--population`: AWS Config as the source of the live resources, and what is reported of the sources.

use std::collections::BTreeMap;
use std::io;
use std::str::FromStr;
use std::sync::Arc;

use clap::Args;

use super::private_file;
use super::{CommandError, Context, tagging};
use crate::aws::Session;
use crate::inventory::config::{Aggregator, AggregatorError, ConfigSource, InvalidAggregator, Wanted};
use crate::model::{AccountId, Region, ResourceType};
use crate::org::{Account, RegionChoice};
use crate::plan::{PopulationFailure, PopulationSource, TypeSource};
use crate::report::live::Report;
use crate::resource_map::ResourceMap;
use crate::store::Store;
use crate::tag::chosen::{TypeChoice, types_in_accounts};

/// Maximum number of types named in a message.
const MOST_TYPES_NAMED: usize = 10;

/// Where live resources are listed.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct PopulationArgs {
    /// Source of the live resources: `service` (each service's list calls), `config` (AWS Config in each account and
    /// region), or config:AGGREGATOR (one query for all accounts to an AWS Config aggregator, given by name or ARN).
    /// Resources that AWS Config lacks are listed with the services' list calls [default: service]
    #[arg(long, value_name = "SOURCE", env = "TRAILCREATOR_POPULATION", value_parser = str::parse::<Population>)]
    pub(in crate::cli) population: Option<Population>,
}

/// A source of live resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Population {
    /// The services.
    Service,
    /// AWS Config.
    Config(Option<Aggregator>),
}

/// A text that names no source.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(in crate::cli) enum InvalidPopulation {
    /// It is another word.
    #[error("service, config or config:AGGREGATOR is expected")]
    Source,
    /// Its aggregator can't be one.
    #[error(transparent)]
    Aggregator(#[from] InvalidAggregator),
}

impl FromStr for Population {
    type Err = InvalidPopulation;

    fn from_str(text: &str) -> Result<Self, InvalidPopulation> {
        match text.split_once(':') {
            None if text == "service" => Ok(Self::Service),
            None if text == "config" => Ok(Self::Config(None)),
            Some(("config", aggregator)) => Ok(Self::Config(Some(aggregator.parse()?))),
            _ => Err(InvalidPopulation::Source),
        }
    }
}

impl PopulationArgs {
    /// AWS Config, if it is requested. An aggregator is queried here, once. `is_strict`: a failed query later ends the work too.
    ///
    /// # Errors
    /// The aggregator does not exist, or can't be asked.
    pub(in crate::cli) async fn config(
        &self,
        context: &Context,
        session: &Session,
        wanted: Wanted<'_>,
        is_strict: bool,
    ) -> Result<Option<Arc<ConfigSource>>, CommandError> {
        let source = match &self.population {
            None | Some(Population::Service) => return Ok(None),
            Some(Population::Config(None)) => ConfigSource::of_account_regions(),
            Some(Population::Config(Some(aggregator))) => {
                let unkept = |error: &io::Error| CommandError::while_doing("keeping the aggregator's answer", error);
                let file = private_file::unnamed(&context.global.db).map_err(|error| unkept(&error))?;
                let _progress = context.console.progress("querying AWS Config", None);
                let asked = ConfigSource::of_aggregator(session, aggregator, wanted, file).await;
                asked.map_err(|error| match error {
                    AggregatorError::Config(error) => {
                        let failure = PopulationFailure { error: error.to_string(), hint: error.hint };
                        failed(&failure)
                    }
                    AggregatorError::File(error) => unkept(&error),
                })?
            }
        };
        Ok(Some(Arc::new(if is_strict { source.strict() } else { source })))
    }
}

impl PopulationArgs {
    /// As [`PopulationArgs::config`], for the accounts of an organization and the types of a choice in them.
    ///
    /// # Errors
    /// The aggregator does not exist, or can't be asked; the database can't be read.
    pub(in crate::cli) async fn of_accounts(
        &self,
        context: &Context,
        session: &Session,
        (store, map): (&Store, &ResourceMap),
        accounts: &[Account],
        (regions, choice): (&[RegionChoice], TypeChoice<'_>),
    ) -> Result<Option<Arc<ConfigSource>>, CommandError> {
        if self.population.is_none() {
            return Ok(None);
        }
        let accounts: Vec<AccountId> = accounts.iter().map(|account| account.id.clone()).collect();
        let types = types_in_accounts(store, map, &accounts, choice).map_err(|error| context.store_error(&error))?;
        // Without regions for all accounts, each may have its own.
        let one = |choice: &RegionChoice| match choice {
            RegionChoice::One(region) => Some(region.clone()),
            RegionChoice::All => None,
        };
        let regions: Vec<Region> = regions.iter().map(one).collect::<Option<_>>().unwrap_or_default();
        let wanted = Wanted { types: &types, accounts: &accounts, regions: &regions };
        self.config(context, session, wanted, false).await
    }
}

/// The error of a command that was to ask AWS Config, and nothing else.
pub(in crate::cli) fn failed(PopulationFailure { error, hint }: &PopulationFailure) -> CommandError {
    let mut command_error = CommandError::failed(format_args!("querying AWS Config: {error}"));
    command_error.hints.extend(hint.clone());
    command_error
}

/// Ends a report that uses AWS Config and nothing else.
///
/// # Errors
/// It could not be queried.
pub(in crate::cli) fn check(report: &Report, config: Option<&ConfigSource>) -> Result<(), CommandError> {
    let is_strict = config.is_some_and(ConfigSource::is_strict);
    let failure = report.population_failures.first().filter(|_| is_strict);
    failure.map_or(Ok(()), |of| Err(failed(&of.what)))
}

/// Warns that AWS Config could not be queried in an account-region.
pub(in crate::cli) fn warn_of_failure(
    context: &Context,
    place: &str,
    PopulationFailure { error, hint }: &PopulationFailure,
) {
    context.console.warning_with_hints(
        format_args!("{place}: AWS Config could not be queried, so the services listed all types: {error}"),
        hint,
    );
}

/// How many types are from AWS Config, and which are not and why. Nothing if only the services were requested.
pub(in crate::cli) fn show_sources<'s>(
    context: &Context,
    sources: impl Iterator<Item = (&'s ResourceType, &'s TypeSource)>,
) {
    let (mut of_config, mut is_asked) = (0_u64, false);
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (resource_type, source) in sources {
        is_asked = true;
        match (source.from, &source.reason) {
            (PopulationSource::Config, _) => of_config += 1,
            (PopulationSource::Service, reason) => {
                by_reason.entry(reason.as_deref().unwrap_or_default()).or_default().push(resource_type.as_str());
            }
        }
    }
    if !is_asked {
        return;
    }
    let types = if of_config == 1 { "type" } else { "types" };
    context.console.message(format_args!("population: {of_config} {types} from AWS Config"));
    for (reason, mut names) in by_reason {
        names.sort_unstable();
        names.dedup();
        let more = names.len().saturating_sub(MOST_TYPES_NAMED);
        let named = names[..names.len() - more].join(", ");
        let more = if more == 0 { String::new() } else { format!(" and {} more types", tagging::count(more)) };
        context.console.message(format_args!("population: {named}{more} listed by the service: {reason}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_words_with_an_aggregator() {
        let parse = |text: &str| text.parse::<Population>();
        assert_eq!(parse("service").unwrap(), Population::Service);
        assert_eq!(parse("config").unwrap(), Population::Config(None));
        assert_eq!(parse("config:org").unwrap(), Population::Config(Some(Aggregator::Name("org".to_owned()))));
        let arn = "arn:aws:config:eu-west-1:111111111111:config-aggregator/config-aggregator-ab12";
        assert_eq!(parse(&format!("config:{arn}")).unwrap(), Population::Config(Some(Aggregator::Arn(arn.into()))));
        for text in ["", "Config", "rgta", "config:", "config:a b", "service:x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
