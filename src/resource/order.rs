//! Orders and counts of resources, by their columns.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;

use super::Resource;

/// A column that resources are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Column {
    /// Time of the create event
    Created,
    /// Resource type
    Type,
    /// ID
    Id,
    /// Name
    Name,
    /// Account ID
    Account,
    /// Region
    Region,
    /// Owner
    Owner,
    /// Creator
    Creator,
    /// Tool
    Tool,
}

/// A column, and the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    column: Column,
    /// Whether the largest comes first.
    pub is_descending: bool,
}

/// Not a column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected created, type, id, name, account, region, owner, creator or tool; -created for the latest first")]
pub struct InvalidOrder;

impl FromStr for Order {
    type Err = InvalidOrder;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, is_descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let column = Column::from_str(name, true).map_err(|_| InvalidOrder)?;
        Ok(Self { column, is_descending })
    }
}

impl Order {
    /// A text that sorts as the resource does. Resources without a value come last in both directions.
    pub fn key(self, resource: &Resource) -> String {
        let value = match self.column {
            Column::Created => resource.created_at(),
            Column::Type => Some(resource.resource_type.as_str()),
            Column::Id => Some(resource.id.as_str()),
            Column::Name => resource.name.as_deref(),
            Column::Account => Some(resource.account_id.as_str()),
            Column::Region => Some(resource.region.as_str()),
            Column::Owner => resource.owner.as_deref(),
            Column::Creator => resource.creator.as_deref(),
            Column::Tool => resource.tool.as_deref(),
        };
        let comes_last = value.is_none() != self.is_descending;
        let Resource { account_id, region, id, .. } = resource;
        let created = resource.created_at().unwrap_or_default();
        let value = value.unwrap_or_default();
        format!("{}{value}\u{1}{account_id}\u{1}{region}\u{1}{created}\u{1}{id}", u8::from(comes_last))
    }
}

/// What resources are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CountBy {
    /// By creator
    Creator,
    /// By owner
    Owner,
    /// By tool
    Tool,
    /// By resource type
    Type,
    /// By account
    Account,
    /// By region
    Region,
    /// By month of the create event, such as 2026-03
    Month,
}

impl fmt::Display for CountBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Creator => "creator",
            Self::Owner => "owner",
            Self::Tool => "tool",
            Self::Type => "type",
            Self::Account => "account_id",
            Self::Region => "region",
            Self::Month => "month",
        })
    }
}

impl CountBy {
    /// The value of a resource. `None` if it has none.
    pub fn value(self, resource: &Resource) -> Option<&str> {
        const MONTH: usize = "2026-03".len();
        match self {
            Self::Creator => resource.creator.as_deref(),
            Self::Owner => resource.owner.as_deref(),
            Self::Tool => resource.tool.as_deref(),
            Self::Type => Some(resource.resource_type.as_str()),
            Self::Account => Some(resource.account_id.as_str()),
            Self::Region => Some(resource.region.as_str()),
            Self::Month => resource.created_at().and_then(|time| time.get(..MONTH)),
        }
    }
}
