//! Files with account data: names, owners and addresses. They are created for their user only; the umask can take more away. An existing
//! file keeps its mode.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Options that create a file for its user only. Without effect on a file that exists.
pub(in crate::cli) fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "other systems have no modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file that gets its name once it is whole. Removed if it does not come to that.
pub(in crate::cli) struct NewFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
}

impl NewFile {
    /// Opens a temporary file beside `path`, with the mode of the file that is at `path` now.
    pub(in crate::cli) fn create(path: &Path) -> io::Result<Self> {
        let temporary = temporary_beside(path);
        let file = options().write(true).create(true).truncate(true).open(&temporary)?;
        let new = Self { path: path.to_owned(), temporary, file };
        #[cfg(unix)]
        if let Ok(existing) = fs::metadata(path) {
            new.file.set_permissions(existing.permissions())?;
        }
        Ok(new)
    }

    /// Gives it its name, in place of any file that has it.
    pub(in crate::cli) fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)
    }
}

impl io::Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After the renaming there is none; before, it is not whole.
        drop(fs::remove_file(&self.temporary));
    }
}

/// A name for a file that gets its own name once it is whole.
pub(in crate::cli) fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

/// A file without a name that only its user can read: in the folder of `TMPDIR`, if that is set; else beside the database, where there is
/// room for data of this kind; else in the system's temporary folder, which may be in memory.
pub(in crate::cli) fn unnamed(database: &Path) -> io::Result<File> {
    let elsewhere = std::env::temp_dir().join("trailcreator");
    let is_chosen = std::env::var_os("TMPDIR").is_some_and(|folder| !folder.is_empty());
    if is_chosen && let Ok(file) = unnamed_beside(&elsewhere) {
        return Ok(file);
    }
    unnamed_beside(database).or_else(|error| unnamed_beside(&elsewhere).map_err(|_| error))
}

fn unnamed_beside(path: &Path) -> io::Result<File> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = temporary_beside(&path.with_extension(number.to_string()));
    let file = options().read(true).write(true).create_new(true).open(&path)?;
    // Where an open file needs no name, nothing is left behind however the process ends.
    drop(fs::remove_file(&path));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unnamed_file_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let _files = [(); 2].map(|()| unnamed_beside(&folder.path().join("creators.db")).unwrap());
        assert!(cfg!(windows) || fs::read_dir(folder.path()).unwrap().next().is_none());
        unnamed(&folder.path().join("none/creators.db")).unwrap();
    }
}
