//! Looks up one resource in Event history.
//!
//! Event history finds it by the name that CloudTrail recorded, which can be the ID, the last part of an ARN, or the ARN itself. So the
//! given text is tried first, and if there are no events, its last part.

use jiff::Timestamp;

use super::client::{Client, Condition};
use super::days::Span;
use super::load::reading;
use crate::aws::{CallError, Session};
use crate::model::Region;
use crate::model::event::ResourceEvent;
use crate::trail::extract::Extraction;
use crate::trail::scan::Scanner;
use crate::trail::window::TimeWindow;

/// Returns the events of the last 90 days in these regions in which CloudTrail recorded a resource that `id` names. They can also
/// concern other resources: one call can affect several.
///
/// # Errors
/// The error of the first region that could not be read.
pub async fn find(
    session: &Session,
    scanner: &Scanner,
    regions: &[Region],
    id: &str,
    now: Timestamp,
) -> Result<Vec<ResourceEvent>, CallError> {
    let searches = regions.iter().map(|region| in_region(session, scanner, region, id, now));
    Ok(futures::future::try_join_all(searches).await?.concat())
}

async fn in_region(
    session: &Session,
    scanner: &Scanner,
    region: &Region,
    id: &str,
    now: Timestamp,
) -> Result<Vec<ResourceEvent>, CallError> {
    let mut client = Client::new(session, region);
    let name = id.trim();
    let found = named(&mut client, scanner, name, now).await?;
    match last_part(name) {
        Some(part) if found.is_empty() => named(&mut client, scanner, part, now).await,
        _ => Ok(found),
    }
}

/// The last part of an ARN, a path or a URL.
fn last_part(name: &str) -> Option<&str> {
    let name = name.strip_suffix(":*").unwrap_or(name);
    name.rsplit(['/', ':']).next().filter(|part| !part.is_empty() && *part != name)
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

    #[test]
    fn arns_paths_and_urls_have_a_last_part() {
        assert_eq!(last_part("arn:aws:iam::1:role/team/app"), Some("app"));
        assert_eq!(last_part("arn:aws:logs:r:1:log-group:/aws/lambda/f:*"), Some("f"));
        assert_eq!(last_part("https://sqs.r.amazonaws.com/1/queue"), Some("queue"));
        assert_eq!(last_part("i-0123"), None);
        assert_eq!(last_part("name/"), None);
    }
}
