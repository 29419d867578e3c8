//! Texts that many events have in common are in memory once: the same callers and programs appear again and again.

use smol_str::SmolStr;

use crate::model::event::Event;

/// The number of texts to remember, as a power of 2.
const SLOT_BITS: u32 = 8;

/// The longest text to remember, in bytes.
const LONGEST: usize = 512;

/// The multiplier of the hash: the golden ratio, as a fraction of 2⁶⁴.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Texts of earlier events.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// A text's length and last eight bytes choose its slot. A new text replaces the one in it.
    slots: Vec<SmolStr>,
}

impl Texts {
    /// Replaces the event's texts by equal ones of earlier events.
    pub(super) fn share(&mut self, event: &mut Event) {
        let identity = &mut event.identity;
        let texts = [
            &mut event.user_agent,
            &mut identity.arn,
            &mut identity.principal_id,
            &mut identity.issuer_arn,
            &mut identity.issuer_user_name,
            &mut identity.user_name,
        ];
        texts.into_iter().flatten().for_each(|text| self.share_text(text));
    }

    fn share_text(&mut self, text: &mut SmolStr) {
        // Short texts are not allocated, and long ones are rare.
        if !text.is_heap_allocated() || text.len() > LONGEST {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize(1 << SLOT_BITS, SmolStr::default());
        }
        let Some(end) = text.as_bytes().last_chunk() else { return };
        let hash = (u64::from_le_bytes(*end) ^ text.len() as u64).wrapping_mul(SPREAD);
        let slot = &mut self.slots[(hash >> (u64::BITS - SLOT_BITS)) as usize];
        if slot == text { text.clone_from(slot) } else { slot.clone_from(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(agent: &str, arn: &str) -> Event {
        let mut event = Event { user_agent: Some(agent.into()), ..Event::default() };
        event.identity.arn = Some(arn.into());
        event
    }

    #[test]
    fn equal_texts_are_in_memory_once() {
        let mut texts = Texts::default();
        let (agent, arn) = ("aws-cli/2.15.30 Python/3.11.8 Linux/5.15", "arn:aws:sts::1:assumed-role/Deploy/ci-1");
        let mut events =
            [event(agent, arn), event(agent, arn), event(agent, "arn:aws:sts::1:assumed-role/Deploy/ci-2")];
        let before = events.clone();
        events.iter_mut().for_each(|event| texts.share(event));
        assert_eq!(events, before);
        let place = |event: &Event| event.user_agent.as_ref().map(|text| text.as_ptr());
        assert_eq!(place(&events[0]), place(&events[1]));
        let place = |event: &Event| event.identity.arn.as_ref().map(|text| text.as_ptr());
        assert_eq!(place(&events[0]), place(&events[1]));
        assert_ne!(place(&events[0]), place(&events[2]));
    }

    #[test]
    fn long_texts_are_not_kept() {
        let mut texts = Texts::default();
        texts.share(&mut event(&"x".repeat(LONGEST + 1), "short"));
        assert!(texts.slots.iter().all(SmolStr::is_empty));
    }
}
