//! What a file is that holds no CloudTrail records, in the words of the people who look for it.

use super::Members;

/// The kind of a file, or of a value in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A digest of CloudTrail's log file validation.
    Digest,
    /// CloudTrail Insights events: statistics.
    Insights,
    /// CloudTrail's aggregated data events: five-minute summaries.
    Aggregated,
    /// A result of CloudTrail Lake or CloudWatch Logs Insights without the column that has records.
    Rows,
    /// VPC flow log.
    FlowLog,
    /// Access log of a load balancer, of any generation.
    LoadBalancerLog,
    /// S3 server access log.
    S3AccessLog,
    /// CloudFront standard log.
    CloudFrontLog,
    /// AWS Config snapshot, history or change notification.
    Config,
    /// AWS WAF web ACL traffic log.
    Waf,
    /// GuardDuty finding.
    GuardDuty,
    /// Security Hub findings (ASFF).
    SecurityHub,
    /// Route 53 Resolver query log.
    ResolverLog,
    /// AWS Network Firewall log.
    NetworkFirewall,
    /// OCSF, as in Security Lake.
    Ocsf,
    /// Kubernetes audit log, as of EKS.
    Kubernetes,
    /// An EventBridge event of another source.
    EventBridge,
    /// A notification of S3, or a record that a Lambda function got from a queue or a stream.
    Notification,
    /// What a service writes to check its permissions.
    PermissionCheck,
    /// A log event of a log group that is not a record.
    LogEvent,
    /// Other JSON.
    Json,
    /// CloudTrail events as comma-separated values: a result of CloudTrail Lake or Athena, or a download of Event history.
    EventsCsv,
    /// Other comma-separated values.
    Csv,
    /// XML or HTML.
    Xml,
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    Orc,
    /// Apache Avro.
    Avro,
    /// A ZIP archive.
    Zip,
    /// A tar archive.
    Tar,
    /// Compressed with bzip2.
    Bzip2,
    /// Compressed with xz.
    Xz,
    /// Compressed with Snappy.
    Snappy,
    /// An SQLite database.
    Sqlite,
    /// Other text.
    Text,
    /// Other bytes.
    Binary,
}

impl Kind {
    /// The kind with its article: `a VPC flow log`.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Digest => "a CloudTrail digest",
            Self::Insights => "CloudTrail Insights events",
            Self::Aggregated => "CloudTrail aggregated events",
            Self::Rows => "a query result without eventData or @message",
            Self::FlowLog => "a VPC flow log",
            Self::LoadBalancerLog => "an ELB access log",
            Self::S3AccessLog => "an S3 server access log",
            Self::CloudFrontLog => "a CloudFront access log",
            Self::Config => "an AWS Config snapshot",
            Self::Waf => "an AWS WAF log",
            Self::GuardDuty => "a GuardDuty finding",
            Self::SecurityHub => "Security Hub findings",
            Self::ResolverLog => "a Route 53 Resolver query log",
            Self::NetworkFirewall => "a Network Firewall log",
            Self::Ocsf => "OCSF events",
            Self::Kubernetes => "a Kubernetes audit log",
            Self::EventBridge => "an EventBridge event that is not from CloudTrail",
            Self::Notification => "an event notification",
            Self::PermissionCheck => "a permission check",
            Self::LogEvent => "a log event that is not from CloudTrail",
            Self::Json => "JSON without CloudTrail records",
            Self::EventsCsv => "CloudTrail events as CSV (save them as JSON to load them)",
            Self::Csv => "a CSV file",
            Self::Xml => "an XML or HTML file",
            Self::Parquet => "a Parquet file (load its table with load-athena)",
            Self::Orc => "an ORC file (load its table with load-athena)",
            Self::Avro => "an Avro file",
            Self::Zip => "a ZIP archive",
            Self::Tar => "a tar archive",
            Self::Bzip2 => "a bzip2 file",
            Self::Xz => "an xz file",
            Self::Snappy => "a Snappy file",
            Self::Sqlite => "an SQLite database (see import)",
            Self::Text => "plain text",
            Self::Binary => "binary data",
        }
    }

    /// Whether it is nothing in particular. A file that is named as JSON is then a damaged one.
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }

    /// Whether CloudTrail writes it.
    pub fn is_of_cloudtrail(self) -> bool {
        matches!(self, Self::Digest | Self::Insights | Self::Aggregated)
    }
}

/// The kind of an object, by its keys. `None` if it is not known.
pub(super) fn of_object(members: &Members<'_>) -> Option<Kind> {
    let all = |keys: &[&str]| members.has_all(keys);
    if members.has_any(&["configurationItems", "configSnapshotId", "configurationItem"]) {
        Some(Kind::Config)
    } else if all(&["webaclId", "httpRequest"]) {
        Some(Kind::Waf)
    } else if all(&["query_name", "query_class"]) {
        Some(Kind::ResolverLog)
    } else if all(&["firewall_name", "event"]) {
        Some(Kind::NetworkFirewall)
    } else if members.has("class_uid") {
        Some(Kind::Ocsf)
    } else if members.has_any(&["Findings", "ProductArn"]) {
        Some(Kind::SecurityHub)
    } else if all(&["schemaVersion", "service"]) {
        Some(Kind::GuardDuty)
    } else if members.is_like("apiVersion", |version| version.starts_with(b"audit.k8s.io/")) {
        Some(Kind::Kubernetes)
    } else if members.is("Service", "Amazon S3") && members.has("Event") {
        Some(Kind::Notification)
    } else {
        None
    }
}

/// The kind of an object that is too large for memory, by one of its first keys.
pub(in crate::trail) fn of_large_object(key: &str) -> Option<Kind> {
    matches!(key, "configurationItems" | "configSnapshotId").then_some(Kind::Config)
}
