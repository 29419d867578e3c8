//! Options that several commands share.

use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::allow_updates::AllowArgs;
use super::mfa::ask_code;
use super::scope::ScopeArgs;
use super::{CommandError, Context};
use crate::aws::AwsOptions;
use crate::console::OutputFormat;
use crate::creator::{CreatorValue, IdentityMap, MachineSessions, OwnerRules};
use crate::model::{Region, ResourceType, TagKey};
use crate::plan::MoreTag;
use crate::resource_map::ResourceMap;
use crate::store::Fingerprint;
use crate::store::Store;
use crate::trail::window::{TimeWindow, WindowText};

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArgs {
    /// The database of creators
    #[arg(long, global = true, value_name = "FILE", default_value = "creators.db", env = "TRAILCREATOR_DB")]
    pub db: PathBuf,
    /// A resource map of your own (YAML, or c7n-trailcreator's JSON) in place of the built-in events; repeatable
    #[arg(long, global = true, value_name = "FILE", env = "TRAILCREATOR_RESOURCE_MAP", value_delimiter = ':')]
    pub resource_map: Vec<PathBuf>,
    /// A resource map whose events are added to those in use; repeatable
    #[arg(long, global = true, value_name = "FILE", env = "TRAILCREATOR_EXTEND_MAP", value_delimiter = ':')]
    pub extend_map: Vec<PathBuf>,
    /// Form of the data on stdout
    #[arg(long, global = true, value_enum, default_value_t, env = "TRAILCREATOR_OUTPUT")]
    pub output: OutputFormat,
    /// More of what happens, on stderr (-vv: every AWS call)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Errors and data only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// No progress bars or progress lines
    #[arg(long, global = true, env = "TRAILCREATOR_NO_PROGRESS")]
    pub no_progress: bool,
}

/// How to reach AWS. What is left out comes from AWS's usual chain: environment, profile, instance role (docs/credentials.md).
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "AWS options")]
pub struct AwsArgs {
    /// Access, without the region
    #[command(flatten)]
    pub access: AwsAccessArgs,
    /// Region
    #[arg(long, env = "TRAILCREATOR_REGION", value_parser = str::parse::<Region>)]
    pub region: Option<Region>,
}

/// The same without the region, for commands whose `--region` means another thing.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "AWS options")]
pub struct AwsAccessArgs {
    /// Profile of AWS's shared configuration; then keys in the environment are not used
    #[arg(long, env = "TRAILCREATOR_PROFILE")]
    pub profile: Option<String>,
    /// Role to assume; several are assumed one after the other
    #[arg(long, value_name = "ARN", env = "TRAILCREATOR_ASSUME", value_delimiter = ',')]
    pub assume: Vec<String>,
    /// External id for the (last) role
    #[arg(long, value_name = "ID", requires = "assume", env = "TRAILCREATOR_EXTERNAL_ID")]
    pub external_id: Option<String>,
    /// Endpoint for all services (AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_SERVICE work too)
    #[arg(long, value_name = "URL", env = "TRAILCREATOR_ENDPOINT_URL")]
    pub endpoint_url: Option<String>,
}

impl From<AwsArgs> for AwsOptions {
    fn from(args: AwsArgs) -> Self {
        Self { region: args.region, ..args.access.into() }
    }
}

impl From<AwsAccessArgs> for AwsOptions {
    fn from(args: AwsAccessArgs) -> Self {
        Self {
            profile: args.profile,
            assume: args.assume,
            external_id: args.external_id,
            endpoint_url: args.endpoint_url,
            ask_code: Some(ask_code),
            ..Self::default()
        }
    }
}

/// Which events, by time (UTC). Without any: all.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Time window (UTC)")]
pub struct WindowArgs {
    /// Events of a year: 2019
    #[arg(long, conflicts_with_all = ["month", "day", "since", "until"])]
    pub year: Option<String>,
    /// Events of a month: 2019/11
    #[arg(long, conflicts_with_all = ["day", "since", "until"])]
    pub month: Option<String>,
    /// Events of a day: 2019/02/01
    #[arg(long, conflicts_with_all = ["since", "until"])]
    pub day: Option<String>,
    /// Events from here on: a date, RFC 3339, or an age: 30min, 12h, or 90d, 2w, 3mo, 1y (from that day's beginning)
    #[arg(long)]
    pub since: Option<String>,
    /// Events before this: as --since; a date means its beginning
    #[arg(long)]
    pub until: Option<String>,
}

impl WindowArgs {
    /// The window; ages count back from now.
    ///
    /// # Errors
    /// It can't be understood, or is empty.
    pub fn window(&self) -> Result<TimeWindow, CommandError> {
        let text = WindowText {
            year: self.year.as_deref(),
            month: self.month.as_deref(),
            day: self.day.as_deref(),
            since: self.since.as_deref(),
            until: self.until.as_deref(),
        };
        let now = jiff::Timestamp::now();
        let window = TimeWindow::parse(text, now).map_err(CommandError::usage)?;
        match window.since().filter(|since| *since > now) {
            None => Ok(window),
            Some(since) => Err(CommandError::usage(format_args!(
                "the time window begins at {since}, which is in the future: now is {now:.0}"
            ))),
        }
    }
}

/// What is loaded beside what made resources.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Loading")]
pub(in crate::cli) struct ChainsArgs {
    /// Also keep who made which session (AssumeRole and the other calls of STS that hand out credentials), for
    /// --resolve-chains; the README tells what that costs
    #[arg(long, env = "TRAILCREATOR_CHAINS")]
    pub(in crate::cli) chains: bool,
}

impl ChainsArgs {
    /// The map to load by.
    pub(in crate::cli) fn map(self, map: ResourceMap) -> ResourceMap {
        if self.chains { map.with_sessions() } else { map }
    }
}

/// What is to be written, and on what: the same for one account and for many.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct WantedArgs {
    /// The tag that names the owner
    #[arg(long, value_name = "KEY", default_value = "Owner", env = "TRAILCREATOR_CREATOR_TAG")]
    pub(in crate::cli) creator_tag: String,
    #[command(flatten)]
    pub(in crate::cli) owner_keys: OwnerKeysArgs,
    /// A further tag and its value: CreatedAt={event_time}. Placeholders: {creator}, {event_time}, {event_name}, {arn}, {role},
    /// {source_ip}, {tool}, {account} and more (docs/owners.md); repeatable
    #[arg(long = "tag", value_name = "KEY=TEMPLATE", value_parser = str::parse::<MoreTag>)]
    pub(in crate::cli) more_tags: Vec<MoreTag>,
    /// Only these resource types, by cloud-custodian's or CloudFormation's name (ebs, AWS::EC2::Volume); repeatable
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>)]
    pub(in crate::cli) types: Vec<ResourceType>,
    /// Print what would be written, and write nothing to AWS
    #[arg(long, alias = "dryrun")]
    pub(in crate::cli) dry_run: bool,
    /// Replace the tag where it has another value
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// Give what an AWS service made the owner of its parent: the stack, Auto Scaling group, fleet, cluster or instance that AWS's own
    /// tags or its attachment name (docs/owners.md)
    #[arg(long, env = "TRAILCREATOR_INHERIT")]
    pub(in crate::cli) inherit: bool,
    #[command(flatten)]
    pub(in crate::cli) scope: ScopeArgs,
    /// Save what would be written to a file for `apply`, and write nothing to AWS
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) save_plan: Option<PathBuf>,
    /// Writes with side effects
    #[command(flatten)]
    pub(in crate::cli) allow: AllowArgs,
}

/// Which tags count as the owner's.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct OwnerKeysArgs {
    /// Further keys that count as the owner tag, compared as each type compares its keys: owner,OwnerEmail. A resource with one of
    /// them has an owner and is left as it is. --overwrite only looks at the owner tag itself: it writes that tag beside a
    /// further key, and never changes or removes the further key
    #[arg(long, value_name = "KEY", env = "TRAILCREATOR_OWNER_KEYS", value_delimiter = ',', value_parser = crate::model::parse_key)]
    pub(in crate::cli) owner_keys: Vec<TagKey>,
}

/// How an owner is decided from who called. docs/owners.md tells the rules.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Owner")]
pub struct OwnerArgs {
    /// Which fact of the creator becomes the owner
    #[arg(long, value_enum, default_value_t, env = "TRAILCREATOR_CREATOR_VALUE")]
    pub creator_value: CreatorValue,
    /// Only creators whose ARN or name ends so are owners: @example.com
    #[arg(long, value_name = "SUFFIX", env = "TRAILCREATOR_USER_SUFFIX")]
    pub user_suffix: Option<String>,
    /// What stands for a role's session that a machine named (i-0abc…, botocore-session-…)
    #[arg(long, value_enum, default_value_t, env = "TRAILCREATOR_MACHINE_SESSIONS")]
    pub machine_sessions: MachineSessions,
    /// Your own rules for who stands for whom (YAML), asked before all others
    #[arg(long, value_name = "FILE", env = "TRAILCREATOR_IDENTITY_MAP")]
    pub identity_map: Option<PathBuf>,
    /// Follow a role's session to who made it, and on to a person; the sessions are those that were loaded with --chains
    #[arg(long, env = "TRAILCREATOR_RESOLVE_CHAINS")]
    pub resolve_chains: bool,
}

impl OwnerArgs {
    /// The rules, with the identity map read.
    ///
    /// # Errors
    /// The identity map can't be read or understood.
    pub fn rules(self) -> Result<OwnerRules, CommandError> {
        let identity_map =
            self.identity_map.map(|path| IdentityMap::load(&path)).transpose().map_err(|error| {
                CommandError::usage(&error).hint("docs/owners.md tells what an identity map may hold")
            })?;
        Ok(OwnerRules {
            value: self.creator_value,
            user_suffix: self.user_suffix,
            machine_sessions: self.machine_sessions,
            identity_map: identity_map.map(Arc::new),
            people: Arc::default(),
            resolve_chains: self.resolve_chains,
        })
    }
}

/// The options behind the rules, as JSON that is equal where they decide the same.
pub(in crate::cli) fn owner_options(rules: &OwnerRules) -> [(&'static str, Value); 5] {
    let name = |value: Option<PossibleValue>| json!(value.map(|value| value.get_name().to_owned()));
    let content = |map: &Arc<IdentityMap>| Fingerprint::of(&[map.text().as_bytes()]).to_string();
    [
        ("--creator-value", name(rules.value.to_possible_value())),
        ("--user-suffix", json!(rules.user_suffix)),
        ("--machine-sessions", name(rules.machine_sessions.to_possible_value())),
        ("--identity-map (its content)", json!(rules.identity_map.as_ref().map(content))),
        ("--resolve-chains", json!(rules.resolve_chains)),
    ]
}

/// The rules with the names of Identity Center's users that the database knows.
pub(in crate::cli) fn with_known_names(
    context: &Context,
    store: &Store,
    rules: OwnerRules,
) -> Result<OwnerRules, CommandError> {
    show_missing_sessions(context, store, &rules)?;
    let people = store.people().map_err(|error| context.store_error(&error))?;
    Ok(OwnerRules { people: Arc::new(people), ..rules })
}

/// Tells where sessions are to be followed of which nothing was loaded.
pub(in crate::cli) fn show_missing_sessions(
    context: &Context,
    store: &Store,
    rules: &OwnerRules,
) -> Result<(), CommandError> {
    if rules.resolve_chains && !store.has_sessions().map_err(|error| context.store_error(&error))? {
        context.console.warning(
            "--resolve-chains: the database does not know who made any session\n  hint: load with --chains, which reads \
             again what was loaded without",
        );
    }
    Ok(())
}

/// Tells of the rules of an identity map that fitted nobody: they are likely mistakes.
pub(in crate::cli) fn show_unused_rules(context: &Context, rules: &OwnerRules) {
    let Some(map) = &rules.identity_map else { return };
    for rule in map.unused() {
        context.console.warning(format_args!("identity map, {rule}: it fitted none of the callers looked at"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_equal_where_the_rules_decide_the_same() {
        let rules = |name: &str, owner: &str| {
            let text = format!("rules: [{{type: AWSService, owner: {owner}}}]");
            let identity_map = Some(Arc::new(IdentityMap::parse(name, &text).unwrap()));
            OwnerRules { identity_map, user_suffix: Some("@x".to_owned()), ..OwnerRules::default() }
        };
        let (one, moved) = (rules("a.yml", "team"), rules("b.yml", "team"));
        drop(one.owner_of(&crate::model::event::Event::default()));
        assert_eq!(owner_options(&one), owner_options(&moved), "asked or not, and wherever the file lies");
        assert_ne!(owner_options(&one), owner_options(&rules("a.yml", "others")));
        assert_ne!(owner_options(&one), owner_options(&OwnerRules { user_suffix: None, ..one.clone() }));
        let value = CreatorValue::PrincipalId;
        let other = owner_options(&OwnerRules { value, ..OwnerRules::default() });
        assert_eq!(other[0], ("--creator-value", json!("principal-id")));
    }
}
