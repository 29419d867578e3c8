//! Replays the corpus of each target, with mutations of it.

use super::*;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What mutations put in: the syntax of all formats, and what has surprised parsers before.
const PIECES: [&[u8]; 40] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"\\ud83d",
    b"\\u0000",
    b"\xff",
    b"\xed\xa0\xbd",
    b"\x00",
    b"\x1b[2J",
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{fdd0}".as_bytes(),
    b"<a>",
    b"</a>",
    b"<![CDATA[",
    b"&#0;",
    b"&lt;",
    b"&a",
    b"*a",
    b"!!binary ",
    b"<<: ",
    b"---\n",
    b"null",
    b"1e999",
    b"-0",
    b"18446744073709551616",
    b"\"eventName\":",
    b"\"Records\":[",
    b"arn:aws:::",
    b"{1}",
    b"/(a*)*/",
    b"| join('', [@, @])",
    b"\x1f\x8b\x08",
];

/// A small generator (SplitMix64): seeded, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit.max(1) as u64).unwrap()
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + self.below(16.min(length - start) + 1))
    }

    /// One to four changes: bytes flipped, cut, repeated, replaced by a piece or by a part of another input.
    fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(4) {
            let range = self.range(bytes.len());
            let new: Vec<u8> = match self.below(6) {
                0 => bytes[range.clone()].iter().map(|byte| byte ^ (1 << self.below(8))).collect(),
                1 => Vec::new(),
                2 => bytes[range.clone()].repeat(2 + self.below(6)),
                3 | 4 => PIECES[self.below(PIECES.len())].to_vec(),
                _ => {
                    let other = &corpus[self.below(corpus.len())];
                    let part = self.range(other.len());
                    other[part].to_vec()
                }
            };
            bytes.splice(range, new);
        }
        bytes
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// `TRAILCREATOR_FUZZ_SECONDS` for each target, from `TRAILCREATOR_FUZZ_SEED` on; without it some hundred inputs. An input that
/// breaks a promise is written to `fuzz/artifacts`.
fn fuzz(name: &str) {
    let number = |variable: &str| std::env::var(variable).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("TRAILCREATOR_FUZZ_SECONDS").map(Duration::from_secs);
    let mut random = Random(number("TRAILCREATOR_FUZZ_SEED").unwrap_or(14));
    let corpus = corpus(name);
    let begun = Instant::now();
    let (mut runs, mut slowest) = (0_u64, Duration::ZERO);
    let mut inputs = corpus.clone().into_iter();
    loop {
        let input = inputs.next().unwrap_or_else(|| random.mutated(&corpus));
        let at = Instant::now();
        if let Err(panic) = std::panic::catch_unwind(|| run(name, &input)) {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/artifacts").join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("run-{runs}")), &input).unwrap();
            std::panic::resume_unwind(panic);
        }
        slowest = slowest.max(at.elapsed());
        runs += 1;
        if seconds.map_or(runs >= 300, |seconds| begun.elapsed() >= seconds) {
            break;
        }
    }
    println!("{name}: {runs} inputs, the slowest took {slowest:?}");
}

#[test]
fn records_keep_their_promises() {
    fuzz("records");
}

#[test]
fn envelopes_keep_their_promises() {
    fuzz("envelopes");
}

#[test]
fn scan_reference_keep_their_promises() {
    fuzz("scan_reference");
}

#[test]
fn maps_keep_their_promises() {
    fuzz("maps");
}

#[test]
fn accounts_keep_their_promises() {
    fuzz("accounts");
}

#[test]
fn identity_maps_keep_their_promises() {
    fuzz("identity_maps");
}

#[test]
fn athena_csv_keep_their_promises() {
    fuzz("athena_csv");
}

#[test]
fn answers_keep_their_promises() {
    fuzz("answers");
}

#[test]
fn plans_keep_their_promises() {
    fuzz("plans");
}

#[test]
fn each_target_is_built_by_cargo_fuzz() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")).unwrap();
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        assert!(!corpus(name).is_empty(), "{name}");
    }
}
