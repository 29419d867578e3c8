//! The regions that are enabled for an account.
//!
//! Account Management's `ListRegions` says it for the account itself. Where that is not allowed, EC2's `DescribeRegions`
//! does: a permission that more people have.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{CallError, Caller, Session};
use crate::model::Region;
use crate::resource_map::{FixedEndpoint, Protocol, Service};

/// Most regions of a page of `ListRegions`.
const PAGE_REGIONS: u32 = 50;

/// An account's enabled regions, sorted; and the reason if they are EC2's.
///
/// # Errors
/// Neither service answers; the error is EC2's.
pub async fn enabled(session: &Session) -> Result<(Vec<Region>, Option<CallError>), CallError> {
    let caller = session.caller();
    let (mut regions, refusal) = match of_account(&caller, session.region()).await {
        Ok(regions) => (regions, None),
        Err(error) => (of_ec2(&caller, session.region()).await?, Some(error)),
    };
    regions.sort();
    Ok((regions, refusal))
}

/// Source: <https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html>
async fn of_account(caller: &Caller, region: &Region) -> Result<Vec<Region>, CallError> {
    const OPERATION: &str = "account:ListRegions";
    let mut request = json!({"RegionOptStatusContains": ["ENABLED", "ENABLED_BY_DEFAULT"], "MaxResults": PAGE_REGIONS});
    let mut regions = Vec::new();
    loop {
        let answer = caller.call(&account(), region, "POST /list-regions", &request).await;
        let answer = answer.map_err(|error| CallError { operation: OPERATION.to_owned(), ..error })?.body;
        regions.extend(names(OPERATION, region, &answer["Regions"], "RegionName")?);
        match answer["NextToken"].as_str().filter(|token| !token.is_empty()) {
            Some(token) if request["NextToken"] == token => {
                return Err(CallError::bad_answer(OPERATION, region, "the same page token came twice"));
            }
            Some(token) => request["NextToken"] = json!(token),
            None => return Ok(regions),
        }
    }
}

/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>. Without `AllRegions` it gives
/// those that are enabled.
async fn of_ec2(caller: &Caller, region: &Region) -> Result<Vec<Region>, CallError> {
    let answer = caller.call(&ec2(), region, "DescribeRegions", &json!({})).await?.body;
    names("ec2:DescribeRegions", region, &answer["regionInfo"], "regionName")
}

fn names(operation: &str, region: &Region, list: &Value, field: &str) -> Result<Vec<Region>, CallError> {
    let names: Option<Vec<Region>> = list
        .as_array()
        .filter(|list| !list.is_empty())
        .and_then(|list| list.iter().map(|entry| entry[field].as_str().map(Region::from)).collect());
    names.ok_or_else(|| CallError::bad_answer(operation, region, "the answer names no regions"))
}

/// Source: botocore's model of Account Management, and its `endpoints.json`.
fn account() -> Service {
    let home = |partition: &str, url: &str, region: &str| {
        (partition.to_owned(), FixedEndpoint { url: url.to_owned(), region: Some(region.to_owned()), discovery: None })
    };
    let endpoints = BTreeMap::from([
        home("aws", "https://account.us-east-1.amazonaws.com", "us-east-1"),
        home("aws-cn", "https://account.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
    ]);
    Service { endpoints, ..Service::named("account", "Account", Protocol::RestJson) }
}

/// Source: botocore's model of EC2.
fn ec2() -> Service {
    Service { version: Some("2016-11-15".to_owned()), ..Service::named("ec2", "EC2", Protocol::Ec2) }
}
