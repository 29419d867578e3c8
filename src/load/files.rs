//! Log files on disk: folders, single files and stdin.
//!
//! All files are read, whatever their name: what they hold is recognized by content. In folders, hidden files are left out, and what is
//! not a regular file is a failure only if its name is that of a log file. Folders are read in sorted order. A folder that was already read (because of a cycle of links, or because it is named twice) is skipped.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use futures::executor::block_on;

use super::piped::Piped;
use super::unit::{Identity, Open};
use super::{Failure, Item, OtherFile, Queue, Unit, Versions};
use crate::store::Fingerprint;
use crate::store::StoreError;
use crate::store::ledger::Ledger;
use crate::trail::scan::kind_of_name;
use tokio_util::sync::CancellationToken;

/// The argument for stdin.
const STDIN: &str = "-";

/// The maximum size of stdin, in bytes, that is buffered to recognize the same content later.
const STDIN_IDENTIFIED: u64 = 16 * 1024 * 1024;

/// An existing path from the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// `-`
    Stdin,
    /// A folder to walk.
    Folder(PathBuf),
    /// A file, read whatever its name.
    File(PathBuf),
}

/// A path that can't be accessed.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct BadPath {
    /// The path as given.
    pub path: PathBuf,
    /// The system's error.
    pub error: io::Error,
}

/// Checks all paths before any is read.
///
/// # Errors
/// A path does not exist or can't be accessed.
pub fn roots(paths: &[PathBuf]) -> Result<Vec<Root>, BadPath> {
    let root = |path: &PathBuf| {
        if path.as_os_str() == STDIN {
            return Ok(Root::Stdin);
        }
        let metadata = fs::metadata(path).map_err(|error| BadPath { path: path.clone(), error })?;
        Ok(if metadata.is_dir() { Root::Folder(path.clone()) } else { Root::File(path.clone()) })
    };
    paths.iter().map(root).collect()
}

/// Finds the files below `roots` and queues those that are not in `ledger`. Returns early when the queue is closed or `stop` is
/// set. Blocking.
///
/// # Errors
/// The ledger can't be read.
pub fn find(
    roots: &[Root],
    versions: &Versions,
    ledger: &Ledger,
    queue: &Queue,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let mut feed = Feed { queue, stop, items: Vec::new() };
    let mut expected = 0;
    Walk::new(roots, &mut |_| {
        expected += 1;
        Ok(!stop.is_cancelled())
    })
    .run(roots)?;
    if !feed.send(Item::Expected(expected)) {
        return Ok(());
    }
    // Each folder's files come one after the other. One that another load enters in the meantime is read again, which changes nothing.
    let mut folder = (String::new(), false);
    let mut each = |found: FoundInput| {
        let unit = match found {
            // It may wait for what a person types.
            FoundInput::Stdin if !feed.hand_on() => return Ok(false),
            FoundInput::Stdin => stdin_unit(),
            FoundInput::File(file) => match file.other() {
                Some(other) => return Ok(feed.send(Item::Other(other))),
                None => match file.unit() {
                    Ok(unit) => unit,
                    Err(failure) => return Ok(feed.send(Item::Failed(failure))),
                },
            },
            FoundInput::Failed(failure) => return Ok(feed.send(Item::Failed(failure))),
        };
        let is_loaded = match &unit.identity {
            Some(identity) => {
                if folder.0 != identity.prefix {
                    folder = (identity.prefix.clone(), ledger.has_units(&identity.prefix)?);
                }
                folder.1 && versions.is_loaded(ledger, identity)?
            }
            None => false,
        };
        Ok(feed.send(if is_loaded { Item::AlreadyLoaded } else { Item::Unit(unit) }))
    };
    Walk::new(roots, &mut each).run(roots)?;
    feed.hand_on();
    Ok(())
}

/// Items are queued this many at a time: a full queue would otherwise wake this thread for each.
const ITEMS_AT_ONCE: usize = 16;

/// Puts items into the queue.
struct Feed<'a> {
    queue: &'a Queue,
    stop: &'a CancellationToken,
    items: Vec<Item>,
}

impl Feed<'_> {
    /// Returns whether to continue: not if the queue is closed, or the load is stopped.
    fn send(&mut self, item: Item) -> bool {
        self.items.push(item);
        if self.items.len() < ITEMS_AT_ONCE { !self.stop.is_cancelled() } else { self.hand_on() }
    }

    fn hand_on(&mut self) -> bool {
        let Ok(places) = block_on(self.queue.reserve_many(self.items.len())) else { return false };
        places.zip(self.items.drain(..)).for_each(|(place, item)| place.send(item));
        !self.stop.is_cancelled()
    }
}

enum FoundInput {
    Stdin,
    File(FoundFile),
    Failed(Failure),
}

struct FoundFile {
    /// The path for messages.
    path: PathBuf,
    /// The same path with its folder resolved: no links and `..`.
    place: PathBuf,
    kind: FileType,
    /// `None` if the folder said what it is, which is enough to count files. [`FoundFile::identity`] reads it then.
    metadata: Option<Metadata>,
}

/// A walk over the roots. `each` returns whether to continue.
struct Walk<'a> {
    /// Folders that were walked and files that the user named, by their canonical paths.
    seen: HashSet<PathBuf>,
    each: &'a mut dyn FnMut(FoundInput) -> Result<bool, StoreError>,
}

impl<'a> Walk<'a> {
    fn new(roots: &[Root], each: &'a mut dyn FnMut(FoundInput) -> Result<bool, StoreError>) -> Self {
        let named = roots.iter().filter_map(|root| match root {
            Root::File(path) => Some(canonical(path)),
            _ => None,
        });
        Self { seen: named.collect(), each }
    }

    fn run(&mut self, roots: &[Root]) -> Result<(), StoreError> {
        let mut named = HashSet::new();
        for root in roots {
            let goes_on = match root {
                Root::Stdin => (self.each)(FoundInput::Stdin)?,
                Root::Folder(path) => self.folder(path, &canonical(path))?,
                // A file that is named twice is read once.
                Root::File(path) if !named.insert(canonical(path)) => true,
                Root::File(path) => (self.each)(look_at(path.clone(), canonical(path)))?,
            };
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// Walks a folder. Not by recursion: how deep folders are is up to others.
    fn folder(&mut self, folder: &Path, place: &Path) -> Result<bool, StoreError> {
        let mut levels = Vec::new();
        let mut goes_on = self.enter(folder, place, &mut levels)?;
        while goes_on && let Some(level) = levels.last_mut() {
            let Some((name, kind)) = level.names.next() else {
                levels.pop();
                continue;
            };
            let (path, place) = (level.folder.join(&name), level.place.join(&name));
            // For a link, the folder does not say what it leads to.
            let certain = kind.filter(|kind| !kind.is_symlink());
            let found = match certain {
                Some(kind) => FoundInput::File(FoundFile { path, place, kind, metadata: None }),
                None => look_at(path, place),
            };
            goes_on = match found {
                FoundInput::File(file) if file.kind.is_dir() && is_left_out(Path::new(&name)) => true,
                FoundInput::File(file) if file.kind.is_dir() => {
                    let place = if certain.is_none() { canonical(&file.path) } else { file.place };
                    self.enter(&file.path, &place, &mut levels)?
                }
                FoundInput::Failed(_) if !is_log(Path::new(&name)) => true,
                FoundInput::File(file) if is_left_out(Path::new(&name)) || self.seen.contains(&file.place) => true,
                FoundInput::File(file) if !file.kind.is_file() && !is_log(&file.path) => true,
                // Opening a pipe waits for its writer, and reading a device never ends.
                FoundInput::File(file) if !file.kind.is_file() => {
                    let name = file.path.display().to_string();
                    (self.each)(FoundInput::Failed(Failure { name, reason: NOT_A_FILE.to_owned() }))?
                }
                found => (self.each)(found)?,
            };
        }
        Ok(goes_on)
    }

    /// Reads the names in a folder that was not walked before. `place`: the folder without links and `..`. It is resolved once at the top
    /// and at each link: to resolve it in each folder takes the square of the depth.
    fn enter(&mut self, folder: &Path, place: &Path, levels: &mut Vec<Level>) -> Result<bool, StoreError> {
        if !self.seen.insert(place.to_owned()) {
            return Ok(true);
        }
        match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => {
                let mut names: Vec<_> =
                    entries.iter().map(|entry| (entry.file_name(), entry.file_type().ok())).collect();
                names.sort_by(|(name, _), (other, _)| name.cmp(other));
                let names = names.into_iter();
                levels.push(Level { folder: folder.to_owned(), place: place.to_owned(), names });
                Ok(true)
            }
            Err(error) => (self.each)(FoundInput::Failed(failure(folder, &error))),
        }
    }
}

/// A folder that is being walked.
struct Level {
    folder: PathBuf,
    place: PathBuf,
    /// The names that are left, each with its kind if the system says it.
    names: std::vec::IntoIter<(OsString, Option<FileType>)>,
}

/// Why a pipe, socket or device in a folder is not read.
const NOT_A_FILE: &str = "it is a pipe, socket or device; name it as PATH to read it";

fn look_at(path: PathBuf, place: PathBuf) -> FoundInput {
    match fs::metadata(&path) {
        Ok(metadata) => {
            FoundInput::File(FoundFile { path, place, kind: metadata.file_type(), metadata: Some(metadata) })
        }
        Err(error) => FoundInput::Failed(failure(&path, &error)),
    }
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure { name: path.display().to_string(), reason: error.to_string() }
}

pub(super) fn canonical(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    // Names that are not UTF-8 are escaped, so that different names stay different.
    name.to_str().map_or_else(|| format!("{name:?}"), str::to_owned)
}

fn is_log(path: &Path) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    [".json", ".json.gz"].iter().any(|suffix| name.ends_with(suffix))
}

/// Whether a name in a folder is skipped: hidden, as `.DS_Store` and `.git` are, or of a part of an open SQLite database.
fn is_left_out(path: &Path) -> bool {
    let name = file_name(path);
    name.starts_with('.') || [".db-wal", ".db-shm", ".db-journal"].iter().any(|end| name.ends_with(end))
}

impl FoundFile {
    /// Whether its name says that it has no records.
    fn other(&self) -> Option<OtherFile> {
        let kind = kind_of_name(&file_name(&self.path)).filter(|_| self.kind.is_file())?;
        Some(OtherFile { name: self.path.display().to_string(), kind })
    }

    /// The file, to load it.
    ///
    /// # Errors
    /// It no longer exists, is not a file any more, or its size and time can't be read.
    fn unit(self) -> Result<Unit, Failure> {
        // The size and time of a pipe say nothing about its content.
        let identity = self.kind.is_file().then(|| self.identity()).transpose();
        let identity = identity.map_err(|error| failure(&self.path, &error))?;
        let name = self.path.display().to_string();
        let open: Open = match identity {
            Some(_) => Box::new(move || Ok(Box::new(File::open(self.path)?))),
            None => Box::new(move || Ok(Box::new(Piped::new(move || Ok(Box::new(File::open(self.path)?)))))),
        };
        Ok(Unit { name, identity, open, closes_day: false })
    }

    fn identity(&self) -> io::Result<Identity> {
        let content = match &self.metadata {
            Some(metadata) => content_of(metadata),
            None => match fs::metadata(&self.path)? {
                metadata if metadata.is_file() => content_of(&metadata),
                _ => return Err(io::Error::other(NOT_A_FILE)),
            },
        };
        let folder = self.place.parent().unwrap_or(&self.place);
        let prefix = folder.to_str().map_or_else(|| format!("{folder:?}"), str::to_owned);
        Ok(Identity { prefix: format!("file:{prefix}/"), name: file_name(&self.place), content })
    }
}

/// The version of a file's content, from its size and time.
pub(super) fn content_of(metadata: &Metadata) -> Fingerprint {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = modified.unwrap_or_default().as_nanos();
    Fingerprint::of(&[&metadata.len().to_le_bytes(), &nanoseconds.to_le_bytes()])
}

fn stdin_unit() -> Unit {
    let mut head = Vec::new();
    let read = io::stdin().take(STDIN_IDENTIFIED).read_to_end(&mut head);
    let is_all = read.as_ref().is_ok_and(|&length| (length as u64) < STDIN_IDENTIFIED);
    let identity = is_all.then(|| {
        let content = Fingerprint::of(&[&head]);
        let name = content.to_string();
        Identity { prefix: "stdin:".to_owned(), name, content }
    });
    let open: Open = Box::new(move || {
        read?;
        Ok(Box::new(Cursor::new(head).chain(Piped::new(|| Ok(Box::new(io::stdin()))))))
    });
    Unit { name: "stdin".to_owned(), identity, open, closes_day: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::queue;
    use crate::store::Store;
    use crate::trail::filter::RecordFilter;
    use crate::trail::samples::map;
    use crate::trail::scan::Scanner;
    use std::sync::Arc;

    /// The files found for paths in a folder, relative to it.
    fn found(folder: &Path, paths: &[&str]) -> Vec<String> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
        let elsewhere = tempfile::tempdir().unwrap();
        let store = Store::open(&elsewhere.path().join("creators.db")).unwrap();
        let versions = Versions::of(&Scanner::new(Arc::new(map(&[])), RecordFilter::default()));
        let (sender, mut receiver) = queue();
        find(&roots(&paths).unwrap(), &versions, &store.ledger().unwrap(), &sender, &CancellationToken::default())
            .unwrap();
        drop(sender);
        let base = format!("{}/", folder.display());
        let mut names = Vec::new();
        while let Some(item) = receiver.blocking_recv() {
            match item {
                Item::Unit(unit) => names.push(unit.name.replace(&base, "")),
                Item::Other(file) => names.push(file.kind.phrase().to_owned()),
                Item::Failed(failure) => names.push(format!("failed {}", failure.name.replace(&base, ""))),
                Item::Expected(count) => names.push(format!("expected {count}")),
                Item::AlreadyLoaded | Item::Archived(_) | Item::DayFound(_) | Item::FolderFound(_) => panic!(),
            }
        }
        names
    }

    fn write(folder: &Path, names: &[&str]) {
        for name in names {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
    }

    #[test]
    fn folders_are_walked_in_order_and_files_read_whatever_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a/2.JSON.GZ", "a/1", "a/b/3.json", "a/.hidden", "a/.git/x", "1_CloudTrail-Digest_2.json.gz", "z"];
        write(folder.path(), &names);
        assert_eq!(found(folder.path(), &["a"]), ["expected 3", "a/1", "a/2.JSON.GZ", "a/b/3.json"]);
        assert_eq!(found(folder.path(), &["z", "a/b"]), ["expected 2", "z", "a/b/3.json"]);
        let all = ["a CloudTrail digest", "./a/1", "./a/2.JSON.GZ", "./a/b/3.json", "./z"];
        assert_eq!(found(folder.path(), &["."])[1..], all);
    }

    #[test]
    fn files_reached_twice_are_read_once() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["a/1.json", "a/2.json"]);
        std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/up")).unwrap();
        assert_eq!(found(folder.path(), &["a", "a", "a/../a"]), ["expected 2", "a/1.json", "a/2.json"]);
        let named_too = found(folder.path(), &["a", "a/2.json", "a/../a/2.json"]);
        assert_eq!(named_too, ["expected 2", "a/1.json", "a/2.json"]);
    }

    /// A pipe without a writer would be waited for without end.
    #[cfg(unix)]
    #[test]
    fn sockets_and_pipes_in_folders_are_failures_and_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["a/2.json"]);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("a/1.json")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("a/3.json")).status().unwrap();
        assert!(pipe.success());
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("a/4.json")).unwrap();
        let expected = ["expected 4", "failed a/1.json", "a/2.json", "failed a/3.json", "failed a/4.json"];
        assert_eq!(found(folder.path(), &["a"]), expected);
    }

    #[cfg(unix)]
    #[test]
    fn files_that_vanish_or_become_pipes_after_they_are_found_are_failures() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["1.json"]);
        let path = folder.path().join("1.json");
        let kind = fs::metadata(&path).unwrap().file_type();
        let unit = || FoundFile { path: path.clone(), place: path.clone(), kind, metadata: None }.unit();
        assert!(unit().is_ok());
        fs::remove_file(&path).unwrap();
        assert!(unit().err().unwrap().reason.contains("No such file"));
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_eq!(unit().err().unwrap().reason, NOT_A_FILE);
    }

    #[test]
    fn dangling_links_are_failures() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &["a/1.json"]);
        std::os::unix::fs::symlink("nowhere", folder.path().join("a/0.json")).unwrap();
        assert_eq!(found(folder.path(), &["a"]), ["expected 2", "failed a/0.json", "a/1.json"]);
        let missing = roots(&[folder.path().join("none")]).unwrap_err();
        assert!(missing.to_string().contains("none: No such file"), "{missing}");
    }
}
