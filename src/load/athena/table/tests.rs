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
    assert!(table.has_text(&["eventid"]));
    assert!(table.has_text(&["useridentity", "sessioncontext", "sessionissuer", "username"]));
    assert!(!table.has_text(&["useridentity", "sessioncontext", "sourceidentity"]));
    assert!(!table.has_text(&["useridentity", "sessioncontext", "sessionissuer"]), "a struct is no text");
    assert!(!table.has_text(&["useridentity", "webidfederationdata"]), "it is nested deeper");
    assert!(!table.has_text(&["resources"]));
    assert!(!table.has_text(&["vpcendpointid"]));
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

#[test]
fn the_documented_partitions_are_understood() {
    let slashes = DateFormat::parse("yyyy/MM/dd").unwrap();
    assert_eq!(
        meanings(
            &[("timestamp", "string")],
            &[("projection.timestamp.type", "date"), ("projection.timestamp.format", "yyyy/MM/dd")]
        ),
        [Meaning::DateText(slashes)]
    );
    assert_eq!(
        meanings(
            &[("account", "string"), ("region", "string"), ("year", "string"), ("month", "string"), ("day", "string")],
            &[]
        ),
        [Meaning::Account, Meaning::Unused, Meaning::Year, Meaning::Month, Meaning::Day]
    );
}

#[test]
fn other_names_are_understood_by_type_and_range() {
    assert_eq!(
        meanings(
            &[("a", "int"), ("b", "string"), ("c", "int"), ("d", "string")],
            &[
                ("projection.a.type", "integer"),
                ("projection.a.range", "2012,2040"),
                ("projection.b.type", "integer"),
                ("projection.b.range", "1,12"),
                ("projection.c.type", "integer"),
                ("projection.c.range", "1, 31"),
                ("projection.d.type", "enum"),
                ("projection.d.values", "111122223333,444455556666"),
            ]
        ),
        [Meaning::Year, Meaning::Month, Meaning::Day, Meaning::Account]
    );
    assert_eq!(meanings(&[("delivered", "date")], &[]), [Meaning::Date]);
    assert_eq!(meanings(&[("day", "string")], &[]), [Meaning::DateOfUnknownSpelling], "no year beside it");
    assert_eq!(
        meanings(&[("dt", "string"), ("date", "string")], &[]),
        [Meaning::DateOfUnknownSpelling, Meaning::Unused],
        "one filter is enough, and the second may mean something else"
    );
}

#[test]
fn an_injected_key_is_an_error() {
    let keys = [("account", "string")];
    let table = Table::read("d", &metadata(&keys, &[("projection.account.type", "injected")])).unwrap();
    assert!(table.partitions[0].injected);
    assert_eq!(table.partitions[0].meaning, Meaning::Account);
}
