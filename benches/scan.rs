//! How much the scan, the whole load and a count cost beside gunzip, which is the floor; a count beside a load, which it is
//! not to be slower than; and the most memory that all of that takes.
//!
//! `cargo bench --bench scan [-- FILES]` makes logs of about 2 MB of JSON each (default 500: 1 GB) under the target
//! directory, once, and prints times and their ratios: figures to compare are ratios, as machines differ. The floor is
//! libdeflate into a buffer that is used again, on as many threads; the logs compress 1 to 11 (a real sample: 1 to 8).

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use libdeflater::Decompressor;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use trailcreator::load::{Figures, Item, Versions, count, files, pipeline, queue};
use trailcreator::resource_map::ResourceMap;
use trailcreator::store::Store;
use trailcreator::store::ledger::Ledger;
use trailcreator::trail::count::Counter;
use trailcreator::trail::filter::RecordFilter;
use trailcreator::trail::scan::{Buffers, Counts, Scanner};
use trailcreator::trail::window::TimeWindow;

/// Files of a full run.
const FILES: usize = 500;
/// Records of a file: 2 MB of JSON.
const RECORDS: usize = 1350;
/// Each figure is the best of so many runs: what else the machine does only makes them longer.
const RUNS: usize = 5;
/// One record of so many makes a resource.
const ONE_IN: usize = 70;

/// The program's.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let logs = make_logs(numbers.first().copied().unwrap_or(FILES));
    let jobs = numbers.get(1).copied().unwrap_or(1);
    // Parts of it, for `benches/peers`: each does what the one before does, and more.
    let part = std::env::args().find(|argument| PARTS.contains(&argument.as_str()));
    let scan_with = |map| {
        let scanner = Scanner::new(Arc::new(map), RecordFilter::default());
        println!("{}", on_threads(&logs, jobs, |paths| scan(paths, &scanner)));
    };
    match part.as_deref() {
        Some("--make") => println!("{}", logs.display()),
        Some("--floor") => println!("{}", on_threads(&logs, jobs, gunzip)),
        Some("--frame") => scan_with(ResourceMap::default()),
        Some("--scan") => scan_with(ResourceMap::built_in()),
        _ => compare(&logs),
    }
}

/// Makes the logs; decompresses them; finds their records; reads those that match.
const PARTS: [&str; 4] = ["--make", "--floor", "--frame", "--scan"];

/// The whole benchmark.
fn compare(logs: &Path) {
    let scanner = Arc::new(Scanner::new(Arc::new(ResourceMap::built_in()), RecordFilter::default()));
    for jobs in [1, 2] {
        let best = || Best(Duration::MAX);
        let (mut floor, mut scanned, mut loaded, mut counted) = (best(), best(), best(), best());
        let mut found = None;
        // One after the other in each round, so that all meet the same of what else the machine does.
        for _ in 0..RUNS {
            let bytes = floor.time(|| on_threads(logs, jobs, gunzip));
            scanned.time(|| on_threads(logs, jobs, |paths| scan(paths, &scanner)));
            let load = loaded.take(load(logs, &scanner, jobs));
            let count = counted.take(count(logs, jobs));
            found = Some((bytes, load, count));
        }
        let (bytes, load, count) = found.expect("RUNS is not 0");
        let Counts { records, matched, .. } = load.counts;
        println!(
            "{jobs} threads: {records} records, {matched} matched, {} ids, {} calls",
            load.new_ids, count.counts.matched
        );
        println!("  gunzip           {}  {:>6.0} MB/s of JSON", floor, megabytes(bytes) / floor.0.as_secs_f64());
        println!("  gunzip and parse {scanned}  {:>6.2} of gunzip's speed", floor.over(&scanned));
        println!("  parse alone              {:>6.2} of gunzip's time", scanned.over(&floor) - 1.0);
        println!("  full load        {loaded}  {:>6.2} of gunzip's speed", floor.over(&loaded));
        println!("  count            {counted}  {:>6.2} of gunzip's speed", floor.over(&counted));
        println!("                           {:>6.2} of the load's speed", loaded.over(&counted));
    }
    println!("most memory        {}", peak_memory());
}

/// The shortest time of many runs.
struct Best(Duration);

impl Best {
    fn take<T>(&mut self, (time, result): (Duration, T)) -> T {
        self.0 = self.0.min(time);
        result
    }

    fn time<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = run();
        self.take((start.elapsed(), result))
    }

    fn over(&self, other: &Self) -> f64 {
        self.0.as_secs_f64() / other.0.as_secs_f64()
    }
}

impl fmt::Display for Best {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:>6.2} s", self.0.as_secs_f64())
    }
}

/// Runs on as many threads, each with its share of the files; the sum of what they give.
fn on_threads(logs: &Path, jobs: usize, run: impl Fn(&[PathBuf]) -> u64 + Sync) -> u64 {
    let paths = paths(logs);
    let share = paths.len().div_ceil(jobs);
    std::thread::scope(|scope| {
        let threads: Vec<_> = paths.chunks(share).map(|paths| scope.spawn(|| run(paths))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn gunzip(paths: &[PathBuf]) -> u64 {
    let (mut decompressor, mut stored, mut json) = (Decompressor::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for path in paths {
        stored.clear();
        File::open(path).and_then(|mut file| file.read_to_end(&mut stored)).expect("made before");
        let size = u32::from_le_bytes(*stored.last_chunk().expect("gzip")) as usize;
        json.resize(size.max(json.len()), 0);
        bytes += decompressor.gzip_decompress(&stored, &mut json).expect("gzip") as u64;
    }
    bytes
}

fn scan(paths: &[PathBuf], scanner: &Scanner) -> u64 {
    let mut buffers = Buffers::default();
    let mut bytes = 0;
    for path in paths {
        let mut file = File::open(path).expect("made before");
        let scan = scanner.scan(&mut file, &mut buffers, &mut drop);
        assert_eq!((scan.broken, scan.counts.broken_records), (None, 0));
        bytes += scan.counts.bytes;
    }
    bytes
}

fn load(logs: &Path, scanner: &Arc<Scanner>, jobs: usize) -> (Duration, Figures) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = Store::open(&folder.path().join("creators.db")).expect("a new database");
    let ledger = store.ledger().expect("a ledger");
    let start = Instant::now();
    let (items, finding) = find(logs, scanner, ledger);
    let figures =
        pipeline::run(&mut store, scanner, items, jobs, &CancellationToken::default(), &mut |_| {}).expect("SQLite");
    finding.join().expect("no panic");
    (start.elapsed(), figures)
}

fn count(logs: &Path, jobs: usize) -> (Duration, Figures) {
    let nothing = Scanner::new(Arc::new(ResourceMap::default()), RecordFilter::default());
    let fields = ["eventSource", "eventName"].map(|name| name.parse().expect("a field"));
    let counter = Counter::new(fields.to_vec(), TimeWindow::default());
    let start = Instant::now();
    let (items, finding) = find(logs, &nothing, Ledger::empty().expect("memory"));
    let counted = count::run(&counter, items, jobs, &CancellationToken::default(), &mut |_| {}).expect("few values");
    finding.join().expect("no panic");
    (start.elapsed(), counted.figures)
}

/// Puts the files into a queue, in a thread of its own.
fn find(logs: &Path, scanner: &Scanner, ledger: Ledger) -> (Receiver<Item>, JoinHandle<()>) {
    let roots = files::roots(&[logs.to_owned()]).expect("made before");
    let versions = Versions::of(scanner);
    let (sender, items) = queue();
    let find = move || files::find(&roots, &versions, &ledger, &sender, &CancellationToken::default()).expect("SQLite");
    (items, std::thread::spawn(find))
}

fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown on this system".to_owned(), |line| line.trim().to_owned())
}

fn paths(logs: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(logs).expect("made before").map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

fn make_logs(files: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("trail-logs-{files}"));
    if folder.exists() {
        return folder;
    }
    // Complete under its name or not there at all.
    let unfinished = folder.with_extension("unfinished");
    drop(fs::remove_dir_all(&unfinished));
    fs::create_dir_all(&unfinished).expect("the target directory is writable");
    for file in 0..files {
        let path = unfinished.join(format!("123456789012_CloudTrail_us-east-1_{file:06}.json.gz"));
        let mut gzip = GzEncoder::new(File::create(path).expect("a file"), Compression::default());
        gzip.write_all(document(file).as_bytes()).expect("disk");
        gzip.finish().expect("disk");
    }
    fs::rename(&unfinished, &folder).expect("the target directory is writable");
    folder
}

/// A file's JSON: mostly calls that only read, as in a trail.
fn document(file: usize) -> String {
    let mut text = String::from("{\"Records\":[");
    for number in 0..RECORDS {
        let comma = if number == 0 { "" } else { "," };
        let id = file * RECORDS + number;
        let noise = spread(id as u64);
        let [request_id, event_id, host_id] = [1, 2, 3].map(|salt| spread(noise.wrapping_add(salt)));
        let (source, name, request) = call(id, noise);
        let (hour, minute, second) = (file % 24, number * 60 / RECORDS, id % 60);
        write!(
            text,
            "{comma}{{\"eventVersion\":\"1.11\",\"userIdentity\":{{\"type\":\"AssumedRole\",\"principalId\":\"AROA{noise:016X}:worker-{}\",\
             \"arn\":\"arn:aws:sts::123456789012:assumed-role/worker/worker-{}\",\"accountId\":\"123456789012\",\
             \"accessKeyId\":\"ASIA{noise:016X}\",\"sessionContext\":{{\"sessionIssuer\":{{\"type\":\"Role\",\"principalId\":\"AROA{noise:016X}\",\
             \"arn\":\"arn:aws:iam::123456789012:role/worker\",\"accountId\":\"123456789012\",\"userName\":\"worker\"}},\
             \"attributes\":{{\"creationDate\":\"2026-03-01T00:00:00Z\",\"mfaAuthenticated\":\"false\"}}}}}},\
             \"eventTime\":\"2026-03-01T{hour:02}:{minute:02}:{second:02}Z\",\"eventSource\":\"{source}\",\"eventName\":\"{name}\",\
             \"awsRegion\":\"us-east-1\",\"sourceIPAddress\":\"203.0.113.{}\",\
             \"userAgent\":\"aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 api/{name}\",\
             \"requestParameters\":{request},\"responseElements\":null,\"requestID\":\"{request_id:016x}-{id:08x}\",\
             \"additionalEventData\":{{\"bytesTransferredOut\":{},\"x-amz-id-2\":\"{host_id:016X}{:016X}{:016X}=\"}},\
             \"eventID\":\"{event_id:016x}-{id:08x}\",\"readOnly\":true,\"eventType\":\"AwsApiCall\",\"managementEvent\":true,\
             \"recipientAccountId\":\"123456789012\",\"eventCategory\":\"Management\",\"tlsDetails\":{{\"tlsVersion\":\"TLSv1.3\",\
             \"cipherSuite\":\"TLS_AES_128_GCM_SHA256\",\"clientProvidedHostHeader\":\"{source}\"}}}}",
            noise % 97,
            noise % 97,
            noise % 251,
            noise % 99_991,
            spread(host_id),
            spread(host_id.wrapping_add(1)),
        )
        .expect("writing to a String can't fail");
    }
    text.push_str("]}");
    text
}

/// Spreads numbers as random ones would be, so that compression finds no more than in real logs.
///
/// Source: SplitMix64, <https://doi.org/10.1145/2714064.2660195>.
fn spread(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn call(id: usize, noise: u64) -> (&'static str, &'static str, String) {
    const READS: [(&str, &str); 5] = [
        ("ec2.amazonaws.com", "DescribeInstances"),
        ("sts.amazonaws.com", "AssumeRole"),
        ("kms.amazonaws.com", "Decrypt"),
        ("s3.amazonaws.com", "GetBucketAcl"),
        ("logs.amazonaws.com", "DescribeLogGroups"),
    ];
    if id.is_multiple_of(ONE_IN) {
        return ("s3.amazonaws.com", "CreateBucket", format!("{{\"bucketName\":\"bucket-{noise:016x}\"}}"));
    }
    let (source, name) = READS[id % READS.len()];
    (
        source,
        name,
        format!("{{\"filter\":\"{noise:016x}\",\"maxResults\":1000,\"nested\":{{\"a\":[1,2,3],\"b\":\"\\u003d\"}}}}"),
    )
}
