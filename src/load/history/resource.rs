//! Looks up one resource in Event history.
//!
//! Event history finds it by the name that CloudTrail recorded, which can be the ID, the last part of an ARN, or the ARN itself. So the
//! given text is tried first, and if there are no events, the names that it contains, and its last part.

use jiff::Timestamp;

use super::client::{Client, Condition};
use super::days::Span;
use super::load::reading;
use crate::aws::{CallError, Session};
use crate::model::Region;
use crate::model::event::ResourceEvent;
use crate::resource_map::naming::{Asked, Meaning, Naming, last_part, without_wildcard};
use crate::trail::extract::Extraction;
use crate::trail::scan::Scanner;
use crate::trail::window::TimeWindow;

/// The most texts that are looked up for one resource. AWS allows two requests per second.
const MOST_NAMES: usize = 4;

/// Returns the events of the last 90 days in these regions in which CloudTrail recorded a resource that `id` names. They can also
/// concern other resources: one call can affect several.
///
/// # Errors
/// The error of the first region that could not be read.
pub async fn find(
    session: &Session,
    naming: &Naming,
    scanner: &Scanner,
    regions: &[Region],
    id: &str,
    now: Timestamp,
) -> Result<Vec<ResourceEvent>, CallError> {
    let names = names(naming, id);
    let searches = regions.iter().map(|region| in_region(session, scanner, region, &names, now));
    Ok(futures::future::try_join_all(searches).await?.concat())
}

async fn in_region(
    session: &Session,
    scanner: &Scanner,
    region: &Region,
    names: &[String],
    now: Timestamp,
) -> Result<Vec<ResourceEvent>, CallError> {
    let mut client = Client::new(session, region);
    for name in names {
        let found = named(&mut client, scanner, name, now).await?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// The texts to look up, in this order: the given one, the names of resources in it, its last part.
fn names(naming: &Naming, id: &str) -> Vec<String> {
    let whole = id.trim();
    let mut names = vec![whole.to_owned()];
    let meanings = Asked::of(whole, naming).meanings;
    let in_text = meanings.iter().flat_map(Meaning::texts);
    for name in in_text.chain(std::iter::once(last_part(without_wildcard(whole)))) {
        let is_new = !name.is_empty() && !names.iter().any(|known| known == name);
        if is_new && names.len() < MOST_NAMES {
            names.push(name.to_owned());
        }
    }
    names
}

async fn named(
    client: &mut Client,
    scanner: &Scanner,
    name: &str,
    now: Timestamp,
) -> Result<Vec<ResourceEvent>, CallError> {
    let Ok(Span { since, until, .. }) = Span::of(TimeWindow::default(), now) else { return Ok(Vec::new()) };
    let mut series = client.series(&Condition::ResourceName(name.to_owned()), since, until);
    let mut found = Vec::new();
    while let Some(page) = series.next().await? {
        found.extend(page.records.iter().filter_map(|record| match reading(scanner, record) {
            Extraction::Touched(event) => Some(event),
            _ => None,
        }));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_map::ResourceMap;

    #[test]
    fn text_comes_first_then_the_names_in_it() {
        let map = ResourceMap::built_in();
        let names = |text| names(map.naming(), text);
        assert_eq!(names("i-0123"), ["i-0123"]);
        let role = "arn:aws:iam::111122223333:role/team/app";
        assert_eq!(names(role), [role, "app"]);
        let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf";
        assert_eq!(names(secret)[..2], [secret, "prod/db"]);
        assert!(names("s3://photos/a.jpg").contains(&"photos".to_owned()));
    }
}
