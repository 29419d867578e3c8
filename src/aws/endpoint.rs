//! Where a service's endpoint is: as configured, else partition-wide by the map, else by AWS's pattern; with FIPS and dual
//! stack (`AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`, or the profile's words for them) by data where a service
//! doesn't follow the pattern.

use std::collections::HashMap;
use std::sync::LazyLock;

use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use serde::Deserialize;

use crate::model::Region;
use crate::resource_map::Service;

/// Which kind of endpoint is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Switches {
    /// Cryptography by FIPS 140.
    pub(super) fips: bool,
    /// IPv4 and IPv6.
    pub(super) dual_stack: bool,
}

impl Switches {
    /// As environment or profile say.
    ///
    /// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html>
    pub(super) fn of(config: &SdkConfig) -> Self {
        Self { fips: config.use_fips().unwrap_or_default(), dual_stack: config.use_dual_stack().unwrap_or_default() }
    }
}

/// An endpoint and the region to sign for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) signing_region: String,
    /// The call that returns the account's own endpoint, for services that have such calls.
    pub(super) discovery: Option<String>,
}

impl Endpoint {
    /// The endpoint of `service` for `region`; `None` where there is none of that kind. `configured` takes the place of the
    /// URL, but signing stays the partition's.
    pub(super) fn of(
        service: &Service,
        region: &Region,
        configured: Option<String>,
        switches: Switches,
    ) -> Option<Self> {
        let fixed = service.endpoints.get(region.partition());
        let signing_region = fixed.and_then(|fixed| fixed.region.as_deref()).unwrap_or(region.as_str()).to_owned();
        // A configured endpoint is meant to take all calls, as in other SDKs.
        let discovery = fixed.filter(|_| configured.is_none()).and_then(|fixed| fixed.discovery.clone());
        let url = match (configured, fixed, switches) {
            (Some(url), ..) => url,
            (None, Some(fixed), Switches { fips: false, dual_stack: false }) => {
                fixed.url.replace("{region}", region.as_str())
            }
            _ => url(service, region, switches)?,
        };
        Some(Self { url, signing_region, discovery })
    }
}

/// URLs that don't follow the pattern, by SDK id in small letters, then by region or partition.
static EXCEPTIONS: LazyLock<HashMap<String, HashMap<String, Variants>>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("endpoint-variants.json")).expect("a test makes the same text anew")
});

/// URLs with `{region}` in place of the region; empty if there is no such endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variants {
    fips: Option<String>,
    dual: Option<String>,
    fips_dual: Option<String>,
}

impl Variants {
    fn get(&self, switches: Switches) -> Option<&String> {
        match switches {
            Switches { fips: false, dual_stack: false } => None,
            Switches { fips: true, dual_stack: false } => self.fips.as_ref(),
            Switches { fips: false, dual_stack: true } => self.dual.as_ref(),
            Switches { fips: true, dual_stack: true } => self.fips_dual.as_ref(),
        }
    }
}

fn url(service: &Service, region: &Region, switches: Switches) -> Option<String> {
    let exceptions = EXCEPTIONS.get(&service.sdk_id.to_lowercase());
    let exception = [region.as_str(), region.partition()]
        .into_iter()
        .find_map(|place| exceptions.and_then(|places| places.get(place))?.get(switches));
    if let Some(url) = exception {
        if url.is_empty() {
            return None;
        }
        // What a call's own inputs put before the host is not in the data.
        let inputs = service.endpoint.rfind("}.").map_or("", |end| &service.endpoint[..end + "}.".len()]);
        let url = url.replace("{region}", region.as_str()).replacen("https://", &format!("https://{inputs}"), 1);
        return Some(url);
    }
    let fips = if switches.fips { "-fips" } else { "" };
    let (plain, dual) = dns_suffixes(region);
    let suffix = if switches.dual_stack { dual } else { plain };
    Some(format!("https://{}{fips}.{region}.{suffix}", service.endpoint))
}

/// The domains of a region's partition: of usual endpoints, and of those with dual stack.
///
/// Source: botocore's `partitions.json`.
fn dns_suffixes(region: &Region) -> (&'static str, &'static str) {
    match region.partition() {
        "aws-cn" => ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        "aws-iso" => ("c2s.ic.gov", "api.aws.ic.gov"),
        "aws-iso-b" => ("sc2s.sgov.gov", "api.aws.scloud"),
        "aws-iso-e" => ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
        "aws-iso-f" => ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
        "aws-eusc" => ("amazonaws.eu", "api.amazonwebservices.eu"),
        _ => ("amazonaws.com", "api.aws"),
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

/// The configuration in which an endpoint that is set to nothing (`AWS_ENDPOINT_URL_S3=`) is not set, as in other SDKs: this
/// one would take it for a URL.
pub(super) fn without_empty_urls(config: SdkConfig) -> SdkConfig {
    let url = config.endpoint_url().filter(|url| !url.is_empty()).map(str::to_owned);
    let settings = WithoutEmpty(config.clone());
    let mut builder = config.into_builder().service_config(settings);
    builder.set_endpoint_url(url);
    builder.build()
}

/// A configuration's settings of single services, without those that are empty.
#[derive(Debug)]
struct WithoutEmpty(SdkConfig);

impl LoadServiceConfig for WithoutEmpty {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.0.service_config()?.load_config(key).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::resource_map::{FixedEndpoint, Protocol};

    fn service(endpoints: &[(&str, &str, &str)]) -> Service {
        let fixed = |url: &str, region: &str| FixedEndpoint {
            url: url.to_owned(),
            region: Some(region.to_owned()),
            discovery: None,
        };
        let endpoints = endpoints.iter().map(|(name, url, region)| ((*name).to_owned(), fixed(url, region))).collect();
        Service { endpoints, ..Service::named("iam", "IAM", Protocol::Query) }
    }

    fn endpoint(service: &Service, region: &str, configured: Option<&str>) -> (String, String) {
        let configured = configured.map(str::to_owned);
        let endpoint = Endpoint::of(service, &Region::from(region), configured, Switches::default()).unwrap();
        (endpoint.url, endpoint.signing_region)
    }

    /// With FIPS, with dual stack, with both.
    fn variants(service: &Service, region: &str) -> [Option<String>; 3] {
        [(true, false), (false, true), (true, true)].map(|(fips, dual_stack)| {
            Some(Endpoint::of(service, &Region::from(region), None, Switches { fips, dual_stack })?.url)
        })
    }

    #[test]
    fn fips_and_dual_stack_follow_the_pattern_or_the_data() {
        let mut service = service(&[("aws", "https://iam.amazonaws.com", "us-east-1")]);
        let urls = |service: &Service, region: &str| variants(service, region).map(Option::unwrap_or_default);
        assert_eq!(
            urls(&service, "eu-west-1"),
            ["https://iam-fips.amazonaws.com", "https://iam.global.api.aws", "https://iam-fips.global.api.aws"]
        );
        service.sdk_id = "SFN".to_owned();
        service.endpoint = "states".to_owned();
        assert_eq!(
            urls(&service, "us-gov-west-1"),
            [
                "https://states.us-gov-west-1.amazonaws.com",
                "https://states-fips.us-gov-west-1.api.aws",
                "https://states-fips.us-gov-west-1.api.aws"
            ],
            "one region of the partition is unlike the other"
        );
        assert_eq!(urls(&service, "us-gov-east-1")[0], "https://states-fips.us-gov-east-1.amazonaws.com");
        service.sdk_id = "unknown to AWS".to_owned();
        assert_eq!(
            urls(&service, "cn-north-1"),
            [
                "https://states-fips.cn-north-1.amazonaws.com.cn",
                "https://states.cn-north-1.api.amazonwebservices.com.cn",
                "https://states-fips.cn-north-1.api.amazonwebservices.com.cn"
            ]
        );
        service.sdk_id = "S3 Control".to_owned();
        service.endpoint = "{^x-amz-account-id}.s3-control".to_owned();
        assert_eq!(
            urls(&service, "eu-west-1")[..2],
            [
                "https://{^x-amz-account-id}.s3-control-fips.eu-west-1.amazonaws.com",
                "https://{^x-amz-account-id}.s3-control.dualstack.eu-west-1.amazonaws.com"
            ]
        );
        service.sdk_id = "S3".to_owned();
        assert_eq!(variants(&service, "cn-north-1")[0], None, "there is no such endpoint");
        let configured = Some("http://127.0.0.1:1".to_owned());
        let switches = Switches { fips: true, dual_stack: true };
        let endpoint = Endpoint::of(&service, &Region::from("cn-north-1"), configured, switches).unwrap();
        assert_eq!(endpoint.url, "http://127.0.0.1:1");
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
