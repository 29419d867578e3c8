//! c7n-trailcreator's format: `{"resources":[{"resource","shape"?,"events":[{"event","service","ids"}]}]}`.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::yaml::PlainEventStanza;
use crate::text::source::Text;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct C7nFile {
    pub(super) resources: Vec<Spanned<C7nType>>,
}

/// One type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct C7nType {
    pub(super) resource: Option<Text>,
    /// The name of botocore's model of the type; that tool doesn't use it either.
    #[serde(rename = "shape")]
    pub(super) _shape: Option<IgnoredAny>,
    pub(super) events: Option<Spanned<Vec<Spanned<PlainEventStanza>>>>,
}
