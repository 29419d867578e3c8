//! What `tag-org`, `undo` and `apply` share across an organization: the accounts file and its filters, the way to the accounts, running
//! to the end or to Ctrl-C, display what came of it.

mod counted;
pub(in crate::cli) mod errors;
mod groups;
mod held_plans;
mod later;
mod reporter;
mod results;
mod totals;

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

pub(in crate::cli) use counted::{Gate, run_counted};
pub(in crate::cli) use later::{AccountsAccess, apply, undo};
use reporter::Reporter;
pub(in crate::cli) use reporter::{RunDisplay, Save};
pub(in crate::cli) use results::ResultsFile;
pub(in crate::cli) use totals::show_nothing;

use super::interrupt::stop_on_interrupt;
use super::{AwsAccessArgs, CommandError, Context, Outcome, private_file, regions};
use crate::aws::{AwsOptions, Session};
use crate::model::Region;
use crate::org::account_job::AccountJob;
use crate::org::directory::{accounts_below, all_accounts, read_tags};
use crate::org::{Account, AccountsFile, Member, Organization, Selection, Stanzas, fan_out};
use crate::store::StoreError;
use crate::text::source;

/// The largest accounts file, in bytes: five times that of an organization of 100,000 accounts.
const MAX_ACCOUNTS_BYTES: u64 = 128 * 1024 * 1024;

/// Region of STS if neither options nor the AWS configuration name one.
const DEFAULT_REGION: &str = "us-east-1";

/// Account-regions at once. Each makes a few calls at once: one to two hundred connections in total, at peaks more. 32 were too few to keep
/// up with the slowest limit of an organization (`docs/performance.md`).
const DEFAULT_CONCURRENCY: usize = 48;

/// Which accounts to include, and how many at once.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Accounts")]
pub(in crate::cli) struct AccountsArgs {
    /// Accounts file, in c7n-org's format
    #[arg(short = 'c', long, value_name = "FILE", env = "TRAILCREATOR_CONFIG")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Include only these accounts, by name or ID (wildcards: * and ?); repeatable
    #[arg(short = 'a', long, value_name = "ACCOUNT", value_delimiter = ',')]
    pub(in crate::cli) accounts: Vec<String>,
    /// Exclude these accounts; repeatable
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    pub(in crate::cli) not_accounts: Vec<String>,
    /// Include only accounts with this tag in the accounts file (stage:prod); several must all match
    #[arg(short = 't', long, value_name = "TAG", value_delimiter = ',')]
    pub(in crate::cli) tags: Vec<String>,
    /// Maximum number of account-regions to process at once
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CONCURRENCY, value_parser = at_least_one, env = "TRAILCREATOR_MAX_CONCURRENCY")]
    pub(in crate::cli) max_concurrency: usize,
}

/// What to report about the accounts.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Accounts")]
pub(in crate::cli) struct DisplayArgs {
    /// Write results to this file as they arrive, as JSON Lines
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) results: Option<PathBuf>,
}

impl DisplayArgs {
    /// Opens the results file, before the run starts. `goes_on`: append to the results of an interrupted run.
    pub(in crate::cli) fn open_results(&self, goes_on: bool) -> Result<Option<ResultsFile>, CommandError> {
        let Some(path) = &self.results else { return Ok(None) };
        let opened = private_file::options().create(true).write(true).append(goes_on).truncate(!goes_on).open(path);
        let file = opened.map_err(|error| {
            CommandError::while_doing(format_args!("writing results to {}", path.display()), &error)
        })?;
        Ok(Some(ResultsFile { path: path.clone(), file }))
    }
}

/// Not a number of at least 1.
#[derive(Debug, thiserror::Error)]
#[error("expected a number of at least 1")]
struct InvalidNumber;

fn at_least_one(text: &str) -> Result<usize, InvalidNumber> {
    text.parse().ok().filter(|number| *number > 0).ok_or(InvalidNumber)
}

impl AccountsArgs {
    /// The accounts that are meant.
    ///
    /// # Errors
    /// No file, or one that can't be understood; a name that no account has; or none is left.
    pub(in crate::cli) fn accounts(&self) -> Result<Vec<Account>, CommandError> {
        let Some(path) = &self.config else {
            return Err(CommandError::usage("no accounts file was given").hint(
                "name one with --config FILE, or create one with: trailcreator accounts --output-file accounts.yml",
            ));
        };
        self.select(read_file(path)?, &path.display().to_string())
    }

    /// Those of the organization that the session's account belongs to, each reached by `role` (a template, or the name of each
    /// account's own role); the session's own account by its credentials. `needs_tags`: the tags of accounts are read without --tags too.
    ///
    /// # Errors
    /// Organizations can't list them; an invalid template; an unknown account name; or no account remains.
    pub(in crate::cli) async fn of_organization(
        &self,
        base: &Session,
        role: &str,
        needs_tags: bool,
    ) -> Result<Vec<Account>, CommandError> {
        let stanzas = Stanzas::new("{Name}", role, Vec::new())
            .map_err(|error| CommandError::usage(format_args!("--role: {error}")))?;
        let mut members = if self.tags.is_empty() && !needs_tags {
            all_accounts(base).await.map_err(|error| errors::call_error("reading the organization", &error))?
        } else {
            let mut members = accounts_below(base, &[]).await.map_err(errors::directory_error)?;
            // To tag fewer accounts than are meant, and say nothing, would be worse than to end here.
            if let Some((account, error)) = read_tags(base, &mut members, &mut |_| ()).await.first() {
                return Err(errors::call_error(&format!("reading the tags of account {account}"), error));
            }
            members
        };
        members.retain(Member::is_active);
        let own = base
            .account()
            .await
            .map_err(|error| errors::call_error("getting the account of the credentials", &error))?;
        let mut accounts = stanzas.of(&members).map_err(|(account, missing)| {
            CommandError::usage(format_args!("--role, for account {account}: {missing}"))
        })?;
        accounts.iter_mut().filter(|account| account.id == own).for_each(|account| account.roles.clear());
        self.select(AccountsFile { accounts }, "the organization")
    }

    fn select(&self, file: AccountsFile, name: &str) -> Result<Vec<Account>, CommandError> {
        let is_empty = file.accounts.is_empty();
        let selection = Selection {
            accounts: self.accounts.clone(),
            not_accounts: self.not_accounts.clone(),
            tags: self.tags.clone(),
        };
        let accounts = selection.of(file).map_err(|error| {
            CommandError::usage(format_args!("{name}: {error}")).hint("accounts are chosen by `name` or `account_id`")
        })?;
        if accounts.is_empty() {
            let why = if is_empty { "has no accounts" } else { "has no account that matches all filters" };
            return Err(CommandError::usage(format_args!("{name} {why}")));
        }
        Ok(accounts)
    }
}

/// Reads an accounts file.
///
/// # Errors
/// It can't be read or understood.
pub(in crate::cli) fn read_file(path: &Path) -> Result<AccountsFile, CommandError> {
    let name = path.display().to_string();
    let text = source::read(path, MAX_ACCOUNTS_BYTES).map_err(|error| CommandError {
        outcome: Outcome::Usage,
        ..CommandError::while_doing(format_args!("reading the accounts file {name}"), &error)
    })?;
    AccountsFile::parse(&name, &text).map_err(|error| {
        CommandError::usage(error).hint("create a valid file with: trailcreator accounts --output-file accounts.yml")
    })
}

/// Opens the session from which all accounts are reached. `region` is used if AWS's chain names none.
pub(in crate::cli) async fn open_base(access: AwsAccessArgs, region: Option<Region>) -> Result<Session, CommandError> {
    let default_region = region.or_else(|| Some(Region::from(DEFAULT_REGION)));
    let options = AwsOptions { default_region, ..access.into() };
    Session::open(&options).await.map_err(|error| {
        let mut command_error = CommandError::while_doing("opening an AWS session", &error);
        command_error.hints.extend(error.hint());
        command_error
    })
}

/// Runs the job in all accounts, and reports the results.
pub(in crate::cli) async fn run<'m, 't>(
    context: &'t Context,
    organization: &Organization<'m>,
    job: &impl AccountJob<'m>,
    accounts: Vec<Account>,
    display: RunDisplay<'t>,
) -> Result<Outcome, CommandError> {
    regions::check_accounts(context, &accounts);
    let mut reporter = Reporter::new(context, display, accounts.len());
    let is_left = work(context, organization, job, accounts, &mut |event| reporter.show(event)).await?;
    reporter.finish(organization, is_left)
}

/// The accounts in the order of their sizes, where some have to wait for others. AWS limits the calls in an account: a large one that
/// starts late is what all wait for at the end. Accounts of one size keep their order.
fn largest_first(organization: &Organization<'_>, mut accounts: Vec<Account>) -> Result<Vec<Account>, StoreError> {
    if organization.concurrency > 1 && accounts.len() > organization.concurrency {
        let sizes = organization.store.account_sizes()?;
        accounts.sort_by_key(|account| Reverse(sizes.get(&account.id).copied().unwrap_or_default()));
    }
    Ok(accounts)
}

/// Does the job in all accounts, to the end or to Ctrl-C. Says whether something is left.
async fn work<'m>(
    context: &Context,
    organization: &Organization<'m>,
    job: &impl AccountJob<'m>,
    accounts: Vec<Account>,
    report: &mut dyn FnMut(crate::org::Event<'_>),
) -> Result<bool, CommandError> {
    let interrupt = stop_on_interrupt(organization.stop);
    let worked = {
        let heard = async {
            organization.stop.cancelled().await;
            context.console.message("interrupted: waiting for the calls under way");
            std::future::pending::<()>().await
        };
        let work = async { fan_out(organization, job, largest_first(organization, accounts)?, report).await };
        tokio::select! {
            worked = work => worked,
            () = heard => unreachable!("it waits for ever"),
        }
    };
    interrupt.abort();
    let failed = |error| context.store_error(&error).hint(context.written_before());
    let is_left = worked.map_err(failed)?;
    if let Some(run) = organization.run.filter(|_| !is_left) {
        organization.store.finish_organization_run(run).map_err(failed)?;
    }
    Ok(is_left)
}
