//! Where the report goes: stdout, or a file for its user only.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Format;
use crate::cli::private_file::NewFile;
use crate::cli::{CommandError, Context};
use crate::text::safe;

/// Takes the report.
pub(super) enum Out<'a> {
    Stdout(&'a Context),
    File(&'a Context, NewFile, PathBuf),
}

impl<'a> Out<'a> {
    /// Opens the file, before there is anything to write.
    ///
    /// # Errors
    /// The file can't be written, or HTML would go to a terminal.
    pub(super) fn open(context: &'a Context, path: Option<&Path>, format: Format) -> Result<Self, CommandError> {
        match path {
            Some(path) => {
                let file = NewFile::create(path).map_err(|error| writing(path, &error))?;
                Ok(Self::File(context, file, path.to_owned()))
            }
            None if format == Format::Html && context.console.data_width().is_some() => {
                let error = CommandError::usage("--format html writes a page for a browser, not for a terminal");
                Err(error.hint("name a file: --output-file report.html"))
            }
            None => Ok(Self::Stdout(context)),
        }
    }

    /// Writes text in lines; its unsafe characters are escaped.
    pub(super) fn document(&mut self, text: &str) -> Result<(), CommandError> {
        match self {
            Self::Stdout(context) => {
                context.console.document(text);
                Ok(())
            }
            Self::File(_, file, path) => {
                file.write_all(safe::lines(text).as_bytes()).map_err(|error| writing(path, &error))
            }
        }
    }

    /// Writes a JSON document.
    pub(super) fn json(&mut self, document: &impl Serialize) -> Result<(), CommandError> {
        match self {
            Self::Stdout(context) => {
                context.console.json(document);
                Ok(())
            }
            Self::File(_, file, path) => {
                let text = serde_json::to_string_pretty(document).expect("our documents hold text keys only");
                writeln!(file, "{}", safe::json(&text)).map_err(|error| writing(path, &error))
            }
        }
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<(), CommandError> {
        let Self::File(context, file, path) = self else { return Ok(()) };
        file.finish().map_err(|error| writing(&path, &error))?;
        context.console.message(format_args!("wrote {}", path.display()));
        Ok(())
    }
}

pub(super) fn writing(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::while_doing(format_args!("writing {}", path.display()), error)
}
