//! Finds the resource that a text names, among hundreds of thousands of texts.

use super::number_of;
use crate::model::TextHash;

/// Bits of a filter for each text, at least.
const FILTER_BITS: usize = 16;

/// Bits of a word, as a power of two.
const WORD_BITS: u32 = u64::BITS.ilog2();

/// Several resources answer to a text.
const SEVERAL: u32 = u32::MAX;

/// Texts, each with the one resource that answers to it, or that several do. By hash: texts take ten times the memory.
#[derive(Debug, Default)]
pub(super) struct Answers {
    sorted: Vec<(TextHash, u32)>,
}

impl Answers {
    /// Makes room for so many texts.
    pub(super) fn reserve(&mut self, texts: usize) {
        self.sorted.reserve_exact(texts);
    }

    pub(super) fn add(&mut self, text: &str, position: usize) {
        self.sorted.push((TextHash::of([text]), number_of(position)));
    }

    /// Must be called before [`Answers::get`].
    pub(super) fn sort(&mut self) {
        self.sorted.sort_unstable();
        self.sorted.dedup_by(|(text, position), (before, of_before)| {
            let is_same = text == before;
            if is_same && position != of_before {
                *of_before = SEVERAL;
            }
            is_same
        });
        self.sorted.shrink_to_fit();
    }

    /// `None`: no resource answers; `Some(None)`: several do.
    pub(super) fn get(&self, key: Key<'_>) -> Option<Option<usize>> {
        let hash = key.hash()?;
        let at = self.sorted.binary_search_by_key(&hash, |(text, _)| *text).ok()?;
        let position = self.sorted[at].1;
        Some((position != SEVERAL).then_some(position as usize))
    }
}

/// A Bloom filter of the texts of some lists: three bits of one word for each, by the beginning of its hash. Most texts that are looked up name no
/// live resource, and the filter rejects nearly all of them. One cache miss covers all lists.
#[derive(Debug, Default)]
pub(super) struct Filter(Vec<u64>);

impl Filter {
    /// Of sorted lists.
    pub(super) fn of<const LISTS: usize>(lists: [&Answers; LISTS]) -> Self {
        let texts: usize = lists.iter().map(|answers| answers.sorted.len()).sum();
        let bits = (texts * FILTER_BITS).next_power_of_two();
        let mut words = vec![0; bits.div_ceil(u64::BITS as usize)];
        for (hash, _) in lists.iter().flat_map(|answers| &answers.sorted) {
            let (at, bits) = place(hash.beginning(), words.len());
            words[at] |= bits;
        }
        Self(words)
    }

    /// A text to look up in the lists.
    pub(super) fn key<'t>(&self, text: &'t str) -> Key<'t> {
        let beginning = TextHash::beginning_of(text);
        let (at, bits) = place(beginning, self.0.len());
        Key { text, beginning, may_be_known: self.0.get(at).is_some_and(|word| word & bits == bits) }
    }
}

/// A text that is looked up. Only one half of its hash is computed before it passes the filter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'t> {
    text: &'t str,
    beginning: u64,
    may_be_known: bool,
}

impl Key<'_> {
    /// `None`: the text is in no list.
    fn hash(self) -> Option<TextHash> {
        self.may_be_known.then(|| TextHash::complete(self.beginning, self.text))
    }
}

/// The word of a hash in a filter of so many words (a power of two), and its bits in there.
fn place(beginning: u64, words: usize) -> (usize, u64) {
    let bits = (0..3).map(|bit| 1 << (beginning >> (bit * WORD_BITS) & u64::from(u64::BITS - 1)));
    let bits = bits.fold(0, |bits: u64, bit: u64| bits | bit);
    let words = u64::try_from(words).unwrap_or(u64::MAX);
    let at = (beginning >> (3 * WORD_BITS)) & words.saturating_sub(1);
    (usize::try_from(at).unwrap_or(usize::MAX), bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_lets_pass_all_of_its_texts_and_hardly_any_other() {
        const TEXTS: usize = 10_000;
        let mut lists = [Answers::default(), Answers::default()];
        (0..TEXTS).for_each(|number| lists[number % 2].add(&format!("text {number}"), number));
        lists.iter_mut().for_each(Answers::sort);
        let filter = Filter::of(lists.each_ref());
        let passes = |text: String| filter.key(&text).may_be_known;
        assert!((0..TEXTS).all(|number| passes(format!("text {number}"))));
        let others = (0..TEXTS).filter(|number| passes(format!("other {number}"))).count();
        assert!(others < TEXTS / 50, "{others}");
        assert_eq!(lists[1].get(filter.key("text 7")), Some(Some(7)));
        assert_eq!(lists[0].get(filter.key("text 7")), None);
        assert!(!Filter::default().key("text 7").may_be_known);
    }
}
