//! The sections of the page that need no script.

use std::io;

use super::chart::{self, Point};
use super::text::escaped;
use super::{Out, Page, day};
use crate::console::{counted, number};
use crate::model::{AccountId, ResourceType};
use crate::report::coverage::{Creator, Figures, GroupBy};
use crate::report::resources::Counted;

/// Rows of a table that are always visible; the others are folded.
const ROWS_VISIBLE: usize = 12;

/// Types of a creator's resources that are named.
const TYPES_NAMED: usize = 4;

/// Creators that no longer exist, at most.
const GONE_SHOWN: usize = 100;

/// Lines about what is missing, at most.
const MISSING_SHOWN: usize = 200;

/// What a class of resources is.
const CLASSES: [(&str, &str); 7] = [
    ("owned", "has the tag"),
    ("would be owned", "lacks the tag, and its creator is known: <code>trailcreator tag</code> would write it"),
    ("no record", "lacks the tag, and the database has no create event: load an older trail"),
    ("no owner", "lacks the tag, and the rules give its creator no owner"),
    ("service", "lacks the tag, and an AWS service created it"),
    ("unknown", "its tags could not be read"),
    ("not taggable", "can't be tagged"),
];

impl Page<'_> {
    pub(super) fn sections(&self, out: &mut Out<'_>) -> io::Result<()> {
        let totals = self.report.coverage.totals();
        let creators = self.report.coverage.creators();
        self.header(out)?;
        self.key_figures(&totals, &creators, out)?;
        self.trend(&totals, out)?;
        out.line("<div class=\"columns\">")?;
        self.group(GroupBy::Type, out)?;
        out.line("<div>")?;
        self.group(GroupBy::Account, out)?;
        self.group(GroupBy::Region, out)?;
        out.line("</div>\n</div>")?;
        self.creators(&creators, out)?;
        self.gone(&creators, out)?;
        self.oldest(out)?;
        self.resources(out)?;
        self.about(out)?;
        out.line("</main>")
    }

    fn header(&self, out: &mut Out<'_>) -> io::Result<()> {
        let accounts = self.report.coverage.sums(GroupBy::Account);
        let scope = match accounts.as_slice() {
            [(id, _)] => format!("account {}", self.account(id)),
            several => counted(several.len().try_into().unwrap_or(u64::MAX), "account"),
        };
        let source = if self.offline {
            "From the database alone: resources that were created and not deleted, and tags that earlier runs wrote"
        } else {
            "Live resources, with their tags"
        };
        let time = self.taken_at.replace('T', " ").replace('Z', " UTC");
        out.line(&format!(
            "<a class=\"skip\" href=\"#resources\">Skip to the table of resources</a>
<header>
<h1>Owner coverage</h1>
<p>Tag <code>{key}</code>, {scope}, {time}</p>
<p class=\"quiet\">{source}.</p>
</header>
<main>",
            key = escaped(self.tag_key),
            time = escaped(&time),
        ))
    }

    fn key_figures(&self, totals: &Figures, creators: &[Creator], out: &mut Out<'_>) -> io::Result<()> {
        let percent = |percent: Option<crate::report::coverage::Percent>| match percent {
            Some(percent) => format!("{percent}<small>%</small>"),
            None => "-".to_owned(),
        };
        let card = |name: &str, value: &str, note: &str| {
            format!("<div class=\"card\"><dt>{name}</dt><dd><b>{value}</b><span>{note}</span></dd></div>")
        };
        out.line("<dl class=\"cards\">")?;
        let of_taggable = format!("{} of {} taggable resources", number(totals.owned), number(totals.taggable()));
        let change = self.change(totals).map(|change| format!("<br>{change}")).unwrap_or_default();
        out.line(&card("Have an owner", &percent(totals.owned_percent()), &format!("{of_taggable}{change}")))?;
        let would = format!("if <code>tag</code> writes {}", counted(totals.would_be_owned, "owner"));
        out.line(&card("Can have an owner now", &percent(totals.attainable_percent()), &would))?;
        let without = totals.no_record.unwrap_or_default() + totals.no_owner + totals.service_created;
        let without = format!("{} of them without a known person", number(without));
        out.line(&card("Without an owner", &number(totals.unowned()), &without))?;
        let gone = creators.iter().filter(|creator| creator.gone == Some(true)).count();
        let note = match (self.offline, gone) {
            (true, _) => "offline: unknown which still exist".to_owned(),
            (false, gone) => format!("{} no longer exist", number(gone.try_into().unwrap_or(u64::MAX))),
        };
        out.line(&card("Creators", &number(creators.len().try_into().unwrap_or(u64::MAX)), &note))?;
        out.line("</dl>")?;
        out.line(&format!("<div class=\"total\">{}{}</div>", chart::bar(totals), chart::legend(totals)))
    }

    /// What changed since the report before, if there is one.
    fn change(&self, totals: &Figures) -> Option<String> {
        let before = self.earlier.first()?;
        let points = totals.owned_percent()?.change_since(before.totals.owned_percent()?);
        let note = if before.is_complete { "" } else { " (incomplete)" };
        Some(format!("<em>{points} points</em> since {}{note}", escaped(day(&before.taken_at))))
    }

    fn trend(&self, totals: &Figures, out: &mut Out<'_>) -> io::Result<()> {
        let mut points: Vec<Point<'_>> = Vec::new();
        for report in self.earlier.iter().rev() {
            let coverage = report.totals.owned_percent();
            points.extend(coverage.map(|coverage| Point { day: day(&report.taken_at), coverage }));
        }
        points.extend(totals.owned_percent().map(|coverage| Point { day: day(self.taken_at), coverage }));
        if points.len() < 2 {
            return Ok(());
        }
        let chart = chart::trend(&points);
        out.line(&format!(
            "<section><h2>Trend</h2>{chart}<p class=\"quiet\">Earlier reports with the same options.</p></section>"
        ))
    }

    fn group(&self, by: GroupBy, out: &mut Out<'_>) -> io::Result<()> {
        let (title, column) = match by {
            GroupBy::Type => ("Coverage by type", "Type"),
            GroupBy::Account => ("Coverage by account", "Account"),
            GroupBy::Region => ("Coverage by region", "Region"),
        };
        let sums = self.report.coverage.sums(by);
        let rows = sums.iter().map(|(name, figures)| {
            let name = if by == GroupBy::Account { self.account(name) } else { escaped(name) };
            let coverage = figures.owned_percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent}%"));
            format!(
                "<tr><th scope=\"row\">{name}</th><td class=\"chart\">{bar}</td><td class=\"number\">{coverage}</td>\
                 <td class=\"number\">{unowned}</td><td class=\"number\">{resources}</td></tr>",
                bar = chart::bar(figures),
                unowned = number(figures.unowned()),
                resources = number(figures.resources()),
            )
        });
        let head = format!(
            "<tr><th scope=\"col\">{column}</th><th scope=\"col\" class=\"chart\"><span class=\"hidden\">Classes</span></th>\
             <th scope=\"col\" class=\"number\">Owned</th><th scope=\"col\" class=\"number\">Unowned</th>\
             <th scope=\"col\" class=\"number\">All</th></tr>"
        );
        out.line(&format!("<section><h2>{title}</h2>"))?;
        folded_table("coverage", &head, rows, out)?;
        out.line("</section>")
    }

    fn creators(&self, creators: &[Creator], out: &mut Out<'_>) -> io::Result<()> {
        let top = &creators[..creators.len().min(self.top)];
        if top.is_empty() {
            return Ok(());
        }
        out.line("<section><h2>Top creators</h2>\n<div class=\"wide\"><table>")?;
        out.line(
            "<tr><th scope=\"col\">Creator</th><th scope=\"col\" class=\"number\">Resources</th>\
             <th scope=\"col\" class=\"number\">Owned</th><th scope=\"col\" class=\"number\">Would be owned</th>\
             <th scope=\"col\">What they created</th></tr>",
        )?;
        for creator in top {
            let gone = if creator.gone == Some(true) { " <span class=\"gone\">no longer exists</span>" } else { "" };
            out.line(&format!(
                "<tr><th scope=\"row\"><bdi>{owner}</bdi>{gone}</th><td class=\"number\">{resources}</td>\
                 <td class=\"number\">{owned}</td><td class=\"number\">{would}</td><td class=\"kinds\">{types}</td></tr>",
                owner = escaped(&creator.owner),
                resources = number(creator.resources),
                owned = number(creator.owned),
                would = number(creator.would_be_owned),
                types = types(&creator.types),
            ))?;
        }
        out.line("</table></div>")?;
        out.line(&more(creators.len(), top.len(), "creators"))?;
        out.line("</section>")
    }

    fn gone(&self, creators: &[Creator], out: &mut Out<'_>) -> io::Result<()> {
        let gone: Vec<&Creator> = creators.iter().filter(|creator| creator.gone == Some(true)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        out.line(
            "<section><h2>Creators that no longer exist</h2>\n<p class=\"quiet\">The IAM users who created these resources are deleted. \
             Someone else has to take care of what remains.</p>\n<div class=\"wide\"><table>\n<tr><th scope=\"col\">Creator</th>\
             <th scope=\"col\" class=\"number\">Resources</th><th scope=\"col\">What remains</th></tr>",
        )?;
        for creator in gone.iter().take(GONE_SHOWN) {
            out.line(&format!(
                "<tr><th scope=\"row\"><bdi>{}</bdi></th><td class=\"number\">{}</td><td class=\"kinds\">{}</td></tr>",
                escaped(&creator.owner),
                number(creator.resources),
                types(&creator.types)
            ))?;
        }
        out.line("</table></div>")?;
        out.line(&more(gone.len(), GONE_SHOWN, "creators"))?;
        out.line("</section>")
    }

    fn oldest(&self, out: &mut Out<'_>) -> io::Result<()> {
        let Some(oldest) = self.report.coverage.resources().map(|all| all.oldest_unowned()) else { return Ok(()) };
        if oldest.len() == 0 {
            return Ok(());
        }
        out.line("<section><h2>Oldest resources without an owner</h2>")?;
        let row = |resource: &Counted| {
            format!(
                "<tr><td class=\"date\">{created}</td><th scope=\"row\"><bdi class=\"clip\">{name}</bdi></th><td>{kind}</td>\
                 <td>{account}</td><td>{region}</td><td><bdi class=\"clip\">{creator}</bdi></td><td>{class}</td></tr>",
                created = escaped(resource.created_at.as_deref().map(day).unwrap_or_default()),
                name = escaped(resource.name.as_deref().unwrap_or(resource.id.as_str())),
                kind = escaped(resource.resource_type.as_str()),
                account = self.account(resource.account_id.as_str()),
                region = escaped(&resource.region),
                creator = escaped(resource.creator.as_deref().unwrap_or("-")),
                class = resource.class.as_str(),
            )
        };
        let head = "<tr><th scope=\"col\">Created</th><th scope=\"col\">Resource</th><th scope=\"col\">Type</th>\
                    <th scope=\"col\">Account</th><th scope=\"col\">Region</th><th scope=\"col\">Creator</th>\
                    <th scope=\"col\">Class</th></tr>";
        folded_table("oldest", head, oldest.map(row), out)?;
        out.line("<p class=\"quiet\">By their create events. The age of resources without a create event is unknown.</p>\n</section>")
    }

    /// The frame of the table that the script fills in.
    fn resources(&self, out: &mut Out<'_>) -> io::Result<()> {
        let Some(resources) = self.report.coverage.resources() else { return Ok(()) };
        out.line(&format!(
            "<section id=\"resources\"><h2>All resources</h2>
<noscript><p>This table of {count} needs JavaScript. <code>trailcreator list --output csv</code> prints the resources.</p></noscript>
<div id=\"tools\" hidden>
<p id=\"search-box\"><label for=\"search\">Search</label><input type=\"search\" id=\"search\" autocomplete=\"off\" \
             spellcheck=\"false\" placeholder=\"name, ID, owner, ARN…\"></p>
<p id=\"filters\"></p>
<p><button type=\"button\" id=\"download\">Download CSV</button></p>
</div>
<p id=\"count\" class=\"quiet\" role=\"status\"></p>
<div id=\"box\" tabindex=\"0\" role=\"region\" aria-label=\"All resources\" hidden></div>
<p id=\"print-note\" class=\"quiet\" hidden></p>
<dl id=\"detail\" aria-live=\"polite\" hidden></dl>
</section>",
            count = counted(resources.count(), "resource"),
        ))
    }

    fn about(&self, out: &mut Out<'_>) -> io::Result<()> {
        out.line("<section><h2>About this report</h2>\n<dl class=\"classes\">")?;
        for (name, meaning) in CLASSES {
            out.line(&format!("<div><dt>{name}</dt><dd>{meaning}</dd></div>"))?;
        }
        out.line(
            "</dl>\n<p>The coverage is the number of owned resources, divided by the number of resources that can be tagged. Percentages are \
             rounded down.</p>",
        )?;
        self.missing(out)?;
        self.unexamined(out)?;
        out.line("</section>")
    }

    fn missing(&self, out: &mut Out<'_>) -> io::Result<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        out.line("<h3>What could not be read</h3>\n<ul>")?;
        for line in self.missing.iter().take(MISSING_SHOWN) {
            out.line(&format!("<li>{}</li>", escaped(line)))?;
        }
        out.line("</ul>")?;
        out.line(&more(self.missing.len(), MISSING_SHOWN, "lines"))
    }

    fn unexamined(&self, out: &mut Out<'_>) -> io::Result<()> {
        let types: std::collections::BTreeSet<&str> =
            self.report.unexamined.iter().flat_map(|of| of.what.types.iter().map(ResourceType::as_str)).collect();
        if types.is_empty() {
            return Ok(());
        }
        let count = counted(types.len().try_into().unwrap_or(u64::MAX), "type");
        let names = types.into_iter().map(escaped).collect::<Vec<_>>().join(", ");
        out.line(&format!(
            "<details><summary>{count} not examined, because the database has no create events for them</summary>\n<p>{names}</p>\n\
             <p><code>trailcreator report --all-types</code> examines them too.</p></details>"
        ))
    }

    /// An account by name and ID.
    fn account(&self, id: &str) -> String {
        match self.report.coverage.name(&AccountId::new(id)) {
            Some(name) => format!("<bdi>{}</bdi> <small>{}</small>", escaped(name), escaped(id)),
            None => escaped(id),
        }
    }
}

/// A table. Rows after the first ones are in a second table, which is folded.
fn folded_table(
    class: &str,
    head: &str,
    rows: impl ExactSizeIterator<Item = String>,
    out: &mut Out<'_>,
) -> io::Result<()> {
    let count = rows.len();
    let table = format!("<div class=\"wide\"><table class=\"{class}\">");
    out.line(&format!("{table}\n{head}"))?;
    for (at, row) in rows.enumerate() {
        if at == ROWS_VISIBLE {
            let rest = number((count - ROWS_VISIBLE).try_into().unwrap_or(u64::MAX));
            out.line(&format!("</table></div>\n<details><summary>{rest} more</summary>{table}\n{head}"))?;
        }
        out.line(&row)?;
    }
    out.line(if count > ROWS_VISIBLE { "</table></div></details>" } else { "</table></div>" })
}

/// `ec2 12, ebs 4 and 3 more types`.
fn types(types: &[(ResourceType, u64)]) -> String {
    let named = types.iter().take(TYPES_NAMED);
    let named = named.map(|(name, count)| {
        format!("<span class=\"chip\">{} <b>{}</b></span>", escaped(name.as_str()), number(*count))
    });
    let named = named.collect::<Vec<_>>().join(" ");
    let rest = types.len().saturating_sub(TYPES_NAMED);
    let rest = if rest > 0 {
        format!(" and {}", counted(rest.try_into().unwrap_or(u64::MAX), "more type"))
    } else {
        String::new()
    };
    named + &rest
}

/// A line about what a list leaves out.
fn more(all: usize, shown: usize, noun: &str) -> String {
    let rest = all.saturating_sub(shown);
    if rest == 0 {
        String::new()
    } else {
        format!("<p class=\"quiet\">and {} more {noun}</p>", number(rest.try_into().unwrap_or(u64::MAX)))
    }
}
