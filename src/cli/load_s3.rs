//! `load-s3`: the log objects of a trail's bucket.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::bucket::BucketPlace;
use super::load_summary::S3;
use super::loading::{Feed, LoadArgs, Loading};
use super::{AwsAccessArgs, CommandError, Context, Outcome, nothing};
use crate::aws::{AwsOptions, CallError, ErrorClass, Session};
use crate::load::s3::{self, Reading, Request, S3Error, SelectFigures};
use crate::names::Region;

/// Where the bucket's own region is asked for when the environment names no region.
const ANY_REGION: &str = "us-east-1";

/// Load CloudTrail's log files from its S3 bucket
///
/// Accounts and regions are found by listing, of an organization's trail too; only the days of the window are listed.
/// What was loaded before is not read again, and days that were read whole are not listed again. Loading can be stopped at any moment; the same command goes on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The trail's bucket: its name, s3://BUCKET/PREFIX or its ARN
    #[arg(long, value_parser = str::parse::<BucketPlace>)]
    bucket: BucketPlace,
    /// What stands before AWSLogs/ in the bucket
    #[arg(long, default_value = "", hide_default_value = true)]
    prefix: String,
    /// Only this organization (o-…); default: whatever is found
    #[arg(long, value_name = "ID")]
    org_id: Option<String>,
    /// How objects are read
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Look again at days that were read whole and are over for more than two days
    #[arg(long)]
    relist: bool,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

/// How objects are read.
///
/// `get` is the default, for in the bucket's region it is always cheaper: nobody should pay for S3 Select without having
/// asked for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// S3 Select where the account has it and its answer for an object proves right, else get
    Auto,
    /// Get each object and scan it here
    #[default]
    Get,
    /// Let S3 filter the records (S3 Select)
    Select,
}

impl From<Engine> for s3::Engine {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Auto => Self::Auto,
            Engine::Get => Self::Get,
            Engine::Select => Self::Select,
        }
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let filter = args.load.filter()?;
    let request = Request {
        bucket: args.bucket.name.clone(),
        prefix: prefix(&args)?,
        organization: args.org_id,
        accounts: filter.accounts.clone(),
        regions: filter.regions.clone(),
        window: filter.window,
        today: Offset::UTC.to_datetime(Timestamp::now()).date(),
        relist: args.relist,
    };
    let session = session(args.aws).await?;
    let known = nothing::known_bucket(context, &request.bucket)?;
    let loading = Loading::new(context, &args.load, filter.clone())?;
    let figures = Arc::new(SelectFigures::default());
    let map = loading.resource_map();
    let source = async |feed: Feed| {
        let tell = |text: &str| context.console.message(text);
        let reading =
            Reading { engine: args.engine.into(), map: Arc::clone(&map), figures: Arc::clone(&figures), tell: &tell };
        s3::find(&request, &session, &feed.versions, &feed.ledger, &feed.queue, reading)
            .await
            .map_err(|error| source_error(context, &request.bucket, &error))
    };
    let costs = || {
        let requests = requests(&session);
        let dollars = s3::estimated_dollars(&requests, &figures);
        (requests, Some(S3::new(&figures, dollars)))
    };
    let loaded = loading.run(source, costs).await;
    if let (count @ 1.., Some(first)) = figures.unsuitable() {
        context.console.message(format_args!("{count} objects were read by GET instead; the first: {first}"));
    }
    let (outcome, loaded) = loaded?;
    if outcome == Outcome::Done && loaded.done() == 0 {
        // The load is done: what the bucket holds is only for the message.
        if let Ok(there) = s3::look(&request, &session).await {
            nothing::warn_of_bucket(context, &request, &filter, known.as_ref(), &there);
        }
    }
    nothing::warn_of_filter(context, &loaded, &filter);
    Ok(outcome)
}

/// The prefix of its own option, or the one that was written with the bucket.
fn prefix(args: &Args) -> Result<String, CommandError> {
    match (args.bucket.prefix.as_str(), args.prefix.as_str()) {
        (with_bucket, "") => Ok(with_bucket.to_owned()),
        ("", prefix) => Ok(prefix.to_owned()),
        (with_bucket, prefix) if with_bucket.trim_end_matches('/') == prefix.trim_end_matches('/') => {
            Ok(prefix.to_owned())
        }
        (with_bucket, prefix) => Err(CommandError::usage(format_args!(
            "--bucket has the prefix {with_bucket}, but --prefix is {prefix}: give one of them"
        ))),
    }
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
        S3Error::NoSelect(_) => CommandError::failed(error).hint("use --engine auto or --engine get"),
        S3Error::Store(error) => context.store_error(error),
    }
}

fn call_error(doing: impl std::fmt::Display, error: &CallError) -> CommandError {
    let mut command_error = CommandError::while_doing(doing, error);
    command_error.hints.extend(error.hint());
    command_error
}
