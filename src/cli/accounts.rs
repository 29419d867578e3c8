//! `accounts`: an accounts file from AWS Organizations.

use std::path::PathBuf;

use serde::Serialize;

use super::{AwsAccessArgs, CommandError, Context, Outcome, organization, run_output, tagging};
use crate::aws::{CallError, ErrorClass, Session};
use crate::console::OutputFormat;
use crate::org::directory::{DirectoryError, accounts_below, read_tags};
use crate::org::{Account, AccountsFile, Member, RegionChoice, Stanzas};

/// The version of the JSON document's form.
const FORMAT_VERSION: u32 = 1;

/// The code of an account that is in no organization.
const NOT_IN_USE: &str = "AWSOrganizationsNotInUseException";

/// Write an accounts file for tag-org and c7n-org from AWS Organizations
///
/// Needs the credentials of the organization's management account or of a delegated administrator. Each account gets as
/// tags its organizational units (path:/Core, path:/Core/Security) and its tags (key:value), by which tag-org and
/// c7n-org choose accounts. Templates may name {Id}, {Name}, {Email}, {Arn}, {OrgId}, {Path}, {Partition}, {Tags.KEY},
/// and c7n-org's {name}, {account_id}…
///
/// Exit codes: 0 all done, 1 failed, 2 usage, 4 finished but tags of some accounts could not be read, 130 interrupted.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only accounts of this organizational unit and those below it, by path (/Core/Security) or id; repeatable
    #[arg(long, value_name = "PATH_OR_ID")]
    ou: Vec<String>,
    /// Leave this account out, by id or name; repeatable
    #[arg(short, long, value_name = "ACCOUNT")]
    ignore: Vec<String>,
    /// Only active accounts; --active=false: also those that are suspended, closed or not activated yet
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true",
          action = clap::ArgAction::Set)]
    active: bool,
    /// The role to assume in each account: a template of its ARN, or the name of each account's own role
    #[arg(long, value_name = "TEMPLATE", default_value = "OrganizationAccountAccessRole")]
    role: String,
    /// Template of the accounts' names. Names of several accounts get the account's id behind them
    #[arg(long, value_name = "TEMPLATE", default_value = "{Name}")]
    name: String,
    /// Region to write into each account, or all; repeatable
    #[arg(short, long = "region", alias = "regions", value_name = "REGION", value_delimiter = ',',
          value_parser = str::parse::<RegionChoice>)]
    region: Vec<RegionChoice>,
    /// Write the file here [default: stdout]
    #[arg(short = 'f', long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    #[command(flatten)]
    aws: AwsAccessArgs,
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    accounts: &'a [Account],
    left_out: &'a [LeftOut],
}

/// An account that is not in the file, and why.
#[derive(Serialize)]
struct LeftOut {
    account_id: String,
    name: String,
    reason: String,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Outcome, CommandError> {
    let stanzas = Stanzas::new(&args.name, &args.role, args.region)
        .map_err(|error| CommandError::usage(format_args!("--name or --role: {error}")))?;
    let session = organization::open_base(args.aws, None).await?;
    let reading = async {
        let members = accounts_below(&session, &args.ou).await.map_err(directory_error)?;
        let (mut members, left_out) = select(members, &args.ignore, args.active)?;
        let progress = context.console.progress("tags of accounts", Some(tagging::count(members.len())));
        let failed = read_tags(&session, &mut members, &mut |done| progress.update(done, "")).await;
        Ok((members, left_out, failed))
    };
    let Some(read) = tagging::or_interrupted(context, reading).await else { return Ok(Outcome::Interrupted) };
    let (members, left_out, failed): (Vec<Member>, Vec<LeftOut>, Vec<_>) = read?;
    let accounts = stanzas.of(&members).map_err(|(account, missing)| {
        CommandError::usage(format_args!("--name or --role, for account {account}: {missing}"))
            .hint("templates may name {Id}, {Name}, {Email}, {Arn}, {OrgId}, {Path}, {Partition} and {Tags.KEY}")
    })?;
    for (account, error) in &failed {
        let hint = error.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        context.console.warning(format_args!("account {account} is written without its tags: {error}{hint}"));
    }
    write(context, accounts, &left_out, args.output_file.as_deref())?;
    tell(context, members.len(), &left_out, &session);
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::ItemFailures })
}

/// The members that are wanted, and the others.
fn select(
    members: Vec<Member>,
    ignored: &[String],
    only_active: bool,
) -> Result<(Vec<Member>, Vec<LeftOut>), CommandError> {
    let names = |text: &String, member: &Member| *text == member.name || text == member.id.as_str();
    if let Some(unknown) = ignored.iter().find(|text| !members.iter().any(|member| names(text, member))) {
        return Err(CommandError::usage(format_args!("--ignore {unknown}: no account has that id or name")));
    }
    let (mut wanted, mut left_out) = (Vec::new(), Vec::new());
    for member in members {
        let reason = if ignored.iter().any(|text| names(text, &member)) {
            "ignored".to_owned()
        } else if only_active && !member.is_active() {
            format!("not active: {}", if member.state.is_empty() { "state unknown" } else { &member.state })
        } else {
            wanted.push(member);
            continue;
        };
        left_out.push(LeftOut { account_id: member.id.to_string(), name: member.name, reason });
    }
    Ok((wanted, left_out))
}

fn write(
    context: &Context,
    accounts: Vec<Account>,
    left_out: &[LeftOut],
    file: Option<&std::path::Path>,
) -> Result<(), CommandError> {
    if context.console.format == OutputFormat::Json {
        context.console.json(&Document { format_version: FORMAT_VERSION, accounts: &accounts, left_out });
    }
    let text = AccountsFile { accounts }.to_yaml();
    match file {
        Some(path) => tagging::save(path, "the accounts file", &text),
        None if context.console.format == OutputFormat::Text => {
            context.console.data(text.trim_end());
            Ok(())
        }
        None => Ok(()),
    }
}

fn tell(context: &Context, written: usize, left_out: &[LeftOut], session: &Session) {
    for LeftOut { account_id, name, reason } in left_out {
        context.console.message(format_args!("left out {account_id} {name} ({reason})"));
    }
    let calls = run_output::calls_phrase(session);
    context.console.message(format_args!("{written} accounts, {} left out; {calls}", left_out.len()));
}

/// Why the organization's accounts can't be told.
pub(super) fn directory_error(error: DirectoryError) -> CommandError {
    match error {
        DirectoryError::Call(error) => call_error("reading the organization", &error),
        DirectoryError::NoSuchUnit { .. } => CommandError::usage(format_args!("--ou: {error}")),
    }
}

/// A failed call of Organizations, with the advice that fits.
pub(super) fn call_error(doing: &str, error: &CallError) -> CommandError {
    let command_error = tagging::aws_error(doing, error);
    if error.code == NOT_IN_USE || error.class == ErrorClass::AccessDenied {
        let who = "Organizations tells its accounts to the management account and delegated administrators: choose \
                   their credentials with --profile or --assume";
        return command_error.hint(who);
    }
    command_error
}
