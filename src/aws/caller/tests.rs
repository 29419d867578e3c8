//! The caller against servers of the test: the endpoints that it calls, and the requests.

use std::collections::BTreeMap;

use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime::client::identity::IdentityCache;
use serde_json::json;

use super::*;
use crate::aws::test_server::{TestServer, answer};
use crate::resource_map::{FixedEndpoint, Protocol};

fn s3_control() -> Service {
    Service {
        endpoint: "{^x-amz-account-id}.s3-control".to_owned(),
        signing: "s3".to_owned(),
        ..Service::named("s3control", "S3 Control", Protocol::RestXml)
    }
}

/// A service that gives each account its own endpoint at `url`.
fn timestream(url: String) -> Service {
    let regional = FixedEndpoint { url, region: None, discovery: Some("DescribeEndpoints".to_owned()) };
    Service {
        endpoint: "ingest.timestream".to_owned(),
        endpoints: BTreeMap::from([("aws".to_owned(), regional)]),
        ..Service::json("timestream", "timestream write", "Timestream_20181101")
    }
}

fn caller() -> Caller {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(crate::aws::http::http_client(None))
        .sleep_impl(TokioSleep::new())
        .identity_cache(IdentityCache::lazy().build())
        .build();
    let credentials = Credentials::new("AKIA", "secret", None, None, "test");
    let credentials = SharedCredentialsProvider::new(credentials);
    Caller::new(config, credentials, Arc::default(), Counts::default(), Origin::default())
}

fn server(bodies: &[String]) -> TestServer {
    TestServer::start(bodies.iter().map(|body| answer("200 OK", body.len(), body)).collect())
}

#[tokio::test]
async fn a_service_that_gives_each_account_an_endpoint_is_asked_for_it_once() {
    let own = server(&[r#"{"Databases": []}"#.to_owned(), "{}".to_owned()]);
    let endpoints = json!({"Endpoints": [{"Address": own.address, "CachePeriodInMinutes": 5}]});
    let regional = server(&[endpoints.to_string()]);
    let (caller, service) = (caller(), timestream(format!("http://{}", regional.address)));
    for operation in ["ListDatabases", "TagResource"] {
        caller.call(&service, &"us-east-1".into(), operation, &json!({})).await.unwrap();
    }
    let targets = |heads: Vec<String>| -> Vec<String> {
        let target = |head: &String| head.lines().find(|line| line.starts_with("x-amz-target")).unwrap().to_owned();
        heads.iter().map(target).collect()
    };
    assert_eq!(targets(regional.heads.join().unwrap()), ["x-amz-target: timestream_20181101.describeendpoints"]);
    let wanted = ["listdatabases", "tagresource"].map(|name| format!("x-amz-target: timestream_20181101.{name}"));
    assert_eq!(targets(own.heads.join().unwrap()), wanted);
}

#[test]
fn a_host_takes_in_the_calls_own_input() {
    let service = s3_control();
    let url = |input: &Value, configured: Option<&str>| {
        let (region, configured) = (Region::from("eu-west-1"), configured.map(str::to_owned));
        let endpoint = Endpoint::of(&service, &region, configured, Switches::default()).unwrap();
        with_inputs(&endpoint.url, &service, input).map_err(|error| error.to_string())
    };
    let account = json!({"^x-amz-account-id": "123456789012"});
    assert_eq!(url(&account, None).unwrap(), "https://123456789012.s3-control.eu-west-1.amazonaws.com");
    assert_eq!(url(&account, Some("http://127.0.0.1:5000")).unwrap(), "http://127.0.0.1:5000");
    for evil in [json!({}), json!({"^x-amz-account-id": ""}), json!({"^x-amz-account-id": "evil.example/"})] {
        assert!(url(&evil, None).is_err(), "{evil}");
    }
}
