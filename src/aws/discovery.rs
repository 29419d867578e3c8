//! Endpoints that a service gives each account: fetched from the region's endpoint, cached for as long as the response allows.
//!
//! Timestream's regional endpoints know no call but DescribeEndpoints; which services are so, the maps say. Knows neither how
//! the question is sent nor what is called afterwards.
//!
//! Source: <https://docs.aws.amazon.com/timestream/latest/developerguide/Using-API.endpoint-discovery.how-it-works.html>

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Answer, CallError};
use crate::model::Region;
use crate::resource_map::Service;

/// The known endpoints, by signing name and region. Concurrent callers wait for one request.
#[derive(Debug, Default)]
pub(super) struct Discovered(Mutex<HashMap<(String, Region), CachedEndpoint>>);

#[derive(Debug)]
struct CachedEndpoint {
    url: String,
    until: Instant,
}

impl Discovered {
    /// The account's own endpoint of `service` in `region`: the known one, or the answer of `ask` at `regional`, with the same scheme.
    ///
    /// # Errors
    /// Those of `ask`; and an answer that names no host.
    pub(super) async fn url(
        &self,
        service: &Service,
        region: &Region,
        regional: &str,
        ask: impl AsyncFnOnce() -> Result<Answer, CallError>,
    ) -> Result<String, CallError> {
        let mut known = self.0.lock().await;
        let key = (service.signing.clone(), region.clone());
        if let Some(cached) = known.get(&key).filter(|cached| Instant::now() < cached.until) {
            return Ok(cached.url.clone());
        }
        let answer = ask().await?;
        let endpoint = endpoint_in(&answer.body, regional).ok_or_else(|| {
            let call = format!("{}:endpoints", service.signing);
            CallError::bad_answer(&call, region, format!("it names no endpoint: {}", answer.body))
        })?;
        let url = endpoint.url.clone();
        known.insert(key, endpoint);
        Ok(url)
    }
}

/// The first endpoint of an answer: `{"Endpoints": [{"Address": "…", "CachePeriodInMinutes": 1440}]}`.
fn endpoint_in(answer: &Value, regional: &str) -> Option<CachedEndpoint> {
    const SECONDS_A_MINUTE: u64 = 60;
    let first = &answer["Endpoints"][0];
    let address = first["Address"].as_str().filter(|address| is_host(address))?;
    let (scheme, _) = regional.split_once("://")?;
    let minutes = first["CachePeriodInMinutes"].as_u64().unwrap_or_default();
    let kept = Duration::from_secs(minutes.saturating_mul(SECONDS_A_MINUTE));
    // A period without end is as good as none.
    let until = Instant::now().checked_add(kept).unwrap_or_else(Instant::now);
    Some(CachedEndpoint { url: format!("{scheme}://{address}"), until })
}

/// A host's name, maybe with a port: nothing that could be a path or another user's name.
fn is_host(address: &str) -> bool {
    !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_names_a_host_and_how_long_it_holds() {
        let answer = json!({"Endpoints": [{"Address": "ingest-cell1.example.com", "CachePeriodInMinutes": 1440}]});
        let before = Instant::now();
        let found = endpoint_in(&answer, "https://ingest.example.com").unwrap();
        assert_eq!(found.url, "https://ingest-cell1.example.com");
        assert!(found.until >= before + Duration::from_secs(86_400));
        let endless = json!({"Endpoints": [{"Address": "a", "CachePeriodInMinutes": u64::MAX}]});
        assert!(endpoint_in(&endless, "https://x").is_some());
    }

    #[test]
    fn what_is_no_host_is_not_called() {
        let of = |address: Value| json!({"Endpoints": [{"Address": address, "CachePeriodInMinutes": 1}]});
        for evil in ["", "evil.example/x", "user@evil.example", "a?b", "a#b"] {
            assert!(endpoint_in(&of(json!(evil)), "https://x").is_none(), "{evil}");
        }
        for answer in [json!({}), json!({"Endpoints": []}), of(Value::Null)] {
            assert!(endpoint_in(&answer, "https://x").is_none(), "{answer}");
        }
    }
}
