//! Texts by their hash: the names of hundreds of thousands of resources take ten times the memory.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

/// The hash of one or more texts. With 96 bits, two texts practically never have the same hash by chance. Its keys are random and differ
/// in each process, so an attacker can't prepare two texts with the same hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextHash([u32; 3]);

/// Keys that differ in each process.
static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);

impl TextHash {
    /// The hash of these texts, in this order.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str> + Clone) -> Self {
        Self::from_halves(half(0, texts.clone()), half(1, texts))
    }

    /// The hash of a text of which [`TextHash::beginning_of`] is known.
    pub fn complete(beginning: u64, text: &str) -> Self {
        Self::from_halves(beginning, half(1, [text]))
    }

    /// The first 64 bits of a text's hash.
    pub fn beginning_of(text: &str) -> u64 {
        half(0, [text])
    }

    /// The first 64 bits.
    pub fn beginning(self) -> u64 {
        let [first, second, _] = self.0.map(u64::from);
        first | second << 32
    }

    fn from_halves(first: u64, second: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = first.to_le_bytes();
        let [i, j, k, l, ..] = second.to_le_bytes();
        Self([[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(u32::from_le_bytes))
    }
}

fn half<'t>(which: usize, texts: impl IntoIterator<Item = &'t str>) -> u64 {
    let mut hasher = KEYS[which].build_hasher();
    texts.into_iter().for_each(|text| text.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_have_their_own_hash_and_keep_it() {
        let texts = [vec!["a"], vec!["b"], vec!["a", "b"], vec!["ab"], vec!["a", ""], vec![""], vec![]];
        let hashes: HashSet<TextHash> = texts.iter().map(|texts| TextHash::of(texts.iter().copied())).collect();
        assert_eq!(hashes.len(), texts.len());
        assert_eq!(TextHash::of(["a", "b"]), TextHash::of(["a", "b"]));
        let whole = TextHash::of(["a"]);
        assert_eq!(TextHash::beginning_of("a"), whole.beginning());
        assert_eq!(TextHash::complete(whole.beginning(), "a"), whole);
        assert_eq!(size_of::<(TextHash, u32)>(), 16);
    }
}
