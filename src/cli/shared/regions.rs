//! Regions that were given and that AWS may not have. A name of the right form may be a region that opened after this version, so it
//! is a warning with the nearest known one; where its endpoints don't exist, the first call fails and says the same.

use std::collections::BTreeSet;
use std::env;

use clap::ArgMatches;

use super::Context;
use crate::model::{Region, nearest_region};
use crate::org::{Account, RegionChoice};

/// The options that hold regions.
const REGIONS: &str = "region";

/// Where AWS's own tools look for the region.
const VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Warns of regions of the command line, else of the environment.
pub(in crate::cli) fn check_given(context: &Context, matches: &ArgMatches) {
    let mut innermost = matches;
    while let Some((_, below)) = innermost.subcommand() {
        innermost = below;
    }
    let is_option = |name| innermost.try_contains_id(name).is_ok();
    let raw =
        [REGIONS, "regions"].into_iter().filter(|name| is_option(name)).filter_map(|name| innermost.get_raw(name));
    let given: Vec<String> = raw.flatten().map(|value| value.to_string_lossy().into_owned()).collect();
    for name in &given {
        warn(context, "--region", name);
    }
    // Commands without a profile don't call AWS.
    if given.is_empty() && is_option("profile") {
        let set = VARIABLES.into_iter().filter_map(|variable| Some((variable, env::var(variable).ok()?)));
        if let Some((variable, name)) = set.filter(|(_, name)| !name.is_empty()).take(1).next() {
            warn(context, variable, &name);
        }
    }
}

/// Warns of regions of an accounts file, each once.
pub(in crate::cli) fn check_accounts(context: &Context, accounts: &[Account]) {
    let choices: BTreeSet<&str> = accounts.iter().flat_map(|account| &account.regions).filter_map(name_of).collect();
    for name in choices {
        warn(context, "the accounts file", name);
    }
}

fn name_of(choice: &RegionChoice) -> Option<&str> {
    match choice {
        RegionChoice::One(region) => Some(region.as_str()),
        RegionChoice::All => None,
    }
}

fn warn(context: &Context, origin: &str, name: &str) {
    const ALL: &str = "all";
    if name == ALL || Region::from(name).is_known() {
        return;
    }
    let nearest = nearest_region(name).map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
    context.console.warning(format_args!("{origin}: AWS region {name} is unknown to this version{nearest}"));
}
