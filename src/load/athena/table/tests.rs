//! Tables as the catalogue shows them, and what is understood of them.

use super::*;

/// A table with the documented columns and these partition keys and parameters.
pub(in crate::load::athena) fn metadata(keys: &[(&str, &str)], parameters: &[(&str, &str)]) -> TableMetadata {
    let own =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    let identity = "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,\
        accesskeyid:string,username:string,onbehalfof:struct<userid:string,identitystorearn:string>,\
        sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>,\
        sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,\
        webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>>>";
    let mut columns = own(&[("useridentity", identity), ("resources", "array<struct<arn:string>>")]);
    let text = "eventtime eventsource eventname awsregion sourceipaddress useragent errorcode errormessage \
        requestparameters responseelements additionaleventdata eventid recipientaccountid sharedeventid";
    columns.extend(text.split_whitespace().map(|name| (name.to_owned(), "string".to_owned())));
    TableMetadata {
        name: "cloudtrail_logs".to_owned(),
        columns,
        partition_keys: own(keys),
        parameters: own(parameters).into_iter().collect(),
    }
}

fn meanings(keys: &[(&str, &str)], parameters: &[(&str, &str)]) -> Vec<Meaning> {
    let table = Table::read("default", &metadata(keys, parameters)).unwrap();
    table.partitions.into_iter().map(|partition| partition.meaning).collect()
}

#[test]
fn columns_and_struct_fields_are_those_of_the_metadata() {
    let table = Table::read("default", &metadata(&[], &[])).unwrap();
    assert!(text_at(&table.columns, &["eventid"]));
    assert!(text_at(&table.columns, &["useridentity", "sessioncontext", "sessionissuer", "username"]));
    assert!(!text_at(&table.columns, &["useridentity", "sessioncontext", "sourceidentity"]));
    assert!(!text_at(&table.columns, &["useridentity", "sessioncontext", "sessionissuer"]), "a struct is no text");
    assert!(!text_at(&table.columns, &["useridentity", "webidfederationdata"]), "it is nested deeper");
    assert!(!text_at(&table.columns, &["resources"]));
    assert!(!text_at(&table.columns, &["vpcendpointid"]));
}

#[test]
fn a_table_of_something_else_says_what_it_lacks() {
    let mut other = metadata(&[], &[]);
    other.columns.retain(|(name, _)| name != "eventname" && name != "useridentity");
    other.columns.push(("useridentity".to_owned(), "string".to_owned()));
    let error = Table::read("logs", &other).unwrap_err().to_string();
    assert_eq!(
        error,
        "table logs.cloudtrail_logs is not a CloudTrail table: it has no eventname, useridentity as struct"
    );
}

#[test]
fn discovery_wants_exactly_one() {
    let trail = metadata(&[], &[]);
    let second = TableMetadata { name: "a_second".to_owned(), ..trail.clone() };
    let other = TableMetadata { name: "sales".to_owned(), ..TableMetadata::default() };
    assert_eq!(Table::discover("d", &[other.clone(), trail.clone()]).unwrap().name, "cloudtrail_logs");
    assert_eq!(
        Table::discover("d", std::slice::from_ref(&other)),
        Err(TableError::None { database: "d".to_owned(), looked_at: 1 })
    );
    assert_eq!(
        Table::discover("d", &[trail, other, second]),
        Err(TableError::Several {
            database: "d".to_owned(),
            candidates: vec!["a_second".to_owned(), "cloudtrail_logs".to_owned()]
        })
    );
}

/// Parameters of an enabled projection.
fn projected<'a>(parameters: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [("projection.enabled", "true")].iter().chain(parameters).copied().collect()
}

fn projected_meanings(keys: &[(&str, &str)], parameters: &[(&str, &str)]) -> Vec<Meaning> {
    meanings(keys, &projected(parameters))
}

const DOCUMENTED: [(&str, &str); 2] =
    [("projection.timestamp.type", "date"), ("projection.timestamp.format", "yyyy/MM/dd")];

#[test]
fn the_documented_partitions_are_understood() {
    let slashes = DateFormat::parse("yyyy/MM/dd").unwrap();
    assert_eq!(projected_meanings(&[("timestamp", "string")], &DOCUMENTED), [Meaning::DateText(slashes)]);
    let organization = ["account", "region", "year", "month", "day"].map(|name| (name, "string"));
    assert_eq!(
        meanings(&organization, &[]),
        [Meaning::Account, Meaning::Unused, Meaning::Year, Meaning::Month, Meaning::Day]
    );
}

#[test]
fn properties_of_a_switched_off_projection_are_ignored() {
    let day_first = [("projection.timestamp.type", "date"), ("projection.timestamp.format", "dd/MM/yyyy")];
    let injected = [("projection.timestamp.type", "injected"), ("projection.enabled", "false")];
    for parameters in [&DOCUMENTED[..], &day_first, &injected] {
        let table = Table::read("d", &metadata(&[("TimeStamp", "string")], parameters)).unwrap();
        assert_eq!(table.partitions[0].meaning, Meaning::DateOfUnknownSpelling, "{parameters:?}");
        assert!(!table.partitions[0].injected && !table.partitions[0].values_are_known);
    }
}

#[test]
fn the_path_says_what_integers_are() {
    let keys = [("a", "int"), ("y", "int"), ("m", "string"), ("d", "int")];
    let ranges = [
        ("projection.a.type", "enum"),
        ("projection.a.values", "111122223333,444455556666"),
        ("projection.y.type", "integer"),
        ("projection.y.range", "2012,2040"),
        ("projection.m.type", "integer"),
        ("projection.m.range", "1,12"),
        ("projection.m.digits", "2"),
        ("projection.d.type", "integer"),
        ("projection.d.range", "1, 31"),
    ];
    let with = |template: &'static str| {
        let parameters: Vec<_> = ranges.into_iter().chain([("storage.location.template", template)]).collect();
        projected_meanings(&keys, &parameters)
    };
    let all = [Meaning::Account, Meaning::Year, Meaning::Month, Meaning::Day];
    assert_eq!(with("s3://b/AWSLogs/o-1/${a}/CloudTrail/eu-west-1/${y}/${m}/${d}"), all);
    assert_eq!(with("s3://b/x/account=${a}/year=${Y}/month=${m}/day=${d}/"), all);
    let unused = || [Meaning::Account, Meaning::Unused, Meaning::Unused, Meaning::Unused];
    assert_eq!(with("s3://b/x/${a}/${y}/${m}/${d}"), unused(), "a range alone says nothing");
    let swapped = with("s3://b/AWSLogs/${a}/CloudTrail/eu-west-1/${d}/${y}/${m}");
    assert!(!swapped.contains(&Meaning::Year), "months and days count only below a year: {swapped:?}");
    assert_eq!(with("s3://b/AWSLogs/${d}/CloudTrail/${m}/2019/${a}-${y}")[1..], unused()[1..]);
    assert_eq!(projected_meanings(&keys, &ranges)[1..], unused()[1..]);
}

#[test]
fn an_enumeration_s_values_decide_and_not_its_name() {
    let of = |name: &'static str, values: &'static str| {
        let (kind, all) = (format!("projection.{name}.type"), format!("projection.{name}.values"));
        projected_meanings(&[(name, "string")], &[(&kind, "enum"), (&all, values)]).remove(0)
    };
    assert_eq!(of("tenant", "111122223333, 444455556666"), Meaning::Account);
    assert_eq!(of("account", "prod,dev"), Meaning::Unused);
    assert_eq!(of("month", "jan,feb"), Meaning::Unused);
    assert_eq!(of("month", "01,02"), Meaning::Month);
    assert_eq!(of("month", "2019"), Meaning::Unused);
    assert_eq!(of("year", "2019,2020"), Meaning::Year);
    assert_eq!(of("dt", "2019/01/01"), Meaning::Unused);
}

#[test]
fn other_names_are_understood_by_type() {
    assert_eq!(meanings(&[("dt", "date")], &[]), [Meaning::Date]);
    assert_eq!(meanings(&[("ingested", "date"), ("dt", "timestamp")], &[]), [Meaning::Unused, Meaning::Unused]);
    assert_eq!(meanings(&[("day", "string")], &[]), [Meaning::DateOfUnknownSpelling], "no year beside it");
    assert_eq!(
        meanings(&[("dt", "string"), ("date", "string")], &[]),
        [Meaning::Unused, Meaning::Unused],
        "one of them may not be the delivery time"
    );
    let ingested = [("projection.ingested.type", "date"), ("projection.ingested.format", "yyyy/MM/dd")];
    assert_eq!(projected_meanings(&[("ingested", "string")], &ingested), [Meaning::Unused]);
}

#[test]
fn an_injected_key_is_an_error() {
    let keys = [("account", "string")];
    let parameters = projected(&[("projection.account.type", "injected")]);
    let table = Table::read("d", &metadata(&keys, &parameters)).unwrap();
    assert!(table.partitions[0].injected);
    assert_eq!(table.partitions[0].meaning, Meaning::Account);
}

/// A table of Security Lake, without the columns that nothing reads.
pub(in crate::load::athena) fn lake_metadata(name: &str, keys: &[(&str, &str)]) -> TableMetadata {
    let user = "user:struct<type:string,name:string,uid_alt:string,uid:string,account:struct<uid:string>,credential_uid:string>";
    let actor =
        format!("struct<{user},session:struct<issuer:string>,invoked_by:string,idp:struct<name:string,uid:string>>");
    let api = "struct<response:struct<error:string,message:string,data:string>,operation:string,service:struct<name:string>,\
        request:struct<data:string,uid:string>>";
    let columns = [
        ("metadata", "struct<uid:string,product:struct<version:string>>"),
        ("time", "bigint"),
        ("time_dt", "timestamp"),
        ("cloud", "struct<region:string,provider:string>"),
        ("api", api),
        ("actor", &actor),
        ("src_endpoint", "struct<ip:string,domain:string>"),
        ("unmapped", "map<string,string>"),
    ];
    let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    TableMetadata {
        name: name.to_owned(),
        columns: columns.iter().map(own).collect(),
        partition_keys: keys.iter().map(own).collect(),
        parameters: BTreeMap::new(),
    }
}

const MANAGEMENT_TABLE: &str = "amazon_security_lake_table_us_east_1_cloud_trail_mgmt_2_0";

#[test]
fn security_lake_s_table_of_management_events_is_found_by_its_columns() {
    let tables = ["amazon_security_lake_table_us_east_1_s3_data_2_0", MANAGEMENT_TABLE]
        .map(|name| lake_metadata(name, &[("region", "string"), ("accountid", "string"), ("eventday", "string")]));
    let table = Table::discover("lake", &tables).unwrap();
    assert_eq!((table.name.as_str(), table.is_ocsf()), (MANAGEMENT_TABLE, true));
    let meanings: Vec<_> = table.partitions.iter().map(|partition| partition.meaning.clone()).collect();
    assert_eq!(meanings, [Meaning::Unused, Meaning::Account, Meaning::DateOfUnknownSpelling]);
    let text = |field: &[&str]| table.text(field);
    assert_eq!(text(&["eventname"]).as_deref(), Some(r#""api"."operation""#));
    let source = r#"coalesce("src_endpoint"."ip", "src_endpoint"."domain")"#;
    assert_eq!(text(&["sourceipaddress"]).as_deref(), Some(source));
    assert_eq!(text(&["recipientaccountid"]), None, "cloud has no account here");
    assert_eq!(text(&["useridentity", "sessioncontext", "sourceidentity"]), None);
    let trail = metadata(&[], &[]);
    let several = Table::discover("lake", &[tables[1].clone(), trail]);
    assert!(matches!(several, Err(TableError::Several { .. })), "{several:?}");
}

#[test]
fn security_lake_s_other_tables_are_refused_by_name() {
    let mut version_1 = lake_metadata("cloud_trail_mgmt_1_0", &[]);
    for (name, kind) in &mut version_1.columns {
        if name == "api" {
            *kind = "struct<response:struct<error:string>,operation:string,service:struct<name:string>>".to_owned();
        }
    }
    let error = Table::read("lake", &version_1).unwrap_err().to_string();
    assert_eq!(
        error,
        "table lake.cloud_trail_mgmt_1_0 is not a CloudTrail table of Security Lake's source version 2: it has no api.request.data, \
         api.response.data"
    );
}
