//! `load-s3`: the log files in a trail's S3 bucket.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::bucket::BucketPlace;
use super::load_summary::S3;
use super::loading::{Feed, LoadArgs, Loading};
use super::{AwsAccessArgs, CommandError, Context, Outcome, nothing};
use crate::aws::{AwsOptions, CallError, ErrorClass, Session};
use crate::console::counted;
use crate::load::s3::{self, ReadOptions, Request, S3Error, SelectFigures};
use crate::model::Region;

/// The region to look up the bucket's region in, if no region is configured.
const ANY_REGION: &str = "us-east-1";

const EXAMPLES: &str = "\
Examples:
  Load the last 90 days of a trail:
    trailcreator load-s3 --bucket my-trail-bucket --since 90d
  Load two accounts of an organization trail that has a prefix:
    trailcreator load-s3 --bucket org-trail --prefix logs --account 111122223333 --account 444455556666
  Load one year, with the sessions that --resolve-chains follows:
    trailcreator load-s3 --bucket my-trail-bucket --year 2026 --chains";

/// Load CloudTrail log files from an S3 bucket
///
/// Lists the bucket to find the accounts and regions of the trail, which can be an organization trail. Lists only the
/// days in the time range. Log files that are already loaded are not read again, and days that are complete are not
/// listed again. You can stop a load at any time; run the same command again to resume it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Bucket of the trail: its name, s3://BUCKET/PREFIX, its ARN or an access point's ARN
    #[arg(long, value_parser = str::parse::<BucketPlace>)]
    bucket: BucketPlace,
    /// Prefix of the trail: the part of the keys before AWSLogs/
    #[arg(long, default_value = "", hide_default_value = true)]
    prefix: String,
    /// Load only this organization (o-…) [default: all that the bucket holds]
    #[arg(long, value_name = "ID")]
    org_id: Option<String>,
    /// How to read objects
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Also list days that are already complete, and read their log files again
    #[arg(long)]
    relist: bool,
    /// Accept the request charges of a Requester Pays bucket
    #[arg(long)]
    request_payer: bool,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

/// How to read objects.
///
/// The default is `get`: in the bucket's region it is always cheaper, and S3 Select must not cause costs that the user did
/// not ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// Use S3 Select if it is available and its result for the first object is correct; otherwise `get`
    Auto,
    /// Download each object and scan it locally
    #[default]
    Get,
    /// Let S3 filter the records (S3 Select); fails if it is not available
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
    if args.request_payer && args.engine == Engine::Select {
        return Err(CommandError::usage("S3 Select can't read Requester Pays buckets of other accounts")
            .hint("with --request-payer use --engine get, or --engine auto"));
    }
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
        request_payer: args.request_payer,
    };
    let session = session(args.aws).await?;
    let known = nothing::known_bucket(context, &request.bucket)?;
    let loading = Loading::new(context, &args.load, filter.clone())?;
    let figures = Arc::new(SelectFigures::default());
    let map = loading.resource_map();
    let source = async |feed: Feed| {
        let notify = |text: &str| context.console.message(text);
        let reading = ReadOptions {
            engine: args.engine.into(),
            map: Arc::clone(&map),
            figures: Arc::clone(&figures),
            notify: &notify,
        };
        s3::find(&request, &session, &feed.versions, &feed.ledger, &feed.queue, reading)
            .await
            .map_err(|error| source_error(context, &request, &error))
    };
    let costs = || {
        let requests = requests(&session);
        let dollars = s3::estimated_dollars(&requests, &figures);
        (requests, Some(S3::new(&figures, dollars)))
    };
    let loaded = loading.run(source, costs).await;
    if let (count @ 1.., Some(first)) = figures.unsuitable() {
        context
            .console
            .message(format_args!("{} read by GET instead of S3 Select; the first: {first}", counted(count, "object")));
    }
    let (outcome, loaded) = loaded?;
    // Listing what the bucket holds costs requests: not for a scheduled run that finds nothing new.
    let is_news = !(request.regions.is_empty() && nothing::is_known(known.as_ref(), request.window));
    if outcome == Outcome::Done
        && loaded.done() == 0
        && is_news
        && let Ok(there) = s3::look(&request, &session).await
    {
        nothing::warn_of_bucket(context, &request, &filter, known.as_ref(), &there);
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

/// Opens a session. The bucket may be in any region.
pub(super) async fn session(args: AwsAccessArgs) -> Result<Session, CommandError> {
    let options = AwsOptions { default_region: Some(Region::from(ANY_REGION)), ..args.into() };
    Session::open(&options).await.map_err(|error| call_error("opening an AWS session", &error))
}

/// The number of requests by IAM action name: `s3:GetObject`.
pub(super) fn requests(session: &Session) -> BTreeMap<String, u64> {
    let spelled = |name: String| match name.split_once(':') {
        Some((service, operation)) => format!("{}:{operation}", service.to_lowercase()),
        None => name,
    };
    session.counts().by_operation().into_iter().map(|(name, count)| (spelled(name), count)).collect()
}

pub(super) fn source_error(context: &Context, request: &Request, error: &S3Error) -> CommandError {
    let bucket = &request.bucket;
    match error {
        S3Error::Call(error) if error.class == ErrorClass::NotFound => {
            call_error(format_args!("bucket {bucket}"), error).hint("check the bucket name (--bucket)")
        }
        S3Error::Call(error) => {
            let mut command_error = CommandError::while_doing(format_args!("bucket {bucket}"), error);
            command_error.hints.extend(s3::bucket_hint(error, request));
            command_error
        }
        S3Error::NoLogs { accounts, .. } if !accounts.is_empty() => {
            CommandError::failed(error).hint("check --account, or leave it out to load all accounts of the trail")
        }
        S3Error::NoLogs { elsewhere, .. } if elsewhere.is_empty() => CommandError::failed(error)
            .hint("set --prefix to the part of the keys before AWSLogs/; the trail's settings show bucket and prefix"),
        S3Error::NoLogs { elsewhere, .. } => CommandError::failed(error)
            .hint(format!("logs were found below other prefixes; use --prefix {}", elsewhere.join(" or --prefix "))),
        S3Error::NoSelect(_) => CommandError::failed(error).hint("use --engine get, or --engine auto"),
        S3Error::Store(error) => context.store_error(error),
    }
}

fn call_error(doing: impl std::fmt::Display, error: &CallError) -> CommandError {
    let mut command_error = CommandError::while_doing(doing, error);
    command_error.hints.extend(error.hint());
    command_error
}
