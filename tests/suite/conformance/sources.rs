//! The sources of records, with the fields that each lacks. `docs/sources.md` has the same for users.

use std::collections::BTreeSet;

use super::world::{Row, World};
use crate::common::Run;

/// A field that a source lacks.
#[derive(Debug)]
pub(super) struct Lack {
    /// Its column in the store.
    pub(super) column: &'static str,
    /// Its path in a record.
    pub(super) field: &'static str,
}

/// How records are loaded.
#[derive(Debug)]
enum Loader {
    /// `load-s3` with an engine.
    S3(&'static str),
    /// `load-athena` from a table in the world, through a workgroup.
    Athena { shape: &'static str, workgroup: &'static str },
    /// `load-history` of all regions.
    History,
    /// `load-files` of a file in an envelope.
    Envelope,
    /// `load-logs` of a log group.
    Logs,
    /// `watch`, with a message for each log file, or for each record.
    Watch(Message),
}

/// What a message announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    File,
    Record,
}

/// A source, with the fields that it lacks.
#[derive(Debug)]
pub(super) struct Source {
    /// Also the name of the database.
    pub(super) name: &'static str,
    /// As documented.
    pub(super) title: &'static str,
    loader: Loader,
    /// Columns that are NULL in all of its rows.
    pub(super) lacks: &'static [Lack],
}

const SOURCE_IDENTITY: Lack = Lack { column: "source_identity", field: "userIdentity.sessionContext.sourceIdentity" };

const S3: &str = "`load-s3`";
const DOCUMENTED: &str = "`load-athena`, the table that AWS documents";

const LAKE: &str = "`load-athena`, a table of Security Lake";

pub(super) const SOURCES: [Source; 22] = [
    s3("get", "get"),
    s3("select", "select"),
    s3("auto", "auto"),
    athena("athena-csv", DOCUMENTED, "plain", "primary", &[SOURCE_IDENTITY]),
    athena("athena-pages", DOCUMENTED, "plain", "managed", &[SOURCE_IDENTITY]),
    athena("athena-partitions", DOCUMENTED, "organization", "primary", &[SOURCE_IDENTITY]),
    athena(
        "athena-older",
        "`load-athena`, the older table (CloudTrailSerde)",
        "serde",
        "primary",
        &[
            SOURCE_IDENTITY,
            Lack {
                column: "federated_provider",
                field: "userIdentity.sessionContext.webIdFederationData.federatedProvider",
            },
            Lack { column: "on_behalf_of_user_id", field: "userIdentity.onBehalfOf.userId" },
            Lack { column: "on_behalf_of_store_arn", field: "userIdentity.onBehalfOf.identityStoreArn" },
        ],
    ),
    athena("athena-complete", "`load-athena`, a table with sourceidentity", "complete", "primary", &[]),
    athena("athena-lake", LAKE, "security-lake", "primary", &[]),
    athena("athena-lake-iceberg", LAKE, "security-lake-iceberg", "managed", &[]),
    Source { name: "history", title: "`load-history`", loader: Loader::History, lacks: &[] },
    Source { name: "watch-files", title: "`watch`", loader: Loader::Watch(Message::File), lacks: &[] },
    Source { name: "watch-records", title: "`watch`", loader: Loader::Watch(Message::Record), lacks: &[] },
    Source { name: "logs", title: "`load-logs`", loader: Loader::Logs, lacks: &[] },
    envelope("lines.log"),
    envelope("lookup-events.json"),
    envelope("eventbridge-archive.json"),
    envelope("filter-log-events"),
    envelope("subscription-firehose"),
    envelope("000000.gz"),
    envelope("lake-rows"),
    envelope("sqs-messages"),
];

/// The tables for these sources, with the names of their shapes in `tests/servers/athena/tables.py`.
pub(super) fn athena_shapes() -> BTreeSet<&'static str> {
    let shape = |source: &Source| match source.loader {
        Loader::Athena { shape, .. } => Some(shape),
        _ => None,
    };
    SOURCES.iter().filter_map(shape).collect()
}

const fn s3(name: &'static str, engine: &'static str) -> Source {
    Source { name, title: S3, loader: Loader::S3(engine), lacks: &[] }
}

/// A file in one of [`crate::common::envelopes::ENVELOPES`], with all records.
const fn envelope(name: &'static str) -> Source {
    Source { name, title: "`load-files`", loader: Loader::Envelope, lacks: &[] }
}

const fn athena(
    name: &'static str,
    title: &'static str,
    shape: &'static str,
    workgroup: &'static str,
    lacks: &'static [Lack],
) -> Source {
    Source { name, title, loader: Loader::Athena { shape, workgroup }, lacks }
}

impl Source {
    /// The name of its envelope.
    pub(super) fn envelope(&self) -> Option<&'static str> {
        matches!(self.loader, Loader::Envelope).then_some(self.name)
    }

    /// Whether it has no events older than 90 days.
    pub(super) fn forgets(&self) -> bool {
        matches!(self.loader, Loader::History)
    }

    /// Loads into a database in the world.
    pub(super) fn load(&self, world: &World, database: &str, window: &[&str]) -> Run {
        let (db, file) = (format!("{database}.db"), format!("envelopes/{}", self.name));
        let queue;
        let mut args = match &self.loader {
            Loader::S3(engine) => vec!["load-s3", "--bucket", "trail", "--engine", engine],
            Loader::Athena { shape, workgroup } => vec!["load-athena", "--table", shape, "--workgroup", workgroup],
            Loader::History => vec!["load-history", "--region", "all"],
            Loader::Logs => vec!["load-logs", "--log-group", "trail"],
            Loader::Envelope => vec!["load-files", &file],
            Loader::Watch(message) => {
                queue = world.announce_all(*message);
                vec!["watch", "--queue", &queue, "--until-empty", "--wait", "1"]
            }
        };
        args.extend(["--output", "json", "--db", &db]);
        args.extend(window);
        let run = world.bench.trailcreator(args);
        match self.loader {
            Loader::Athena { .. } => run.athena(&world.moto, &world.athena).run(),
            _ => run.aws(&world.moto).run(),
        }
    }

    /// The expected rows, if the files give `rows`.
    pub(super) fn of_reference(&self, rows: &[Row]) -> Vec<Row> {
        let mut rows = rows.to_vec();
        for lack in self.lacks {
            for row in &mut rows {
                row.insert(lack.column.to_owned(), None);
            }
        }
        rows
    }
}
