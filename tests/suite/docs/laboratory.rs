//! The laboratory in which the pages' commands run: moto and the Athena server with what the pages name, made once, and a working
//! folder for each page.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde_json::{Value, json};

use super::files;
use super::pages::{Block, Command, Page};
use super::trail;
use crate::common::{Athena, Bench, Moto, Trailcreator};

/// Creates the resources; returns their IDs.
const WORLD: &str = include_str!("world.py");

/// The log group of the trail, as the pages call it.
const LOG_GROUP: &str = "aws-cloudtrail-logs-111122223333";

/// How the pages write what only the reader's own account has, and what the laboratory has there. The values in braces are those of
/// `world.py`.
pub(super) const PLACEHOLDERS: [(&str, &str); 15] = [
    ("--profile NAME", "--profile prod"),
    ("--bucket NAME", "--bucket my-trail-bucket"),
    ("--queue URL", "--queue {queue}"),
    ("https://sqs.eu-west-1.amazonaws.com/111122223333/trailcreator", "{queue}"),
    // It runs until it is stopped: here until it has handled every message.
    ("watch --queue {queue} --tag", "watch --queue {queue} --tag --until-empty --wait 1 --gather 1"),
    ("trailcreator who ID", "trailcreator who my-queue"),
    ("trailcreator policy COMMAND", "trailcreator policy tag"),
    ("trailcreator count PATH", "trailcreator count logs"),
    ("--key KEY", "--key archived.json.gz"),
    ("i-0abc…", "{instance}"),
    ("111111111111", "{audit}"),
    ("OrganizationalUnitIds=r-abcd", "OrganizationalUnitIds={root}"),
    // A smaller trail, on a free port. The loader does not wait until the server listens.
    (
        "9999 40 17 30 5 &",
        "{port} 2 1 1 2 & curl --retry 60 --retry-connrefused --retry-delay 1 http://127.0.0.1:{port}/requests",
    ),
    ("127.0.0.1:9999", "127.0.0.1:{port}"),
    ("trailcreator man tag | man -l -", "trailcreator man tag | grep '^.TH trailcreator-tag'"),
];

/// The servers, and the files of a working folder.
pub(super) struct Laboratory {
    moto: Moto,
    athena: Athena,
    /// The log files of the trail, and the database that was loaded from them.
    template: Bench,
    /// The values of the placeholders.
    world: Vec<(String, String)>,
}

/// The working folder of a page.
pub(super) struct Desk<'l> {
    laboratory: &'l Laboratory,
    bench: Bench,
    /// What the commands print, and the programs that the pages need.
    outside: Bench,
}

/// How a command ended, and what it printed. Without a code it was not reached.
pub(super) struct Outcome {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Laboratory {
    /// The laboratory of the tests that run now.
    pub(super) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Laboratory>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let laboratory = Arc::new(Self::new());
            *shared = Arc::downgrade(&laboratory);
            laboratory
        })
    }

    fn new() -> Self {
        let template = Bench::new();
        let logs = template.path("logs");
        fs::create_dir_all(&logs).expect("folders can be made");
        let options = [
            ("TRAIL_LOGS_GROUP", LOG_GROUP),
            ("TRAIL_LOGS_RATE", "off"),
            ("TRAIL_SERVICES_RATE", "off"),
            ("TRAIL_SERVICES_REGIONS", "us-east-1,eu-west-1"),
        ];
        let moto = Moto::start_with_trail_services(&logs, &options);
        let mut world = moto.boto3(WORLD);
        world["port"] = json!(free_port());
        trail::write(&template, &world);
        moto.upload("my-trail-bucket", &logs);
        let tables = json!([
            {"shape": "plain", "files": [logs]},
            {"shape": "security-lake", "database": "amazon_security_lake_glue_db_us_east_1", "files": [logs]},
        ]);
        let athena = Athena::start(&moto, &tables);
        let world = world.as_object().expect("names and values").iter();
        let world = world.map(|(name, value)| (format!("{{{name}}}"), text(value))).collect();
        let laboratory = Self { moto, athena, template, world };
        laboratory.aws(laboratory.template.trailcreator(["load-files", "logs", "--chains"])).run().success();
        let accounts = ["accounts", "-f", "accounts.yml", "--region", "us-east-1", "--region", "eu-west-1"];
        laboratory.aws(laboratory.template.trailcreator(accounts)).run().success();
        laboratory
    }

    /// A new working folder; with the loaded database, if the page expects one.
    pub(super) fn desk(&self, page: &Page, has_database: bool) -> Desk<'_> {
        let desk = Desk { laboratory: self, bench: Bench::new(), outside: Bench::new() };
        let copied: &[&str] = if has_database { &["accounts.yml", "creators.db"] } else { &["accounts.yml"] };
        for name in copied {
            fs::copy(self.template.path(name), desk.bench.path(name)).expect("files can be copied");
        }
        files::write(&desk.bench, &self.template.path("logs"));
        if page.blocks.iter().flat_map(|block| &block.commands).any(|command| command.text.contains(" watch ")) {
            trail::announce(&self.moto);
        }
        desk.outside.write("tools/aws", super::aws_cli::script());
        super::aws_cli::make_executable(&desk.outside.path("tools/aws"));
        desk
    }

    fn aws(&self, command: Trailcreator) -> Trailcreator {
        command.athena(&self.moto, &self.athena)
    }

    /// A command as the laboratory runs it.
    pub(super) fn command(&self, text: &str) -> String {
        let text = PLACEHOLDERS.iter().fold(text.to_owned(), |text, (page, here)| text.replace(page, here));
        self.world.iter().fold(text, |text, (name, value)| text.replace(name, value))
    }
}

impl Desk<'_> {
    /// Runs a block in one shell. The outcomes are in the order of its commands.
    pub(super) fn run(&self, block: &[&Command]) -> Vec<Outcome> {
        let script = self.outside.write("block.sh", self.script(block));
        let shell = self.aws(self.bench.shell(&format!("exec bash {}", script.display()))).run();
        let read = |number: usize, name: &str| {
            fs::read_to_string(self.outside.path(format!("{number}.{name}"))).unwrap_or_default()
        };
        let outcomes = (0..block.len()).map(|number| Outcome {
            code: read(number, "code").trim().parse().ok(),
            stdout: read(number, "stdout"),
            // What the shell itself has to say is about the command that it could not read.
            stderr: read(number, "stderr") + &shell.stderr,
        });
        outcomes.collect()
    }

    /// The block as a script that writes what each command prints, and how it ends, into files.
    fn script(&self, block: &[&Command]) -> String {
        let mut script = "set -o pipefail\ntrap 'code=$?' ERR\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n".to_owned();
        for (number, command) in block.iter().enumerate() {
            let file = |name: &str| {
                let path = self.outside.path(format!("{number}.{name}"));
                drop(fs::remove_file(&path));
                path.display().to_string()
            };
            let (stdout, stderr, code) = (file("stdout"), file("stderr"), file("code"));
            let text = self.laboratory.command(&command.text);
            script += &format!("code=0\n{{ {text}\n}} >{stdout} 2>{stderr}\necho $code >{code}\n");
        }
        script
    }

    fn aws(&self, command: Trailcreator) -> Trailcreator {
        let binary = Path::new(env!("CARGO_BIN_EXE_trailcreator")).parent().expect("a file is in a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{}:{path}", self.outside.path("tools").display(), binary.display());
        let config = self.bench.path(".aws/config");
        self.laboratory.aws(command).env("PATH", &path).env("AWS_CONFIG_FILE", config.to_str().expect("it is UTF-8"))
    }

    /// The content of the database.
    pub(super) fn database(&self) -> Option<Vec<u8>> {
        fs::read(self.bench.path("creators.db")).ok()
    }

    /// Gives the database an earlier content.
    pub(super) fn restore(&self, content: Option<&[u8]>) {
        for name in ["creators.db", "creators.db-wal", "creators.db-shm"] {
            drop(fs::remove_file(self.bench.path(name)));
        }
        if let Some(content) = content {
            self.bench.write("creators.db", content);
        }
    }

    /// Undoes what the block wrote, so that the next one finds the resources as they were.
    pub(super) fn undo(&self, block: &Block) {
        let writes = |command: &Command| ["tag", "apply", "watch"].iter().any(|verb| command.text.contains(verb));
        if !self.bench.path("creators.db").exists() || !block.commands.iter().any(writes) {
            return;
        }
        let run = |args: &[&str]| self.aws(self.bench.trailcreator(args)).run();
        let runs = run(&["runs", "--output", "json"]).success().json();
        let runs = runs["all_runs"].as_array().expect("a list");
        let id = |listed: &Value| match &listed["run_id"] {
            Value::Null => listed["organization_run"].clone(),
            id => id.clone(),
        };
        let is_undone = |listed: &Value| runs.iter().any(|other| other["undoes"] == id(listed));
        for listed in runs.iter().filter(|listed| listed["kind"] == "tag" && !is_undone(listed)) {
            let id = text(&id(listed));
            drop(run(&["undo", &id, "-c", "accounts.yml", "--allow-updates", "cfn", "--extend-map", "groups.yml"]));
        }
    }
}

/// A text without its quotation marks, or a number.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A port that nothing listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}
