//! Looks up the names of Identity Center users in the identity store: CloudTrail records only their IDs.
//!
//! Each user is looked up once, and the name is saved in the database. Usually only the organization's management account and delegated
//! administrators have access. With other credentials the IDs are used, with the reason.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::aws::{CallError, Caller, ErrorClass, Session};
use crate::creator::{NoName, People, Person, UserId};
use crate::model::AccountId;
use crate::resource_map::Service;
use crate::store::{Store, StoreError};

/// Concurrent lookups. AWS allows 20 requests per second for each account and region.
///
/// Source: <https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html>
const CONCURRENCY: usize = 4;

/// Returns all users with known names, and the reason for those in the events of `account` (or of all accounts) with names that
/// could not be looked up.
///
/// # Errors
/// SQLite's error. AWS errors are returned as reasons.
pub async fn names(session: &Session, store: &Store, account: Option<&AccountId>) -> Result<People, StoreError> {
    let mut stores: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (store_arn, user_id) in store.unnamed_users(account)? {
        stores.entry(store_arn).or_default().push(user_id);
    }
    let mut lookups = Vec::new();
    for (store_arn, users) in &stores {
        ask(session, store, store_arn, users, &mut lookups).await?;
    }
    let mut people = store.people()?;
    for (id, answer) in lookups {
        people.note(id, answer);
    }
    Ok(people)
}

/// Looks up users in one identity store. Stops at an error that every user would have.
async fn ask<'u>(
    session: &Session,
    store: &Store,
    store_arn: &'u str,
    users: &'u [String],
    lookups: &mut Vec<(UserId<'u>, Result<Person, NoName>)>,
) -> Result<(), StoreError> {
    let caller = session.caller();
    let ask = |user_id: &'u String| {
        let id = UserId { store_arn, user_id };
        let caller = &caller;
        async move { (id, describe(caller, session, id).await) }
    };
    let mut answers = stream::iter(users).map(ask).buffered(CONCURRENCY);
    let mut refusal: Option<NoName> = None;
    let mut asked = 0;
    while let Some((id, answer)) = answers.next().await {
        asked += 1;
        match answer {
            Ok(person) => {
                keep(store, id, &person)?;
                lookups.push((id, Ok(person)));
            }
            Err(error) => {
                let why = reason(&error);
                if error.class != ErrorClass::NotFound {
                    refusal = Some(why.clone());
                }
                lookups.push((id, Err(why)));
            }
        }
        if refusal.is_some() {
            break;
        }
    }
    if let Some(why) = refusal {
        lookups.extend(users[asked..].iter().map(|user_id| (UserId { store_arn, user_id }, Err(why.clone()))));
    }
    Ok(())
}

/// Saves a name. In a read-only database, it is looked up again the next time.
fn keep(store: &Store, id: UserId<'_>, person: &Person) -> Result<(), StoreError> {
    match store.keep_person(id, person) {
        Err(error) if error.is_of_permission() => Ok(()),
        kept => kept,
    }
}

/// Source: <https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_DescribeUser.html>
async fn describe(caller: &Caller, session: &Session, id: UserId<'_>) -> Result<Person, CallError> {
    const OPERATION: &str = "identitystore:DescribeUser";
    // arn:aws:identitystore::111122223333:identitystore/d-9067642ac7
    let store_id = id.store_arn.rsplit('/').next().unwrap_or_default();
    let request = json!({"IdentityStoreId": store_id, "UserId": id.user_id});
    let region = session.region();
    let answer = caller.call(&identity_store(), region, "DescribeUser", &request).await?.body;
    person(&answer).ok_or_else(|| CallError::bad_answer(OPERATION, region, "the response has no user name"))
}

fn person(user: &Value) -> Option<Person> {
    let user_name = user["UserName"].as_str().filter(|name| !name.is_empty())?.to_owned();
    let emails = || user["Emails"].as_array().into_iter().flatten();
    let primary = emails().find(|email| email["Primary"] == true).or_else(|| emails().next());
    let email = primary.and_then(|email| email["Value"].as_str()).map(str::to_owned);
    Some(Person { user_name, email })
}

fn reason(error: &CallError) -> NoName {
    let region = error.region.to_string();
    match error.class {
        ErrorClass::AccessDenied => NoName::AccessDenied { region },
        ErrorClass::NotFound => NoName::NoSuchUser { region },
        _ => NoName::Failed { region, code: error.code.clone() },
    }
}

/// Source: botocore's model of IdentityStore.
fn identity_store() -> Service {
    Service::json("identitystore", "identitystore", "AWSIdentityStore")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_address_is_used_or_else_the_first() {
        let user = |emails: Value| person(&json!({"UserName": "anna", "Emails": emails})).unwrap().email;
        let both = json!([{"Value": "a@x.org"}, {"Value": "b@x.org", "Primary": true}]);
        assert_eq!(user(both).as_deref(), Some("b@x.org"));
        assert_eq!(user(json!([{"Value": "a@x.org", "Primary": false}])).as_deref(), Some("a@x.org"));
        assert_eq!(user(json!([])), None);
        assert_eq!(person(&json!({"UserName": "", "UserId": "u"})), None);
    }
}
