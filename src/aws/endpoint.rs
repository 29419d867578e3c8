//! Where a service's endpoint is: as configured, else partition-wide by the map, else by AWS's pattern.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::names::Region;
use crate::resource_map::Service;

/// An endpoint and the region to sign for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) signing_region: String,
}

impl Endpoint {
    /// The endpoint of `service` for `region`. `configured` takes the place of the URL, but signing stays the partition's.
    pub(super) fn of(service: &Service, region: &Region, configured: Option<String>) -> Self {
        let fixed = service.endpoints.get(region.partition());
        let signing_region = fixed.and_then(|fixed| fixed.region.as_deref()).unwrap_or(region.as_str()).to_owned();
        let url = configured.or_else(|| fixed.map(|fixed| fixed.url.replace("{region}", region.as_str())));
        let url = url.unwrap_or_else(|| format!("https://{}.{region}.{}", service.endpoint, dns_suffix(region)));
        Self { url, signing_region }
    }
}

/// The domain of a region's partition.
///
/// Source: botocore's `partitions.json`.
fn dns_suffix(region: &Region) -> &'static str {
    match region.partition() {
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

/// The URL that options, environment or profile set for a service, in the order of AWS's SDKs.
///
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
pub(super) fn configured_url(config: &SdkConfig, sdk_id: &str) -> Option<String> {
    let general = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general();
    }
    let key = ServiceConfigKey::builder().service_id(sdk_id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let specific = config.service_config().and_then(|settings| settings.load_config(key.ok()?));
    specific.or_else(general)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::resource_map::{FixedEndpoint, Protocol};

    fn service(endpoints: &[(&str, &str, &str)]) -> Service {
        let fixed = |url: &str, region: &str| FixedEndpoint { url: url.to_owned(), region: Some(region.to_owned()) };
        Service {
            name: "iam".to_owned(),
            sdk_id: "IAM".to_owned(),
            protocol: Protocol::Query,
            endpoint: "iam".to_owned(),
            signing: "iam".to_owned(),
            target: None,
            json_version: None,
            version: None,
            event_source: "iam.amazonaws.com".to_owned(),
            iam: "iam".to_owned(),
            namespace: None,
            endpoints: endpoints
                .iter()
                .map(|(name, url, region)| ((*name).to_owned(), fixed(url, region)))
                .collect::<BTreeMap<_, _>>(),
        }
    }

    fn endpoint(service: &Service, region: &str, configured: Option<&str>) -> (String, String) {
        let endpoint = Endpoint::of(service, &Region::from(region), configured.map(str::to_owned));
        (endpoint.url, endpoint.signing_region)
    }

    #[test]
    fn the_domain_is_the_partitions() {
        let service = service(&[]);
        let url = |region| endpoint(&service, region, None).0;
        assert_eq!(url("eu-west-1"), "https://iam.eu-west-1.amazonaws.com");
        assert_eq!(url("cn-north-1"), "https://iam.cn-north-1.amazonaws.com.cn");
        assert_eq!(url("us-gov-west-1"), "https://iam.us-gov-west-1.amazonaws.com");
        assert_eq!(url("us-isob-east-1"), "https://iam.us-isob-east-1.sc2s.sgov.gov");
    }

    #[test]
    fn a_partition_wide_endpoint_signs_for_its_own_region_also_when_its_url_is_overridden() {
        let service = service(&[("aws", "https://iam.amazonaws.com", "us-east-1")]);
        let pair = |url: &str, region: &str| (url.to_owned(), region.to_owned());
        assert_eq!(endpoint(&service, "eu-west-1", None), pair("https://iam.amazonaws.com", "us-east-1"));
        assert_eq!(
            endpoint(&service, "eu-west-1", Some("http://127.0.0.1:5000")),
            pair("http://127.0.0.1:5000", "us-east-1")
        );
        assert_eq!(
            endpoint(&service, "cn-north-1", None),
            pair("https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1")
        );
    }

    #[test]
    fn a_pattern_may_hold_the_region() {
        let mut service = service(&[("aws", "https://dsql.{region}.api.aws", "")]);
        service.endpoints.get_mut("aws").unwrap().region = None;
        let pair = ("https://dsql.eu-west-1.api.aws".to_owned(), "eu-west-1".to_owned());
        assert_eq!(endpoint(&service, "eu-west-1", None), pair);
    }
}
