//! `load-s3`: the log objects of a trail's bucket.

use std::collections::BTreeMap;

use super::loading::{Feed, LoadArgs, Loading};
use super::{AwsAccessArgs, CommandError, Context, Outcome};
use crate::aws::{AwsOptions, CallError, ErrorClass, Session};
use crate::load::s3::{self, Request, S3Error};
use crate::names::Region;

/// Where the bucket's own region is asked for when the environment names no region.
const ANY_REGION: &str = "us-east-1";

/// Load CloudTrail's log files from its S3 bucket
///
/// Accounts and regions are found by listing, of an organization's trail too; only the days of the window are listed.
/// What was loaded before is not read again. Loading can be stopped at any moment; the same command goes on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The trail's bucket
    #[arg(long)]
    bucket: String,
    /// What stands before AWSLogs/ in the bucket
    #[arg(long, default_value = "", hide_default_value = true)]
    prefix: String,
    /// Only this organization (o-…); default: whatever is found
    #[arg(long, value_name = "ID")]
    org_id: Option<String>,
    /// How objects are read
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

/// How objects are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// Get each object and scan it here
    #[default]
    Get,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let filter = args.load.filter()?;
    let request = Request {
        bucket: args.bucket,
        prefix: args.prefix,
        organization: args.org_id,
        accounts: filter.accounts.clone(),
        regions: filter.regions.clone(),
        window: filter.window,
    };
    let session = session(args.aws).await?;
    let loading = Loading::new(context, &args.load, filter)?;
    let source = async |feed: Feed| match args.engine {
        Engine::Get => s3::find(&request, &session, &feed.versions, &feed.ledger, &feed.queue)
            .await
            .map_err(|error| source_error(context, &request.bucket, &error)),
    };
    loading.run(source, || requests(&session)).await
}

/// A session that finds the bucket wherever it is.
pub(super) async fn session(args: AwsAccessArgs) -> Result<Session, CommandError> {
    let options = AwsOptions { default_region: Some(Region::from(ANY_REGION)), ..args.into() };
    Session::open(&options).await.map_err(|error| call_error("opening an AWS session", &error))
}

/// The requests made, by operation as permissions are spelled: `s3:GetObject`.
pub(super) fn requests(session: &Session) -> BTreeMap<String, u64> {
    let spelled = |name: String| match name.split_once(':') {
        Some((service, operation)) => format!("{}:{operation}", service.to_lowercase()),
        None => name,
    };
    session.counts().by_operation().into_iter().map(|(name, count)| (spelled(name), count)).collect()
}

pub(super) fn source_error(context: &Context, bucket: &str, error: &S3Error) -> CommandError {
    match error {
        S3Error::Call(error) if error.class == ErrorClass::NotFound => {
            call_error(format_args!("bucket {bucket}"), error).hint("check the bucket's name (--bucket)")
        }
        S3Error::Call(error) => call_error(format_args!("bucket {bucket}"), error),
        S3Error::NoLogs { accounts, .. } if !accounts.is_empty() => CommandError::failed(error)
            .hint("check the accounts (--account), or leave them out to load all that are there"),
        S3Error::NoLogs { elsewhere, .. } if elsewhere.is_empty() => CommandError::failed(error)
            .hint("give what stands before AWSLogs/ with --prefix; the trail's settings name bucket and prefix"),
        S3Error::NoLogs { elsewhere, .. } => {
            CommandError::failed(error).hint(format!("there are below: --prefix {}", elsewhere.join(", --prefix ")))
        }
        S3Error::Store(error) => context.store_error(error),
    }
}

fn call_error(doing: impl std::fmt::Display, error: &CallError) -> CommandError {
    let mut command_error = CommandError::while_doing(doing, error);
    command_error.hints.extend(error.hint());
    command_error
}
