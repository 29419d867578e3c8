//! The file of `--save-plan`.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::private_file::NewFile;
use crate::cli::suggestion::Suggestion;
use crate::cli::{CommandError, Context};
use crate::plan::Plan;

/// The file of plans: one line each, so that it can be written and read piece by piece. It has its name when it is whole.
pub(super) struct Plans {
    path: PathBuf,
    file: BufWriter<NewFile>,
    count: u64,
}

impl Plans {
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        let file = NewFile::create(path).map_err(|error| saving(path, &error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), count: 0 })
    }

    pub(super) fn add(&mut self, plan: &Plan) -> Result<(), CommandError> {
        self.count += 1;
        let written = serde_json::to_writer(&mut self.file, plan).map_err(io::Error::from);
        written.and_then(|()| self.file.write_all(b"\n")).map_err(|error| saving(&self.path, &error))
    }

    pub(super) fn finish(self, context: &Context, apply: Suggestion) -> Result<(), CommandError> {
        self.file
            .into_inner()
            .map_err(io::Error::from)
            .and_then(NewFile::finish)
            .map_err(|error| saving(&self.path, &error))?;
        let (count, path) = (self.count, self.path.display());
        context
            .console
            .message(format_args!("{count} plans are in {path}; apply them with: {}", apply.arg(&self.path)));
        Ok(())
    }
}

fn saving(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::while_doing(format_args!("saving the plans to {}", path.display()), error)
}
