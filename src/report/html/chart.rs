//! Charts in inline SVG. Sizes are attributes: the page's policy allows no style attributes.

use std::fmt::Write as _;

use super::text::escaped;
use crate::console::number;
use crate::report::coverage::{Class, Figures, Percent};

/// Width and height of the trend's drawing area.
const TREND: (f64, f64) = (600.0, 120.0);

/// A bar, divided by class. Decorative: the numbers are beside it.
pub(super) fn bar(figures: &Figures) -> String {
    let whole = figures.resources();
    let mut markup = String::from("<svg class=\"bar\" width=\"100%\" height=\"12\" aria-hidden=\"true\">");
    let mut before = 0;
    for class in Class::ALL {
        let count = figures.of(class).unwrap_or_default();
        if count > 0 {
            let (at, width) = (part(before, whole), part(count, whole));
            let (style, name) = (style_of(class), class.as_str());
            let count = number(count);
            write!(
                markup,
                "<rect class=\"{style}\" x=\"{at:.3}%\" width=\"{width:.3}%\" height=\"12\"><title>{name}: {count}</title></rect>"
            )
            .expect(TEXT_TAKES_ALL);
        }
        before += count;
    }
    markup + "</svg>"
}

/// The style class of a resource class, for its color.
pub(super) fn style_of(class: Class) -> &'static str {
    match class {
        Class::Owned => "c-owned",
        Class::WouldBeOwned => "c-would",
        Class::NoRecord => "c-record",
        Class::NoOwner => "c-none",
        Class::ServiceCreated => "c-service",
        Class::Unknown => "c-unknown",
        Class::NotTaggable => "c-not",
    }
}

/// The colors of the classes that a report has.
pub(super) fn legend(figures: &Figures) -> String {
    let mut markup = String::from("<ul class=\"legend\">");
    for class in Class::ALL {
        let Some(count) = figures.of(class).filter(|count| *count > 0) else { continue };
        let (style, name, count) = (style_of(class), class.as_str(), number(count));
        write!(
            markup,
            "<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect class=\"{style}\" width=\"12\" height=\"12\" rx=\"3\"/></svg>\
             {name} <b>{count}</b></li>"
        )
        .expect(TEXT_TAKES_ALL);
    }
    markup + "</ul>"
}

/// A report in the trend: its day, and its coverage.
pub(super) struct Point<'t> {
    pub(super) day: &'t str,
    pub(super) coverage: Percent,
}

/// The coverage of reports in turn, from 0 to 100 percent.
pub(super) fn trend(points: &[Point<'_>]) -> String {
    let (width, height) = TREND;
    let last = points.len().saturating_sub(1).max(1);
    let place = |(at, point): (usize, &Point<'_>)| {
        let across =
            f64::from(u32::try_from(at).unwrap_or(u32::MAX)) / f64::from(u32::try_from(last).unwrap_or(u32::MAX));
        (across * width, height - point.coverage.value() / 100.0 * height)
    };
    let line: Vec<String> =
        points.iter().enumerate().map(place).map(|(across, down)| format!("{across:.1},{down:.1}")).collect();
    let line = line.join(" ");
    let (Some(first), Some(latest)) = (points.first(), points.last()) else { return String::new() };
    let label = format!(
        "Coverage from {} percent on {} to {} percent on {}",
        first.coverage, first.day, latest.coverage, latest.day
    );
    format!(
        "<div class=\"plot\"><svg class=\"trend\" role=\"img\" viewBox=\"0 -6 {width} {box_height}\" preserveAspectRatio=\"none\" aria-label=\"{label}\">\
         <path class=\"grid\" d=\"M0 0H{width}M0 {middle}H{width}M0 {height}H{width}\"/>\
         <polygon points=\"0,{height} {line} {width},{height}\"/><polyline points=\"{line}\"/></svg>\
         <span class=\"most\">100%</span><span class=\"half\">50%</span></div>\
         <p class=\"ends\"><span>{first_day}: {first_percent}%</span><span>{last_day}: {last_percent}%</span></p>",
        label = escaped(&label),
        box_height = height + 12.0,
        middle = height / 2.0,
        first_day = escaped(first.day),
        first_percent = first.coverage,
        last_day = escaped(latest.day),
        last_percent = latest.coverage,
    )
}

const TEXT_TAKES_ALL: &str = "writing to a String can't fail";

/// A part in percent, exact enough for a drawing.
#[expect(clippy::cast_precision_loss, reason = "a drawing has some thousand pixels")]
fn part(of: u64, whole: u64) -> f64 {
    of as f64 * 100.0 / whole.max(1) as f64
}
