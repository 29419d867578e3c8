//! The type under which the store and the event index keep sessions. It is no resource type.

use crate::model::ResourceType;

/// The type that stands for a session. No map may describe one of this name.
pub const SESSION: &str = "sts-session";

/// Whether a type stands for sessions.
pub fn is_session(resource_type: &ResourceType) -> bool {
    resource_type.as_str() == SESSION
}
