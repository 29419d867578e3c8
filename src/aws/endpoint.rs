//! Where a service's endpoint is: as configured, else partition-wide by the map, else by AWS's pattern.

use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

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
        let signing_region = fixed.map_or(region.as_str(), |fixed| fixed.region.as_str()).to_owned();
        let url = configured.or_else(|| fixed.map(|fixed| fixed.url.clone()));
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::resource_map::{FixedEndpoint, Protocol};

    fn service(endpoints: &[(&str, &str, &str)]) -> Service {
        let fixed = |url: &str, region: &str| FixedEndpoint { url: url.to_owned(), region: region.to_owned() };
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
}
