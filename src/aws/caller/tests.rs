//! The caller against servers of the test: which endpoint is asked, and for what.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime::client::identity::IdentityCache;
use serde_json::json;

use super::*;
use crate::resource_map::FixedEndpoint;

fn s3_control() -> Service {
    Service {
        name: "s3control".to_owned(),
        sdk_id: "S3 Control".to_owned(),
        protocol: Protocol::RestXml,
        endpoint: "{^x-amz-account-id}.s3-control".to_owned(),
        signing: "s3".to_owned(),
        target: None,
        json_version: None,
        version: None,
        event_source: "s3.amazonaws.com".to_owned(),
        iam: "s3".to_owned(),
        namespace: None,
        endpoints: BTreeMap::new(),
    }
}

/// A service that tells each account its own endpoint at `url`.
fn timestream(url: String) -> Service {
    let regional = FixedEndpoint { url, region: None, discovery: Some("DescribeEndpoints".to_owned()) };
    Service {
        name: "timestream-write".to_owned(),
        sdk_id: "timestream write".to_owned(),
        protocol: Protocol::Json,
        endpoint: "ingest.timestream".to_owned(),
        signing: "timestream".to_owned(),
        target: Some("Timestream_20181101".to_owned()),
        json_version: Some("1.0".to_owned()),
        endpoints: BTreeMap::from([("aws".to_owned(), regional)]),
        ..s3_control()
    }
}

fn caller() -> Caller {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(crate::aws::http::http_client())
        .sleep_impl(TokioSleep::new())
        .identity_cache(IdentityCache::lazy().build())
        .build();
    let credentials = Credentials::new("AKIA", "secret", None, None, "test");
    Caller::new(config, SharedCredentialsProvider::new(credentials), Arc::default(), Counts::default())
}

/// A server that gives these answers, one a connection, and the heads of the requests; and its address.
fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = move |body: String| {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(&stream);
        let lines = reader.by_ref().lines().map(|line| line.unwrap().to_lowercase());
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        // What is left unread when the connection closes would reset it.
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        reader.read_exact(&mut vec![0; length]).unwrap();
        write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        head.join("\n")
    };
    (address, thread::spawn(move || answers.into_iter().map(serve).collect()))
}

#[tokio::test]
async fn a_service_that_gives_each_account_an_endpoint_is_asked_for_it_once() {
    let (own, calls) = server(vec![r#"{"Databases": []}"#.to_owned(), "{}".to_owned()]);
    let told = json!({"Endpoints": [{"Address": own, "CachePeriodInMinutes": 5}]});
    let (regional, asked) = server(vec![told.to_string()]);
    let (caller, service) = (caller(), timestream(format!("http://{regional}")));
    for operation in ["ListDatabases", "TagResource"] {
        caller.call(&service, &"us-east-1".into(), operation, &json!({})).await.unwrap();
    }
    let targets = |heads: Vec<String>| -> Vec<String> {
        let target = |head: &String| head.lines().find(|line| line.starts_with("x-amz-target")).unwrap().to_owned();
        heads.iter().map(target).collect()
    };
    assert_eq!(targets(asked.join().unwrap()), ["x-amz-target: timestream_20181101.describeendpoints"]);
    let wanted = ["listdatabases", "tagresource"].map(|name| format!("x-amz-target: timestream_20181101.{name}"));
    assert_eq!(targets(calls.join().unwrap()), wanted);
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
