//! Coverage of what lives: the survey that `tag` makes, without a plan, in all regions asked for. Nothing is written.

use serde::Serialize;

use super::coverage::Coverage;
use crate::aws::{CallError, Session};
use crate::inventory::{self, Place};
use crate::names::{AccountId, Region, ResourceType};
use crate::resource_map::ResourceMap;
use crate::store::{Store, StoreError};
use crate::tag::plan::{FailedType, Question, SkippedType, TypeFacts, TypeProblem};
use crate::tag::survey::{Chosen, Found, Proof, choose_types, look};

/// The type whose live resources are IAM's users.
const IAM_USER: &str = "iam-user";

/// What is needed to look at an account.
#[derive(Debug)]
pub struct Looker<'a> {
    /// The way into the account.
    pub session: &'a Session,
    /// How types are listed.
    pub map: &'a ResourceMap,
    /// The records.
    pub store: &'a Store,
    /// Types to look at; none: those that the database has creations of.
    pub types: Vec<ResourceType>,
}

/// The coverage, and what is missing in it.
#[derive(Debug, Default)]
pub struct Report {
    /// The figures.
    pub coverage: Coverage,
    /// Types that were not looked at.
    pub skipped: Vec<Of<SkippedType>>,
    /// Types that could not be listed.
    pub failed: Vec<Of<FailedType>>,
    /// What went wrong with types that were listed.
    pub problems: Vec<Of<TypeProblem>>,
    /// Why it isn't known which IAM users exist.
    pub users_unknown: Option<CallError>,
}

/// Something of an account and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Of<T> {
    /// The account.
    pub account_id: AccountId,
    /// The region.
    pub region: Region,
    /// What.
    #[serde(flatten)]
    pub what: T,
}

impl Looker<'_> {
    /// Looks at `regions` one after the other; at global types only once. `progress` hears how many types of a region are done.
    ///
    /// # Errors
    /// SQLite's. AWS's are in the report.
    pub async fn look(
        &self,
        question: &Question,
        regions: &[Region],
        progress: &mut dyn FnMut(u64, &ResourceType),
    ) -> Result<Report, StoreError> {
        let mut report = Report::default();
        let mut users = None;
        for (at, region) in regions.iter().enumerate() {
            let question = Question { region: region.clone(), ..question.clone() };
            let mut chosen = choose_types(self.store, self.map, &question.account, region, &self.types)?;
            if at > 0 {
                leave_out_global(&mut chosen);
            }
            let looked = look(self.session, self.map, self.store, (&question, Proof::All), chosen, progress).await?;
            for facts in &looked.facts {
                report.coverage.add(&question, facts);
                users = users.or_else(|| users_of(facts));
            }
            report.add_failures(&question, looked);
        }
        self.look_for_users(question, users, &mut report).await;
        Ok(report)
    }

    /// Lists IAM's users where some of them made something and they weren't listed anyway.
    async fn look_for_users(&self, question: &Question, users: Option<Vec<String>>, report: &mut Report) {
        let account = &question.account;
        let definition = self.map.types.get(IAM_USER).filter(|definition| definition.access.is_some());
        let (None, Some(definition), true) = (&users, definition, report.coverage.has_iam_users_of(account)) else {
            users.into_iter().for_each(|users| report.coverage.set_users(account, users));
            return;
        };
        let place = Place { account: account.clone(), region: question.region.clone() };
        match inventory::list(self.session, self.map, definition, &place).await {
            // Who couldn't be told from the list may be among those who made something.
            Ok(population) if !population.problems.is_empty() => {}
            Ok(population) => {
                let names = population.resources.into_iter().map(|user| user.id.to_string());
                report.coverage.set_users(account, names);
            }
            Err(error) => report.users_unknown = Some(error),
        }
    }
}

impl Report {
    fn add_failures(&mut self, question: &Question, found: Found<'_>) {
        let Found { skipped, failed, problems, .. } = found;
        self.skipped.extend(skipped.into_iter().map(|what| of(question, what)));
        self.failed.extend(failed.into_iter().map(|what| of(question, what)));
        self.problems.extend(problems.into_iter().map(|what| of(question, what)));
    }
}

fn of<T>(question: &Question, what: T) -> Of<T> {
    Of { account_id: question.account.clone(), region: question.region.clone(), what }
}

fn leave_out_global(chosen: &mut Chosen<'_>) {
    chosen.types.retain(|definition| !definition.global);
}

/// The names of all IAM users, if these are they.
fn users_of(facts: &TypeFacts<'_>) -> Option<Vec<String>> {
    let are_users = facts.definition.resource_type.as_str() == IAM_USER;
    are_users.then(|| facts.live.iter().map(|user| user.id.to_string()).collect())
}
