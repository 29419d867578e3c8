//! The names that can find the person behind an event in a table of people.

/// The names of a person.
#[derive(Debug, Clone, Default)]
pub(super) struct PersonNames {
    /// The name for messages: the owner by the default rules. Empty if no person is behind the event.
    pub(super) shown: String,
    /// All names, those that identify a person best first.
    pub(super) all: Vec<String>,
}

impl PersonNames {
    /// From the names that are recorded. `shown`: the owner by the default rules, if there is one.
    pub(super) fn new(shown: Option<String>, recorded: impl IntoIterator<Item = String>) -> Self {
        let mut all: Vec<String> = Vec::new();
        for name in recorded.into_iter().chain(shown.clone()) {
            if !name.trim().is_empty() && !all.contains(&name) {
                all.push(name);
            }
        }
        let shown = shown.or_else(|| all.first().cloned()).unwrap_or_default();
        Self { shown, all }
    }
}

/// `someone@example.com`: distinguishes an address from other names, but does not validate it.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let labels = || domain.split('.');
    !local.is_empty()
        && !text.contains(char::is_whitespace)
        && !domain.contains('@')
        && labels().count() > 1
        && labels().all(|label| !label.is_empty())
}
