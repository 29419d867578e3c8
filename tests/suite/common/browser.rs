//! Headless Chromium. One browser for the whole test run: see `browser.py`.

use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

use super::forks::{BROWSER, Fork};

/// What a page did.
pub(crate) struct Opened {
    /// A result for each step.
    pub(crate) results: Vec<Value>,
    /// The time until it was painted.
    pub(crate) seconds: f64,
}

/// Opens a file and does the steps of `browser.py`. `request` has the other members of a request.
///
/// # Panics
/// There is no Chromium: says what to install. Or a step fails, or the page complains.
pub(crate) fn open(request: &Value) -> Opened {
    static CHROMIUM: OnceLock<Mutex<Fork>> = OnceLock::new();
    let start = || {
        let mut browser = BROWSER.fork(&json!({}));
        let answer = browser.answer().expect("the browser's process answers: see stderr");
        assert_eq!(answer["failed"], Value::Null, "{}", answer["failed"]);
        Mutex::new(browser)
    };
    let mut browser = CHROMIUM.get_or_init(start).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    browser.send(request);
    let answer = browser.answer().expect("Chromium runs: see stderr");
    drop(browser);
    assert_eq!(answer["failed"], Value::Null, "{}", answer["failed"]);
    assert_eq!(answer["complaints"], json!([]), "the page has no errors and asks for nothing");
    let results = answer["results"].as_array().expect("a list").clone();
    Opened { results, seconds: answer["seconds"].as_f64().expect("a number") }
}
