//! Organizations: the tagger across accounts and regions, on moto with many accounts (by AssumeRole).

mod accounts_file;
mod aggregator;
mod fan_out;
mod interrupted;
mod lab;
mod limits;
mod scope;
