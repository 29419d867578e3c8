//! The links of the pages lead to pages, files and headings that exist.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::pages;

/// The target of a Markdown link: the path, and the anchor after `#`. Links to the web are left out: they have a colon.
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\]\(([^():#\s]*)(?:#([^():\s]*))?\)").expect("a constant"));

/// The anchors of a page's headings, as GitHub makes them: in lower case, with hyphens for spaces, without punctuation.
fn anchors(text: &str) -> HashSet<String> {
    let mut anchors = HashSet::new();
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if is_code || heading.len() == line.len() {
            continue;
        }
        let kept = heading.trim().chars().filter(|one| one.is_alphanumeric() || " -_".contains(*one));
        let anchor: String = kept.flat_map(char::to_lowercase).map(|one| if one == ' ' { '-' } else { one }).collect();
        // GitHub numbers headings that are the same.
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(numbered).find(|one| !anchors.contains(one));
        anchors.extend(free);
    }
    anchors
}

/// What is wrong with the links of a page, one line for each.
fn broken(name: &str, text: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = root.join(name);
    let is_broken = |path: &str, anchor: Option<&str>| {
        if path.is_empty() {
            return anchor.is_none_or(|anchor| !anchors(text).contains(anchor));
        }
        let target = page.parent().expect("a folder").join(path);
        // An anchor of another file can be a line (`#L10`).
        let is_page = target.extension().is_some_and(|extension| extension == "md");
        let is_there = |anchor: &str| fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(anchor));
        !target.exists() || anchor.is_some_and(|anchor| is_page && !is_there(anchor))
    };
    let of_line = |(number, line)| {
        LINK.captures_iter(line).filter_map(move |link| {
            let (path, anchor) =
                (link.get(1).map_or("", |path| path.as_str()), link.get(2).map(|anchor| anchor.as_str()));
            is_broken(path, anchor).then(|| format!("{name}:{}: {}", number + 1, link.get(0).expect("all").as_str()))
        })
    };
    text.lines().enumerate().flat_map(of_line).collect()
}

#[test]
fn links_lead_to_pages_files_and_headings_that_exist() {
    let mut texts = pages::texts();
    let changes = Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md");
    texts.push(("CHANGELOG.md".to_owned(), fs::read_to_string(changes).expect("a page is readable")));
    let links: usize = texts.iter().map(|(_, text)| LINK.find_iter(text).count()).sum();
    assert!(links > 50, "{links} links");
    let broken: Vec<String> = texts.iter().flat_map(|(name, text)| broken(name, text)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_broken_link_is_reported_with_its_place() {
    let text = "# Two `words`, twice\n\n[here](#two-words-twice) [web](https://example.com/x#y)\n[tagging](tagging.md) \
                [gone](gone.md)\n[code](../src/lib.rs#L1)\n```sh\n# not a heading\n```\n[a](#not-a-heading) [b](tagging.md#nothing-here) [c]()\n";
    assert_eq!(
        broken("docs/performance.md", text),
        [
            "docs/performance.md:4: ](gone.md)",
            "docs/performance.md:9: ](#not-a-heading)",
            "docs/performance.md:9: ](tagging.md#nothing-here)",
            "docs/performance.md:9: ]()"
        ]
    );
}
