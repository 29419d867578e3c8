//! The head of a service's file: how the service is called.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use crate::model::Region;
use crate::resource_map::definition::{FixedEndpoint, Protocol, Service};
use crate::resource_map::yaml::{EndpointStanza, ServiceFile};
use crate::text::source::{FileError, Source, Text};

/// The service; `None` for a file without `service` or `protocol`, which can give events only.
pub(in crate::resource_map) fn compile(source: Source<'_>, file: &ServiceFile) -> Result<Option<Service>, FileError> {
    let (Some(name), Some(protocol)) = (&file.service, &file.protocol) else {
        return Ok(None);
    };
    check_protocol_keys(source, file, protocol)?;
    let value = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
    let endpoint = value(&file.endpoint).unwrap_or_else(|| name.value.clone());
    let signing = value(&file.signing).unwrap_or_else(|| endpoint.clone());
    check_endpoint(source, file)?;
    let is_xml = protocol.value == Protocol::RestXml;
    if let Some(text) = file.namespace.as_ref().filter(|_| !is_xml) {
        return Err(source.error(text.referenced, "`namespace` is for protocol rest-xml only; remove it"));
    }
    Ok(Some(Service {
        name: name.value.clone(),
        sdk_id: value(&file.sdk_id).unwrap_or_else(|| name.value.replace('-', " ")),
        protocol: protocol.value,
        event_source: event_source(source, file)?.unwrap_or_else(|| default_event_source(&signing)),
        iam: value(&file.iam).unwrap_or_else(|| signing.clone()),
        namespace: value(&file.namespace),
        endpoint,
        signing,
        target: value(&file.target),
        json_version: value(&file.json),
        version: value(&file.version),
        endpoints: fixed_endpoints(source, &file.endpoints)?,
    }))
}

/// Each brace in an endpoint has its partner, with a name between them.
fn check_endpoint(source: Source<'_>, file: &ServiceFile) -> Result<(), FileError> {
    let Some(text) = &file.endpoint else { return Ok(()) };
    if text.value.contains('{') && (file.signing.is_none() || file.event_source.is_none()) {
        let message = "an `endpoint` with {…} needs `signing` and `event_source` beside it";
        return Err(source.error(text.referenced, message));
    }
    let is_host = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let mut pieces = text.value.split('{');
    let first = pieces.next().unwrap_or_default();
    let is_whole = |piece: &str| piece.split_once('}').is_some_and(|(name, after)| !name.is_empty() && is_host(after));
    if is_host(first) && pieces.all(is_whole) {
        return Ok(());
    }
    let message = format!("`{}` is not the beginning of a host's name, with or without {{parameter}}", text.value);
    Err(source.error(text.referenced, message))
}

/// eventSource of the file's events that don't name theirs; `None` if the file does not name it.
pub(super) fn event_source(source: Source<'_>, file: &ServiceFile) -> Result<Option<String>, FileError> {
    if let Some(text) = &file.event_source {
        return check_event_source(source, text).map(|text| Some(text.value.clone()));
    }
    let signing = file.signing.as_ref().or(file.endpoint.as_ref()).or(file.service.as_ref());
    Ok(signing.map(|text| default_event_source(&text.value)))
}

fn default_event_source(signing: &str) -> String {
    format!("{signing}.amazonaws.com")
}

/// An eventSource that no event can have would make the map silently find nothing.
pub(super) fn check_event_source<'text>(source: Source<'_>, text: &'text Text) -> Result<&'text Text, FileError> {
    if text.value.contains('.') {
        return Ok(text);
    }
    let message = format!("`{0}` is not an eventSource; write {0}.amazonaws.com", text.value);
    Err(source.error(text.referenced, message))
}

/// Each protocol has keys it needs; the others have no meaning for it.
fn check_protocol_keys(source: Source<'_>, file: &ServiceFile, protocol: &Spanned<Protocol>) -> Result<(), FileError> {
    let is_json = protocol.value == Protocol::Json;
    let is_query = matches!(protocol.value, Protocol::Query | Protocol::Ec2);
    let keys = [
        ("target", &file.target, is_json, "json", "the part of X-Amz-Target before the operation"),
        ("json", &file.json, is_json, "json", "'1.0' or '1.1'"),
        ("version", &file.version, is_query, "query and ec2", "the API's version, such as '2010-05-08'"),
    ];
    for (key, text, belongs, protocols, what) in keys {
        match text {
            None if belongs => {
                let message = format!("this protocol needs `{key}`: {what}");
                return Err(source.error(protocol.referenced, message));
            }
            Some(text) if !belongs => {
                let message = format!("`{key}` is for protocol {protocols} only; remove it");
                return Err(source.error(text.referenced, message));
            }
            _ => {}
        }
    }
    match &file.json {
        Some(text) if !["1.0", "1.1"].contains(&text.value.as_str()) => Err(source
            .error(text.referenced, format!("`{}` is not a version of AWS JSON; write '1.0' or '1.1'", text.value))),
        _ => Ok(()),
    }
}

fn fixed_endpoints(
    source: Source<'_>,
    stanzas: &BTreeMap<String, EndpointStanza>,
) -> Result<BTreeMap<String, FixedEndpoint>, FileError> {
    let mut endpoints = BTreeMap::new();
    for (partition, stanza) in stanzas {
        let EndpointStanza { url, region, discovery } = stanza;
        if !url.value.starts_with("https://") {
            return Err(source.error(url.referenced, format!("`{}` is not a URL that starts with https://", url.value)));
        }
        let region = region.as_ref().map(|region| region_in(source, partition, region)).transpose()?;
        let follows_region = url.value.contains("{region}");
        if url.value.replace("{region}", "").contains(['{', '}']) {
            return Err(source.error(url.referenced, "the only placeholder of an endpoint's URL is {region}"));
        }
        if region.is_none() && !follows_region {
            let message = "`region` is missing here: the region to sign for, where the URL has no {region}";
            return Err(source.error(url.referenced, message));
        }
        let discovery = discovery.as_ref().map(|call| call.value.clone());
        endpoints.insert(partition.clone(), FixedEndpoint { url: url.value.clone(), region, discovery });
    }
    Ok(endpoints)
}

/// A region of `partition`.
fn region_in(source: Source<'_>, partition: &str, region: &Text) -> Result<String, FileError> {
    let parsed: Region = region.value.parse().map_err(|error| source.error(region.referenced, format!("{error}")))?;
    if parsed.partition() == partition {
        return Ok(region.value.clone());
    }
    let message = format!("{parsed} is in partition {}, not in `{partition}`", parsed.partition());
    Err(source.error(region.referenced, message))
}
