//! The accounts of an organization, from AWS Organizations, through the generic caller.
//!
//! Two ways: [`all_accounts`] makes a call for each 20 accounts and returns no organizational units; [`accounts_below`] walks the tree, two
//! calls for each unit, and asks for the accounts of chosen units only. Tags cost a call an account ([`read_tags`]), so callers leave out
//! accounts before. All of it reads.
//!
//! Needs the credentials of the management account or of a delegated administrator.
//!
//! Source: <https://docs.aws.amazon.com/organizations/latest/APIReference/Welcome.html>

use std::collections::{BTreeMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::member::Member;
use crate::aws::{CallError, Caller, Session};
use crate::model::{AccountId, Arn};
use crate::resource_map::{FixedEndpoint, Service};
use crate::text::nearest;

/// Accounts and units of a page: AWS's maximum. Its default varies with the call.
const PAGE_SIZE: u32 = 20;

/// Calls at a time. AWS allows few a second for an organization, and the retries wait them out.
///
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
const CONCURRENT_CALLS: usize = 4;

/// Why accounts can't be listed.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// No organizational unit has this path or id.
    #[error("there is no organizational unit {wanted}{}", suggestion(.nearest))]
    NoSuchUnit {
        /// The requested unit.
        wanted: String,
        /// The path most like it.
        nearest: Option<String>,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|path| format!("; did you mean {path}?")).unwrap_or_default()
}

/// A root or an organizational unit.
#[derive(Debug, Clone)]
struct Unit {
    id: String,
    /// `/` for the root, `/Core/Security` below it.
    path: String,
    /// Whether its accounts are wanted.
    is_chosen: bool,
}

/// All accounts, whatever their state, without the paths of their units and without tags: a call for each 20.
///
/// # Errors
/// A call fails, or an answer is not a list of accounts.
pub async fn all_accounts(session: &Session) -> Result<Vec<Member>, CallError> {
    let accounts = list(session, "ListAccounts", "Accounts", json!({"MaxResults": PAGE_SIZE})).await?;
    members(session, &accounts, None)
}

/// The accounts below these organizational units, each given by path (`/Core/Security`) or id (`ou-…`, `r-…`), once and
/// in the order of the tree; of all units where none is given. With paths, without tags.
///
/// # Errors
/// A call fails, an answer is not a list, or a unit doesn't exist.
pub async fn accounts_below(session: &Session, units: &[String]) -> Result<Vec<Member>, DirectoryError> {
    let wanted: Vec<String> = units.iter().map(|unit| normal_path(unit)).collect();
    let tree = tree(session, &wanted).await?;
    for wanted in &wanted {
        if !tree.iter().any(|unit| unit.is_called(wanted)) {
            let nearest = nearest(wanted, tree.iter().map(|unit| unit.path.as_str())).map(str::to_owned);
            return Err(DirectoryError::NoSuchUnit { wanted: wanted.clone(), nearest });
        }
    }
    let chosen = tree.iter().filter(|unit| unit.is_chosen).map(|unit| accounts_of(session, unit));
    let accounts: Vec<Vec<Member>> =
        stream::iter(chosen.collect::<Vec<_>>()).buffered(CONCURRENT_CALLS).try_collect().await?;
    Ok(accounts.into_iter().flatten().collect())
}

/// Reads the accounts' tags, a call each. What fails is returned; those accounts stay without. `progress` is called with how many accounts
/// are done.
pub async fn read_tags(
    session: &Session,
    accounts: &mut [Member],
    progress: &mut dyn FnMut(u64),
) -> Vec<(AccountId, CallError)> {
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id.clone()).collect();
    let reads: Vec<_> = ids.iter().map(|id| tags(session, id)).collect();
    let mut answers = stream::iter(reads).buffered(CONCURRENT_CALLS).zip(stream::iter(accounts));
    let mut failed = Vec::new();
    let mut done = 0;
    while let Some((answer, account)) = answers.next().await {
        match answer {
            Ok(tags) => account.tags = tags,
            Err(error) => failed.push((account.id.clone(), error)),
        }
        done += 1;
        progress(done);
    }
    failed
}

impl Unit {
    fn is_called(&self, wanted: &str) -> bool {
        self.id == wanted || self.path == wanted
    }

    /// Whether a wanted unit may be this one or below it: an id may be anywhere.
    fn may_hold(&self, wanted: &str) -> bool {
        let inside = wanted.strip_prefix(self.path.as_str());
        !wanted.starts_with('/')
            || self.path == "/"
            || inside.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Every spelling of a path that people use; an id stays as it is.
fn normal_path(unit: &str) -> String {
    let is_id = ["ou-", "r-"].iter().any(|start| unit.starts_with(start)) && !unit.contains('/');
    if is_id { unit.to_owned() } else { format!("/{}", unit.trim_matches('/')) }
}

/// The root and the units that are wanted, below a wanted one, or on the way to one; parents before children.
async fn tree(session: &Session, wanted: &[String]) -> Result<Vec<Unit>, CallError> {
    let roots = list(session, "ListRoots", "Roots", json!({})).await?;
    let mut level = Vec::new();
    for root in &roots {
        level.push(unit(session, "ListRoots", root, None, wanted)?);
    }
    let mut tree: Vec<Unit> = Vec::new();
    let mut seen: HashSet<String> = level.iter().map(|unit| unit.id.clone()).collect();
    while !level.is_empty() {
        let open = |unit: &&Unit| unit.is_chosen || wanted.iter().any(|wanted| unit.may_hold(wanted));
        let asked: Vec<_> = level.iter().filter(open).map(|unit| units_of(session, unit, wanted)).collect();
        let below: Vec<Vec<Unit>> = stream::iter(asked).buffered(CONCURRENT_CALLS).try_collect().await?;
        tree.append(&mut level);
        level = below.into_iter().flatten().filter(|unit| seen.insert(unit.id.clone())).collect();
    }
    Ok(tree)
}

async fn units_of(session: &Session, parent: &Unit, wanted: &[String]) -> Result<Vec<Unit>, CallError> {
    const OPERATION: &str = "ListOrganizationalUnitsForParent";
    let input = json!({"ParentId": parent.id, "MaxResults": PAGE_SIZE});
    let units = list(session, OPERATION, "OrganizationalUnits", input).await?;
    units.iter().map(|item| unit(session, OPERATION, item, Some(parent), wanted)).collect()
}

fn unit(
    session: &Session,
    operation: &str,
    item: &Value,
    parent: Option<&Unit>,
    wanted: &[String],
) -> Result<Unit, CallError> {
    let id = text(session, operation, item, "Id")?;
    let path = match parent {
        None => "/".to_owned(),
        Some(parent) => {
            format!("{}/{}", parent.path.trim_end_matches('/'), text(session, operation, item, "Name")?)
        }
    };
    let mut unit = Unit { id, path, is_chosen: false };
    unit.is_chosen = parent.is_some_and(|parent| parent.is_chosen)
        || wanted.is_empty()
        || wanted.iter().any(|wanted| unit.is_called(wanted));
    Ok(unit)
}

async fn accounts_of(session: &Session, unit: &Unit) -> Result<Vec<Member>, CallError> {
    let input = json!({"ParentId": unit.id, "MaxResults": PAGE_SIZE});
    members(session, &list(session, "ListAccountsForParent", "Accounts", input).await?, Some(&unit.path))
}

async fn tags(session: &Session, account: &AccountId) -> Result<BTreeMap<String, String>, CallError> {
    const OPERATION: &str = "ListTagsForResource";
    let tags = list(session, OPERATION, "Tags", json!({"ResourceId": account})).await?;
    tags.iter()
        .map(|tag| Ok((text(session, OPERATION, tag, "Key")?, text(session, OPERATION, tag, "Value")?)))
        .collect()
}

fn members(session: &Session, accounts: &[Value], path: Option<&str>) -> Result<Vec<Member>, CallError> {
    accounts.iter().map(|account| member(session, account, path)).collect()
}

/// Name and address of an account that is being made or closed may be absent.
fn member(session: &Session, account: &Value, path: Option<&str>) -> Result<Member, CallError> {
    const OPERATION: &str = "ListAccounts";
    let id = text(session, OPERATION, account, "Id")?;
    let optional = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
    let state = ["State", "Status"].iter().find_map(|name| account[*name].as_str());
    Ok(Member {
        id: AccountId::parse(&id).map_err(|error| unusable(session, OPERATION, error.to_string()))?,
        arn: Arn::from(text(session, OPERATION, account, "Arn")?),
        name: optional("Name"),
        email: optional("Email"),
        state: state.unwrap_or_default().to_owned(),
        path: path.map(str::to_owned),
        tags: BTreeMap::new(),
    })
}

/// Empty pages in a row that may have a token.
const MAX_EMPTY_PAGES: usize = 100;

/// The items of all pages. AWS may return short or empty pages that still have a token.
async fn list(session: &Session, operation: &str, items: &str, mut input: Value) -> Result<Vec<Value>, CallError> {
    let caller: Caller = session.caller();
    let service = organizations();
    let mut found = Vec::new();
    let mut tokens = HashSet::new();
    let mut stale = 0;
    loop {
        let mut answer = caller.call(&service, session.region(), operation, &input).await?.body;
        let Value::Array(page) = answer[items].take() else {
            return Err(unusable(session, operation, format!("the answer has no list {items}")));
        };
        stale = if page.is_empty() { stale + 1 } else { 0 };
        found.extend(page);
        match answer["NextToken"].as_str().filter(|token| !token.is_empty()) {
            None => return Ok(found),
            Some(_) if stale > MAX_EMPTY_PAGES => {
                return Err(unusable(
                    session,
                    operation,
                    "too many pages in a row are empty and have a token".to_owned(),
                ));
            }
            Some(token) if tokens.insert(token.to_owned()) => input["NextToken"] = json!(token),
            Some(_) => return Err(unusable(session, operation, "the same page token came twice".to_owned())),
        }
    }
}

fn text(session: &Session, operation: &str, item: &Value, field: &str) -> Result<String, CallError> {
    let text = item[field].as_str().map(str::to_owned);
    text.ok_or_else(|| unusable(session, operation, format!("an item of the answer has no {field}")))
}

fn unusable(session: &Session, operation: &str, message: String) -> CallError {
    CallError::bad_answer(&format!("organizations:{operation}"), session.region(), message)
}

/// Source: botocore's model of AWS Organizations, and its `endpoints.json`: one endpoint for each partition.
fn organizations() -> Service {
    let home = |(partition, region, domain): (&str, &str, &str)| {
        let url = format!("https://organizations.{region}.{domain}");
        (partition.to_owned(), FixedEndpoint { url, region: Some(region.to_owned()), discovery: None })
    };
    let homes = [
        ("aws", "us-east-1", "amazonaws.com"),
        ("aws-cn", "cn-northwest-1", "amazonaws.com.cn"),
        ("aws-us-gov", "us-gov-west-1", "amazonaws.com"),
        ("aws-iso", "us-iso-east-1", "c2s.ic.gov"),
        ("aws-iso-b", "us-isob-east-1", "sc2s.sgov.gov"),
        ("aws-iso-e", "eu-isoe-west-1", "cloud.adc-e.uk"),
        ("aws-iso-f", "us-isof-south-1", "csp.hci.ic.gov"),
    ];
    let service = Service::json("organizations", "Organizations", "AWSOrganizationsV20161128");
    Service { endpoints: homes.into_iter().map(home).collect(), ..service }
}
