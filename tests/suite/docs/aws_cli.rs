//! The AWS command line interface, for the pages that use it.

use std::path::Path;

use crate::common::{package_alone, python};

/// The last version that uses the installed botocore, and what else it imports.
const PACKAGES: [&str; 5] = ["awscli==1.45.64", "docutils==0.19", "rsa==4.7.2", "pyasn1==0.6.5", "colorama==0.4.6"];

/// A shell script that runs it.
pub(super) fn script() -> String {
    let folders = PACKAGES.map(|package| package_alone(package).display().to_string()).join(":");
    format!("#!/bin/sh\nPYTHONPATH='{folders}' exec '{}' -m awscli \"$@\"\n", python().display())
}

/// Lets a shell run a file.
#[cfg(unix)]
pub(super) fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}
