//! Texts by their hash: the names of hundreds of thousands of resources take ten times the memory.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

/// The hash of a text, or of several. 96 bits: two texts of an account never share them by chance. With keys that differ in each
/// process, so that nobody can make two that do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextHash([u32; 3]);

impl TextHash {
    /// The hash of these texts, in this order.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str> + Clone) -> Self {
        static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
        let [first, second] = KEYS.each_ref().map(|keys| {
            let mut hasher = keys.build_hasher();
            texts.clone().into_iter().for_each(|text| text.hash(&mut hasher));
            hasher.finish()
        });
        let parts = first.to_le_bytes();
        let part = |at: usize| u32::from_le_bytes([parts[at], parts[at + 1], parts[at + 2], parts[at + 3]]);
        let [a, b, c, d, ..] = second.to_le_bytes();
        Self([part(0), part(4), u32::from_le_bytes([a, b, c, d])])
    }
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
        assert_eq!(size_of::<(TextHash, u32)>(), 16);
    }
}
