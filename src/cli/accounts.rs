//! `accounts`: writes an accounts file from AWS Organizations.

use std::path::PathBuf;

use serde::Serialize;

use super::organization::errors::directory_error;
use super::{AwsAccessArgs, CommandError, Context, Outcome, organization, run_output, tagging};
use crate::aws::Session;
use crate::console::{OutputFormat, counted};
use crate::org::directory::{accounts_below, read_tags};
use crate::org::{Account, AccountsFile, Member, RegionChoice, Stanzas};

/// The version of the JSON document's format.
const FORMAT_VERSION: u32 = 1;

const EXAMPLES: &str = "\
Examples:
  Write all active accounts of the organization to a file:
    trailcreator accounts --output-file accounts.yml
  Write the accounts below one organizational unit, except one, with two regions each:
    trailcreator accounts --ou /Core --ignore 111122223333 -r us-east-1 -r eu-west-1 -f core.yml
  Use the credentials of the management account, and your own role in each account:
    trailcreator accounts --profile management --role 'arn:{Partition}:iam::{Id}:role/tagger' -f accounts.yml";

/// Write an accounts file from AWS Organizations, for tag-org and c7n-org
///
/// Requires credentials of the organization's management account or of a delegated administrator. In the file, the tags of
/// an account are its organizational units (path:/Core, path:/Core/Security) and its AWS tags (key:value). tag-org and
/// c7n-org select accounts by these tags. Templates can contain {Id}, {Name}, {Email}, {Arn}, {OrgId}, {Path},
/// {Partition}, {Tags.KEY}, and the placeholders of c7n-org ({name}, {account_id}…).
///
/// Exit codes: 0 all done, 1 failed, 2 usage, 4 tags of some accounts could not be read, 130 interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Include only accounts in or below this organizational unit, given by path (/Core/Security) or ID; repeatable
    #[arg(long, value_name = "PATH_OR_ID")]
    ou: Vec<String>,
    /// Exclude this account, given by ID or name; repeatable
    #[arg(short, long, value_name = "ACCOUNT")]
    ignore: Vec<String>,
    /// Include only active accounts; --active=false also includes suspended, closed and not yet activated accounts
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true",
          action = clap::ArgAction::Set)]
    active: bool,
    /// Role to assume in each account: a template of its ARN, or a role name
    #[arg(long, value_name = "TEMPLATE", default_value = "OrganizationAccountAccessRole")]
    role: String,
    /// Template for account names. If several accounts get the same name, the account ID is appended
    #[arg(long, value_name = "TEMPLATE", default_value = "{Name}")]
    name: String,
    /// Region to write for each account, or `all`; repeatable
    #[arg(short, long = "region", alias = "regions", value_name = "REGION", value_delimiter = ',',
          value_parser = str::parse::<RegionChoice>)]
    region: Vec<RegionChoice>,
    /// File to write [default: stdout]
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

/// An account that is not in the file, with the reason.
#[derive(Serialize)]
struct LeftOut {
    account_id: String,
    account_name: String,
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
            .hint("templates can contain {Id}, {Name}, {Email}, {Arn}, {OrgId}, {Path}, {Partition} and {Tags.KEY}")
    })?;
    for (account, error) in &failed {
        let hint = error.hint();
        context
            .console
            .warning_with_hints(format_args!("account {account} is written without its tags: {error}"), hint);
    }
    write(context, accounts, &left_out, args.output_file.as_deref())?;
    print_summary(context, members.len(), &left_out, &session);
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::ItemFailures })
}

/// Splits the members into those to write and those left out.
fn select(
    members: Vec<Member>,
    ignored: &[String],
    only_active: bool,
) -> Result<(Vec<Member>, Vec<LeftOut>), CommandError> {
    let names = |text: &String, member: &Member| *text == member.name || text == member.id.as_str();
    if let Some(unknown) = ignored.iter().find(|text| !members.iter().any(|member| names(text, member))) {
        return Err(CommandError::usage(format_args!("--ignore {unknown}: no account has this ID or name")));
    }
    let (mut wanted, mut left_out) = (Vec::new(), Vec::new());
    for member in members {
        let reason = if ignored.iter().any(|text| names(text, &member)) {
            "excluded by --ignore".to_owned()
        } else if only_active && !member.is_active() {
            format!("not active: {}", if member.state.is_empty() { "state unknown" } else { &member.state })
        } else {
            wanted.push(member);
            continue;
        };
        left_out.push(LeftOut { account_id: member.id.to_string(), account_name: member.name, reason });
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
            context.console.document(text.trim_end());
            Ok(())
        }
        None => Ok(()),
    }
}

fn print_summary(context: &Context, written: usize, left_out: &[LeftOut], session: &Session) {
    for LeftOut { account_id, account_name, reason } in left_out {
        let name = if account_name.is_empty() { String::new() } else { format!(" {account_name}") };
        context.console.message(format_args!("skipped account {account_id}{name}: {reason}"));
    }
    let calls = run_output::calls_phrase(session);
    let skipped = match left_out.len() {
        0 => String::new(),
        skipped => format!(", {skipped} skipped"),
    };
    context.console.message(format_args!("{}{skipped}; {calls}", counted(tagging::count(written), "account")));
}
