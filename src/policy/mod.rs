//! The IAM policy that a command needs: made from the data of its calls, so that it is never out of date.
//!
//! Pure. sts:GetCallerIdentity is called by most commands and needs no permission.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

mod documents;
mod templates;

use std::collections::{BTreeMap, BTreeSet};

pub use documents::{Fit, MAX_CHARACTERS, MAX_INLINE_CHARACTERS, MAX_POLICIES_OF_ROLE, Scope, documents};
pub use templates::{MAX_TEMPLATE_BYTES, RoleOf, cloudformation, terraform};

use crate::model::ResourceType;
use crate::resource_map::{Access, NativeWriting, Request, ResourceMap, TagRequest, TypeDefinition, WriteMethod};

/// Reading a trail's objects. GetObject is also what S3 Select needs, ListBucket also what HeadBucket needs.
const READ_TRAIL: [&str; 2] = ["s3:GetObject", "s3:ListBucket"];

/// Following a queue, and reading what its messages announce.
const WATCH: [&str; 7] = [
    "identitystore:DescribeUser",
    "s3:GetObject",
    "s3:ListBucket",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
];

/// Athena's own calls, and what it does on the caller's behalf: find the table and its partitions, read the trail, write
/// the result.
///
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html>, `fine-grained-access-to-glue-resources.html`,
/// `lf-athena-access.html`: GetDataAccess is for tables that Lake Formation governs, as those of Security Lake.
const ATHENA: [&str; 20] = [
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetTableMetadata",
    "athena:GetWorkGroup",
    "athena:ListTableMetadata",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
    "lakeformation:GetDataAccess",
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
];

/// Event history, and which regions the account has.
const HISTORY: [&str; 3] = ["account:ListRegions", "cloudtrail:LookupEvents", "ec2:DescribeRegions"];

/// A log group of CloudWatch Logs.
const LOGS: [&str; 2] = ["logs:DescribeLogGroups", "logs:FilterLogEvents"];

/// Event history of regions that are known, and the names of Identity Center's users.
const LOOKUP: [&str; 2] = ["cloudtrail:LookupEvents", "identitystore:DescribeUser"];

/// The names of Identity Center's users; without it their ids are the owners.
const IDENTITY: &str = "identitystore:DescribeUser";

/// Walking an organization's tree, and its accounts' tags.
const ORGANIZATION: [&str; 4] = [
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
    "organizations:ListTagsForResource",
];

/// The hub of an organization: reads the trail, lists the accounts, and assumes a role in each.
const HUB: [&str; 9] = [
    "identitystore:DescribeUser",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
    "organizations:ListTagsForResource",
    "s3:GetObject",
    "s3:ListBucket",
    "sts:AssumeRole",
];

/// For objects and messages that are encrypted with a KMS key.
const DECRYPT: [&str; 1] = ["kms:Decrypt"];

/// For log files that are encrypted with a KMS key, and for results that are to be.
///
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/encryption.html>
const ENCRYPT: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

/// The account's regions, for `--region all`.
const REGIONS: [&str; 2] = ["account:ListRegions", "ec2:DescribeRegions"];

/// Queries of AWS Config, in an account-region and with an aggregator.
///
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsconfig.html>
const CONFIG: [&str; 3] = [
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeConfigurationRecorders",
    "config:SelectResourceConfig",
];
const AGGREGATOR: [&str; 4] = [
    "config:DescribeConfigurationAggregators",
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeConfigurationRecorders",
    "config:SelectAggregateResourceConfig",
];

/// The type to list to find out which creators still exist.
const IAM_USER: &str = "iam-user";

/// What a command does on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing.
    Nothing,
    /// Reads a trail's objects.
    ReadTrail,
    /// Follows a queue, reads a trail's objects, and tags what new records created.
    Watch,
    /// Queries a trail by Athena.
    Athena,
    /// Reads a trail's log group.
    Logs,
    /// Reads Event history of all regions.
    History,
    /// Looks up single resources in Event history.
    Lookup,
    /// Decides on owners, lists resources and writes tags.
    Tag,
    /// As [`Work::Tag`] in an account of an organization; may also list enabled regions.
    TagAccount,
    /// Lists resources and writes tags that were decided on.
    Apply,
    /// Lists an organization's accounts.
    Organization,
    /// Reads a trail's objects, lists an organization's accounts and assumes a role in each.
    Hub,
    /// Lists resources and reads their tags.
    Report,
    /// Lists resources, and removes tags or restores their earlier values.
    Undo,
    /// As [`Work::TagAccount`], and undoes it.
    Member,
}

/// The actions that a piece of work needs, and those missing in the map.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// `service:Action`, sorted.
    pub actions: BTreeSet<String>,
    /// Those of them that resource types need: on all their resources.
    pub of_types: BTreeSet<String>,
    /// Actions on KMS keys, if there are keys; not among `actions`.
    pub of_keys: Vec<&'static str>,
    /// Calls without a known action: the type, and the call as the map spells it.
    pub unknown: BTreeSet<(ResourceType, String)>,
}

/// What `work` needs for these types; only tagging depends on them. With `inherit`, also the calls that look up their parents. `may_write`:
/// whether a type with side effects may be written.
pub fn needs<'m>(
    map: &'m ResourceMap,
    work: Work,
    inherit: bool,
    types: impl IntoIterator<Item = &'m TypeDefinition>,
    may_write: &dyn Fn(&TypeDefinition) -> bool,
) -> Needs {
    let fixed: &[&str] = match work {
        Work::Nothing | Work::Apply | Work::Undo => &[],
        Work::Tag => &[IDENTITY],
        Work::ReadTrail => &READ_TRAIL,
        Work::Watch => &WATCH,
        Work::Athena => &ATHENA,
        Work::History => &HISTORY,
        Work::Logs => &LOGS,
        Work::Lookup => &LOOKUP,
        Work::Organization => &ORGANIZATION,
        Work::Hub => &HUB,
        Work::Report | Work::TagAccount | Work::Member => &REGIONS,
    };
    let of_keys: &[&str] = match work {
        Work::ReadTrail | Work::Watch | Work::Hub => &DECRYPT,
        Work::Athena => &ENCRYPT,
        _ => &[],
    };
    let mut needs = Needs { of_keys: of_keys.to_vec(), ..Needs::default() };
    if matches!(
        work,
        Work::Tag | Work::Watch | Work::TagAccount | Work::Member | Work::Apply | Work::Undo | Work::Report
    ) {
        let types: Vec<&TypeDefinition> = types.into_iter().collect();
        if inherit && matches!(work, Work::Tag | Work::Watch | Work::TagAccount | Work::Member | Work::Report) {
            needs.add_parents(map, &types);
        }
        for definition in types {
            let Some(access) = definition.access.as_ref() else { continue };
            needs.add_listing(map, definition, access);
            let is_swept = !matches!(work, Work::Apply | Work::Undo);
            needs.add_tag_reading(definition, access, is_swept);
            if work != Work::Report && may_write(definition) {
                needs.add_tag_writing(definition, access, matches!(work, Work::Undo | Work::Member));
            }
        }
    }
    let users = map.definition(IAM_USER).filter(|_| work == Work::Report);
    if let Some((definition, access)) = users.and_then(|users| Some((users, users.access.as_ref()?))) {
        needs.add_listing(map, definition, access);
    }
    needs.of_types.clone_from(&needs.actions);
    needs.actions.extend(fixed.iter().map(|&action| action.to_owned()));
    needs
}

/// Verbs of actions that read only what names and describes resources. `Get` is not among them: it also reads contents.
const READING_VERBS: [&str; 2] = ["List", "Describe"];

impl Needs {
    /// Replaces several actions of a service with one of [`READING_VERBS`] by a wildcard: `ec2:Describe*`.
    pub fn shorten(&mut self) {
        for actions in [&mut self.actions, &mut self.of_types] {
            let mut by_wildcard: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for action in actions.iter() {
                let Some(wildcard) = wildcard_of(action) else { continue };
                by_wildcard.entry(wildcard).or_default().push(action.clone());
            }
            for (wildcard, several) in by_wildcard.into_iter().filter(|(_, several)| several.len() > 1) {
                actions.retain(|action| !several.contains(action));
                actions.insert(wildcard);
            }
        }
    }

    /// Adds the actions for AWS Config, if the work can list resources with it.
    pub fn add_config(&mut self, work: Work, by_aggregator: bool) {
        if matches!(work, Work::Tag | Work::TagAccount | Work::Member | Work::Report) {
            let actions: &[&str] = if by_aggregator { &AGGREGATOR } else { &CONFIG };
            actions.iter().for_each(|action| self.add(action));
        }
    }

    /// The type's own listing and those of the types above it.
    fn add_listing(&mut self, map: &ResourceMap, definition: &TypeDefinition, access: &Access) {
        let mut above = Some((definition, access));
        let mut seen = BTreeSet::new();
        while let Some((definition, access)) = above.filter(|(definition, _)| seen.insert(&definition.resource_type)) {
            access.listing_requests().into_iter().for_each(|request| self.add_call(definition, request));
            let parent = access.parent_type().and_then(|name| map.definition(name));
            above = parent.and_then(|definition| Some((definition, definition.access.as_ref()?)));
        }
    }

    /// Listing the possible parents of resources of these types, with their tags.
    fn add_parents(&mut self, map: &ResourceMap, types: &[&TypeDefinition]) {
        for name in map.parent_types(types.iter().map(|definition| &definition.resource_type)) {
            let Some(definition) = map.definition(&name) else { continue };
            let Some(access) = definition.access.as_ref() else { continue };
            self.add_listing(map, definition, access);
            self.add_tag_reading(definition, access, false);
        }
    }

    /// Reading tags where the listing doesn't. `is_swept`: with a sweep of the Tagging API before the type's own call.
    fn add_tag_reading(&mut self, definition: &TypeDefinition, access: &Access, is_swept: bool) {
        let tags = &access.tags;
        if tags.path.is_none() && tags.rgta.is_some() && is_swept {
            self.add("tag:GetResources");
        }
        tags.request.iter().flat_map(TagRequest::ways).for_each(|tags| self.add_call(definition, &tags.request));
    }

    fn add_tag_writing(&mut self, definition: &TypeDefinition, access: &Access, takes_back: bool) {
        let Some(write) = &access.write else { return };
        if write.method == WriteMethod::Rgta {
            self.add("tag:TagResources");
            if takes_back {
                self.add("tag:UntagResources");
            }
        }
        self.actions.extend(write.actions.add.iter().cloned());
        if takes_back {
            self.actions.extend(write.actions.remove.iter().cloned());
        }
        let native = write
            .native
            .iter()
            .flat_map(NativeWriting::ways)
            .flat_map(|native| std::iter::once(&native.add).chain(native.remove.iter().filter(|_| takes_back)));
        native.for_each(|request| self.add_call(definition, request));
    }

    fn add_call(&mut self, definition: &TypeDefinition, request: &Request) {
        self.actions.extend(request.actions().iter().cloned());
        if request.actions().is_empty() {
            self.unknown.insert((definition.resource_type.clone(), request.call().to_owned()));
        }
    }

    fn add(&mut self, action: &str) {
        self.actions.insert(action.to_owned());
    }
}

fn wildcard_of(action: &str) -> Option<String> {
    let (service, name) = action.split_once(':')?;
    let verb = READING_VERBS.into_iter().find(|verb| name.starts_with(verb))?;
    Some(format!("{service}:{verb}*"))
}

#[cfg(test)]
mod tests;
