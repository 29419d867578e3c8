//! The question before `--overwrite` replaces values: asked on a terminal, and nowhere else.

use std::io::{self, BufRead as _};

use super::interrupt::interrupted;
use super::scope::{ScopeArgs, replaced};
use super::{Context, Outcome};
use crate::console::Lines;
use crate::packed_list::PackedList;
use crate::plan::PlannedWrite;

/// Values that the question shows.
const MOST_SHOWN: usize = 5;

/// What a person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Answer {
    /// To go on; also where no question was due.
    Yes,
    /// Not to.
    No,
    /// Ctrl-C.
    Interrupted,
}

impl Answer {
    /// How the command ends with this answer; `None`: it goes on.
    pub(in crate::cli) fn ends(self) -> Option<Outcome> {
        match self {
            Self::Yes => None,
            Self::No => Some(Outcome::Failed),
            Self::Interrupted => Some(Outcome::Interrupted),
        }
    }
}

/// The values that a run would replace.
#[derive(Debug, Default)]
pub(in crate::cli) struct Replaced {
    count: u64,
    shown: Vec<String>,
}

impl Replaced {
    /// Adds those of these writes that replace a value.
    pub(in crate::cli) fn add(&mut self, writes: &PackedList<PlannedWrite>) {
        for write in replaced(writes) {
            self.count += 1;
            if self.shown.len() < MOST_SHOWN {
                let PlannedWrite { resource_type, id, account_id, region, key, value, old_value, .. } = write;
                let old = old_value.as_ref().map_or("", |value| value.as_str());
                // Quoted: a value may end with a space.
                let change = format!("{:?} -> {:?}", old, value.as_str());
                self.shown.push(format!("  {account_id} {region} {resource_type} {id} {key}: {change}"));
            }
        }
    }

    /// What the question is about.
    fn listed(&self) -> Lines {
        let more = self.count - u64::try_from(self.shown.len()).unwrap_or(u64::MAX);
        let more = (more > 0).then(|| format!("  and {more} more"));
        let count = self.count;
        let tags = if count == 1 {
            "1 tag has another value and is".to_owned()
        } else {
            format!("{count} tags have another value and are")
        };
        [format!("{tags} to be replaced:")].iter().chain(&self.shown).chain(&more).collect()
    }

    /// Asks whether they may be replaced.
    pub(in crate::cli) async fn ask(&self, context: &Context) -> Answer {
        if self.count == 0 {
            return Answer::Yes;
        }
        context.console.question(&self.listed(), "Replace? [y/N]");
        let (sender, answer) = tokio::sync::oneshot::channel();
        // Not one of the runtime's threads: it may wait for ever.
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = io::stdin().lock().read_line(&mut line);
            // Without a reader the question is over.
            sender.send(read.is_ok() && is_yes(&line)).unwrap_or_default();
        });
        let answer = tokio::select! {
            answer = answer => if answer.unwrap_or(false) { Answer::Yes } else { Answer::No },
            () = interrupted() => Answer::Interrupted,
        };
        match answer {
            Answer::Yes => {}
            Answer::No => context.console.message("not confirmed: nothing was written"),
            Answer::Interrupted => {
                // Ends the line of the question.
                context.console.message("");
                context.console.message("interrupted: nothing was written");
            }
        }
        answer
    }
}

/// Whether a run with these options has to ask before it replaces values.
pub(in crate::cli) fn is_due(context: &Context, overwrite: bool, scope: &ScopeArgs) -> bool {
    overwrite && !scope.yes && context.console.can_ask()
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        let yes = ["y\n", "Yes\r\n", " YES "].map(is_yes);
        assert_eq!(yes, [true; 3]);
        let no = ["", "\n", "n\n", "yo\n", "yes please\n"].map(is_yes);
        assert_eq!(no, [false; 5]);
    }

    #[test]
    fn the_question_shows_a_few_values_and_escapes_them() {
        let write = |id: &str| PlannedWrite {
            resource_type: "sqs".into(),
            id: id.into(),
            arn: "arn:q".into(),
            account_id: "123456789012".into(),
            region: "eu-west-1".into(),
            key: "Owner".into(),
            value: "alice".into(),
            event_id: None,
            old_key: None,
            old_value: Some("\u{1b}[2Jzoe".into()),
            owner_keys: Vec::new(),
            skip_tags: Vec::new(),
            reason: String::new(),
        };
        let mut replaced = Replaced::default();
        replaced.add(&[write("a"), PlannedWrite { old_value: None, ..write("b") }].into_iter().collect());
        let line = r#"  123456789012 eu-west-1 sqs a Owner: "\u{1b}[2Jzoe" -> "alice""#;
        assert_eq!(replaced.listed().as_str(), format!("1 tag has another value and is to be replaced:\n{line}\n"));
        replaced.add(&vec![write("c"); 9].into_iter().collect());
        let listed = replaced.listed();
        assert!(listed.as_str().contains("10 tags have another value") && listed.as_str().contains("and 5 more"));
    }
}
