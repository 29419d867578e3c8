//! The resources of `docs/demo.py` on moto, and the log file of their creation.

use std::path::Path;

use serde_json::Value;

use crate::common::{Bench, Moto, gzip};

/// A server with the demo's resources, and a folder with `logs/`.
pub(crate) struct Demo {
    pub(crate) moto: Moto,
    pub(crate) bench: Bench,
    /// The ids of the volumes, in the order of their creation: by root, by a service, and one that has an owner.
    pub(crate) volumes: Vec<String>,
}

impl Demo {
    pub(crate) fn new() -> Self {
        let (moto, bench) = (Moto::start(), Bench::new());
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let code = format!("sys.path.insert(0, {docs:?})\nimport demo\nresult = demo.create_resources(client)");
        let records = moto.boto3(&code);
        let volume = |record: &Value| record["responseElements"]["volumeId"].as_str().map(str::to_owned);
        let volumes = records.as_array().expect("a list of records").iter().filter_map(volume).collect();
        let log_file = gzip(serde_json::json!({"Records": records}).to_string().as_bytes());
        bench.write("logs/123456789012_CloudTrail_us-east-1_20260301T1015Z_demo.json.gz", log_file);
        Self { moto, bench, volumes }
    }

    /// What a command line prints, on both streams in their order, and its exit code where it is not 0.
    pub(crate) fn output(&self, line: &str) -> String {
        let run = self.bench.shell(&format!("{line} 2>&1")).aws(&self.moto).run();
        let code = run.code.filter(|code| *code != 0).map(|code| format!("exit code {code}\n"));
        format!("{}{}", run.stdout, code.unwrap_or_default())
    }
}
