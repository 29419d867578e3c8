//! Options that several commands share.

use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::allow_updates::AllowArgs;
use super::mfa::ask_code;
use super::population::PopulationArgs;
use super::scope::ScopeArgs;
use super::{CommandError, Context, organization};
use crate::aws::AwsOptions;
use crate::console::{OutputFormat, counted};
use crate::creator::{AccountTags, CreatorValue, IdentityMap, MachineSessions, MissingPerson, OwnerRules};
use crate::model::{Region, ResourceType, TagKey};
use crate::org::Account;
use crate::plan::MoreTag;
use crate::resource_map::ResourceMap;
use crate::store::Fingerprint;
use crate::store::Store;
use crate::trail::window::{TimeWindow, WindowText};

/// How many missing people a command lists. JSON lists all.
const PEOPLE_SHOWN: usize = 10;

/// Global options.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Path to the SQLite database
    #[arg(long, global = true, value_name = "FILE", default_value = "creators.db", env = "TRAILCREATOR_DB")]
    pub db: PathBuf,
    /// Use the events of this resource map (YAML, or c7n-trailcreator's JSON) instead of the built-in ones; repeatable
    #[arg(long, global = true, value_name = "FILE", env = "TRAILCREATOR_RESOURCE_MAP", value_delimiter = ':')]
    pub resource_map: Vec<PathBuf>,
    /// Add the events of this resource map; repeatable
    #[arg(long, global = true, value_name = "FILE", env = "TRAILCREATOR_EXTEND_MAP", value_delimiter = ':')]
    pub extend_map: Vec<PathBuf>,
    /// Path to the settings file [default: trailcreator.yml in the working directory, else in the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE", env = "TRAILCREATOR_SETTINGS")]
    pub settings: Option<PathBuf>,
    /// Output format on stdout
    #[arg(long, global = true, value_enum, default_value_t, env = "TRAILCREATOR_OUTPUT")]
    pub output: Output,
    /// Increase verbosity (-vv logs every AWS call)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print only errors and data
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show no progress
    #[arg(long, global = true, env = "TRAILCREATOR_NO_PROGRESS")]
    pub no_progress: bool,
}

/// The format of the data on stdout, as it can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// One JSON document per line (`list` and `watch`)
    Jsonl,
    /// CSV with a header row, safe to open in a spreadsheet (`list` and `report`)
    Csv,
}

impl From<Output> for OutputFormat {
    fn from(output: Output) -> Self {
        match output {
            Output::Text | Output::Csv => Self::Text,
            Output::Json | Output::Jsonl => Self::Json,
        }
    }
}

/// How to reach AWS. Settings not given come from the AWS credential chain: environment, profile, instance role.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "AWS options")]
pub struct AwsArgs {
    /// Access, without the region
    #[command(flatten)]
    pub access: AwsAccessArgs,
    /// AWS region
    #[arg(long, value_name = "REGION", env = "TRAILCREATOR_REGION", value_parser = str::parse::<Region>)]
    pub region: Option<Region>,
}

/// The same without the region, for commands that define their own `--region`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "AWS options")]
pub struct AwsAccessArgs {
    /// AWS profile to use; credentials in the environment are then ignored
    #[arg(long, value_name = "PROFILE", env = "TRAILCREATOR_PROFILE")]
    pub profile: Option<String>,
    /// Role to assume; several are assumed in order (role chaining)
    #[arg(long, value_name = "ARN", env = "TRAILCREATOR_ASSUME", value_delimiter = ',')]
    pub assume: Vec<String>,
    /// External ID for the role to assume; with several roles, for the last
    #[arg(long, value_name = "ID", requires = "assume", env = "TRAILCREATOR_EXTERNAL_ID")]
    pub external_id: Option<String>,
    /// Endpoint URL for all services (AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_SERVICE work too)
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

/// The time range of events (UTC) [default: all].
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Time range (UTC)")]
pub struct WindowArgs {
    /// Include only events of this year: 2019
    #[arg(long, conflicts_with_all = ["month", "day", "since", "until"])]
    pub year: Option<String>,
    /// Include only events of this month: 2019/11
    #[arg(long, conflicts_with_all = ["day", "since", "until"])]
    pub month: Option<String>,
    /// Include only events of this day: 2019/02/01
    #[arg(long, conflicts_with_all = ["since", "until"])]
    pub day: Option<String>,
    /// Include only events since a date, an RFC 3339 time or an age (30min, 12h, 90d, 2w, 3mo, 1y). Ages of a day or more start at
    /// midnight
    #[arg(long)]
    pub since: Option<String>,
    /// Include only events before this time, in the formats of --since. A date means the start of that day
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
                "the time range begins at {since}, which is in the future: now is {now:.0}"
            ))),
        }
    }
}

/// What to load besides create events.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Loading")]
pub(in crate::cli) struct ChainsArgs {
    /// Also load role sessions (AssumeRole and other STS events that issue credentials), for --resolve-chains; about 100 bytes
    /// per session
    #[arg(long, env = "TRAILCREATOR_CHAINS")]
    pub(in crate::cli) chains: bool,
}

impl ChainsArgs {
    /// The map to load by.
    pub(in crate::cli) fn map(self, map: ResourceMap) -> ResourceMap {
        if self.chains { map.with_sessions() } else { map }
    }
}

/// What to write, and to which resources. Shared by `tag` and `tag-org`.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct WantedArgs {
    /// Key of the tag that holds the owner
    #[arg(long, value_name = "KEY", default_value = "Owner", env = "TRAILCREATOR_CREATOR_TAG")]
    pub(in crate::cli) creator_tag: String,
    #[command(flatten)]
    pub(in crate::cli) owner_keys: OwnerKeysArgs,
    /// Additional tag to write: CreatedAt={event_time}. Placeholders: {owner}, {event_time}, {event_name}, {creator}, {role},
    /// {source_ip}, {tool}, {account_id} and more; repeatable
    #[arg(long = "tag", value_name = "KEY=TEMPLATE", value_parser = str::parse::<MoreTag>)]
    pub(in crate::cli) more_tags: Vec<MoreTag>,
    /// Tag only these resource types (Cloud Custodian or CloudFormation names: ebs, AWS::EC2::Volume); repeatable
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = str::parse::<ResourceType>)]
    pub(in crate::cli) types: Vec<ResourceType>,
    /// Also examine the types without create events in the database
    #[arg(long, conflicts_with = "types")]
    pub(in crate::cli) all_types: bool,
    /// Print what would be written; write nothing to AWS
    #[arg(long, alias = "dryrun")]
    pub(in crate::cli) dry_run: bool,
    /// Replace the value of an existing owner tag
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
    /// For resources that an AWS service created, use the owner of the parent. AWS's tags or an attachment name the
    /// parent: a stack, Auto Scaling group, fleet, cluster or instance
    #[arg(long, env = "TRAILCREATOR_INHERIT")]
    pub(in crate::cli) inherit: bool,
    #[command(flatten)]
    pub(in crate::cli) population: PopulationArgs,
    #[command(flatten)]
    pub(in crate::cli) scope: ScopeArgs,
    /// Save the plan to a file for `apply`; write nothing to AWS
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) save_plan: Option<PathBuf>,
    /// Writes with side effects
    #[command(flatten)]
    pub(in crate::cli) allow: AllowArgs,
}

/// Which tags count as the owner tag.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct OwnerKeysArgs {
    /// Other keys that count as the owner tag: owner,OwnerEmail. A resource with one of them is skipped. On types with
    /// case-insensitive tag keys (IAM users and roles), any spelling counts. --overwrite changes only the owner tag itself
    #[arg(long, value_name = "KEY", env = "TRAILCREATOR_OWNER_KEYS", value_delimiter = ',', value_parser = crate::model::parse_key)]
    pub(in crate::cli) owner_keys: Vec<TagKey>,
}

/// How the owner is derived from the principal. The rules are in docs/owners.md.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Owner")]
pub struct OwnerArgs {
    /// Attribute of the creator to use as the owner
    #[arg(long, value_enum, default_value_t, env = "TRAILCREATOR_CREATOR_VALUE")]
    pub creator_value: CreatorValue,
    /// Accept only creators with an ARN or name that ends with this suffix: @example.com
    #[arg(long, value_name = "SUFFIX", env = "TRAILCREATOR_USER_SUFFIX")]
    pub user_suffix: Option<String>,
    /// Owner of machine-named role sessions (i-0abc…, botocore-session-…)
    #[arg(long, value_enum, default_value_t, env = "TRAILCREATOR_MACHINE_SESSIONS")]
    pub machine_sessions: MachineSessions,
    /// YAML file of rules that map principals and resources to owners, optionally with a table of people. These rules
    /// take precedence over all others
    #[arg(long, value_name = "FILE", env = "TRAILCREATOR_IDENTITY_MAP")]
    pub identity_map: Option<PathBuf>,
    /// Follow role chains to the person who started them; needs sessions loaded with --chains
    #[arg(long, env = "TRAILCREATOR_RESOLVE_CHAINS")]
    pub resolve_chains: bool,
}

impl OwnerArgs {
    /// The rules, with the identity map read, and the accounts file and the table of people that it names. `accounts`: those that the
    /// command has, with their tags.
    ///
    /// # Errors
    /// The identity map can't be read or understood.
    pub fn rules(self, types: &ResourceMap, accounts: &[Account]) -> Result<OwnerRules, CommandError> {
        let identity_map = self.identity_map.map(|path| IdentityMap::load(&path, types)).transpose();
        let identity_map = identity_map.map_err(CommandError::usage)?;
        let mut account_tags = AccountTags::default();
        if let Some(path) = identity_map.as_ref().and_then(IdentityMap::accounts_file) {
            let file = organization::read_file(path)?;
            set_account_tags(&mut account_tags, &file.accounts);
        }
        set_account_tags(&mut account_tags, accounts);
        Ok(OwnerRules {
            value: self.creator_value,
            user_suffix: self.user_suffix,
            machine_sessions: self.machine_sessions,
            identity_map: identity_map.map(Arc::new),
            people: Arc::default(),
            account_tags: Arc::new(account_tags),
            resolve_chains: self.resolve_chains,
        })
    }
}

/// Adds the tags of accounts. An account without tags keeps those that are known from another file.
pub(in crate::cli) fn set_account_tags(account_tags: &mut AccountTags, accounts: &[Account]) {
    let tagged = accounts.iter().filter(|account| !account.tags.is_empty());
    tagged.for_each(|account| account_tags.set(&account.id, &account.tags));
}

/// The options behind the rules, as JSON. Equal JSON means equal decisions.
pub(in crate::cli) fn owner_options(rules: &OwnerRules) -> [(&'static str, Value); 5] {
    let name = |value: Option<PossibleValue>| json!(value.map(|value| value.get_name().to_owned()));
    let content = |map: &Arc<IdentityMap>| {
        let texts: Vec<&[u8]> = map.texts().map(str::as_bytes).collect();
        Fingerprint::of(&texts).to_string()
    };
    [
        ("--creator-value", name(rules.value.to_possible_value())),
        ("--user-suffix", json!(rules.user_suffix)),
        ("--machine-sessions", name(rules.machine_sessions.to_possible_value())),
        ("--identity-map (its content)", json!(rules.identity_map.as_ref().map(content))),
        ("--resolve-chains", json!(rules.resolve_chains)),
    ]
}

/// The rules, with the names of Identity Center users from the database.
pub(in crate::cli) fn with_known_names(
    context: &Context,
    store: &Store,
    rules: OwnerRules,
) -> Result<OwnerRules, CommandError> {
    show_missing_sessions(context, store, &rules)?;
    let people = store.people().map_err(|error| context.store_error(&error))?;
    Ok(OwnerRules { people: Arc::new(people), ..rules })
}

/// Warns about `--resolve-chains` without loaded sessions.
pub(in crate::cli) fn show_missing_sessions(
    context: &Context,
    store: &Store,
    rules: &OwnerRules,
) -> Result<(), CommandError> {
    if rules.resolve_chains && !store.has_sessions().map_err(|error| context.store_error(&error))? {
        context.console.warning_with_hints(
            "--resolve-chains: the database has no sessions",
            ["load with --chains; log files that were loaded without it are read again"],
        );
    }
    Ok(())
}

/// Warns about rules of the identity map that matched nothing: they are likely mistakes. And about those that need tags which the
/// database does not have.
pub(in crate::cli) fn show_unused_rules(context: &Context, rules: &OwnerRules) {
    let Some(map) = &rules.identity_map else { return };
    for rule in map.unused() {
        context.console.warning(format_args!("identity map, {rule}: matched no principal"));
    }
    for rule in map.undecided() {
        context.console.warning_with_hints(
            format_args!(
                "identity map, {rule}: could not be decided for some resources, because the database has no tags"
            ),
            ["list --live and tag --dry-run read the tags"],
        );
    }
}

/// Warns about people without a row in the table of people.
pub(in crate::cli) fn show_missing_people(context: &Context, people: &[MissingPerson]) {
    for MissingPerson { resources, reason, .. } in people.iter().take(PEOPLE_SHOWN) {
        let resources = counted(*resources, "resource");
        context.console.warning(format_args!("identity map: {reason}; this affects {resources}"));
    }
    let more = people.len().saturating_sub(PEOPLE_SHOWN);
    if more > 0 {
        context.console.warning(format_args!("identity map: and {more} more people (--output json lists them)"));
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
