//! How fields are packed that derived code can't pack.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::PackedServices;
use super::index::{Index, Part, index, read};
use crate::resource_map::Service;
use crate::resource_map::later::Later;

/// The service of a built-in file, by botocore's name. All types of a service share it.
pub(in crate::resource_map) fn service(name: &str) -> Option<Arc<Service>> {
    static SERVICES: LazyLock<HashMap<&'static str, Later<Arc<Service>>>> = LazyLock::new(|| {
        let Index { services, parts, .. } = index();
        let services: PackedServices<'_> = read(services);
        let later = |service: Part| Later::new(service.of(parts), |packed| Arc::new(read(packed)));
        services.into_iter().map(|(name, service)| (name, later(service))).collect()
    });
    SERVICES.get(name).map(|service| Arc::clone(service))
}

/// A service as its name: it is packed once, however many types it has.
pub(in crate::resource_map) mod service_by_name {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::resource_map::Service;

    pub(in crate::resource_map) fn serialize<S: Serializer>(service: &Arc<Service>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&service.name)
    }

    pub(in crate::resource_map) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Service>, D::Error> {
        let name = <&str>::deserialize(from)?;
        super::service(name).ok_or_else(|| de::Error::custom("no such service is packed"))
    }
}

/// JSON as text: postcard only reads what it knows the form of.
pub(in crate::resource_map) mod json_text {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};
    use serde_json::Value;

    pub(in crate::resource_map) fn serialize<S: Serializer>(value: &Value, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(value).map_err(ser::Error::custom)?)
    }

    pub(in crate::resource_map) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        serde_json::from_str(<&str>::deserialize(from)?).map_err(de::Error::custom)
    }
}
