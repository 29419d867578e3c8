//! `report --format html`, opened in Chromium.

use std::fs;

use serde_json::{Value, json};
use trailcreator::model::event::{Action, Event as Recorded, Identity, ResourceEvent, Touched};
use trailcreator::store::{Batch, Store};

use crate::common::{Bench, Caller, Event, browser};
use crate::tag::lab::Lab;

/// A name that is markup, a link, a formula's neighbor and a lie about its own order.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\u{202e}'\"&javascript:alert(2)<!--<svg onload=alert(3)>\0<style>*{display:none}</style>";

/// The texts of the visible rows, a list for each.
const VISIBLE: &str = "[...document.querySelectorAll('#box tbody tr:not(.space)')].map(row => [...row.cells].map(cell => cell.textContent))";

/// Elements and attributes that only text of others could have brought into the page.
const FOREIGN: &str =
    "[...document.querySelectorAll('*')].filter(element => element.matches('img, iframe, object, embed, base, form')
    || [...element.attributes].some(({name, value}) => name.startsWith('on') || /^\\s*javascript:/i.test(value)))
    .map(element => element.outerHTML)";

/// Three queues and a volume. Bob is no longer a user.
fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.moto.boto3("client('iam').create_user(UserName='alice')");
    lab.queue("alpha", "alice", &json!({"Owner": "alice"}));
    lab.queue("beta", "bob", &json!({}));
    lab.queue("gamma", "alice", &json!({}));
    lab.volumes(&["alice"]);
    lab.load();
    lab.bench.write("accounts.yml", "accounts:\n- {account_id: '123456789012', name: shop, regions: [us-east-1]}\n");
    lab
}

fn opened(bench: &Bench, page: &str, steps: &Value) -> browser::Opened {
    fs::create_dir_all(bench.path("downloads")).expect("a folder");
    browser::open(&json!({"page": bench.path(page), "downloads": bench.path("downloads"), "steps": steps}))
}

#[test]
fn page_shows_the_report_and_its_table_searches_sorts_filters_and_saves() {
    let lab = lab();
    lab.run(&["report", "--format", "html", "--output-file", "report.html"]).success().says(["wrote report.html"]);
    let steps = json!([
        {"run": "document.querySelector('.cards').innerText"},
        {"run": "document.getElementById('count').textContent"},
        {"run": "document.getElementById('search').focus()"},
        {"type": "GAMM"},
        {"run": VISIBLE},
        {"run": "document.getElementById('search').select()"},
        {"type": "sqs alice"},
        {"run": "document.getElementById('count').textContent"},
        {"run": "document.querySelectorAll('#box thead button')[2].click()"},
        {"run": VISIBLE},
        {"run": "document.querySelectorAll('#box thead button')[2].click()"},
        {"run": VISIBLE},
        {"download": "document.getElementById('download').click()"},
        {"run": "const search = document.getElementById('search'); search.value = ''; search.dispatchEvent(new Event('input'));
                 const kind = document.getElementById('filter-type'); kind.value = [...kind.options].find(one => one.text.startsWith('ebs')).value;
                 kind.dispatchEvent(new Event('change')); document.getElementById('count').textContent"},
        {"run": "document.querySelector('#box thead [aria-sort]').getAttribute('aria-sort')"},
    ]);
    let results = opened(&lab.bench, "report.html", &steps).results;
    let cards = results[0].as_str().unwrap();
    assert!(cards.contains("25.0%") && cards.contains("1 of 4 taggable resources"), "{cards}");
    assert_eq!(results[1], "4 resources");
    let names = |result: &Value| -> Vec<String> {
        result.as_array().unwrap().iter().map(|row| row[2].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&results[4]), ["gamma"]);
    assert_eq!(results[4][0][0], "would be owned");
    assert_eq!(results[7], "2 of 4 resources");
    assert_eq!(names(&results[9]), ["alpha", "gamma"]);
    assert_eq!(names(&results[11]), ["gamma", "alpha"]);
    let csv = results[12].as_str().unwrap();
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!((lines.len(), lines[3]), (4, ""), "a header and what was found: {csv}");
    assert!(lines[0].starts_with("class,type,id,name,account_id,"));
    assert!(lines[1].starts_with("would be owned,sqs,") && lines[1].contains("gamma"), "{csv}");
    assert_eq!((&results[13], &results[14]), (&json!("1 of 4 resources"), &json!("descending")));
}

#[test]
fn page_is_used_by_keyboard_and_prints() {
    let lab = lab();
    lab.run(&["report", "--format", "html", "-o", "report.html"]).success();
    let pdf = lab.bench.path("report.pdf");
    let focus = "document.activeElement.id";
    let steps = json!([
        {"key": "/"},
        {"run": focus},
        {"run": "document.getElementById('box').focus()"},
        {"key": "End"},
        {"run": "document.querySelector('[aria-selected=true]').cells[2].textContent"},
        {"key": "Home"},
        {"key": "ArrowDown"},
        {"run": "document.getElementById(document.getElementById('box').getAttribute('aria-activedescendant')).rowIndex"},
        {"run": "document.getElementById('detail').innerText"},
        {"print": pdf},
        {"run": "document.getElementById('print-note').hidden"},
    ]);
    let results = opened(&lab.bench, "report.html", &steps).results;
    assert_eq!(results[1], "search");
    assert!(results[8].as_str().unwrap().contains("arn:aws:sqs:us-east-1:123456789012:"), "{}", results[8]);
    assert!(fs::metadata(pdf).unwrap().len() > 1000);
    assert_eq!(results[10], true);
}

#[test]
fn hostile_names_stay_text_in_page_and_csv() {
    let mut lab = Lab::new();
    for (name, session) in [(HOSTILE, HOSTILE), ("formula", "=HYPERLINK(\"http://x\")"), ("at", "@SUM(A1)")] {
        let event = Event::new("sqs.amazonaws.com", "CreateQueue").request(json!({"queueName": name}));
        let url = format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}");
        lab.event(event.response(json!({"queueUrl": url})).by(Caller::assumed_role("dev", session)));
    }
    lab.load();
    let run = lab.run(&["report", "--offline", "--format", "html", "--creator-tag", "Ow&ner"]);
    lab.bench.write("report.html", &run.success().stdout);
    assert!(!run.stdout.contains(['\u{202e}', '\0']) && !run.stdout.contains("onerror=alert(1)>"));
    let steps = json!([
        {"run": FOREIGN},
        {"run": "document.body.innerText"},
        {"run": "document.getElementById('search').focus()"},
        {"type": "onerror"},
        {"run": VISIBLE},
        {"run": "document.querySelector('#box tbody tr:not(.space)').click()"},
        {"run": FOREIGN},
        {"run": "const search = document.getElementById('search'); search.value = ''; search.dispatchEvent(new Event('input'))"},
        {"download": "document.getElementById('download').click()"},
        {"run": "document.querySelectorAll('script').length"},
    ]);
    let results = opened(&lab.bench, "report.html", &steps).results;
    assert_eq!((&results[0], &results[6]), (&json!([]), &json!([])));
    let text = results[1].as_str().unwrap();
    assert!(text.contains("</script><img src=x onerror=alert(1)>\\u{202e}'\"&javascript:alert(2)"), "{text}");
    assert_eq!(results[4].as_array().unwrap().len(), 1, "{}", results[4]);
    let csv = results[8].as_str().unwrap();
    assert!(csv.contains(",'=HYPERLINK__http://x__,") && csv.contains(",'@SUM_A1_,"), "{csv}");
    assert!(![",=", "\n=", ",@", "\n@"].iter().any(|formula| csv.contains(formula)), "{csv}");
    assert_eq!(results[9], 1, "the data elements are gone, and no other came");
}

#[test]
fn page_of_an_organization_names_accounts_gone_creators_and_what_changed() {
    let lab = lab();
    let report = ["report", "--config", "accounts.yml", "--format", "html", "-f", "report.html"];
    lab.run(&report).success();
    lab.run(&["tag", "--type", "ebs"]).success();
    lab.run(&report).success();
    let text = "document.body.innerText";
    let sections = "[...document.querySelectorAll('h2')].map(title => title.textContent)";
    let results = opened(&lab.bench, "report.html", &json!([{"run": text}, {"run": sections}])).results;
    let text = results[0].as_str().unwrap();
    assert!(text.contains("account shop 123456789012") && text.contains("+25.0 points since "), "{text}");
    assert_eq!(
        results[1],
        json!([
            "Trend",
            "Coverage by type",
            "Coverage by account",
            "Coverage by region",
            "Top creators",
            "Creators that no longer exist",
            "Oldest resources without an owner",
            "All resources",
            "About this report",
        ])
    );
    assert!(text.contains("types not examined"), "{text}");
}

#[cfg(unix)]
#[test]
fn file_is_readable_by_its_user_only_in_every_format_and_absent_after_a_failure() {
    use std::os::unix::fs::PermissionsExt;

    let lab = lab();
    for format in ["html", "json", "csv", "text"] {
        let run = lab.run(&["report", "--offline", "--format", format, "--output-file", format]);
        assert_eq!(run.success().stdout, "");
        let mode = fs::metadata(lab.bench.path(format)).expect("it is written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{format}");
        let printed = lab.run(&["report", "--offline", "--format", format]);
        let written = fs::read_to_string(lab.bench.path(format)).unwrap();
        if matches!(format, "csv") {
            assert_eq!(printed.stdout, written);
        }
    }
    lab.run(&["report", "--format", "html", "-o", "no/report.html"]).code(1).says(["writing no/report.html"]);
    lab.run(&["report", "--format", "html", "-o", "failed.html", "--profile", "none"]).code(1);
    let left = fs::read_dir(lab.bench.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().contains("failed")));
}

/// Resources of some accounts, types and creators.
fn row(number: u64) -> ResourceEvent {
    const REGIONS: [&str; 4] = ["eu-west-1", "eu-central-1", "us-east-1", "us-west-2"];
    const TYPES: [(&str, &str, &str); 5] = [
        ("ebs", "vol", "CreateVolume"),
        ("ec2", "i", "RunInstances"),
        ("security-group", "sg", "CreateSecurityGroup"),
        ("eni", "eni", "CreateNetworkInterface"),
        ("ami", "ami", "CreateImage"),
    ];
    const AGENTS: [&str; 3] = ["aws-cli/2.31.0", "APN/1.0 HashiCorp/1.0 Terraform/1.9.5", "console.amazonaws.com"];
    let pick = |places: u64, salt: u64| usize::try_from((number * 2_654_435_761 + salt) / 7 % places).expect("small");
    let (resource_type, prefix, call) = TYPES[pick(5, 1)];
    let (days, seconds) = (number / 400, number % 86_400);
    let event = Recorded {
        event_id: format!("{number:032x}").into(),
        account_id: format!("{:012}", 111_122_223_333 + pick(12, 2)).as_str().into(),
        region: REGIONS[pick(4, 3)].into(),
        time: format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            2024 + days / 336,
            1 + days / 28 % 12,
            1 + days % 28,
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )
        .into(),
        name: call.into(),
        source: "ec2.amazonaws.com".into(),
        user_agent: Some(AGENTS[pick(3, 4)].into()),
        identity: Identity {
            kind: Some("IAMUser".into()),
            user_name: Some(format!("user-{}", pick(300, 5)).into()),
            ..Identity::default()
        },
        ..Recorded::default()
    };
    let touched = Touched {
        resource_type: resource_type.into(),
        resource_id: format!("{prefix}-{number:017x}").into(),
        action: Action::Create,
        names: Vec::new(),
        renamed_to: None,
    };
    ResourceEvent { event, touched: vec![touched], sessions: Vec::new() }
}

/// `cargo test --test suite -- --ignored --nocapture page_of_100_000_resources`
#[test]
#[ignore = "a measurement"]
fn page_of_100_000_resources_opens_and_searches_quickly() {
    const ROWS: u64 = 100_000;
    let bench = Bench::new();
    let mut store = Store::open(&bench.path("creators.db")).expect("a database");
    for batch in 0..ROWS / 5_000 {
        let events = (batch * 5_000..(batch + 1) * 5_000).map(row).collect();
        store.add(&Batch { events, ..Batch::default() }).expect("it is stored");
    }
    drop(store);
    let run = bench.trailcreator(["report", "--offline", "--format", "html", "-o", "report.html"]).run();
    run.success();
    let size = fs::metadata(bench.path("report.html")).unwrap().len() / 1024 / 1024;
    let timed = |action: &str| {
        json!({"run": format!(
            "new Promise(done => {{ const begun = performance.now(); {action}; requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun))) }})"
        )})
    };
    let search = |text: &str| {
        timed(&format!(
            "const search = document.getElementById('search'); search.value = '{text}'; search.dispatchEvent(new Event('input'))"
        ))
    };
    let sort = |column: usize| timed(&format!("document.querySelectorAll('#box thead button')[{column}].click()"));
    let steps = json!([
        {"run": "document.getElementById('count').textContent"},
        search("user-7"), search("user-77 eu-west"), search("vol-0000"), search("nothing"), search(""),
        sort(2), sort(2), sort(6), sort(0),
        timed("document.getElementById('box').scrollTop = 1700000"),
    ]);
    let browser::Opened { results, seconds } = opened(&bench, "report.html", &steps);
    assert_eq!(results[0], "100,000 resources");
    let names =
        ["first search", "search", "search", "search", "all", "by name", "turned", "by creator", "by class", "scroll"];
    eprintln!("{size} MiB, open in {seconds:.2} s");
    for (name, result) in names.iter().zip(&results[1..]) {
        eprintln!("{name}: {:.0} ms", result.as_f64().expect("a number"));
    }
}
