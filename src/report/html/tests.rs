use std::collections::HashSet;

use super::*;
use crate::report::coverage::{Class, Coverage, Maker};
use crate::report::resources::tests::counted;

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\0\u{202e}'\"&javascript:alert(2)<!--";

fn page(report: &Report, earlier: &[Earlier]) -> String {
    let missing = [HOSTILE.to_owned()];
    let page = Page {
        report,
        earlier,
        taken_at: "2026-11-29T08:00:00Z",
        tag_key: HOSTILE,
        offline: false,
        top: 10,
        missing: &missing,
    };
    let mut html = String::new();
    page.write(&mut |part| {
        assert!(part.ends_with('\n'), "parts are whole lines");
        html.push_str(part);
        Ok(())
    })
    .unwrap();
    html
}

fn report() -> Report {
    let mut coverage = Coverage::with_resources().unwrap();
    let account = "111122223333".into();
    coverage.set_name(&account, HOSTILE);
    for class in Class::ALL {
        let mut resource = counted(HOSTILE, class, Some("2026-01-01T00:00:00Z"));
        resource.name = Some(format!("{HOSTILE} {}", class.as_str()));
        resource.owner = Some(HOSTILE.to_owned());
        resource.creator = Some(HOSTILE.to_owned());
        resource.arn = Some(HOSTILE.into());
        let maker = Some(Maker::by_tag(HOSTILE));
        let place = (&account, HOSTILE, &HOSTILE.into());
        coverage.add_recorded(place, class, maker, || resource).unwrap();
    }
    Report::from(coverage)
}

#[test]
fn text_of_others_makes_no_markup() {
    let html = page(&report(), &[]);
    let elements: HashSet<&str> = html
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split(|letter: char| !letter.is_ascii_alphanumeric()).next())
        .collect();
    assert!(!elements.contains("img"), "{elements:?}");
    assert_eq!(html.matches("</script>").count(), 3, "rows, lists and the script");
    assert!(!html.contains("<!--") && !html.contains(['\0', '\u{202e}']));
    assert!(!html.contains(" style=") && !html.contains("javascript:alert(2)<"));
}

#[test]
fn style_and_script_are_ascii_and_end_no_element() {
    for text in [STYLE, SCRIPT] {
        assert!(text.is_ascii() && !text.contains('\r') && !text.contains("</"), "nothing in them is escaped");
    }
}

#[test]
fn policy_has_the_hashes_of_the_inline_elements_and_allows_no_network() {
    let html = page(&report(), &[]);
    let policy = html.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe") && !policy.contains("http"));
    for (start, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let inline = html.split(start).nth(1).unwrap().split(end).next().unwrap();
        assert!(policy.contains(&format!("'sha256-{}'", hash(inline))), "{start}");
    }
    assert!(!html.contains("http://") && !html.contains("https://"));
}

#[test]
fn trend_has_the_earlier_reports() {
    let report = report();
    assert!(!page(&report, &[]).contains("<h2>Trend</h2>"));
    let totals = crate::report::coverage::Figures { owned: 0, ..report.coverage.totals() };
    let before = Earlier { taken_at: "2026-10-01T00:00:00Z".to_owned(), is_complete: false, totals };
    let html = page(&report, &[before]);
    assert!(html.contains("<em>+16.6 points</em> since 2026-10-01 (incomplete)"), "one of six instead of none of five");
    assert!(html.contains("2026-10-01: 0.0%"));
}
