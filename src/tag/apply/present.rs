//! The tag of a write as AWS has it now: just before the call, and after a call that is in doubt.
//!
//! Before: a person may have set an owner since the resources were listed. The tags are read again where that costs a call for
//! each resource at most, and no later read proved them: see [`checks_late`]. After: a call in doubt may have written the tag.
//! What is read decides whether it is written, is written again, or stays in doubt.
//!
//! EC2's tags are read with DescribeTags first, which takes the resources of all types of a batch at once. What it does not show is
//! proof only where the plan's read agrees; else the type is listed again: see [`proven`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::api::TagApi;
use super::batch::WriteBatch;
use super::reason::Reason;
use super::refusal::Refusal;
use super::{Attempt, Attempted, ReadyWrite, WriteOutcome};
use crate::model::Tags;
use crate::resource_map::WriteMethod;
use crate::tag::current::Unread;
use crate::tag::holding::holding;

/// How long the tags that were read for the plan count as present.
const FRESH: Duration = Duration::from_secs(60);

/// How the present tags compare with what a write expects.
#[derive(Debug, PartialEq, Eq)]
enum Comparison {
    /// The tag is as it was before the write.
    Before,
    /// The tag is as the write makes it.
    Done,
    /// It is neither, or another tag keeps the resource from being written to.
    Changed(Reason),
    /// The tags could not be read; why.
    Unread(String),
}

fn compare(ready: &ReadyWrite<'_>, tags: &Tags) -> Comparison {
    match tags {
        Tags::Known(tags) => compare_known(ready, tags),
        Tags::Partial(_) => Comparison::Unread(Unread::SomeTags.to_string()),
        Tags::Unknown(why) => Comparison::Unread(why.clone()),
    }
}

fn compare_known(ready: &ReadyWrite<'_>, tags: &BTreeMap<String, String>) -> Comparison {
    let (write, keys) = (&ready.write, ready.definition.tag_keys());
    let present = keys.get(tags, &write.key);
    let is_spelled = present.is_none_or(|present| write.spells(present.key));
    let has = |value: Option<&str>| is_spelled && present.map(|tag| tag.value) == value;
    if has(write.new_value.as_ref().map(|value| value.as_str())) {
        return Comparison::Done;
    }
    if has(write.old_value.as_ref().map(|value| value.as_str())) {
        return holding(write, keys, tags)
            .map_or(Comparison::Before, |holding| Comparison::Changed(Reason::Holding(holding)));
    }
    Comparison::Changed(Reason::ChangedTo { key: write.key.clone(), present: present.map(Into::into) })
}

/// Whether a read is before a write, or after a write in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    InDoubt,
}

/// The comparison with the tags that DescribeTags shows, if these prove it. A resource without any of them may be one that the
/// call does not cover, and its answer may be older than a call in doubt.
fn proven(ready: &ReadyWrite<'_>, shown: &BTreeMap<String, String>, moment: Moment) -> Option<Comparison> {
    let comparison = compare_known(ready, shown);
    let is_proven = match comparison {
        // As the listing for the plan had it.
        Comparison::Before => moment == Moment::Before,
        Comparison::Done | Comparison::Changed(_) => !shown.is_empty(),
        Comparison::Unread(_) => false,
    };
    is_proven.then_some(comparison)
}

/// Reads the tags of writes and compares them.
async fn read(api: &impl TagApi, writes: &[&ReadyWrite<'_>], moment: Moment) -> Vec<Comparison> {
    let shown = api.ec2_tags(writes).await;
    let proven = |(ready, shown): (&&ReadyWrite<'_>, Option<_>)| shown.and_then(|tags| proven(ready, &tags, moment));
    let known: Vec<Option<Comparison>> = writes.iter().zip(shown).map(proven).collect();
    let unproven = writes.iter().zip(&known).filter(|(_, known)| known.is_none());
    let unproven: Vec<&ReadyWrite<'_>> = unproven.map(|(ready, _)| *ready).collect();
    let present = if unproven.is_empty() { Vec::new() } else { api.present_tags(&unproven).await };
    let mut present = unproven.iter().zip(&present).map(|(ready, tags)| compare(ready, tags));
    let mut next = || present.next().expect("all tags that are not known were read");
    known.into_iter().map(|known| known.unwrap_or_else(&mut next)).collect()
}

/// Whether a write's tags are read again just before its call: those that the listing gave, for it was made before the plan; and
/// those that were read long ago. A write that replaces all tags reads them itself, and so does an update of a stack.
fn checks_late(ready: &ReadyWrite<'_>, is_stale: bool) -> bool {
    let tags = &ready.access.tags;
    match ready.writing.method {
        WriteMethod::StackUpdate => false,
        WriteMethod::Ec2 => true,
        WriteMethod::Rgta | WriteMethod::Native => tags.request.is_some() && (tags.path.is_some() || is_stale),
    }
}

/// Takes those writes out of a batch that must not be made any more, with their outcomes. `tags_read`: when the tags had been read.
pub(super) async fn check<'t, 'm>(
    api: &impl TagApi,
    batch: &mut WriteBatch<'t, 'm>,
    tags_read: Instant,
) -> Vec<Attempted> {
    let is_stale = batch.attempt > 1 || tags_read.elapsed() > FRESH;
    let (late, settled): (Vec<&ReadyWrite<'_>>, Vec<_>) =
        batch.writes.iter().copied().partition(|ready| checks_late(ready, is_stale));
    if late.is_empty() {
        return Vec::new();
    }
    let comparisons = read(api, &late, Moment::Before).await;
    let (mut open, mut over) = (settled, Vec::new());
    for (ready, comparison) in late.into_iter().zip(comparisons) {
        match comparison {
            Comparison::Before => open.push(ready),
            // What cannot be read again (no permission) was read for the plan.
            Comparison::Unread(_) => open.push(ready),
            Comparison::Done => over.push(ready.after(Reason::WrittenMeanwhile.skipped())),
            Comparison::Changed(why) => over.push(ready.after(why.skipped())),
        }
    }
    open.sort_by_key(|ready| ready.write.position);
    batch.writes = open;
    over
}

/// Reads the tags of writes in doubt, and decides what becomes of them.
pub(super) async fn resolve(api: &impl TagApi, batch: &WriteBatch<'_, '_>, attempts: Vec<Attempted>) -> Vec<Attempted> {
    let (mut doubts, mut resolved) = (Vec::new(), Vec::with_capacity(attempts.len()));
    for Attempted { position, attempt } in attempts {
        let ready = batch.writes.iter().find(|ready| ready.write.position == position);
        match (attempt, ready) {
            (Attempt::InDoubt(refusal), Some(ready)) => doubts.push((*ready, refusal)),
            (attempt, _) => resolved.push(Attempted { position, attempt }),
        }
    }
    if doubts.is_empty() {
        return resolved;
    }
    let writes: Vec<&ReadyWrite<'_>> = doubts.iter().map(|(ready, _)| *ready).collect();
    let comparisons = read(api, &writes, Moment::InDoubt).await;
    for ((ready, refusal), comparison) in doubts.into_iter().zip(comparisons) {
        resolved.push(ready.after(resolved_one(&refusal, comparison)));
    }
    resolved
}

fn resolved_one(refusal: &Refusal, comparison: Comparison) -> Attempt {
    match comparison {
        Comparison::Done => WriteOutcome::Written { request_id: None }.into(),
        Comparison::Changed(why) => why.skipped().into(),
        Comparison::Before => Attempt::Passing(refusal.clone().not_written()),
        Comparison::Unread(why) => Reason::StillInDoubt { refusal: refusal.clone(), why }.in_doubt().into(),
    }
}
