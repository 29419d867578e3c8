//! The creators of sessions: written by loads with `--chains`, read when the owner for a session is determined.
//!
//! A row is the event that issued an access key, found by that key. The callers of these events are stored once each, because a few make
//! most calls. The copies of a call that two accounts recorded are joined in either order. If both have the key, they are one row, with the
//! caller that has more facts. One without the key is a row by shared event ID, which is looked up when the other copy is read.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, named_params};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use uuid::Uuid;

use super::fingerprint::Fingerprint;
use super::{Store, StoreError};
use crate::creator::{completeness, session_key};
use crate::model::AccountId;
use crate::model::event::{Event, Identity, SessionMaker};

pub(super) mod bound;

pub(super) use bound::Bound;
pub use bound::MAX_SESSIONS;

/// The columns of a session and its event.
const SELECT: &str = "SELECT called_at, caller_key, event_id, shared_event_id, facts \
                      FROM sessions JOIN session_calls USING (call_id) WHERE session = :session";

impl Store {
    /// Whether the database has any session.
    ///
    /// # Errors
    /// The database fails.
    pub fn has_sessions(&self) -> Result<bool, StoreError> {
        Ok(self.connection.query_row("SELECT EXISTS (SELECT 1 FROM sessions)", [], |row| row.get(0))?)
    }

    /// Fills in the creators of the sessions that made these events: one after the other, as far as events are recorded. Stops
    /// at a caller that is not a session or already identifies a person, and at a session that is already in the chain.
    ///
    /// # Errors
    /// The database fails.
    pub fn fill_makers<'e>(&self, events: impl IntoIterator<Item = &'e mut Event>) -> Result<(), StoreError> {
        let mut known: HashMap<String, Vec<SessionMaker>> = HashMap::new();
        for event in events {
            let Some(key) = session_key(&event.identity) else { continue };
            if let Some(makers) = known.get(key) {
                event.makers.clone_from(makers);
                continue;
            }
            let makers = self.makers(key)?;
            known.insert(key.to_owned(), makers.clone());
            event.makers = makers;
        }
        Ok(())
    }

    fn makers(&self, key: &str) -> Result<Vec<SessionMaker>, StoreError> {
        let mut makers: Vec<SessionMaker> = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(key.to_owned());
        while let Some(key) = next {
            let Some(maker) = self.maker(&key)? else { break };
            next = session_key(&maker.identity).map(str::to_owned);
            seen.insert(key);
            next = next.filter(|next| !seen.contains(next));
            makers.push(maker);
        }
        Ok(makers)
    }

    /// The creator of the session with a key: the copy of the event with more facts about the caller.
    fn maker(&self, key: &str) -> Result<Option<SessionMaker>, StoreError> {
        let Some((maker, shared)) = find(&self.connection, key, &Id(key))? else { return Ok(None) };
        let copy = match shared {
            Some(shared) => find(&self.connection, key, &shared)?,
            None => None,
        };
        Ok(Some(match copy {
            Some((copy, _)) if rank(&copy) > rank(&maker) => copy,
            _ => maker,
        }))
    }
}

/// The event of a row, with its shared ID.
fn find(
    connection: &Connection,
    key: &str,
    session: &dyn ToSql,
) -> Result<Option<(SessionMaker, Option<Value>)>, StoreError> {
    let mut statement = connection.prepare_cached(SELECT)?;
    let read = |row: &Row<'_>| {
        let mut maker = SessionMaker { session_key: key.into(), ..SessionMaker::default() };
        let facts: String = row.get(4)?;
        read_facts(&facts, &mut maker);
        let called_at = Timestamp::from_second(row.get(0)?).unwrap_or(Timestamp::UNIX_EPOCH);
        maker.time = called_at.to_string().into();
        maker.identity.access_key_id = row.get_ref(1)?.as_str_or_null()?.map(SmolStr::from);
        maker.event_id = id_text(row.get_ref(2)?).into();
        Ok((maker, row.get::<_, Option<Value>>(3)?))
    };
    Ok(statement.query_row(named_params! {":session": session}, read).optional()?)
}

/// Of two copies of an event, the greater one is used. The event ID makes the order deterministic.
fn rank(maker: &SessionMaker) -> impl Ord {
    (completeness(&maker.identity), maker.event_id.clone())
}

/// Writes sessions within a transaction.
pub(super) struct SessionInserter<'t> {
    transaction: &'t Transaction<'t>,
    /// Events seen in this transaction.
    calls: HashMap<Fingerprint, i64>,
}

impl<'t> SessionInserter<'t> {
    pub(super) fn new(transaction: &'t Transaction<'_>) -> Self {
        Self { transaction, calls: HashMap::new() }
    }

    /// Writes the event that created a session. Returns whether the session is new.
    pub(super) fn insert(&mut self, session: &str, event: &Event) -> Result<bool, StoreError> {
        // A copy without the key is found by the shared ID only, and leads nowhere by itself.
        let shared = event.shared_event_id.as_deref().filter(|shared| *shared != session);
        let caller_key = session_key(&event.identity);
        let call_id = self.call_id(event)?;
        let called_at = event.time.parse::<Timestamp>().unwrap_or(Timestamp::UNIX_EPOCH).as_second();
        let (event_id, shared) = (Id(&event.event_id), shared.map(Id));
        let values = named_params! {
            ":session": Id(session), ":called_at": called_at, ":call_id": call_id, ":caller_key": caller_key,
            ":event_id": event_id, ":shared": shared,
        };
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO sessions (session, called_at, call_id, caller_key, event_id, shared_event_id)
             VALUES (:session, :called_at, :call_id, :caller_key, :event_id, :shared) ON CONFLICT DO NOTHING",
        )?;
        if insert.execute(values)? > 0 {
            return Ok(true);
        }
        let known = find(self.transaction, session, &Id(session))?;
        let identity = Identity { access_key_id: caller_key.map(SmolStr::from), ..event.identity.clone() };
        let copy = SessionMaker { event_id: event.event_id.clone(), identity, ..SessionMaker::default() };
        if known.is_some_and(|(known, _)| rank(&copy) > rank(&known)) {
            let mut replace = self.transaction.prepare_cached(
                "UPDATE sessions SET called_at = :called_at, call_id = :call_id, caller_key = :caller_key,
                     event_id = :event_id, shared_event_id = :shared WHERE session = :session",
            )?;
            replace.execute(values)?;
        }
        Ok(false)
    }

    fn call_id(&mut self, event: &Event) -> Result<i64, StoreError> {
        let facts = write_facts(event);
        let digest = Fingerprint::of(&[facts.as_bytes()]);
        if let Some(id) = self.calls.get(&digest) {
            return Ok(*id);
        }
        let find = "SELECT call_id FROM session_calls WHERE digest = ?1";
        let known =
            self.transaction.prepare_cached(find)?.query_row([digest.as_bytes()], |row| row.get(0)).optional()?;
        let id = match known {
            Some(id) => id,
            None => self
                .transaction
                .prepare_cached("INSERT INTO session_calls (digest, facts) VALUES (?1, ?2)")?
                .insert((digest.as_bytes(), &facts))?,
        };
        self.calls.insert(digest, id);
        Ok(id)
    }
}

/// An ID: 16 bytes if it is a UUID in CloudTrail's form, else its text.
struct Id<'a>(&'a str);

impl ToSql for Id<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match uuid_of(self.0) {
            Some(uuid) => ToSqlOutput::from(uuid.into_bytes().to_vec()),
            None => ToSqlOutput::from(self.0),
        })
    }
}

/// Parses a UUID in CloudTrail's form.
fn uuid_of(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(uuid)
}

fn id_text(stored: ValueRef<'_>) -> String {
    match stored {
        ValueRef::Blob(bytes) => Uuid::from_slice(bytes).map_or_else(|_| String::new(), |uuid| uuid.to_string()),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

/// The facts of a caller with their names in the database, without the access key, which differs in each call.
fn caller_facts(identity: &mut Identity) -> [(&'static str, &mut Option<SmolStr>); 13] {
    [
        ("type", &mut identity.kind),
        ("arn", &mut identity.arn),
        ("userName", &mut identity.user_name),
        ("principalId", &mut identity.principal_id),
        ("accountId", &mut identity.account_id),
        ("issuerType", &mut identity.issuer_type),
        ("issuerArn", &mut identity.issuer_arn),
        ("issuerUserName", &mut identity.issuer_user_name),
        ("sourceIdentity", &mut identity.source_identity),
        ("federatedProvider", &mut identity.federated_provider),
        ("onBehalfOfUserId", &mut identity.on_behalf_of_user_id),
        ("onBehalfOfStoreArn", &mut identity.on_behalf_of_store_arn),
        ("invokedBy", &mut identity.invoked_by),
    ]
}

const CALL: &str = "call";
const RECORDED_IN: &str = "recordedIn";

fn write_facts(event: &Event) -> String {
    let mut identity = event.identity.clone();
    let named = [(CALL, event.name.clone()), (RECORDED_IN, event.account_id.as_str().into())];
    let caller = caller_facts(&mut identity).into_iter().filter_map(|(name, fact)| Some((name, fact.take()?)));
    let facts: Map<String, Json> =
        named.into_iter().chain(caller).map(|(name, fact)| (name.to_owned(), Json::String(fact.to_string()))).collect();
    Json::Object(facts).to_string()
}

fn read_facts(facts: &str, maker: &mut SessionMaker) {
    let mut facts: HashMap<String, SmolStr> = serde_json::from_str(facts).unwrap_or_default();
    maker.name = facts.remove(CALL).unwrap_or_default();
    maker.account_id = AccountId::new(facts.remove(RECORDED_IN).unwrap_or_default());
    for (name, fact) in caller_facts(&mut maker.identity) {
        *fact = facts.remove(name);
    }
}

#[cfg(test)]
mod tests;
