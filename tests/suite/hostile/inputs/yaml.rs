//! Files of people: settings, maps, accounts.

use super::{bounded, raw, utf16};
use crate::common::{Bench, gzip};

/// What is wrong with any YAML file, whatever it is for.
fn yaml() -> Vec<(&'static str, Vec<u8>)> {
    let laughs: String = (1..30)
        .map(|n| format!("a{n}: &a{n} [*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0}]\n", n - 1))
        .collect();
    let maps: String =
        (1..30).map(|n| format!("a{n}: &a{n} {{<<: *a{0}, x{n}: *a{0}, y{n}: *a{0}}}\n", n - 1)).collect();
    vec![
        ("laughs", raw(&format!("a0: &a0 [lol]\n{laughs}rules: *a29\naccounts: *a29\nresources: *a29\n"))),
        ("merges", raw(&format!("a0: &a0 {{a: b}}\n{maps}rules: *a29\naccounts: *a29\nresources: *a29\n"))),
        (
            "quadratic",
            raw(&format!(
                "a: &a \"{}\"\nrules: [{}]\nresources: [x]\naccounts: [x]\n",
                "x".repeat(100_000),
                "*a,".repeat(20_000)
            )),
        ),
        ("recursive", raw("rules: &a [*a]\nresources: *a\naccounts: *a\n")),
        ("deep_flow", raw(&format!("rules: {}{}", "[".repeat(100_000), "]".repeat(100_000)))),
        ("deep_maps", raw(&format!("rules: {}{}", "{a: ".repeat(100_000), "}".repeat(100_000)))),
        ("deep_block", (0..3000).flat_map(|depth| format!("{}- \n", " ".repeat(depth)).into_bytes()).collect()),
        ("dashes", raw(&"- ".repeat(200_000))),
        ("anchors", (0..50_000).flat_map(|n| format!("k{n}: &k{n} x\n").into_bytes()).collect()),
        ("long", raw(&format!("rules: \"{}\"", "x".repeat(10 << 20)))),
        ("too_large", vec![b'#'; 17 << 20]),
        ("nodes", raw(&format!("rules: [{}]", "1,".repeat(2_500_000)))),
        ("python", raw("rules: !!python/object/apply:os.system ['true']\n")),
        ("binary", raw("rules: !!binary AAAA\n")),
        ("two", raw("rules: []\n---\nrules: []\n")),
        ("empty", Vec::new()),
        ("comment", raw("# nothing\n")),
        ("tab", raw("rules:\n\t- x\n")),
        ("nul", raw("rules: \"\0\"\n")),
        ("not_utf8", b"rules: \xff\n".to_vec()),
        ("utf16", utf16("\u{feff}rules: []\n", u16::to_le_bytes)),
        ("complex_key", raw("? {a: b}\n: c\n")),
        ("twice", raw("rules: []\nrules: []\n")),
        ("escapes", raw("\"rules\\e[2J\\u202e\": x\n")),
        ("gzip", gzip(b"rules: []\n")),
    ]
}

fn written(bench: &Bench, files: &[(&str, Vec<u8>)]) -> Vec<String> {
    files
        .iter()
        .map(|(name, content)| {
            bench.write(format!("{name}.yml"), content);
            format!("{name}.yml")
        })
        .collect()
}

/// Each file that is read as YAML: by its own run for what the whole process can take.
#[test]
fn hostile_yaml_is_refused_in_every_file_that_is_read() {
    let bench = Bench::new();
    bench.trailcreator(["load-files", "-"]).run();
    let files = yaml();
    let names = written(&bench, &files);
    let mut check: Vec<&str> = vec!["resource-map", "check"];
    check.extend(names.iter().map(String::as_str));
    let run = bounded(&bench, &check);
    let output = format!("{}{}", run.stdout, run.stderr);
    assert_ne!(run.code, Some(0), "{output}");
    for name in &names {
        assert!(output.contains(name.as_str()), "{name} is not named\n{output}");
    }
    for (name, content) in &files {
        // In this process: starting a hundred takes longer than reading.
        trailcreator::fuzzing::run("identity_maps", content);
        trailcreator::fuzzing::run("accounts", content);
        if !["laughs", "merges", "recursive", "deep_flow", "too_large", "nodes", "not_utf8"].contains(name) {
            continue;
        }
        let name = format!("{name}.yml");
        for command in [
            ["who", "q", "--identity-map", &name],
            ["tag-org", "--type=sqs", "--config", &name],
            ["--settings", &name, "count", "x"],
        ] {
            let run = bounded(&bench, &command);
            assert_ne!(run.code, Some(0), "{}", run.printed());
            assert!(run.stderr.contains(&name), "{name} is not named\n{}", run.printed());
        }
    }
}
