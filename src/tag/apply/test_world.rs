//! A small world in AWS's place for tests: resources with tags, and faults that real servers can't be asked for.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::api::{TagApi, TaggingAnswer};
use super::refusal::Refusal;
use super::{Job, ReadyWrite};
use crate::aws::{Answer, CallError, ErrorClass};
use crate::model::RunId;
use crate::model::{Arn, Region, TagKey, TagValue};
use crate::model::{LiveResource, Tags};
use crate::resource_map::{RenderedCall, ResourceMap, Service, WriteMethod};
use crate::store::Store;
use crate::store::journal::{NewRun, RunKind, Write};

pub(in crate::tag) const ACCOUNT: &str = "123456789012";

/// What DescribeTags shows.
#[derive(Default)]
pub(in crate::tag) enum Described {
    /// Nothing: it is not permitted.
    #[default]
    Denied,
    /// The present tags.
    Now,
    /// These, by ARN, whatever there is.
    As(BTreeMap<String, BTreeMap<String, String>>),
}

/// Tags by ARN; and how it misbehaves.
#[derive(Default)]
pub(in crate::tag) struct World {
    pub(in crate::tag) tags: RefCell<BTreeMap<String, BTreeMap<String, String>>>,
    /// Every call: its name and how many resources it named.
    pub(in crate::tag) calls: RefCell<Vec<(String, usize)>>,
    /// The last input of each operation.
    pub(in crate::tag) inputs: RefCell<HashMap<String, Value>>,
    /// ARNs that the Tagging API does not know: the code it answers.
    pub(in crate::tag) refused: BTreeMap<String, &'static str>,
    /// ARNs with which a call of the Tagging API fails as a whole.
    pub(in crate::tag) poison: BTreeSet<String>,
    /// Operations that are not allowed.
    pub(in crate::tag) denied: BTreeSet<&'static str>,
    /// ARNs that are throttled, and how often yet.
    pub(in crate::tag) throttled: RefCell<BTreeMap<String, u32>>,
    /// ARNs that something else is changing, and at how many attempts yet.
    pub(in crate::tag) conflicts: RefCell<BTreeMap<String, u32>>,
    /// How many further calls are made and lose their answer; and how many are not made, with an answer that does not show it.
    pub(in crate::tag) lost: Cell<u32>,
    pub(in crate::tag) down: Cell<u32>,
    pub(in crate::tag) described: Described,
    /// The resources that were listed again, in each read of tags.
    pub(in crate::tag) listed: RefCell<Vec<usize>>,
    /// Whether no tags can be read.
    pub(in crate::tag) is_blind: Cell<bool>,
    /// Waits so far.
    pub(in crate::tag) pauses: Cell<u32>,
    /// Whether waits never end; `asleep` is called for each.
    pub(in crate::tag) is_slow: bool,
    pub(in crate::tag) asleep: Notify,
    /// Calls until the process dies in the middle of one; and whether that one still has its effect.
    pub(in crate::tag) life: Cell<Option<(u32, bool)>>,
    pub(in crate::tag) death: Notify,
}

impl World {
    /// Queues and volumes that live, without tags.
    pub(in crate::tag) fn of(arns: impl IntoIterator<Item = String>) -> Self {
        let tags = arns.into_iter().map(|arn| (arn, BTreeMap::new())).collect();
        Self { tags: RefCell::new(tags), ..Self::default() }
    }

    pub(in crate::tag) fn owner(&self, arn: &str) -> Option<String> {
        self.tags.borrow().get(arn).and_then(|tags| tags.get("Owner").cloned())
    }

    pub(in crate::tag) fn calls_of(&self, operation: &str) -> Vec<usize> {
        self.calls.borrow().iter().filter(|(name, _)| name == operation).map(|(_, count)| *count).collect()
    }

    /// The whole ARN that ends in this id or name.
    fn arn_of(&self, id: &str) -> Option<String> {
        self.tags.borrow().keys().find(|arn| Arn::from(arn.as_str()).last_segment() == id).cloned()
    }

    /// Sets a tag, as another writer does.
    pub(in crate::tag) fn set(&self, arn: &str, key: &str, value: &str) {
        self.change(arn, key, Some(value));
    }

    /// Whether the next call is one of so many; counts it.
    fn is_one_of(calls: &Cell<u32>) -> bool {
        let left = calls.get();
        calls.set(left.saturating_sub(1));
        left > 0
    }

    fn answer_of<T>(&self, operation: &str, region: &Region, answer: T) -> Result<T, CallError> {
        if Self::is_one_of(&self.lost) {
            let cut = error(operation, region, ErrorClass::Unreachable, "not reached", "the connection was closed");
            return Err(CallError { in_doubt: true, ..cut });
        }
        Ok(answer)
    }

    fn change(&self, arn: &str, key: &str, value: Option<&str>) {
        let mut all = self.tags.borrow_mut();
        let tags = all.get_mut(arn).unwrap();
        match value {
            Some(value) => tags.insert(key.to_owned(), value.to_owned()),
            None => tags.remove(key),
        };
    }

    /// Notes a call; whether it has an effect and whether the process lives on.
    fn enter(&self, operation: &str, count: usize, region: &Region) -> Result<(bool, bool), CallError> {
        self.calls.borrow_mut().push((operation.to_owned(), count));
        if self.denied.contains(operation) {
            return Err(error(operation, region, ErrorClass::AccessDenied, "AccessDenied", "not authorized"));
        }
        if Self::is_one_of(&self.down) {
            let failed = error(operation, region, ErrorClass::Server, "InternalFailure", "try again");
            return Err(CallError { in_doubt: true, ..failed });
        }
        let Some((left, effect)) = self.life.get() else { return Ok((true, true)) };
        self.life.set(Some((left.saturating_sub(1), effect)));
        Ok((left > 0 || effect, left > 0))
    }

    async fn die(&self) {
        self.death.notify_one();
        std::future::pending::<()>().await;
    }

    fn tag_one(&self, arn: &str, key: &TagKey, value: Option<&TagValue>) -> Result<(), Refusal> {
        if !self.tags.borrow().contains_key(arn) {
            return Err(Refusal::of_arn("InvalidParameterException", 400, "The resource does not exist"));
        }
        if let Some(code) = self.refused.get(arn) {
            return Err(Refusal::of_arn(code, 400, "not by this API"));
        }
        if let Some(left) = self.throttled.borrow_mut().get_mut(arn).filter(|left| **left > 0) {
            *left -= 1;
            return Err(Refusal::of_arn("ThrottlingException", 400, "slow down"));
        }
        if self.meets_conflict(arn) {
            return Err(Refusal::of_arn("ConcurrentModificationException", 400, "try again"));
        }
        self.change(arn, key.as_str(), value.map(|value| value.as_str()));
        Ok(())
    }

    fn meets_conflict(&self, arn: &str) -> bool {
        let mut conflicts = self.conflicts.borrow_mut();
        let Some(left) = conflicts.get_mut(arn).filter(|left| **left > 0) else { return false };
        *left -= 1;
        true
    }

    fn ec2(&self, call: &RenderedCall, region: &Region) -> Result<(), CallError> {
        let ids: Vec<&str> = call.input["ResourceId"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let gone: Vec<&str> = ids.iter().filter(|id| self.arn_of(id).is_none()).copied().collect();
        if let Some(first) = gone.first() {
            let message = format!("The volume '{first}' does not exist.");
            return Err(error("CreateTags", region, ErrorClass::NotFound, "InvalidVolume.NotFound", &message));
        }
        if ids.iter().any(|id| self.arn_of(id).is_some_and(|arn| self.meets_conflict(&arn))) {
            return Err(error("CreateTags", region, ErrorClass::Conflict, "ConcurrentTagAccess", "try again"));
        }
        let tag = &call.input["Tag"][0];
        let (key, value) = (tag["Key"].as_str().unwrap(), tag["Value"].as_str());
        for id in ids {
            let arn = self.arn_of(id).unwrap();
            if call.operation == "CreateTags" {
                self.change(&arn, key, value);
            } else if self.owner(&arn).as_deref() == value {
                self.change(&arn, key, None);
            }
        }
        Ok(())
    }

    fn sqs(&self, call: &RenderedCall, region: &Region) -> Result<(), CallError> {
        let url = Arn::from(call.input["QueueUrl"].as_str().unwrap());
        let Some(arn) = self.arn_of(url.last_segment()) else {
            let code = "AWS.SimpleQueueService.NonExistentQueue";
            return Err(error(&call.operation, region, ErrorClass::NotFound, code, "The queue does not exist."));
        };
        if self.meets_conflict(&arn) {
            return Err(error(&call.operation, region, ErrorClass::Conflict, "ConflictException", "try again"));
        }
        match call.input["Tags"].as_object() {
            Some(tags) => tags.iter().for_each(|(key, value)| self.change(&arn, key, value.as_str())),
            None => self.change(&arn, call.input["TagKeys"][0].as_str().unwrap(), None),
        }
        Ok(())
    }
}

impl TagApi for World {
    async fn tag_resources(
        &self,
        region: &Region,
        arns: &[&str],
        key: &TagKey,
        value: Option<&TagValue>,
    ) -> Result<TaggingAnswer, CallError> {
        let operation = if value.is_some() { "TagResources" } else { "UntagResources" };
        let (effect, lives) = self.enter(operation, arns.len(), region)?;
        assert!(arns.len() <= 20, "the API takes 20");
        if arns.iter().any(|&arn| self.poison.contains(arn)) {
            return Err(error(operation, region, ErrorClass::Server, "InternalFailure", "one of them broke it"));
        }
        let refused = arns.iter().filter(|_| effect).filter_map(|&arn| {
            let refusal = self.tag_one(arn, key, value).err()?;
            Some((arn.to_owned(), refusal))
        });
        let refused = refused.collect();
        if !lives {
            self.die().await;
        }
        self.answer_of(operation, region, TaggingAnswer { refused, request_id: Some("request".to_owned()) })
    }

    async fn call(&self, service: &Service, region: &Region, call: &RenderedCall) -> Result<Answer, CallError> {
        let count = call.input["ResourceId"].as_array().map_or(1, Vec::len);
        let (effect, lives) = self.enter(&call.operation, count, region)?;
        self.inputs.borrow_mut().insert(call.operation.clone(), call.input.clone());
        if effect {
            match service.name.as_str() {
                "ec2" => self.ec2(call, region)?,
                "sqs" => self.sqs(call, region)?,
                _ => {}
            }
        }
        if !lives {
            self.die().await;
        }
        let answer = Answer { body: json!({}), request_id: Some("request".to_owned()) };
        self.answer_of(&call.operation, region, answer)
    }

    async fn ec2_tags(&self, writes: &[&ReadyWrite<'_>]) -> Vec<Option<BTreeMap<String, String>>> {
        let now = self.tags.borrow();
        let described = match &self.described {
            Described::Denied => return vec![None; writes.len()],
            Described::Now => &now,
            Described::As(described) => described,
        };
        let of = |ready: &&ReadyWrite<'_>| described.get(ready.live.arn.as_str()).cloned().unwrap_or_default();
        writes.iter().map(|ready| (ready.writing.method == WriteMethod::Ec2).then(|| of(ready))).collect()
    }

    async fn present_tags(&self, writes: &[&ReadyWrite<'_>]) -> Vec<Tags> {
        self.listed.borrow_mut().push(writes.len());
        if self.is_blind.get() {
            return vec![Tags::Unknown("not readable".to_owned()); writes.len()];
        }
        let all = self.tags.borrow();
        let of = |ready: &&ReadyWrite<'_>| all.get(ready.live.arn.as_str()).cloned();
        writes.iter().map(|ready| of(ready).map_or(Tags::Unknown("gone".to_owned()), Tags::Known)).collect()
    }

    async fn pause(&self, _duration: Duration) {
        self.pauses.set(self.pauses.get() + 1);
        self.asleep.notify_one();
        if self.is_slow {
            std::future::pending::<()>().await;
        }
    }
}

fn error(operation: &str, region: &Region, class: ErrorClass, code: &str, message: &str) -> CallError {
    CallError { message: message.to_owned(), ..CallError::bare(operation, region, class, code) }
}

/// A queue: by the Tagging API, with SQS's own call behind it.
pub(in crate::tag) fn queue(number: usize) -> LiveResource {
    let id = format!("https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/q{number}");
    resource("sqs", &id, &format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:q{number}"), json!({}))
}

/// A volume: by EC2's own call.
pub(in crate::tag) fn volume(number: usize) -> LiveResource {
    let id = format!("vol-{number}");
    resource("ebs", &id, &format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-{number}"), json!({}))
}

pub(in crate::tag) fn resource(resource_type: &str, id: &str, arn: &str, item: Value) -> LiveResource {
    LiveResource {
        resource_type: resource_type.into(),
        id: id.into(),
        identifiers: vec![id.to_owned(), arn.to_owned()],
        made_with: Vec::new(),
        arn: arn.into(),
        region: "eu-west-1".into(),
        tags: Tags::Known(BTreeMap::new()),
        item: item.into(),
        ancestors: Vec::new(),
    }
}

/// Tasks that bring each resource's Owner from the first to the second value.
pub(in crate::tag) fn writes<'m>(
    map: &'m ResourceMap,
    resources: Vec<LiveResource>,
    old: Option<&str>,
    new: Option<&str>,
) -> Vec<ReadyWrite<'m>> {
    let ready = |(position, live): (u32, LiveResource)| {
        let write = Write {
            position,
            resource_type: live.resource_type.clone(),
            id: live.id.clone(),
            arn: live.arn.clone(),
            region: live.region.clone(),
            key: "Owner".into(),
            old_key: None,
            owner_keys: Vec::new(),
            skip_tags: Vec::new(),
            old_value: old.map(TagValue::from),
            new_value: new.map(TagValue::from),
            event_id: None,
        };
        let definition = &map.types[&live.resource_type];
        ReadyWrite::new(write, live, definition).unwrap()
    };
    (0..).zip(resources).map(ready).collect()
}

/// A database with a run of these writes.
pub(in crate::tag) fn journal(writes: &[ReadyWrite<'_>]) -> (tempfile::TempDir, Store, Job) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("creators.db")).unwrap();
    let writes: Vec<Write> = writes.iter().map(|ready| ready.write.clone()).collect();
    let run = NewRun {
        kind: RunKind::Tag,
        undoes: None,
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
        key: "Owner".into(),
        caller: "arn:aws:iam::123456789012:user/ops".into(),
        organization: None,
    };
    let run = store.begin_run(&run, &writes).unwrap();
    let job = job(run);
    (folder, store, job)
}

pub(in crate::tag) fn job(run: RunId) -> Job {
    Job { run, account: ACCOUNT.into(), tags_read: Instant::now() }
}
