//! Keeps the calls of a session within the rates that AWS allows an account. AWS throttles faster calls, and the wait before a retry is
//! longer than the wait here.
//!
//! AWS's buckets hold a burst of tokens and refill at a rate. Ours are a little smaller: requests arrive less evenly than they are
//! sent, and other programs of the account use the same buckets. A throttled attempt slows its operation for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::ErrorClass;
use super::protocol::error_answer;
use crate::model::Region;

/// The share of AWS's rate that is used.
const RATE_SHARE: f64 = 0.95;
/// The share of AWS's burst that is used.
const BURST_SHARE: f64 = 0.75;
/// The factor by which a throttled attempt slows the pace.
const SLOWED: f64 = 0.7;
/// The slowest pace, as a share of the usual one.
const SLOWEST: f64 = 0.1;
/// Several throttled attempts within this time, in seconds, slow the pace only once: they were sent at the same pace.
const SLOWED_ONCE_IN: f64 = 1.0;
/// The share of the usual pace that is regained each second.
const RECOVERY: f64 = 0.02;

/// A limit that AWS sets.
struct Limit {
    /// The signing name of the service.
    service: &'static str,
    /// What its operations begin with.
    operations: &'static [&'static str],
    /// Requests a second.
    rate: f64,
    /// Requests at once, after a pause.
    burst: f64,
    each: Each,
}

/// What has a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Each {
    /// The operations together, in all regions.
    Account,
    /// Each operation in each region.
    OperationAndRegion,
}

/// The limits of services that are called once for each resource, or that allow few calls. The first that fits applies. If AWS's page
/// gives no burst, it is assumed to be the requests of one second. The figures for EC2's CreateTags and for TagResources are assumed too.
///
/// Sources:
/// * EC2: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
/// * SQS: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>
/// * Tagging API: <https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html>
/// * DynamoDB: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html>
/// * IAM: AWS publishes no figures; about 20 a second were observed.
const LIMITS: [Limit; 7] = [
    Limit { service: "ec2", operations: &["Describe"], rate: 20.0, burst: 100.0, each: Each::OperationAndRegion },
    Limit {
        service: "ec2",
        operations: &["CreateTags", "DeleteTags"],
        rate: 10.0,
        burst: 100.0,
        each: Each::OperationAndRegion,
    },
    Limit {
        service: "sqs",
        operations: &["ListQueueTags", "TagQueue", "UntagQueue"],
        rate: 30.0,
        burst: 30.0,
        each: Each::Account,
    },
    Limit {
        service: "tagging",
        operations: &["GetResources"],
        rate: 15.0,
        burst: 15.0,
        each: Each::OperationAndRegion,
    },
    Limit {
        service: "tagging",
        operations: &["TagResources", "UntagResources"],
        rate: 5.0,
        burst: 5.0,
        each: Each::OperationAndRegion,
    },
    Limit { service: "dynamodb", operations: &["ListTagsOfResource"], rate: 10.0, burst: 10.0, each: Each::Account },
    Limit { service: "iam", operations: &[""], rate: 20.0, burst: 20.0, each: Each::Account },
];

/// The limits of one account.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<(usize, String), Arc<Lane>>>);

impl Rates {
    /// Waits until a call may be sent and has its `permit`.
    pub(super) async fn turn<P>(
        &self,
        service: &str,
        operation: &str,
        region: &Region,
        permit: impl Future<Output = P>,
    ) -> (Turn, P) {
        let Some(lane) = self.lane(service, operation, region) else { return (Turn(None), permit.await) };
        // One after the other: calls that were held up together must not be sent together.
        let first = lane.queue.lock().await;
        // First without a permit, which other operations may need.
        lane.pause().await;
        // Then with it, before the call counts. If calls counted first, those that wait for permits while AWS answers slowly would all be sent
        // together when it answers again.
        let permit = permit.await;
        // A throttled call can have slowed the lane in the meantime.
        lane.pause().await;
        lane.take(lane.now());
        drop(first);
        (Turn(Some(lane)), permit)
    }

    fn lane(&self, service: &str, operation: &str, region: &Region) -> Option<Arc<Lane>> {
        let fits = |limit: &Limit| {
            limit.service == service && limit.operations.iter().any(|start| operation.starts_with(start))
        };
        let (at, limit) = LIMITS.iter().enumerate().find(|(_, limit)| fits(limit))?;
        let of = match limit.each {
            Each::Account => String::new(),
            Each::OperationAndRegion => format!("{operation} {region}"),
        };
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(lanes.entry((at, of)).or_insert_with(|| Arc::new(Lane::new(limit)))))
    }
}

/// A call's place in its lane. As an interceptor of the call it slows the lane when AWS throttles.
#[derive(Debug, Clone)]
pub struct Turn(Option<Arc<Lane>>);

#[dyn_dispatch_hint]
impl Intercept for Turn {
    fn name(&self) -> &'static str {
        "Turn"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(lane), Some(response)) = (&self.0, context.response()) {
            let status = response.status();
            let class = || {
                let error = error_answer::read(response);
                ErrorClass::of_answer(error.code().unwrap_or_default(), status.as_u16())
            };
            if !status.is_success() && class() == ErrorClass::Throttled {
                lane.slow(lane.now());
            }
        }
        Ok(())
    }
}

/// A bucket of tokens as a schedule. Times are seconds since its start.
#[derive(Debug)]
struct Lane {
    /// Seconds from one call to the next, at the usual pace.
    interval: f64,
    burst: f64,
    start: Instant,
    state: Mutex<Schedule>,
    /// Locked by the call that is sent next, until it is sent.
    queue: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Schedule {
    /// When the calls so far would have been sent at an even pace.
    due: f64,
    /// The pace, as a part of the usual one, at `paced`.
    pace: f64,
    paced: f64,
    slowed: Option<f64>,
}

impl Lane {
    fn new(limit: &Limit) -> Self {
        let state = Schedule { due: f64::MIN, pace: 1.0, paced: 0.0, slowed: None };
        Self {
            interval: 1.0 / (limit.rate * RATE_SHARE),
            burst: (limit.burst * BURST_SHARE).floor().max(1.0),
            start: Instant::now(),
            state: Mutex::new(state),
            queue: tokio::sync::Mutex::default(),
        }
    }

    fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Waits until the next call may be sent.
    async fn pause(&self) {
        loop {
            let wait = self.wait(self.now());
            if wait.is_zero() {
                break;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// How long the next call has to wait.
    fn wait(&self, now: f64) -> Duration {
        Duration::from_secs_f64((self.state().next(self, now) - now).max(0.0))
    }

    /// The next call is sent.
    fn take(&self, now: f64) {
        let mut state = self.state();
        state.due = state.next(self, now);
    }

    fn state(&self) -> MutexGuard<'_, Schedule> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// AWS throttled a call: its bucket is empty.
    fn slow(&self, now: f64) {
        let mut state = self.state();
        state.due = state.due.max(now);
        if state.slowed.is_some_and(|slowed| now - slowed < SLOWED_ONCE_IN) {
            return;
        }
        state.recover(now);
        state.pace = (state.pace * SLOWED).max(SLOWEST);
        state.slowed = Some(now);
    }
}

impl Schedule {
    /// When the next call would be sent at an even pace; in the past where a burst is left.
    fn next(&mut self, lane: &Lane, now: f64) -> f64 {
        self.recover(now);
        let interval = lane.interval / self.pace;
        self.due.max(now - lane.burst * interval) + interval
    }

    fn recover(&mut self, now: f64) {
        self.pace = (self.pace + (now - self.paced).max(0.0) * RECOVERY).min(1.0);
        self.paced = now;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::FutureExt;
    use tokio::sync::Semaphore;

    use super::*;

    fn lane(rate: f64, burst: f64) -> Lane {
        Lane::new(&Limit { service: "x", operations: &[""], rate, burst, each: Each::Account })
    }

    /// When so many calls at one moment are sent.
    fn sent(lane: &Lane, now: f64, calls: usize) -> Vec<f64> {
        let mut time = now;
        let mut send = || {
            // The wait is in whole nanoseconds.
            while !lane.wait(time).is_zero() {
                time += lane.wait(time).as_secs_f64() + 1e-9;
            }
            lane.take(time);
            time
        };
        (0..calls).map(|_| send()).collect()
    }

    #[test]
    fn calls_stay_within_a_bucket_of_tokens() {
        let lane = lane(10.0, 20.0);
        let mut times = sent(&lane, 0.0, 60);
        // The schedule is over after 5 seconds; then there is time to refill a part.
        times.extend(sent(&lane, 5.5, 40));
        let mut tokens = 20.0_f64;
        let mut last = 0.0;
        for (number, time) in times.iter().enumerate() {
            tokens = (tokens + (time - last) * 10.0).min(20.0) - 1.0;
            last = *time;
            assert!(tokens >= 0.0, "call {number} at {time}");
        }
        let even = (100.0 - 20.0) / 10.0;
        assert!(last > even && last < even * 1.2, "{last}");
    }

    #[test]
    fn calls_that_are_held_up_together_are_no_larger_burst() {
        let lane = lane(10.0, 20.0);
        sent(&lane, 0.0, 40);
        let times = sent(&lane, 60.0, 40);
        assert_eq!(times.iter().filter(|time| **time < 60.001).count(), 15);
    }

    #[test]
    fn a_call_counts_when_it_has_its_permit_not_before() {
        let (rates, permits, region) = (Rates::default(), Semaphore::new(0), "us-east-1".into());
        let lane = rates.lane("sqs", "TagQueue", &region).unwrap();
        let untouched = lane.state().due;
        let mut turn = pin!(rates.turn("sqs", "TagQueue", &region, permits.acquire()));
        assert!(turn.as_mut().now_or_never().is_none(), "it waits for its permit");
        assert!(lane.state().due <= untouched);
        permits.add_permits(1);
        assert!(turn.now_or_never().is_some());
        assert!(lane.state().due > untouched);
    }

    #[test]
    fn a_throttled_call_slows_the_lane_for_a_while() {
        let lane = lane(10.0, 1.0);
        let gap = |now: f64| {
            let times = sent(&lane, now, 2);
            times[1] - times[0]
        };
        let usual = gap(0.0);
        lane.slow(10.0);
        lane.slow(10.5);
        let slowed = gap(20.0);
        assert!(slowed > usual * 1.1 && slowed < usual / SLOWED, "{usual} {slowed}");
        assert!((gap(100.0) - usual).abs() < 1e-9, "all of the pace came back");
        for second in 200..300 {
            lane.slow(f64::from(second));
        }
        assert!(gap(300.0) < usual / SLOWEST * 1.01, "it does not stop");
    }

    #[test]
    fn lanes_are_those_of_the_limits() {
        let rates = Rates::default();
        let lane = |service: &str, operation: &str, region: &str| rates.lane(service, operation, &region.into());
        let same = |one: Option<Arc<Lane>>, other: Option<Arc<Lane>>| Arc::ptr_eq(&one.unwrap(), &other.unwrap());
        assert!(same(lane("sqs", "ListQueueTags", "eu-west-1"), lane("sqs", "TagQueue", "us-east-1")));
        assert!(same(lane("ec2", "DescribeVpcs", "eu-west-1"), lane("ec2", "DescribeVpcs", "eu-west-1")));
        assert!(!same(lane("ec2", "DescribeVpcs", "eu-west-1"), lane("ec2", "DescribeVpcs", "us-east-1")));
        assert!(!same(lane("ec2", "DescribeVpcs", "eu-west-1"), lane("ec2", "DescribeVolumes", "eu-west-1")));
        assert!(lane("sqs", "ListQueues", "eu-west-1").is_none());
    }
}
