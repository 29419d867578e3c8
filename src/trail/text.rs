//! JSON strings.

use std::borrow::Cow;

use serde::Deserialize;

/// A string that is borrowed if it has no escapes. serde's own `Cow` always copies.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);
