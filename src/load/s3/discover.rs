//! Finds the accounts and regions with logs in a bucket, by listing folders.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::bucket::Bucket;
use super::layout::{self, LOGS, Level, SERVICE, Trail, is_account, is_organization, last_folder};
use super::{Request, S3Error};
use crate::aws::CallError;
use crate::model::AccountId;

/// Concurrent listings of accounts.
const ACCOUNTS_AT_ONCE: usize = 16;

/// The number of objects checked to determine whether a folder has logs.
const SAMPLE: i32 = 100;

/// The number of folders checked for logs, to suggest a prefix.
const LOOKED_INTO: usize = 20;

/// Finds the folders to list for a request.
pub(super) async fn trails(bucket: &Bucket, request: &Request) -> Result<Vec<Trail>, S3Error> {
    let prefix = layout::normalized(&request.prefix);
    let finder = Finder { bucket, request };
    match layout::level(&prefix) {
        Level::Outside => finder.outside(&prefix).await,
        Level::Logs => {
            let accounts = finder.accounts_of_logs(&prefix).await?;
            finder.regions_of_all(&prefix, accounts).await
        }
        Level::Organization => {
            let accounts = finder.bucket.folders(&prefix).await?;
            finder.regions_of_all(&prefix, accounts).await
        }
        Level::Account => finder.regions_of_all(&prefix, vec![prefix.clone()]).await,
        Level::Service => Ok(finder.regions_of(prefix).await?),
        Level::Region => Ok(vec![Trail::of_region(&prefix)]),
    }
}

struct Finder<'a> {
    bucket: &'a Bucket,
    request: &'a Request,
}

impl Finder<'_> {
    /// For a prefix outside of the layout: a trail's own prefix, or a folder of logs.
    async fn outside(&self, prefix: &str) -> Result<Vec<Trail>, S3Error> {
        let logs = format!("{prefix}{LOGS}");
        let accounts = self.accounts_of_logs(&logs).await?;
        if !accounts.is_empty() {
            return self.regions_of_all(&logs, accounts).await;
        }
        // Logs outside of the organization's folder are another trail's.
        if !prefix.is_empty() && self.request.organization.is_none() {
            let sample = self.bucket.first_keys(prefix, SAMPLE).await?;
            if sample.iter().any(|key| layout::is_file(key)) {
                return Ok(vec![Trail::flat(prefix)]);
            }
        }
        let elsewhere = self.elsewhere().await?;
        Err(S3Error::NoLogs { place: self.bucket.address(prefix), accounts: String::new(), elsewhere })
    }

    /// Lists the accounts directly below `AWSLogs/`, and those of its organizations, without filtering.
    async fn accounts_of_logs(&self, logs: &str) -> Result<Vec<String>, CallError> {
        if let Some(organization) = &self.request.organization {
            return self.bucket.folders(&format!("{logs}{organization}/")).await;
        }
        let folders = self.bucket.folders(logs).await?;
        let (organizations, others): (Vec<_>, Vec<_>) =
            folders.into_iter().partition(|folder| is_organization(last_folder(folder)));
        let mut accounts: Vec<String> = others.into_iter().filter(|folder| is_account(last_folder(folder))).collect();
        for organization in organizations {
            accounts.extend(self.bucket.folders(&organization).await?);
        }
        Ok(accounts)
    }

    /// Lists the regions of the requested accounts.
    async fn regions_of_all(&self, place: &str, mut accounts: Vec<String>) -> Result<Vec<Trail>, S3Error> {
        let wanted = &self.request.accounts;
        let is_wanted = |account: &str| is_account(account) && (wanted.is_empty() || wanted.contains(account));
        accounts.retain(|folder| is_wanted(last_folder(folder)));
        if accounts.is_empty() {
            let wanted: Vec<&str> = wanted.iter().map(AccountId::as_str).collect();
            let accounts = if wanted.is_empty() { String::new() } else { format!(" of {}", wanted.join(", ")) };
            return Err(S3Error::NoLogs { place: self.bucket.address(place), accounts, elsewhere: Vec::new() });
        }
        let regions = accounts.into_iter().map(|account| self.regions_of(format!("{account}{SERVICE}")));
        // In the order of accounts, so that runs are deterministic.
        let regions: Vec<Vec<Trail>> = stream::iter(regions).buffered(ACCOUNTS_AT_ONCE).try_collect().await?;
        Ok(regions.into_iter().flatten().collect())
    }

    async fn regions_of(&self, service: String) -> Result<Vec<Trail>, CallError> {
        let wanted = &self.request.regions;
        if !wanted.is_empty() {
            return Ok(wanted.iter().map(|region| Trail::of_region(&format!("{service}{region}/"))).collect());
        }
        let folders = self.bucket.folders(&service).await?;
        Ok(folders.iter().map(|folder| Trail::of_region(folder)).collect())
    }

    /// The prefixes in the bucket with logs of a trail.
    async fn elsewhere(&self) -> Result<Vec<String>, CallError> {
        let folders = self.bucket.folders("").await?;
        let candidates: BTreeSet<String> = folders.into_iter().take(LOOKED_INTO).collect();
        let mut found = Vec::new();
        for folder in candidates {
            if !self.bucket.first_keys(&format!("{folder}{LOGS}"), 1).await?.is_empty() {
                found.push(folder);
            }
        }
        Ok(found)
    }
}
