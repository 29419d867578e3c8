//! The report as an HTML page.

use std::io;

use super::out::Out;
use super::{FailedAccount, Form, Printed};
use crate::cli::{CommandError, Context};
use crate::report::html::{Page, PageError};
use crate::report::live::{Of, Report};

pub(super) fn print(context: &Context, form: &mut Form<'_>, printed: &Printed<'_>) -> Result<(), CommandError> {
    let missing = missing(printed);
    let page = Page {
        report: printed.report,
        earlier: &printed.earlier,
        taken_at: &printed.taken_at,
        tag_key: printed.tag_key,
        offline: printed.offline,
        top: form.top,
        missing: &missing,
    };
    let written = page.write(&mut |part| write(&mut form.out, part));
    match written {
        Ok(()) => Ok(()),
        Err(PageError::Store(error)) => Err(context.store_error(&error)),
        Err(PageError::Output(error)) => Err(CommandError::while_doing("writing the page", &error)),
    }
}

fn write(out: &mut Out<'_>, part: &str) -> io::Result<()> {
    out.document(part).map_err(|error| io::Error::other(error.message))
}

/// What could not be read, one line for each.
fn missing(printed: &Printed<'_>) -> Vec<String> {
    let Report { failed, problems, skipped, users_unknown, population_failures, .. } = printed.report;
    let accounts =
        printed.failed_accounts.iter().map(|FailedAccount { account_id, account_name, region, error, .. }| {
            let region = region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
            format!("account {account_id} {account_name}{region}: {error}")
        });
    let failed = failed.iter().map(|Of { account_id, region, what }| {
        format!("{account_id} {region}: {} could not be listed: {}", what.resource_type, what.error)
    });
    let problems = problems.iter().map(|Of { account_id, region, what }| {
        format!("{account_id} {region}: {}: {}", what.resource_type, what.problem)
    });
    let skipped = skipped.iter().map(|Of { account_id, region, what }| {
        format!("{account_id} {region}: skipped {}: {}", what.resource_type, what.reason)
    });
    let users = users_unknown.iter().map(|(account, error)| format!("{account}: could not list IAM users: {error}"));
    let populations = population_failures.iter().map(|Of { account_id, region, what }| {
        format!("{account_id} {region}: AWS Config could not be read: {}", what.error)
    });
    accounts.chain(populations).chain(failed).chain(problems).chain(skipped).chain(users).collect()
}
