//! Counts of resources by class, and the percentages that follow from them.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// The class of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// It has the tag.
    Owned,
    /// It lacks the tag, and its creator is known: `tag` would write it.
    WouldBeOwned,
    /// It lacks the tag, and the database has no create event.
    NoRecord,
    /// It lacks the tag, and the rules give its creator no owner.
    NoOwner,
    /// It lacks the tag, and an AWS service created it.
    ServiceCreated,
    /// Its tags could not be read.
    Unknown,
    /// It can't be tagged: because of its type or state, or because it already has the maximum number of tags.
    NotTaggable,
}

impl Class {
    /// All classes, in the order of tables and charts.
    pub const ALL: [Self; 7] = [
        Self::Owned,
        Self::WouldBeOwned,
        Self::NoRecord,
        Self::NoOwner,
        Self::ServiceCreated,
        Self::Unknown,
        Self::NotTaggable,
    ];

    /// What reports call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::WouldBeOwned => "would be owned",
            Self::NoRecord => "no record",
            Self::NoOwner => "no owner",
            Self::ServiceCreated => "service",
            Self::Unknown => "unknown",
            Self::NotTaggable => "not taggable",
        }
    }

    /// Whether a resource lacks an owner that it could have.
    pub fn is_unowned(self) -> bool {
        matches!(self, Self::WouldBeOwned | Self::NoRecord | Self::NoOwner | Self::ServiceCreated)
    }
}

/// The counts of a row. `None` if only live resources can provide it.
///
/// Serialized with its percentages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Resources that exist: the sum of the classes.
    pub live: Option<u64>,
    /// [`Class::Owned`].
    pub owned: u64,
    /// [`Class::WouldBeOwned`].
    pub would_be_owned: u64,
    /// [`Class::NoRecord`].
    pub no_record: Option<u64>,
    /// [`Class::NoOwner`].
    pub no_owner: u64,
    /// [`Class::ServiceCreated`].
    pub service_created: u64,
    /// [`Class::Unknown`].
    pub unknown: Option<u64>,
    /// [`Class::NotTaggable`].
    pub not_taggable: Option<u64>,
}

impl Figures {
    /// A live population of none so far.
    pub(in crate::report) fn of_none_live() -> Self {
        let none = Some(0);
        Self { live: none, no_record: none, unknown: none, not_taggable: none, ..Self::default() }
    }

    pub(in crate::report) fn count(&mut self, class: Class) {
        let optional = |figure: &mut Option<u64>| *figure.get_or_insert(0) += 1;
        if let Some(live) = &mut self.live {
            *live += 1;
        }
        match class {
            Class::Owned => self.owned += 1,
            Class::WouldBeOwned => self.would_be_owned += 1,
            Class::NoRecord => optional(&mut self.no_record),
            Class::ServiceCreated => self.service_created += 1,
            Class::NoOwner => self.no_owner += 1,
            Class::Unknown => optional(&mut self.unknown),
            Class::NotTaggable => optional(&mut self.not_taggable),
        }
    }

    pub(in crate::report) fn add(&mut self, other: &Self) {
        let sum = |one: Option<u64>, other: Option<u64>| one.map_or(other, |one| Some(one + other.unwrap_or_default()));
        self.live = sum(self.live, other.live);
        self.owned += other.owned;
        self.would_be_owned += other.would_be_owned;
        self.no_record = sum(self.no_record, other.no_record);
        self.no_owner += other.no_owner;
        self.service_created += other.service_created;
        self.unknown = sum(self.unknown, other.unknown);
        self.not_taggable = sum(self.not_taggable, other.not_taggable);
    }

    /// The number of resources in a class. `None` if it is not available.
    pub fn of(&self, class: Class) -> Option<u64> {
        match class {
            Class::Owned => Some(self.owned),
            Class::WouldBeOwned => Some(self.would_be_owned),
            Class::NoRecord => self.no_record,
            Class::NoOwner => Some(self.no_owner),
            Class::ServiceCreated => Some(self.service_created),
            Class::Unknown => self.unknown,
            Class::NotTaggable => self.not_taggable,
        }
    }

    /// All resources.
    pub fn resources(&self) -> u64 {
        Class::ALL.iter().filter_map(|class| self.of(*class)).sum()
    }

    /// The resources that can have the tag.
    pub fn taggable(&self) -> u64 {
        self.resources() - self.not_taggable.unwrap_or_default()
    }

    /// The resources that lack an owner. Those with unknown tags are not counted.
    pub fn unowned(&self) -> u64 {
        Class::ALL.iter().filter(|class| class.is_unowned()).filter_map(|class| self.of(*class)).sum()
    }

    /// The coverage: the owned part of the resources that can have the tag. `None` without any.
    pub fn owned_percent(&self) -> Option<Percent> {
        Percent::of(self.owned, self.taggable())
    }

    /// The coverage after a run of `tag`.
    pub fn attainable_percent(&self) -> Option<Percent> {
        Percent::of(self.owned + self.would_be_owned, self.taggable())
    }
}

/// The counts as they are printed.
#[derive(Serialize)]
struct Printed {
    live: Option<u64>,
    owned: u64,
    would_be_owned: u64,
    no_record: Option<u64>,
    no_owner: u64,
    service_created: u64,
    unknown: Option<u64>,
    not_taggable: Option<u64>,
    owned_percent: Option<Percent>,
    attainable_percent: Option<Percent>,
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { live, owned, would_be_owned, no_record, no_owner, service_created, unknown, not_taggable } = *self;
        let printed = Printed {
            live,
            owned,
            would_be_owned,
            no_record,
            no_owner,
            service_created,
            unknown,
            not_taggable,
            owned_percent: self.owned_percent(),
            attainable_percent: self.attainable_percent(),
        };
        printed.serialize(serializer)
    }
}

/// A percentage with one decimal. It is rounded towards the middle: only all is 100.0, and only none is 0.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    tenths: u32,
}

impl Percent {
    /// All.
    const WHOLE: u32 = 1000;

    fn of(part: u64, whole: u64) -> Option<Self> {
        let tenths = (u128::from(part) * u128::from(Self::WHOLE)).checked_div(whole.into())?;
        let tenths = u32::try_from(tenths).expect("a part is no larger than the whole");
        Some(Self { tenths: if part > 0 { tenths.max(1) } else { tenths } })
    }

    /// The difference to an earlier percentage, in points: `+1.5`, `-0.1`, `±0.0`.
    pub fn change_since(self, before: Self) -> String {
        let sign = match self.cmp(&before) {
            std::cmp::Ordering::Less => "-",
            std::cmp::Ordering::Equal => "±",
            std::cmp::Ordering::Greater => "+",
        };
        format!("{sign}{}", Self { tenths: self.tenths.abs_diff(before.tenths) })
    }

    /// The number, from 0 to 100.
    pub fn value(self) -> f64 {
        f64::from(self.tenths) / 10.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.tenths / 10, self.tenths % 10)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(part: u64, whole: u64) -> String {
        Percent::of(part, whole).map(|percent| percent.to_string()).unwrap_or_default()
    }

    #[test]
    fn only_all_is_a_hundred_percent_and_only_none_is_zero() {
        assert_eq!(
            [(0, 7), (1, 100_000), (1, 3), (2, 3), (99_999, 100_000), (7, 7), (0, 0)]
                .map(|(part, of)| percent(part, of)),
            ["0.0", "0.1", "33.3", "66.6", "99.9", "100.0", ""]
        );
        assert_eq!(percent(u64::MAX, u64::MAX), "100.0");
    }

    #[test]
    fn change_is_in_points() {
        let of = |tenths| Percent { tenths };
        let changes = [(500, 515), (515, 500), (500, 500)].map(|(before, now)| of(now).change_since(of(before)));
        assert_eq!(changes, ["+1.5", "-1.5", "±0.0"]);
    }

    #[test]
    fn resources_that_cannot_have_the_tag_do_not_lower_the_coverage() {
        let figures =
            Figures { owned: 2, would_be_owned: 1, unknown: Some(1), not_taggable: Some(6), ..Figures::of_none_live() };
        assert_eq!((figures.resources(), figures.taggable(), figures.unowned()), (10, 4, 1));
        let json = serde_json::to_value(&figures).unwrap();
        assert_eq!((&json["owned_percent"], &json["attainable_percent"]), (&50.0.into(), &75.0.into()));
        assert_eq!(serde_json::from_value::<Figures>(json).unwrap(), figures, "the percentages follow from the counts");
    }
}
