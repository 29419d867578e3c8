//! Which resources a command is about, by their documents.

use std::str::FromStr;

use jiff::Timestamp;

use super::{Condition, Resource};
use crate::text::pattern::{InvalidPattern, Pattern};
use crate::trail::window::TimeWindow;

/// A name as the user writes it, without regard to case: the whole name, a glob (`dana*`), or an expression between slashes.
#[derive(Debug, Clone)]
pub struct NamePattern(std::sync::Arc<Pattern>);

/// An invalid pattern.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct InvalidPatternOption(InvalidPattern);

impl FromStr for NamePattern {
    type Err = InvalidPatternOption;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Pattern::parse_ignoring_case(text).map(|pattern| Self(pattern.into())).map_err(InvalidPatternOption)
    }
}

impl NamePattern {
    fn fits(&self, text: &str) -> bool {
        self.0.fit(text).is_some()
    }
}

/// Selects resources. Empty lists select all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// With a creator of this name: the creator, the owner, the principal's ARN or its session.
    pub creators: Vec<NamePattern>,
    /// Created with this tool.
    pub tools: Vec<NamePattern>,
    /// Created in this time.
    pub window: TimeWindow,
    /// For which this is true.
    pub condition: Option<Condition>,
}

impl Selection {
    /// Whether it has a resource.
    pub fn has(&self, resource: &Resource) -> bool {
        let event = resource.event.as_ref();
        let principal = event.map(|event| &event.principal);
        let names = [
            resource.creator.as_deref(),
            resource.owner.as_deref(),
            principal.and_then(|principal| principal.arn.as_deref()),
            principal.and_then(|principal| principal.session.as_deref()),
        ];
        let fits = |patterns: &[NamePattern], names: &[Option<&str>]| {
            patterns.is_empty() || patterns.iter().any(|pattern| names.iter().flatten().any(|name| pattern.fits(name)))
        };
        fits(&self.creators, &names)
            && fits(&self.tools, &[resource.tool.as_deref()])
            && self.has_time(event.map(|event| event.time.as_str()))
            && self.condition.as_ref().is_none_or(|condition| condition.keeps(resource))
    }

    fn has_time(&self, time: Option<&str>) -> bool {
        let moment = || time?.parse::<Timestamp>().ok();
        self.window.is_open() || moment().is_some_and(|moment| self.window.contains(moment))
    }
}
