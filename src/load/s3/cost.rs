//! Estimates the cost of a load's requests: prices of us-east-1 and most regions, without taxes, discounts and data transfer
//! out of the bucket's region.
//!
//! Source: <https://aws.amazon.com/s3/pricing/> (S3 Standard)

use std::collections::BTreeMap;

use super::SelectFigures;

/// Dollars for a LIST.
const LIST: f64 = 0.005 / 1000.0;
/// Dollars for a GET, HEAD or SELECT.
const GET: f64 = 0.0004 / 1000.0;
/// Dollars for a GB that Select scans.
const SCANNED_GB: f64 = 0.002;
/// Dollars for a GB that Select returns.
const RETURNED_GB: f64 = 0.0007;

const GB: f64 = 1e9;

/// The cost in dollars of requests by operation (`s3:GetObject`), and of the bytes that Select scanned and returned.
pub fn estimated_dollars(requests: &BTreeMap<String, u64>, select: &SelectFigures) -> f64 {
    let count = |operation: &str| as_f64(requests.get(operation).copied().unwrap_or_default());
    let gets: f64 = ["s3:GetObject", "s3:HeadBucket", "s3:SelectObjectContent"].into_iter().map(count).sum();
    count("s3:ListObjectsV2") * LIST
        + gets * GET
        + as_f64(select.scanned()) / GB * SCANNED_GB
        + as_f64(select.returned()) / GB * RETURNED_GB
}

#[allow(clippy::cast_precision_loss, reason = "an estimate")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_cost_more_than_gets() {
        let requests = [("s3:ListObjectsV2", 721), ("s3:GetObject", 1000), ("s3:HeadBucket", 1)];
        let requests = requests.map(|(name, count)| (name.to_owned(), count)).into();
        let dollars = estimated_dollars(&requests, &SelectFigures::default());
        assert!((dollars - 0.004_005_4).abs() < 1e-9, "{dollars}");
    }
}
