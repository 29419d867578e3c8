//! The whole job: resources made through the AWS API, their trail loaded, owners tagged, the run undone. What is on the
//! server is always asked of boto3. Every type at once is [`crate::catalog`]'s.

mod left_behind;
