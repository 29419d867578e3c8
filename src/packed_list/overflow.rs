//! Stores the blocks that are too much for memory in a temporary file: anything that can be written, read and sought in.
//!
//! A file that cannot be created or written is not an error: blocks stay in memory then. All lists share one file, because connections to AWS
//! need file descriptors too.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// When a file has this size, lists go on in another one. Its space is free again when no list refers to it any more.
const FULL: u64 = 256 * 1024 * 1024;

/// A file, or what a test has in its place.
pub trait Medium: Read + Write + Seek + Send {}

impl<M: Read + Write + Seek + Send> Medium for M {}

type Create = Box<dyn Fn() -> io::Result<Box<dyn Medium>> + Send + Sync>;

static CREATE: OnceLock<Create> = OnceLock::new();

static CURRENT: Mutex<Weak<Overflow>> = Mutex::new(Weak::new());

/// From now on, long lists put most of their documents into files that `create` makes. Only the first call has an effect. Without it, they stay
/// in memory.
pub fn overflow_into<M: Medium + 'static>(create: impl Fn() -> io::Result<M> + Send + Sync + 'static) {
    let create: Create = Box::new(move || Ok(Box::new(create()?)));
    // The first one stays.
    drop(CREATE.set(create));
}

/// A file that is written at its end. It is closed when no list refers to it any more.
pub(super) struct Overflow(Mutex<Contents>);

struct Contents {
    medium: Box<dyn Medium>,
    end: u64,
}

/// Bytes in a file.
#[derive(Clone)]
pub(super) struct Extent {
    file: Arc<Overflow>,
    start: u64,
    length: usize,
}

impl Overflow {
    pub(super) fn of(medium: Box<dyn Medium>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Contents { medium, end: 0 })))
    }

    /// The file that lists write to now. `None`: there cannot be one.
    pub(super) fn current() -> Option<Arc<Self>> {
        let create = CREATE.get()?;
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = current.upgrade().filter(|file| !file.is_full()) {
            return Some(file);
        }
        let file = Self::of(create().ok()?);
        *current = Arc::downgrade(&file);
        Some(file)
    }

    pub(super) fn is_full(&self) -> bool {
        self.contents().end >= FULL
    }

    /// Writes bytes at the end. `None`: they could not be written.
    pub(super) fn put(self: &Arc<Self>, bytes: &[u8]) -> Option<Extent> {
        let mut contents = self.contents();
        let start = contents.end;
        contents.medium.seek(SeekFrom::Start(start)).and_then(|_| contents.medium.write_all(bytes)).ok()?;
        contents.end += u64::try_from(bytes.len()).ok()?;
        Some(Extent { file: Arc::clone(self), start, length: bytes.len() })
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Extent {
    /// Reads the bytes.
    pub(super) fn read_to(&self, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.resize(self.length, 0);
        let mut contents = self.file.contents();
        contents.medium.seek(SeekFrom::Start(self.start))?;
        contents.medium.read_exact(bytes)
    }
}
