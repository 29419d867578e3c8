//! Which resource type a name means: one place for `--type` and every option like it.
//!
//! People know a type by cloud-custodian's name (`ebs`), by CloudFormation's (`AWS::EC2::Volume`, or `ec2-volume`), by what its ARN
//! and the tagging API call it (`ec2:volume`), or by an alias of the map (`rds-instance`). Letter case and separators don't count.

use std::fmt;

use super::{ItemText, ResourceMap, TypeDefinition};
use crate::model::{ArnParts, ResourceType};
use serde_json::Value;

/// What a type's name is followed by in messages.
type Shown<'m> = (&'m ResourceType, Option<&'m str>);

/// A kind of name, and what gives a type's names of that kind.
type Kind = for<'m> fn(&'m TypeDefinition) -> Vec<String>;

/// The kinds of names. One that an earlier kind knows is not looked for in a later one: `ec2` is a type, whatever else it may name.
const KINDS: [Kind; 4] = [own_name, aliases, cloudformation, arn_names];

/// A name that is not a resource type, or that of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownType {
    /// As given.
    pub name: String,
    /// The types that it may mean: several that have this name, or the one with the nearest name. Each with CloudFormation's name.
    pub candidates: Vec<(ResourceType, Option<String>)>,
}

impl fmt::Display for UnknownType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            return formatter.write_str("the resource type is empty");
        }
        if self.candidates.len() > 1 {
            return write!(formatter, "{} is the name of several resource types", self.name);
        }
        write!(formatter, "there is no resource type {}", self.name)
    }
}

impl std::error::Error for UnknownType {}

impl UnknownType {
    /// What to write instead.
    pub fn hint(&self) -> Option<String> {
        match self.candidates.as_slice() {
            [] => None,
            [(name, None)] => Some(format!("did you mean {name}?")),
            [(name, Some(cloudformation))] => Some(format!("did you mean {name}? ({cloudformation})")),
            several => {
                let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
                Some(format!("give one of them: {}", names.join(", ")))
            }
        }
    }
}

impl ResourceMap {
    /// The type that `name` means.
    ///
    /// # Errors
    /// None has such a name, or several have.
    pub fn resolve_type(&self, name: &str) -> Result<ResourceType, UnknownType> {
        if let Some((known, _)) = self.types.get_key_value(name) {
            return Ok(known.clone());
        }
        let wanted = comparable(name);
        for kind in kinds_for(name) {
            let has_name =
                |definition: &&TypeDefinition| kind(definition).iter().any(|name| comparable(name) == wanted);
            let found: Vec<&TypeDefinition> = self.definitions().filter(has_name).collect();
            match found.as_slice() {
                [] => {}
                [one] => return Ok(one.resource_type.clone()),
                several => return Err(unknown(name, several.iter().map(|definition| shown(definition)))),
            }
        }
        Err(unknown(name, self.nearest(name).map(shown)))
    }

    /// As [`ResourceMap::resolve_type`], for several; a type that is named twice is there once.
    ///
    /// # Errors
    /// The first that is none.
    pub fn resolve_types<'given>(
        &self,
        names: impl IntoIterator<Item = &'given ResourceType>,
    ) -> Result<Vec<ResourceType>, UnknownType> {
        let mut types = Vec::new();
        for name in names {
            let resolved = self.resolve_type(name.as_str())?;
            if !types.contains(&resolved) {
                types.push(resolved);
            }
        }
        Ok(types)
    }

    /// The type with a name most like `name`.
    fn nearest(&self, name: &str) -> Option<&TypeDefinition> {
        let name = spelled(name);
        let best = |definition: &TypeDefinition| {
            let candidates = names_to_suggest_by(definition);
            candidates.iter().filter_map(|known| crate::text::likeness(&name, known)).max_by(f64::total_cmp)
        };
        let rated = self.definitions().filter_map(|definition| Some((best(definition)?, definition)));
        // The first of equals: the shortest name comes first in most families (ec2, ec2-fleet).
        rated.reduce(|one, other| if other.0 > one.0 { other } else { one }).map(|(_, definition)| definition)
    }
}

/// A name with `::` is CloudFormation's, even where another kind's name has the same letters.
fn kinds_for(name: &str) -> &'static [Kind] {
    const OF_CLOUDFORMATION: [Kind; 1] = [cloudformation];
    if name.contains("::") { &OF_CLOUDFORMATION } else { &KINDS }
}

fn shown(definition: &TypeDefinition) -> Shown<'_> {
    (&definition.resource_type, definition.cloudformation.as_deref())
}

fn unknown<'m>(name: &str, candidates: impl IntoIterator<Item = Shown<'m>>) -> UnknownType {
    let owned = |(name, cloudformation): Shown<'_>| (name.clone(), cloudformation.map(str::to_owned));
    UnknownType { name: name.to_owned(), candidates: candidates.into_iter().map(owned).collect() }
}

/// Letters and digits in lower case, without the `aws` that names of CloudFormation, custodian and Terraform begin with.
pub(super) fn comparable(name: &str) -> String {
    without_aws(name).chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn without_aws(name: &str) -> &str {
    const AWS: &str = "aws";
    match (name.get(..AWS.len()), name.get(AWS.len()..)) {
        (Some(start), Some(rest)) if start.eq_ignore_ascii_case(AWS) && rest.starts_with([':', '.', '_', '-']) => rest,
        _ => name,
    }
}

/// In the spelling of types: `EC2 Volume` is `ec2-volume`.
fn spelled(name: &str) -> String {
    let name = without_aws(name).trim_start_matches([':', '.', '_', '-']).to_ascii_lowercase();
    name.replace("::", "-").replace(['_', ' ', ':', '.'], "-")
}

fn own_name(definition: &TypeDefinition) -> Vec<String> {
    vec![definition.resource_type.to_string()]
}

fn aliases(definition: &TypeDefinition) -> Vec<String> {
    definition.aliases.clone()
}

fn cloudformation(definition: &TypeDefinition) -> Vec<String> {
    definition.cloudformation.iter().cloned().collect()
}

/// `ec2:volume`: as the tagging API filters by it, and as the ARN says.
fn arn_names(definition: &TypeDefinition) -> Vec<String> {
    let Some(access) = definition.access.as_ref() else { return Vec::new() };
    // A service alone (`s3`, `sqs`) names all its types.
    let filter = access.tags.rgta.iter().filter(|filter| filter.contains(':')).cloned();
    filter.chain(access.arn.as_ref().and_then(name_in_arn)).collect()
}

/// `ec2:volume` of `arn:{partition}:ec2:{region}:{account}:volume/{id}`.
fn name_in_arn(arn: &ItemText) -> Option<String> {
    const FILLED: &str = "*";
    let ItemText::Template(_) = arn else { return None };
    let text = arn.text(&Value::Null, &|_| Some(Value::from(FILLED))).ok()?;
    let ArnParts { service, resource, .. } = ArnParts::parse(&text)?;
    let kind = resource.split(['/', ':']).next().filter(|kind| !kind.is_empty() && !kind.contains(FILLED))?;
    (!service.contains(FILLED)).then(|| format!("{service}:{kind}"))
}

/// All names in the spelling of types, and what CloudFormation calls the resource without its service: `volume`.
fn names_to_suggest_by(definition: &TypeDefinition) -> Vec<String> {
    let resource = definition.cloudformation.as_deref().and_then(|name| name.rsplit("::").next());
    let of_kinds = KINDS.iter().flat_map(|kind| kind(definition)).map(|name| spelled(&name));
    of_kinds.chain(resource.map(spelled)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(name: &str) -> Result<String, String> {
        let resolved = ResourceMap::built_in_once().resolve_type(name);
        resolved.map(|known| known.to_string()).map_err(|error| error.hint().unwrap_or_default())
    }

    #[test]
    fn a_type_is_known_by_every_name_that_people_have_for_it() {
        for (name, known) in [
            ("ebs", "ebs"),
            ("aws.ebs", "ebs"),
            ("AWS::EC2::Volume", "ebs"),
            ("aws::ec2::volume", "ebs"),
            ("ec2-volume", "ebs"),
            ("ec2:volume", "ebs"),
            ("aws_ebs_volume", "ebs"),
            ("s3-bucket", "s3"),
            ("S3 Bucket", "s3"),
            ("ec2-instance", "ec2"),
            ("ec2", "ec2"),
            ("EC2", "ec2"),
            ("cognito-user-pool", "user-pool"),
            ("lambda-function", "lambda"),
            ("lambda:function", "lambda"),
            ("rds-instance", "rds"),
            ("rds:db", "rds"),
            ("iam role", "iam-role"),
            ("iam_role", "iam-role"),
            ("IAM-Role", "iam-role"),
            ("dynamodb:table", "dynamodb-table"),
            ("ec2:snapshot", "ebs-snapshot"),
            ("secret", "secrets-manager"),
        ] {
            assert_eq!(resolved(name).as_deref(), Ok(known), "{name}");
        }
    }

    #[test]
    fn every_type_is_known_by_its_own_and_by_cloudformation_s_name_if_that_is_its_alone() {
        let map = ResourceMap::built_in_once();
        for (name, definition) in &*map.types {
            assert_eq!(map.resolve_type(name.as_str()).as_ref(), Ok(name));
            let Some(cloudformation) = &definition.cloudformation else { continue };
            match map.resolve_type(&cloudformation.to_uppercase()) {
                Ok(found) => assert_eq!(&found, name, "{cloudformation}"),
                Err(error) => {
                    let shares = error.candidates.iter().any(|(candidate, _)| candidate == name);
                    assert!(shares && error.candidates.len() > 1, "{cloudformation}: {error:?}");
                }
            }
        }
    }

    #[test]
    fn a_name_that_types_share_lists_them() {
        let shared = "give one of them: ses-configuration-set, ses-configuration-set-v2";
        assert_eq!(resolved("AWS::SES::ConfigurationSet"), Err(shared.to_owned()));
        assert_eq!(resolved("ses-configuration-set").as_deref(), Ok("ses-configuration-set"));
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_nearest_of_all_names() {
        for (wrong, right) in [
            ("voume", "did you mean ebs? (AWS::EC2::Volume)"),
            ("iam-rol", "did you mean iam-role? (AWS::IAM::Role)"),
            ("aws.iam-usr", "did you mean iam-user? (AWS::IAM::User)"),
            ("AWS::EC2::Volum", "did you mean ebs? (AWS::EC2::Volume)"),
            ("lamda", "did you mean lambda? (AWS::Lambda::Function)"),
            ("lambda-fuction", "did you mean lambda? (AWS::Lambda::Function)"),
            ("dynamodb", "did you mean dynamodb-table? (AWS::DynamoDB::Table)"),
            ("xyzzy", ""),
            ("", ""),
        ] {
            assert_eq!(resolved(wrong), Err(right.to_owned()), "{wrong}");
        }
    }

    #[test]
    fn types_are_resolved_together_and_each_once() {
        let map = ResourceMap::built_in_once();
        let types =
            |names: &[&str]| map.resolve_types(&names.iter().map(|name| name.parse().unwrap()).collect::<Vec<_>>());
        assert_eq!(types(&["s3-bucket", "s3", "ebs"]).unwrap(), [ResourceType::from("s3"), "ebs".into()]);
        assert_eq!(types(&["ec2", "iam-rol"]).unwrap_err().to_string(), "there is no resource type iam-rol");
    }
}
