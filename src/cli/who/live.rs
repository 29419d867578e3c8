//! `who --live`: looks up resources in Event history.
//!
//! The events go into a database in memory, so the same rules apply to them as to loaded events. They are not saved: in a
//! new database, the few events of one resource would look like a loaded trail.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{CommandError, Context};
use crate::aws::{AwsOptions, CallError, Session};
use crate::load::history::resource;
use crate::model::Region;
use crate::model::event::ResourceEvent;
use crate::resource_map::ResourceMap;
use crate::store::Batch;
use crate::store::Store;
use crate::store::renames::ResourceHistory;
use crate::trail::filter::RecordFilter;
use crate::trail::scan::Scanner;

/// The maximum number of earlier names to look up for one resource. AWS allows two requests per second.
const MOST_EARLIER_NAMES: usize = 8;

/// An AWS session and the regions to look in.
pub(super) struct Live {
    session: Session,
    scanner: Scanner,
    map: Arc<ResourceMap>,
    regions: Vec<Region>,
}

impl Live {
    /// Opens a session for the given regions, or else the session's region. Adds the regions in which events of global types
    /// are recorded.
    pub(super) async fn open(
        options: AwsOptions,
        regions: &[Region],
        map: Arc<ResourceMap>,
    ) -> Result<Self, CommandError> {
        let options = AwsOptions { default_region: regions.first().cloned(), ..options };
        let session = Session::open(&options).await.map_err(|error| call_error(&error))?;
        let mut asked: BTreeSet<Region> = regions.iter().cloned().collect();
        if asked.is_empty() {
            asked.insert(session.region().clone());
        }
        asked.extend(homes_of_global_types(&map, session.region().partition()));
        let scanner = Scanner::new(Arc::clone(&map), RecordFilter::default());
        Ok(Self { session, scanner, map, regions: asked.into_iter().collect() })
    }

    /// The AWS session.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Returns the events of all resources that `id` can mean, and of their earlier names. An AWS error is printed as a
    /// warning, and returns no events.
    pub(super) async fn history(&self, context: &Context, id: &str) -> Result<ResourceHistory, CommandError> {
        let failed = |error| CommandError::while_doing("reading the events from Event history", &error);
        let mut store = Store::in_memory().map_err(failed)?;
        let mut asked = BTreeSet::new();
        let mut open = vec![id.to_owned()];
        while let Some(name) = open.pop() {
            if asked.len() > MOST_EARLIER_NAMES || !asked.insert(name.clone()) {
                continue;
            }
            let events = self.events(context, &name).await;
            store.add(&Batch { events, ..Batch::default() }).map_err(failed)?;
            let history = store.history_of_resource(self.map.naming(), id).map_err(failed)?;
            let renames = history.renames.iter().chain(&history.of_earlier_names);
            let renames = renames.filter(|event| event.renamed_to.is_some());
            open.extend(renames.map(|rename| rename.resource_id.to_string()));
        }
        store.history_of_resource(self.map.naming(), id).map_err(failed)
    }

    async fn events(&self, context: &Context, name: &str) -> Vec<ResourceEvent> {
        let found =
            resource::find(&self.session, self.map.naming(), &self.scanner, &self.regions, name, Timestamp::now())
                .await;
        found.unwrap_or_else(|error| {
            let hint = error.hint();
            context.console.warning_with_hints(format_args!("looking up {name} in Event history: {error}"), hint);
            Vec::new()
        })
    }
}

fn homes_of_global_types(map: &ResourceMap, partition: &str) -> BTreeSet<Region> {
    let access = map.definitions().filter(|definition| definition.global).filter_map(|d| d.access.as_ref());
    access
        .filter_map(|access| access.service.endpoints.get(partition))
        .filter_map(|home| home.region.as_deref().map(Region::from))
        .collect()
}

fn call_error(error: &CallError) -> CommandError {
    let mut command_error = CommandError::while_doing("opening an AWS session", error);
    command_error.hints.extend(error.hint());
    command_error
}
