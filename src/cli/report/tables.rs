//! The report as text tables and as CSV.

use super::{Form, Printed};
use crate::cli::{CommandError, Context};
use crate::console::{Lines, counted, number};
use crate::model::AccountId;
use crate::report::coverage::{Coverage, Creator, Figures, GroupBy, Percent};
use crate::report::csv::{self, Cell};

/// The CSV columns, in the order of [`numbers`], and the percentages.
const FIGURES: [&str; 10] = [
    "live",
    "owned",
    "would_be_owned",
    "no_record",
    "no_owner",
    "service_created",
    "unknown",
    "not_taggable",
    "owned_percent",
    "attainable_percent",
];

/// The column headings of the text table.
const HEADINGS: [&str; 9] =
    ["live", "owned", "coverage", "would be owned", "no record", "no owner", "service", "unknown", "not taggable"];

/// The text in place of a number that is not available.
const NONE: &str = "-";

/// Tables by type, account, region and creator.
pub(super) fn print_text(context: &Context, form: &mut Form<'_>, printed: &Printed<'_>) -> Result<(), CommandError> {
    let coverage = &printed.report.coverage;
    if coverage.rows().next().is_none() {
        context.console.message("no resources to report");
        return Ok(());
    }
    let totals = coverage.totals();
    form.out.document(sums(coverage, GroupBy::Type, Some(&totals)).as_str())?;
    if let Some(change) = change(printed, &totals) {
        form.out.document(&format!("\n{change}"))?;
    }
    for by in [GroupBy::Account, GroupBy::Region] {
        form.out.document(&format!("\n{}", sums(coverage, by, None).as_str()))?;
    }
    let creators = coverage.creators();
    let top = &creators[..creators.len().min(form.top)];
    if top.is_empty() {
        return Ok(());
    }
    let mut rows = vec![texts(["resources", "owned", "would be owned", "creator", ""].iter())];
    rows.extend(top.iter().map(|creator| {
        let numbers = [creator.resources, creator.owned, creator.would_be_owned].map(number);
        let gone = if creator.gone == Some(true) { "IAM user no longer exists" } else { "" };
        numbers.into_iter().chain([creator.owner.clone(), gone.to_owned()]).collect()
    }));
    form.out.document(&format!("\n{}", Lines::table(&rows, 3).as_str()))?;
    if creators.len() > top.len() {
        let (all, rest) = (creators.len(), creators.len() - top.len());
        context.console.message(format_args!("and {rest} more creators (show all with --top {all})"));
    }
    Ok(())
}

fn sums(coverage: &Coverage, by: GroupBy, totals: Option<&Figures>) -> Lines {
    let column = match by {
        GroupBy::Type => "type",
        GroupBy::Account => "account",
        GroupBy::Region => "region",
    };
    let mut rows = vec![texts(HEADINGS.iter().chain(&[column]))];
    rows.extend(coverage.sums(by).into_iter().map(|(name, figures)| {
        let account_name = coverage.name(&AccountId::new(name.as_str())).filter(|_| by == GroupBy::Account);
        let name = account_name.map_or(name.clone(), |account_name| format!("{name} {account_name}"));
        shown(&figures).into_iter().chain([name]).collect()
    }));
    rows.extend(totals.map(|totals| shown(totals).into_iter().chain(["total".to_owned()]).collect()));
    Lines::table(&rows, HEADINGS.len())
}

/// What changed since the report before.
fn change(printed: &Printed<'_>, totals: &Figures) -> Option<String> {
    let before = printed.earlier.first()?;
    let (now, then) = (totals.owned_percent()?, before.totals.owned_percent()?);
    let (resources, earlier) = (totals.resources(), before.totals.resources());
    let difference = resources.abs_diff(earlier);
    let more = match resources.cmp(&earlier) {
        std::cmp::Ordering::Less => counted(difference, "fewer resource"),
        std::cmp::Ordering::Equal => "the same number of resources".to_owned(),
        std::cmp::Ordering::Greater => counted(difference, "more resource"),
    };
    let note = if before.is_complete { "" } else { " (an incomplete report)" };
    let (points, taken_at) = (now.change_since(then), &before.taken_at);
    Some(format!("coverage {now}%: {points} points since {taken_at}{note}, {more}"))
}

pub(super) fn csv_of_rows(coverage: &Coverage) -> String {
    let header: Vec<&str> = ["account_id", "account_name", "region", "type"].into_iter().chain(FIGURES).collect();
    let rows = coverage.rows().map(|row| {
        let name = row.account_name.unwrap_or_default();
        let place = [row.account_id.to_string(), name, row.region, row.resource_type.to_string()].map(Cell::Text);
        let percents = [row.figures.owned_percent(), row.figures.attainable_percent()]
            .map(|percent| Cell::Text(percent.map(|percent| percent.to_string()).unwrap_or_default()));
        place.into_iter().chain(numbers(&row.figures).map(Cell::Number)).chain(percents).collect()
    });
    csv::table(&header, rows)
}

pub(super) fn csv_of_creators(creators: &[Creator]) -> String {
    let rows = creators.iter().map(|creator| {
        let Creator { owner, resources, owned, would_be_owned, gone, .. } = creator;
        let gone = gone.map(|gone| gone.to_string()).unwrap_or_default();
        let numbers = [resources, owned, would_be_owned].map(|number| Cell::Number(Some(*number)));
        [Cell::Text(owner.clone())].into_iter().chain(numbers).chain([Cell::Text(gone)]).collect()
    });
    csv::table(&["owner", "resources", "owned", "would_be_owned", "gone"], rows)
}

/// The counts.
fn numbers(figures: &Figures) -> [Option<u64>; 8] {
    let Figures { live, owned, would_be_owned, no_record, no_owner, service_created, unknown, not_taggable } = figures;
    let known = |figure: &u64| Some(*figure);
    let (owned, would_be_owned) = (known(owned), known(would_be_owned));
    [*live, owned, would_be_owned, *no_record, known(no_owner), known(service_created), *unknown, *not_taggable]
}

/// In the order of [`HEADINGS`].
fn shown(figures: &Figures) -> Vec<String> {
    let counts = numbers(figures).map(|count| count.map_or_else(|| NONE.to_owned(), number));
    let coverage = figures.owned_percent().map_or_else(|| NONE.to_owned(), percent);
    let [live, owned, others @ ..] = counts;
    [live, owned, coverage].into_iter().chain(others).collect()
}

fn percent(percent: Percent) -> String {
    format!("{percent}%")
}

fn texts<'t>(texts: impl Iterator<Item = &'t &'t str>) -> Vec<String> {
    texts.map(|text| (*text).to_owned()).collect()
}
