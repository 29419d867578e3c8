//! The environment as AWS's settings see it: an empty variable is not set, as in the AWS CLI.
//!
//! Everything below [`super::session`] reads this copy and never the process, so that the rule is in one place. The SDK gets
//! it too: its own reading takes `AWS_REGION=` for a region without a name.

use std::collections::HashMap;
use std::fmt;

use aws_types::os_shim_internal::Env;

/// The variables that are set to something.
#[derive(Clone, Default)]
pub(super) struct Environment(HashMap<String, String>);

impl Environment {
    /// The process's. What is not UTF-8 is not a setting of AWS's.
    pub(super) fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::of(std::env::vars_os().filter_map(text))
    }

    /// These variables, without those that are empty.
    pub(super) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect())
    }

    /// A variable's value, never empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Without these variables.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// With a variable set.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The SDK's type for an environment.
    pub(super) fn for_sdk(&self) -> Env {
        Env::from(self.0.clone())
    }
}

/// Names only: values hold secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_not_set_and_values_are_not_shown() {
        let variables = [("AWS_REGION", ""), ("AWS_PROFILE", " "), ("AWS_SECRET_ACCESS_KEY", "hidden")];
        let environment = Environment::of(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((environment.get("AWS_REGION"), environment.get("AWS_PROFILE")), (None, None));
        assert!(environment.for_sdk().get("AWS_REGION").is_err());
        assert_eq!(format!("{environment:?}"), "{\"AWS_SECRET_ACCESS_KEY\"}");
    }
}
