//! Session names that software generates. They identify no person.
//!
//! Three sources decide, in this order:
//! * `names`: the fixed names and prefixes of known software, as data;
//! * `shape`: names of a kind that only software writes (an epoch, a UUID, a long number, an IP address, a host or pod name);
//! * `service`: names of AWS services, for the roles of these services, and names that repeat the name of the role.
//!
//! None may match a person's name or an email address. The session of a Lambda function has the function's name. It can be
//! distinguished from a person's name only if the role was created for a service.

mod names;
mod service;
mod shape;
#[cfg(test)]
mod tests;

use super::identity::{Session, service_of};
use super::person_names::is_email;

/// Software that no list names.
const A_PROGRAM: &str = "a program";

/// An AWS service that no list names.
const A_SERVICE: &str = "an AWS service";

/// AWS services that act on a user's request: the resources that they create belong to that user.
const AT_WORK: [&str; 4] = ["CloudFormation", "EMR", "Elastic Beanstalk", "AWS Batch"];

/// Software that gets its sessions from AWS itself: no event records their creator.
const BY_AWS: [&str; 22] = [
    "an EC2 instance",
    "a managed instance of Systems Manager",
    "CodeBuild",
    "CloudFormation",
    "Elastic Beanstalk",
    "AWS Batch",
    "AWS Config",
    "CloudTrail",
    "API Gateway",
    "AppStream",
    "Athena",
    "Firehose",
    "RDS",
    "VM Import",
    "Glue",
    "EMR",
    "SageMaker",
    "Redshift",
    "AWS Backup",
    "Lambda",
    "Systems Manager Automation",
    "an EKS pod",
];

/// The software that generated a session's name, if it is generated: "an EC2 instance". `invoked_by` is the AWS service that made
/// the call. Identity Center names the sessions of its permission sets after users, so these are never generated.
pub(super) fn maker_of(session: &Session<'_>, invoked_by: Option<&str>) -> Option<&'static str> {
    let name = session.name.filter(|_| session.permission_set().is_none())?;
    let known = names::maker_of(name);
    if known.is_some() || is_email(name) {
        return known;
    }
    if service::is_named_after_service(session, name, invoked_by) {
        return Some(A_SERVICE);
    }
    (shape::is_generated(name) || service::is_named_after_role(session, name)).then_some(A_PROGRAM)
}

/// Whether an AWS service chose the name for its own work, with a role that it was given. A service that calls in a session with any
/// generated name does (EKS, for load balancers and nodes).
pub(super) fn is_of_a_service_at_work(session: &Session<'_>, invoked_by: Option<&str>) -> bool {
    let is_called_by_service = invoked_by.and_then(service_of).is_some();
    maker_of(session, invoked_by).is_some_and(|maker| is_called_by_service || AT_WORK.contains(&maker))
}

/// Whether AWS itself probably issued the session, so that no event records its creator.
pub(super) fn is_handed_out_by_aws(session: &Session<'_>, invoked_by: Option<&str>) -> bool {
    maker_of(session, invoked_by).is_some_and(|maker| maker == A_SERVICE || BY_AWS.contains(&maker))
}
