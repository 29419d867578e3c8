//! AWS Config's calls.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Aggregator, ConfigError};
use crate::aws::{CallError, Caller, ErrorClass, Session};
use crate::model::Region;
use crate::resource_map::Service;
use crate::text::nearest;

/// Results of a page: AWS's maximum.
const PAGE_SIZE: u32 = 100;
/// Empty pages in a row that may have a token.
const MOST_EMPTY_PAGES: usize = 100;
/// Pages of aggregators that are read for advice: an account has few.
const MOST_AGGREGATOR_PAGES: usize = 20;
/// Aggregators that are named in advice.
const MOST_NAMED: usize = 10;

const NO_AGGREGATOR: &str = "NoSuchConfigurationAggregatorException";

/// AWS Config in a region.
#[derive(Debug)]
pub(super) struct Client {
    caller: Caller,
    service: Service,
    region: Region,
}

impl Client {
    pub(super) fn new(session: &Session, region: &Region) -> Self {
        let service = Service::json("config", "Config Service", "StarlingDoveService");
        Self { caller: session.caller(), service, region: region.clone() }
    }

    pub(super) async fn ask(&self, operation: &str, input: &Value) -> Result<Value, CallError> {
        Ok(self.caller.call(&self.service, &self.region, operation, input).await?.body)
    }

    /// All results of a query, page by page. With an aggregator, those of its accounts and regions.
    pub(super) async fn select(
        &self,
        query: &str,
        aggregator: Option<&str>,
        take: &mut dyn FnMut(&[Value]),
    ) -> Result<(), CallError> {
        let mut input = json!({"Expression": query, "Limit": PAGE_SIZE});
        let operation = match aggregator {
            Some(name) => {
                input["ConfigurationAggregatorName"] = json!(name);
                "SelectAggregateResourceConfig"
            }
            None => "SelectResourceConfig",
        };
        let bad = |message: String| CallError::bad_answer(&format!("config:{operation}"), &self.region, message);
        let (mut tokens, mut empty) = (HashSet::new(), 0);
        loop {
            let answer = self.ask(operation, &input).await?;
            let Some(results) = answer["Results"].as_array() else {
                return Err(bad("the response has no Results".to_owned()));
            };
            empty = if results.is_empty() { empty + 1 } else { 0 };
            take(results);
            match answer["NextToken"].as_str().filter(|token| !token.is_empty()) {
                None => return Ok(()),
                Some(_) if empty > MOST_EMPTY_PAGES => {
                    return Err(bad(format!("{MOST_EMPTY_PAGES} pages in a row are empty and have a page token")));
                }
                Some(token) if tokens.insert(token.to_owned()) => input["NextToken"] = json!(token),
                Some(token) => return Err(bad(format!("the page token {token:?} was returned twice"))),
            }
        }
    }

    /// The name of an aggregator that was given by its ARN: the calls take names only.
    pub(super) async fn name_of(&self, aggregator: &Aggregator) -> Result<String, ConfigError> {
        let Aggregator::Arn(arn) = aggregator else { return Ok(aggregator.text().to_owned()) };
        let known = self.aggregators().await?;
        let found = known.iter().find(|(_, known)| known == arn.as_str());
        found.map(|(name, _)| name.clone()).ok_or_else(|| self.unknown(aggregator, &known))
    }

    /// An error with advice: for an aggregator that does not exist, those that do.
    pub(super) async fn advised(&self, error: CallError, aggregator: &Aggregator) -> ConfigError {
        if error.code != NO_AGGREGATOR {
            return error.into();
        }
        match self.aggregators().await {
            Ok(known) => self.unknown(aggregator, &known),
            Err(_) => error.into(),
        }
    }

    fn unknown(&self, aggregator: &Aggregator, known: &[(String, String)]) -> ConfigError {
        let (region, text) = (&self.region, aggregator.text());
        let error =
            CallError::bare("config:DescribeConfigurationAggregators", region, ErrorClass::NotFound, NO_AGGREGATOR);
        let message = format!("there is no aggregator {text} in {region} in the account of the credentials");
        let names = || known.iter().map(|(name, _)| name.as_str());
        let elsewhere = "to use an aggregator in another region, give its ARN";
        let hint = match nearest(text, names()) {
            Some(name) => format!("did you mean {name}? {elsewhere}"),
            None if known.is_empty() => {
                format!("there is none in {region}: use the credentials of the account that has it; {elsewhere}")
            }
            None => format!("there are: {}; {elsewhere}", names().take(MOST_NAMED).collect::<Vec<_>>().join(", ")),
        };
        ConfigError { error: CallError { message, ..error }, hint: Some(hint) }
    }

    /// Names and ARNs of the region's aggregators.
    async fn aggregators(&self) -> Result<Vec<(String, String)>, CallError> {
        let mut input = json!({});
        let mut found = Vec::new();
        for _ in 0..MOST_AGGREGATOR_PAGES {
            let answer = self.ask("DescribeConfigurationAggregators", &input).await?;
            let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
            let listed = answer["ConfigurationAggregators"].as_array().into_iter().flatten();
            found.extend(
                listed.map(|one| (text(one, "ConfigurationAggregatorName"), text(one, "ConfigurationAggregatorArn"))),
            );
            match answer["NextToken"].as_str().filter(|token| !token.is_empty()) {
                Some(token) => input["NextToken"] = json!(token),
                None => break,
            }
        }
        Ok(found)
    }
}
