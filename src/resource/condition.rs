//! `--where EXPR`: a JMESPath expression over the resource document, true for what is kept.

use std::fmt;
use std::str::FromStr;

use super::{FIELDS, FIELDS_FROM_TAGS, FIELDS_OF_OWNER, Resource};
use crate::creator::OwnerRules;
use crate::resource_map::expression::{Expression, InvalidExpression, TopLevelFields, to_variable};
use crate::text::nearest;

/// What people write for an absent value.
const NULL: &str = "null";

/// A compiled condition.
#[derive(Debug, Clone)]
pub struct Condition {
    expression: Expression,
}

/// Why a text is not a condition.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidCondition {
    /// Not JMESPath.
    #[error(transparent)]
    Expression(#[from] InvalidExpression),
    /// It reads a field that no resource has: it would be false, or true, for all of them.
    #[error("a resource has no field {name:?}{}; it has {}", .nearest.as_ref().map(|near| format!(" (did you mean {near}?)")).unwrap_or_default(), FIELDS.join(", "))]
    UnknownField {
        /// The field.
        name: String,
        /// One that is spelled much like it.
        nearest: Option<String>,
    },
}

impl FromStr for Condition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expression = Expression::compile(text)?.with_negated_paths();
        if let TopLevelFields::Some(names) = expression.fields()
            // A bare `null` is a field that nothing has, and so means what it says. A bare `true` does not.
            && let Some(name) = names.iter().find(|name| *name != NULL && !FIELDS.contains(&name.as_str()))
        {
            let nearest = nearest(name, FIELDS).map(str::to_owned);
            return Err(InvalidCondition::UnknownField { name: name.clone(), nearest });
        }
        Ok(Self { expression })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expression.source())
    }
}

impl Condition {
    /// Whether a resource is kept: the value is true in the sense of JMESPath (not false, null or empty). An expression that fails on
    /// a resource (`starts_with` of a null name) does not keep it.
    pub fn keeps(&self, resource: &Resource) -> bool {
        let document = serde_json::to_value(resource).expect("the document holds text keys only");
        self.expression.interpret(&to_variable(&document)).is_truthy()
    }

    /// Whether its value depends on the tags of a resource, under these rules for owners.
    pub fn needs_tags(&self, rules: &OwnerRules) -> bool {
        let owner_needs_tags = rules.need_tags();
        let is_from_tags =
            |name: &str| FIELDS_FROM_TAGS.contains(&name) || owner_needs_tags && FIELDS_OF_OWNER.contains(&name);
        match self.expression.fields() {
            TopLevelFields::All => true,
            TopLevelFields::Some(names) => names.iter().any(|name| is_from_tags(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Region};

    fn resource(tool: Option<&str>, tags: &[(&str, &str)]) -> Resource {
        Resource {
            resource_type: "sqs".into(),
            id: "q".into(),
            arn: None,
            name: None,
            account_id: AccountId::new("111122223333"),
            account_name: None,
            region: Region::new("eu-west-1"),
            tags: Some(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()),
            creator: None,
            owner: None,
            owner_reason: None,
            tool: tool.map(str::to_owned),
            event: None,
        }
    }

    fn keeps(condition: &str, resource: &Resource) -> bool {
        condition.parse::<Condition>().unwrap().keeps(resource)
    }

    #[test]
    fn what_is_true_is_kept() {
        let by_terraform = resource(Some("Terraform"), &[("team", "blue")]);
        assert!(!keeps("tool != 'Terraform'", &by_terraform));
        assert!(keeps("tool != 'Terraform'", &resource(None, &[])));
        assert!(keeps("type == 'sqs' && tags.team == 'blue'", &by_terraform));
        assert!(keeps("!tags.Owner", &by_terraform) && !keeps("tags.Owner", &by_terraform));
        assert!(keeps("tags.\"aws:x\" == null", &by_terraform));
        assert!(!keeps("starts_with(name, 'a')", &by_terraform), "it fails on a null");
        assert!(keeps("region == 'eu-west-1' && account_id == '111122223333'", &by_terraform));
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_nearest() {
        let message = |text: &str| text.parse::<Condition>().unwrap_err().to_string();
        assert!(message("tols == 'Terraform'").contains("did you mean tool?"), "{}", message("tols == 'Terraform'"));
        assert!(message("event_time > '2026'").starts_with("a resource has no field \"event_time\""));
        assert!(message("type ==").contains("is not JMESPath"));
    }

    #[test]
    fn tags_are_needed_where_they_are_read() {
        let needs = |text: &str| text.parse::<Condition>().unwrap().needs_tags(&OwnerRules::default());
        assert!(needs("tags.a") && needs("name == 'x'") && needs("keys(@)"));
        assert!(!needs("tool != 'Terraform' && event.principal.role == 'ci'"));
    }
}
