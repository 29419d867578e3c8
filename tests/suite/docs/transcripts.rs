//! What a page shows of a terminal is what the commands print, with the resources of `docs/demo.py`.

use std::sync::LazyLock;

use regex::Regex;

use super::pages::{self, Block, Kind};
use crate::demo::Demo;

/// What differs from run to run: ids, sizes and ports.
fn steady(line: &str) -> String {
    static CHANGING: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"vol-[0-9a-f]+|^size .*|http://127\.0\.0\.1:\d+").unwrap());
    CHANGING.replace_all(line, "X").into_owned()
}

/// Whether a line is the one shown, where `…` is any text.
pub(super) fn is_line(shown: &str, line: &str) -> bool {
    let pattern = shown.split('…').map(regex::escape).collect::<Vec<_>>().join(".*");
    Regex::new(&format!("^{pattern}$")).expect("it is escaped").is_match(line)
}

/// Whether the lines are those shown, where `…` is any number of lines.
fn is_shown(shown: &[String], lines: &[String]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "…" => (0..=lines.len()).any(|skip| is_shown(rest, &lines[skip..])),
        Some((first, rest)) => lines.split_first().is_some_and(|(line, lines)| first == line && is_shown(rest, lines)),
    }
}

fn lines<'t>(text: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let mut lines: Vec<String> = text.into_iter().map(steady).collect();
    lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
    lines
}

#[test]
fn transcripts_are_what_the_commands_print() {
    let mut seen = 0;
    for page in pages::pages() {
        let is_transcript = |block: &&Block| block.kind == Kind::Transcript;
        for block in page.blocks.iter().filter(is_transcript) {
            let demo = Demo::new();
            for command in &block.commands {
                let output = demo.output(&command.text);
                let shown = lines(command.shown.iter().map(String::as_str));
                let place = format!("{}:{}: {}", page.name, command.line, command.text);
                assert!(is_shown(&shown, &lines(output.lines())), "{place} prints\n{output}");
                seen += 1;
            }
        }
    }
    assert!(seen > 2, "load, who and tag");
}
