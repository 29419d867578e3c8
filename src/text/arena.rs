//! Many short texts in one allocation. A `String` of twenty bytes takes three times as many.

/// Texts, numbered in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    text: String,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl Arena {
    /// Adds a text.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// The text with this number.
    pub(crate) fn get(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[number]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_they_were_added() {
        let texts = ["", "a", "\u{e9}\u{1f600}", "", "b\n"];
        let mut arena = Arena::default();
        texts.iter().for_each(|text| arena.push(text));
        let read: Vec<&str> = (0..texts.len()).map(|number| arena.get(number)).collect();
        assert_eq!(read, texts);
    }
}
