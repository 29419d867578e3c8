//! `watch`: what is in a queue, against moto's SQS, S3 and taggable services.

mod accounts;
mod bulk;
mod interrupted;
mod kills;
mod lab;
mod messages;
mod options;
mod tagging;
mod unreadable;
