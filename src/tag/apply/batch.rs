//! Which writes go into one call.

use std::collections::BTreeMap;

use super::Task;
use crate::names::{Region, TagValue};
use crate::resource_map::WriteMethod;

/// ARNs a call of TagResources or UntagResources takes.
///
/// Source: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html>
const RGTA_BATCH: usize = 20;

/// Ids a call of CreateTags or DeleteTags takes.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html>
const EC2_BATCH: usize = 1_000;

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Ec2,
    Rgta,
    Native,
    Stack,
}

/// Writes that one call can make.
#[derive(Debug)]
pub(super) struct Batch<'t, 'm> {
    pub(super) way: Way,
    /// Never empty; all in one region, with one change of the tag.
    pub(super) tasks: Vec<&'t Task<'m>>,
}

impl Way {
    fn of(method: WriteMethod) -> Self {
        match method {
            WriteMethod::Ec2 => Self::Ec2,
            WriteMethod::Rgta => Self::Rgta,
            WriteMethod::Native => Self::Native,
            WriteMethod::StackUpdate => Self::Stack,
        }
    }

    fn batch_size(self) -> usize {
        match self {
            Self::Ec2 => EC2_BATCH,
            Self::Rgta => RGTA_BATCH,
            Self::Native | Self::Stack => 1,
        }
    }
}

impl Batch<'_, '_> {
    pub(super) fn positions(&self) -> Vec<u32> {
        self.tasks.iter().map(|task| task.write.position).collect()
    }
}

/// What the writes of one call must agree on. EC2's DeleteTags names the value that it removes.
type Sameness<'t> = (Way, &'t Region, Option<&'t TagValue>, Option<&'t TagValue>);

/// The fewest batches for these tasks; within one the tasks keep their order.
pub(super) fn batches<'t, 'm>(tasks: &'t [Task<'m>]) -> Vec<Batch<'t, 'm>> {
    let mut groups: BTreeMap<Sameness<'t>, Vec<&'t Task<'m>>> = BTreeMap::new();
    for task in tasks {
        let way = Way::of(task.writing.method);
        let new_value = task.write.new_value.as_ref();
        let removed = task.write.old_value.as_ref().filter(|_| way == Way::Ec2 && new_value.is_none());
        groups.entry((way, &task.live.region, new_value, removed)).or_default().push(task);
    }
    let batches = groups.into_iter().flat_map(|((way, ..), tasks)| {
        let chunks: Vec<_> = tasks.chunks(way.batch_size()).map(<[_]>::to_vec).collect();
        chunks.into_iter().map(move |tasks| Batch { way, tasks })
    });
    batches.collect()
}
