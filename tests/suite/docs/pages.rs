//! The command lines of the pages, with their places: shell blocks, indented command lines, and commands in running text.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// A page in the repository.
#[derive(Debug)]
pub(super) struct Page {
    /// `docs/tagging.md`.
    pub(super) name: String,
    pub(super) blocks: Vec<Block>,
}

/// Commands that belong together: they are run in one shell.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) kind: Kind,
    pub(super) commands: Vec<Command>,
}

/// Where a page shows commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In a block of code.
    Script,
    /// After `$ ` in a terminal, with all that they print.
    Transcript,
    /// In running text.
    Text,
}

/// A command line.
#[derive(Debug, Default)]
pub(super) struct Command {
    /// The number of its first line.
    pub(super) line: usize,
    /// What a person types, with its comment.
    pub(super) text: String,
    /// What the page shows below it.
    pub(super) shown: Vec<String>,
}

/// Collects the blocks of a page, line by line.
#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    /// The language of the block of code that is open.
    fence: Option<String>,
    /// How far the fence is indented.
    indent: usize,
    /// The lines of the block of code so far, with their numbers.
    code: Vec<(usize, String)>,
    /// The commands in the paragraph so far.
    inline: Vec<Command>,
    /// Whether an indented line is code here: only after a blank line, or after code.
    is_code: bool,
}

/// The pages that have commands for readers.
pub(super) fn pages() -> Vec<Page> {
    texts().into_iter().map(|(name, text)| page(name, &text)).collect()
}

/// The name of each of these pages, and what is in it.
pub(super) fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = ["README.md", "SECURITY.md", "CONTRIBUTING.md"].map(|name| root.join(name)).into();
    for folder in ["docs", "packaging"] {
        collect(&root.join(folder), &mut files);
    }
    let name = |file: &PathBuf| file.strip_prefix(root).expect("it is below").to_string_lossy().replace('\\', "/");
    files.iter().map(|file| (name(file), fs::read_to_string(file).expect("a page is readable"))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

/// The page with this text.
pub(super) fn page(name: String, text: &str) -> Page {
    let mut reader = Reader { is_code: true, ..Reader::default() };
    for (number, line) in (1..).zip(text.lines()) {
        reader.line(number, line);
    }
    reader.end_paragraph();
    Page { name, blocks: reader.blocks }
}

/// The code of a page in this language that begins with this text.
pub(super) fn code(page: &str, language: &str, beginning: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(path).expect("a page is readable");
    let (_, after) = text
        .split_once(&format!("```{language}\n{beginning}"))
        .unwrap_or_else(|| panic!("{page} has no block of {language} that begins with {beginning}"));
    format!("{beginning}{}", after.split_once("```").expect("a block of code has an end").0)
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) {
        let indent = line.len() - line.trim_start().len();
        match (&self.fence, line.trim_start().strip_prefix("```")) {
            (Some(_), Some(_)) => self.end_fence(),
            (Some(_), None) => self.code.push((number, line[indent.min(self.indent)..].to_owned())),
            (None, Some(language)) => {
                self.end_paragraph();
                (self.fence, self.indent) = (Some(language.trim().to_owned()), indent);
            }
            (None, None) => self.text(number, line, indent),
        }
    }

    fn end_fence(&mut self) {
        let code = std::mem::take(&mut self.code);
        match self.fence.take().expect("a fence is open").as_str() {
            "sh" | "bash" | "shell" | "zsh" => self.push(Kind::Script, script(&code)),
            "console" => self.push(Kind::Transcript, transcript(&code)),
            "" if code.iter().any(|(_, line)| line.starts_with("$ ")) => self.push(Kind::Transcript, transcript(&code)),
            "" if code.iter().any(|(_, line)| line.starts_with("trailcreator ")) => {
                self.push(Kind::Script, script(&code))
            }
            _ => {}
        }
    }

    /// A line that is in no fence.
    fn text(&mut self, number: usize, line: &str, indent: usize) {
        static INLINE: LazyLock<Regex> = LazyLock::new(|| Regex::new("`(trailcreator [^`]+)`").expect("it is valid"));
        let is_command = self.is_code && indent >= 4 && line.trim_start().starts_with("trailcreator ");
        self.is_code = line.trim().is_empty() || is_command;
        if is_command {
            self.push(Kind::Script, script(&[(number, line.trim().to_owned())]));
        } else if self.is_code {
            self.end_paragraph();
        }
        // In a table, a pipe is escaped. Without arguments, the text names the command, and does not show how to run it.
        let command = |text: String| {
            let is_name = text.split(' ').count() == 2 && !text.contains(" -");
            if is_name { format!("{text} --help") } else { text }
        };
        let commands = INLINE.captures_iter(line).map(|found| command(found[1].replace("\\|", "|")));
        self.inline.extend(commands.map(|text| Command { line: number, text, shown: Vec::new() }));
    }

    fn end_paragraph(&mut self) {
        let commands = std::mem::take(&mut self.inline);
        self.push(Kind::Text, commands);
    }

    fn push(&mut self, kind: Kind, commands: Vec<Command>) {
        if !commands.is_empty() {
            self.blocks.push(Block { kind, commands });
        }
    }
}

/// The commands of a shell script: a command goes on after a backslash at the end of a line.
fn script(code: &[(usize, String)]) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut goes_on = false;
    for (line, text) in code {
        match commands.last_mut().filter(|_| goes_on) {
            Some(command) => command.text = format!("{}\n{text}", command.text),
            None if text.trim().is_empty() || text.trim_start().starts_with('#') => {}
            None => commands.push(Command { line: *line, text: text.clone(), shown: Vec::new() }),
        }
        goes_on = text.ends_with('\\');
    }
    commands
}

/// The commands of a terminal, each with what it printed.
fn transcript(code: &[(usize, String)]) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for (line, text) in code {
        if let Some(command) = text.strip_prefix("$ ") {
            commands.push(Command { line: *line, text: command.to_owned(), shown: Vec::new() });
        } else if let Some(command) = commands.last_mut() {
            command.shown.push(text.clone());
        }
    }
    commands
}
