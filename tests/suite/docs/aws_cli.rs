//! The AWS command line interface, for the pages that use it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::{package_alone, python};

/// The last version that uses the installed botocore, and what else it imports.
const PACKAGES: [&str; 5] = ["awscli==1.45.64", "docutils==0.19", "rsa==4.7.2", "pyasn1==0.6.5", "colorama==0.4.6"];

/// What it prints when it fails, also where the shell does not look at its exit code: in `$(…)`.
pub(super) const FAILED: &str = "aws ended with exit code ";

/// `aws configure export-credentials`, which only version 2 has. PyPI has version 1.
const EXPORT_CREDENTIALS: &str = "
import argparse
import botocore.session

parser = argparse.ArgumentParser()
parser.add_argument('--format', choices=['env'], required=True)
parser.add_argument('--profile')
options = parser.parse_args()
keys = botocore.session.Session(profile=options.profile).get_credentials().get_frozen_credentials()
print(f'export AWS_ACCESS_KEY_ID={keys.access_key}\\nexport AWS_SECRET_ACCESS_KEY={keys.secret_key}')
";

/// A shell script that runs it.
pub(super) fn script() -> String {
    let folders = PACKAGES.map(|package| package_alone(package).display().to_string()).join(":");
    let python = python().display();
    format!(
        "#!/bin/sh
if [ \"$1 $2\" = 'configure export-credentials' ]; then
    shift 2
    '{python}' -c \"{EXPORT_CREDENTIALS}\" \"$@\"
else
    PYTHONPATH='{folders}' '{python}' -m awscli \"$@\"
fi || {{
    code=$?
    echo '{FAILED}'$code >&2
    exit $code
}}
"
    )
}

/// Lets a shell run a file.
pub(super) fn make_executable(file: &Path) {
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("it is ours");
}
