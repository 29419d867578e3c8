//! The sections of the index, and reading them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::embedded;
use crate::resource_map::Fingerprints;

/// All built-in maps. Each section is packed on its own.
///
/// A list holds names, each with the [`Part`] that describes it, so that a search for a name reads no descriptions: every page that is read
/// counts as memory of the process.
#[derive(Serialize, Deserialize)]
pub(super) struct Index<'p> {
    /// [`super::PackedTypes`].
    pub(super) types: &'p [u8],
    /// [`super::PackedServices`].
    pub(super) services: &'p [u8],
    /// The [`CompiledEvent`](super::CompiledEvent)s of each type, as the types follow each other.
    pub(super) events: &'p [u8],
    /// [`super::Origin`]s, likewise.
    pub(super) places: &'p [u8],
    /// [`super::PackedEvents`].
    pub(super) rules: &'p [u8],
    /// [`super::PackedNaming`].
    pub(super) naming: &'p [u8],
    pub(super) tag_rules: &'p [u8],
    /// The calls that hand out credentials.
    pub(super) sessions: &'p [u8],
    /// cloud-custodian's types that are left out, with the reasons.
    pub(super) omitted: &'p [u8],
    pub(super) fingerprints: Fingerprints,
    /// The bytes of all [`Part`]s.
    pub(super) parts: &'p [u8],
}

/// Where a value is packed in [`Index::parts`], in bytes. Its length is 0 where there is none.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Part {
    /// Its bytes, of all `parts`.
    pub(super) fn of(self, parts: &[u8]) -> &[u8] {
        &parts[self.start as usize..][..self.length as usize]
    }
}

/// Why reading the index can't fail.
const PACKED_HERE: &str = "the same build packed it";

/// A value of the index.
pub(super) fn read<'p, T: Deserialize<'p>>(packed: &'p [u8]) -> T {
    postcard::from_bytes(packed).expect(PACKED_HERE)
}

/// The elements of a list, read one after the other, so that they are not in memory at once.
pub(super) fn elements<'p, T: Deserialize<'p>>(packed: &'p [u8]) -> impl Iterator<Item = T> {
    let (count, mut rest): (usize, _) = postcard::take_from_bytes(packed).expect(PACKED_HERE);
    (0..count).map(move |_| {
        let (element, after) = postcard::take_from_bytes(rest).expect(PACKED_HERE);
        rest = after;
        element
    })
}

/// The index of the binary.
pub(super) fn index() -> Index<'static> {
    read(embedded::PACKED)
}

/// A section of its own type.
pub(super) fn section<T: DeserializeOwned>(of: fn(Index<'static>) -> &'static [u8]) -> T {
    read(of(index()))
}
