//! Errors of AWS Organizations, with hints.

use crate::aws::{CallError, ErrorClass};
use crate::cli::{CommandError, tagging};
use crate::org::directory::DirectoryError;

/// The error code for an account that is not in an organization.
const NOT_IN_USE: &str = "AWSOrganizationsNotInUseException";

/// An error while listing the organization's accounts.
pub(in crate::cli) fn directory_error(error: DirectoryError) -> CommandError {
    match error {
        DirectoryError::Call(error) => call_error("reading the organization", &error),
        DirectoryError::NoSuchUnit { .. } => CommandError::usage(format_args!("--ou: {error}")),
    }
}

/// A failed call to Organizations, with a hint if the credentials are of the wrong account.
pub(in crate::cli) fn call_error(doing: &str, error: &CallError) -> CommandError {
    let command_error = tagging::aws_error(doing, error);
    if error.code == NOT_IN_USE || error.class == ErrorClass::AccessDenied {
        let hint = "only the management account and delegated administrators can list the accounts of an organization: \
                    select their credentials with --profile or --assume";
        return command_error.hint(hint);
    }
    command_error
}
