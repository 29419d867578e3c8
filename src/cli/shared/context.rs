//! Set-up shared by all commands: the console, the resource map, the database, the async runtime.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Builder;
use tracing::level_filters::LevelFilter;

use super::suggestion::Suggestion;
use super::{CommandError, GlobalArgs, Invocation, private_file};
use crate::cli::settings::Settings;
use crate::console::{Console, Progress, start_log};
use crate::packed_list::overflow_into;
use crate::resource_map::ResourceMap;
use crate::store::{Migration, Store, StoreError, remove_if_empty};

/// Maximum number of databases to name if the given one does not exist.
const DATABASES_SHOWN: usize = 5;

/// The surroundings of a command.
#[derive(Debug)]
pub struct Context {
    /// The global options.
    pub global: GlobalArgs,
    /// The command line as typed, for suggested commands.
    pub invocation: Invocation,
    /// The settings file.
    pub(in crate::cli) settings: Settings,
    /// Where output goes.
    pub console: Console,
    /// Whether the database did not exist before this command.
    has_new_database: AtomicBool,
}

impl Context {
    /// From the global options and what was typed.
    pub(in crate::cli) fn new(global: GlobalArgs, invocation: Invocation, settings: Settings) -> Self {
        let console = Console::new(global.output.into(), global.quiet, !global.no_progress);
        // Long lists hold data like that in the database, and mostly less of it: they go to the same disk.
        let database = global.db.clone();
        overflow_into(move || private_file::unnamed(&database));
        Self { global, invocation, settings, console, has_new_database: AtomicBool::default() }
    }

    /// The resource map by `--resource-map` and `--extend-map`.
    ///
    /// # Errors
    /// A file that can't be read or is not a resource map.
    pub fn resource_map(&self) -> Result<ResourceMap, CommandError> {
        ResourceMap::load(&self.global.resource_map, &self.global.extend_map).map_err(|error| {
            CommandError::usage(&error).hint("print a valid definition with: trailcreator resource-map show sqs")
        })
    }

    /// Opens the database; creates it if it does not exist.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_store(&self) -> Result<Store, CommandError> {
        self.has_new_database.fetch_or(!self.global.db.exists(), Ordering::Relaxed);
        let mut progress = None;
        Store::open_watched(&self.global.db, &mut |migration| self.show(migration, &mut progress))
            .map_err(|error| self.store_error(&error))
    }

    /// Removes the database if this command created it and stored nothing in it: after a failure, the next command is to say that
    /// there is none.
    pub(in crate::cli) fn remove_new_database(&self) {
        if self.has_new_database.load(Ordering::Relaxed) {
            remove_if_empty(&self.global.db);
        }
    }

    /// Opens a database that must exist already.
    ///
    /// # Errors
    /// There is none, or as [`Store::open`].
    pub fn open_existing_store(&self) -> Result<Store, CommandError> {
        self.check_exists()?;
        self.open_store()
    }

    /// Opens a database that must exist already, for a command that writes nothing but its journal.
    ///
    /// # Errors
    /// There is none, or as [`Store::open`].
    pub fn open_store_for_journal(&self) -> Result<Store, CommandError> {
        self.open_existing_store()?.with_small_cache().map_err(|error| self.store_error(&error))
    }

    /// Opens a database that must exist already, for a command that only reads: it may be read-only.
    ///
    /// # Errors
    /// There is none, or as [`Store::open_to_read`].
    pub fn open_store_to_read(&self) -> Result<Store, CommandError> {
        self.check_exists()?;
        let mut progress = None;
        Store::open_to_read_watched(&self.global.db, &mut |migration| self.show(migration, &mut progress))
            .map_err(|error| self.store_error(&error))
    }

    /// Shows how far the migration of a large database has come.
    fn show(&self, migration: Migration, progress: &mut Option<Progress>) {
        let progress = progress.get_or_insert_with(|| self.console.progress("updating the database: rows", None));
        progress.update(migration.rows, format!("schema version {}", migration.version));
    }

    fn check_exists(&self) -> Result<(), CommandError> {
        if self.global.db.exists() {
            return Ok(());
        }
        let mut error = CommandError::failed(format_args!("there is no database {}", self.global.db.display()));
        error.hints.extend(self.other_databases());
        let from_bucket = self.suggest("load-s3").option("bucket", "NAME");
        Err(error
            .hint(format!("load a trail first, with load-athena, load-files, or: {from_bucket}"))
            .hint(format!("or load Event history (90 days, no trail needed): {}", self.suggest("load-history"))))
    }

    /// The databases in the folder of the one that does not exist.
    fn other_databases(&self) -> Option<String> {
        let folder = self.global.db.parent().filter(|folder| !folder.as_os_str().is_empty());
        let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
        let is_database = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "db");
        let mut paths: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_database).collect();
        paths.sort();
        let names: Vec<String> = paths.iter().map(|path| without_dot(path)).take(DATABASES_SHOWN).collect();
        (!names.is_empty()).then(|| format!("name another database with --db; there is {}", names.join(", ")))
    }

    /// A command to suggest, with the given options that it accepts.
    pub(in crate::cli) fn suggest(&self, command: &str) -> Suggestion {
        self.invocation.suggest(command)
    }

    /// The hint that lists the runs.
    pub(in crate::cli) fn list_runs(&self) -> String {
        format!("list the runs with: {}", self.suggest("runs"))
    }

    /// The hint after a failure that may have come after writes.
    pub(in crate::cli) fn written_before(&self) -> String {
        format!("earlier writes are in the journal: {}", self.suggest("runs"))
    }

    /// A database error, with its hint.
    pub fn store_error(&self, error: &StoreError) -> CommandError {
        let mut command_error = CommandError::while_doing(format_args!("database {}", self.global.db.display()), error);
        command_error.hints.extend(error.hint().map(str::to_owned));
        if matches!(error, StoreError::Predecessor) {
            let new = self.global.db.with_extension("new.db");
            let import = self.suggest("import").option("db", new).arg(&self.global.db);
            return command_error.hint(format!("import its rows into a new database: {import}"));
        }
        command_error
    }

    /// Runs async work to its end.
    ///
    /// `work` makes the future here, in a function of its own: the stack of the function that calls one command or another would hold
    /// the futures of all of them, 190 kB.
    ///
    /// # Errors
    /// Those of the work, or the runtime couldn't start.
    #[inline(never)]
    pub fn block_on<T, W>(&self, work: impl FnOnce() -> W) -> Result<T, CommandError>
    where
        W: Future<Output = Result<T, CommandError>>,
    {
        self.block_on_runtime(&mut Builder::new_multi_thread(), work)
    }

    /// The same without further threads, for a command that computes little and makes few calls.
    #[inline(never)]
    pub fn block_on_this_thread<T, W>(&self, work: impl FnOnce() -> W) -> Result<T, CommandError>
    where
        W: Future<Output = Result<T, CommandError>>,
    {
        self.block_on_runtime(&mut Builder::new_current_thread(), work)
    }

    fn block_on_runtime<T, W>(&self, runtime: &mut Builder, work: impl FnOnce() -> W) -> Result<T, CommandError>
    where
        W: Future<Output = Result<T, CommandError>>,
    {
        let runtime = runtime
            .enable_all()
            .build()
            .map_err(|error| CommandError::while_doing("starting the async runtime", &error))?;
        let result = runtime.block_on(work());
        // After an interrupt, only reads are left. A thread that waits for stdin would never end.
        runtime.shutdown_background();
        result
    }

    /// Prints an error and its hints.
    pub fn report(&self, error: &CommandError) {
        self.console.error(&error.message, &error.hints);
    }
}

fn without_dot(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// Sends the log to stderr. AWS crates are silent below `-vv`: their debug output is not for users.
pub(in crate::cli) fn start_logging(global: &GlobalArgs) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    start_log(level);
}
