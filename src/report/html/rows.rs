//! The resources as data for the page's script: rows in JSON elements, and the distinct values of their columns in another one.
//!
//! A row is `[class, type, account, region, owner, creator, tool, event, created_at, id, name, arn]`. The first eight are places in the
//! lists of distinct values, or -1 without a value. Texts are escaped here as for a terminal, so that the script has nothing to add.

use std::collections::HashMap;
use std::io;

use serde_json::{Value, json};

use super::text::json as element_json;
use super::{Out, PageError};
use crate::model::AccountId;
use crate::report::coverage::{Class, Coverage};
use crate::report::resources::{Counted, Resources};
use crate::text::safe;

/// Rows of one element.
const ROWS_AT_ONCE: usize = 5_000;

/// A place that means no value.
const NONE: i64 = -1;

/// The distinct values of a column, in the order of their first row.
#[derive(Default)]
struct Distinct {
    places: HashMap<String, i64>,
    values: Vec<String>,
}

impl Distinct {
    fn place(&mut self, value: Option<&str>) -> i64 {
        let Some(value) = value else { return NONE };
        if let Some(place) = self.places.get(value) {
            return *place;
        }
        let place = i64::try_from(self.values.len()).unwrap_or(NONE);
        self.values.push(safe::one_line(value).into_owned());
        self.places.insert(value.to_owned(), place);
        place
    }
}

#[derive(Default)]
struct Columns {
    types: Distinct,
    accounts: Distinct,
    regions: Distinct,
    owners: Distinct,
    creators: Distinct,
    tools: Distinct,
    events: Distinct,
}

impl Columns {
    fn row(&mut self, resource: &Counted) -> Value {
        let text = |text: Option<&str>| text.map(|text| safe::one_line(text).into_owned());
        let class = Class::ALL.iter().position(|class| *class == resource.class);
        let name = resource.name.as_deref().filter(|name| *name != resource.id.as_str());
        json!([
            class,
            self.types.place(Some(resource.resource_type.as_str())),
            self.accounts.place(Some(resource.account_id.as_str())),
            self.regions.place(Some(&resource.region)),
            self.owners.place(resource.owner.as_deref()),
            self.creators.place(resource.creator.as_deref()),
            self.tools.place(resource.tool.as_deref()),
            self.events.place(resource.event.as_deref()),
            text(resource.created_at.as_deref()),
            text(Some(resource.id.as_str())),
            text(name),
            text(resource.arn.as_ref().map(|arn| arn.as_str())),
        ])
    }

    fn lists(&self, coverage: &Coverage) -> Value {
        let name = |id: &String| {
            let name = coverage.name(&AccountId::new(id.as_str())).unwrap_or_default();
            safe::one_line(name).into_owned()
        };
        json!({
            "class": Class::ALL.map(Class::as_str),
            "type": self.types.values,
            "account": self.accounts.values,
            "account_name": self.accounts.values.iter().map(name).collect::<Vec<_>>(),
            "region": self.regions.values,
            "owner": self.owners.values,
            "creator": self.creators.values,
            "tool": self.tools.values,
            "event": self.events.values,
        })
    }
}

/// Writes the elements.
pub(super) fn write(resources: &Resources, coverage: &Coverage, out: &mut Out<'_>) -> Result<(), PageError> {
    let (mut columns, mut rows, mut failed) = (Columns::default(), Vec::new(), None);
    resources.each(&mut |resource| {
        if failed.is_some() {
            return;
        }
        rows.push(columns.row(&resource));
        if rows.len() >= ROWS_AT_ONCE {
            failed = write_rows(&mut rows, out).err();
        }
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    write_rows(&mut rows, out)?;
    let lists = element_json(&columns.lists(coverage));
    Ok(out.line(&format!("<script type=\"application/json\" id=\"lists\">{lists}</script>"))?)
}

fn write_rows(rows: &mut Vec<Value>, out: &mut Out<'_>) -> io::Result<()> {
    let written =
        out.line(&format!("<script type=\"application/json\" class=\"rows\">{}</script>", element_json(rows)));
    rows.clear();
    written
}
