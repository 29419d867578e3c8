"""CloudTrail tables as AWS documents them for Athena, filled from log files.

What a column is called and typed is what matters here: the program under test reads it from the catalogue. Rows come
from real log files, mapped as the documented SerDes map them: a name becomes lower case, JSON text of
requestParameters, responseElements, additionalEventData and serviceEventDetails becomes a string, null becomes NULL,
what the table has no column for is lost.

Source: https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html
"""

import functools
import gzip
import json
import os
import re

import ocsf

SESSION_ISSUER = "sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>"
SESSION_ATTRIBUTES = "attributes:struct<mfaauthenticated:string,creationdate:string>"

# The JsonSerDe table of the documentation (2026).
DOCUMENTED_IDENTITY = (
    "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,"
    "username:string,onbehalfof:struct<userid:string,identitystorearn:string>,"
    f"sessioncontext:struct<{SESSION_ATTRIBUTES},{SESSION_ISSUER},ec2roledelivery:string,"
    "webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>>>"
)
DOCUMENTED = [
    ("eventversion", "string"),
    ("useridentity", DOCUMENTED_IDENTITY),
    ("eventtime", "string"),
    ("eventsource", "string"),
    ("eventname", "string"),
    ("awsregion", "string"),
    ("sourceipaddress", "string"),
    ("useragent", "string"),
    ("errorcode", "string"),
    ("errormessage", "string"),
    ("requestparameters", "string"),
    ("responseelements", "string"),
    ("additionaleventdata", "string"),
    ("requestid", "string"),
    ("eventid", "string"),
    ("readonly", "string"),
    ("resources", "array<struct<arn:string,accountid:string,type:string>>"),
    ("eventtype", "string"),
    ("apiversion", "string"),
    ("recipientaccountid", "string"),
    ("serviceeventdetails", "string"),
    ("sharedeventid", "string"),
    ("vpcendpointid", "string"),
    ("vpcendpointaccountid", "string"),
    ("eventcategory", "string"),
    ("addendum", "struct<reason:string,updatedfields:string,originalrequestid:string,originaleventid:string>"),
    ("sessioncredentialfromconsole", "string"),
    ("edgedevicedetails", "string"),
    ("tlsdetails", "struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>"),
]

# The same with the field that AWS's definition leaves out, as docs/athena.md advises.
COMPLETE_IDENTITY = DOCUMENTED_IDENTITY.replace("ec2roledelivery:", "sourceidentity:string,ec2roledelivery:")
COMPLETE = [(name, COMPLETE_IDENTITY if name == "useridentity" else kind) for name, kind in DOCUMENTED]

# The table of the years before: CloudTrailSerde, fewer columns, no onbehalfof.
SERDE_IDENTITY = (
    "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,"
    f"username:string,sessioncontext:struct<{SESSION_ATTRIBUTES},{SESSION_ISSUER}>>"
)
SERDE_COLUMNS = {name for name, _ in DOCUMENTED[:23]}
SERDE = [(name, SERDE_IDENTITY if name == "useridentity" else kind) for name, kind in DOCUMENTED if name in SERDE_COLUMNS]

PROJECTION_PARAMETERS = {
    "projection.enabled": "true",
    "projection.timestamp.type": "date",
    "projection.timestamp.format": "yyyy/MM/dd",
    "projection.timestamp.interval": "1",
    "projection.timestamp.interval.unit": "DAYS",
    "projection.timestamp.range": "2010/01/01,NOW",
    "storage.location.template": "s3://trail/AWSLogs/o-example/CloudTrail/us-east-1/${timestamp}",
}

# Name of a shape: columns, partition keys, table parameters.
SHAPES = {
    "plain": (DOCUMENTED, [], {}),
    "complete": (COMPLETE, [], {}),
    "projection": (DOCUMENTED, [("timestamp", "string")], PROJECTION_PARAMETERS),
    "organization": (DOCUMENTED, [(name, "string") for name in ("account", "region", "year", "month", "day")], {}),
    "organization-int": (
        DOCUMENTED,
        [("account", "string"), ("region", "string"), ("year", "int"), ("month", "int"), ("day", "int")],
        {},
    ),
    "dt": (DOCUMENTED, [("dt", "string")], {}),
    "serde": (SERDE, [], {}),
    **ocsf.SHAPES,
}

# As the field is spelled in a record, for each column and struct field that isn't just its lower case.
SPELLINGS = {}
for spelling in (
    "eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage "
    "requestParameters responseElements additionalEventData requestID eventID readOnly eventType apiVersion "
    "recipientAccountId serviceEventDetails sharedEventID vpcEndpointId vpcEndpointAccountId eventCategory "
    "sessionCredentialFromConsole edgeDeviceDetails tlsDetails principalId accountId invokedBy accessKeyId userName "
    "onBehalfOf userId identityStoreArn sessionContext sourceIdentity mfaAuthenticated creationDate sessionIssuer ec2RoleDelivery "
    "webIdFederationData federatedProvider tlsVersion cipherSuite clientProvidedHostHeader updatedFields "
    "originalRequestID originalEventID"
).split():
    SPELLINGS[spelling.lower()] = spelling


def split_fields(text):
    """The fields of `a:string,b:struct<c:string,d:string>`, split at the commas of the outer level."""
    depth, start = 0, 0
    for position, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def duckdb_type(hive):
    """Hive's type as DuckDB writes it."""
    if match := re.fullmatch(r"struct<(.*)>", hive):
        fields = (field.split(":", 1) for field in split_fields(match[1]))
        return "STRUCT(" + ", ".join(f'"{name}" {duckdb_type(kind)}' for name, kind in fields) + ")"
    if match := re.fullmatch(r"array<(.*)>", hive):
        return duckdb_type(match[1]) + "[]"
    if match := re.fullmatch(r"map<(.*)>", hive):
        return "MAP(" + ", ".join(duckdb_type(kind) for kind in split_fields(match[1])) + ")"
    return {
        "string": "VARCHAR",
        "int": "INTEGER",
        "bigint": "BIGINT",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
        "boolean": "BOOLEAN",
    }[hive]


def as_text(value):
    """A value as the SerDe gives it for a column of text: JSON where it is none itself."""
    if value is None or isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half of a surrogate pair can only be written as an escape.
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)


def converter(hive):
    """The function from a record's value to what the SerDe gives for a column of this type."""
    if match := re.fullmatch(r"struct<(.*)>", hive):
        fields = [field.split(":", 1) for field in split_fields(match[1])]
        fields = [(name, SPELLINGS.get(name, name), converter(kind)) for name, kind in fields]

        def struct(value):
            if not isinstance(value, dict):
                return None
            return {name: convert(value.get(spelling)) for name, spelling, convert in fields}

        return struct
    if match := re.fullmatch(r"array<(.*)>", hive):
        convert = converter(match[1])
        return lambda value: [convert(item) for item in value] if isinstance(value, list) else None
    if hive.startswith("map<"):
        return lambda value: {key: str(item) for key, item in value.items()} if isinstance(value, dict) else None
    return as_text


def only(value, hive):
    """A value with those of its fields that a column's type has."""
    match = re.fullmatch(r"struct<(.*)>", hive)
    if not match or not isinstance(value, dict):
        return value
    fields = (field.split(":", 1) for field in split_fields(match[1]))
    return {name: only(value.get(name), kind) for name, kind in fields}


def delivery_day(path, record):
    """The day under which a record lies: of its object's name, else of the event."""
    if match := re.search(r"_(\d{4})(\d\d)(\d\d)T\d{4}Z_", os.path.basename(path)):
        return match.groups()
    return record["eventTime"][:4], record["eventTime"][5:7], record["eventTime"][8:10]


MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec".split()


def partition_value(name, kind, path, record, values):
    """What a partition key holds for a record. `values` says so for keys with another kind of value than their name has."""
    year, month, day = delivery_day(path, record)
    value = {
        "timestamp": f"{year}/{month}/{day}",
        "dt": f"{year}-{month}-{day}",
        "eventday": f"{year}{month}{day}",
        "slashes": f"{year}/{month}/{day}",
        "hours": f"{year}/{month}/{day}/07",
        "day first": f"{day}-{month}-{year}",
        "year and month": f"{year}{month}",
        "month name": MONTH_NAMES[int(month) - 1],
        "short month": str(int(month)),
        "quarter": str((int(month) + 2) // 3),
        "ingested": "2030/01/01",
        "shard": "3",
        "team": "platform",
        "nothing": None,
        "account": record.get("recipientAccountId"),
        "accountid": record.get("recipientAccountId"),
        "region": record.get("awsRegion"),
        "year": year,
        "month": month,
        "day": day,
    }[values.get(name, name)]
    return int(value) if kind == "int" and value is not None else value


class Table:
    """A table of the catalogue: what GetTableMetadata says of it, and how records become its rows."""

    def __init__(self, definition):
        columns, partitions, parameters = SHAPES[definition["shape"]]
        # Keys of its own, as [name, type, kind of value].
        keys = definition.get("keys")
        partitions = [(name, kind) for name, kind, _ in keys] if keys else partitions
        self.values = {name: value for name, _, value in keys or []}
        dropped = set(definition.get("without", []))
        self.database = definition.get("database", "default")
        self.name = definition.get("name", "cloudtrail_logs")
        self.columns = [column for column in columns if column[0] not in dropped]
        self.partitions = partitions
        self.parameters = {"EXTERNAL": "TRUE", **parameters, **definition.get("parameters", {})}
        self.files = definition.get("files", [])
        self.is_ocsf = definition["shape"] in ocsf.SHAPES

    @classmethod
    def unrelated(cls, database, name):
        """A table of something else."""
        table = cls({"shape": "plain", "database": database, "name": name})
        table.columns = [("id", "string"), ("amount", "string")]
        return table

    def metadata(self):
        """As ListTableMetadata and GetTableMetadata give it."""
        return {
            "Name": self.name,
            "TableType": "EXTERNAL_TABLE",
            "Columns": [{"Name": name, "Type": kind} for name, kind in self.columns],
            "PartitionKeys": [{"Name": name, "Type": kind} for name, kind in self.partitions],
            "Parameters": self.parameters,
        }

    def rows(self):
        """One dictionary a record, by column."""
        converters = [(name, SPELLINGS.get(name, name), converter(kind)) for name, kind in self.columns]
        for path in sorted(log_files(self.files)):
            for record in records(path):
                if self.is_ocsf:
                    mapped = ocsf.to_ocsf(record, as_text)
                    row = {name: only(mapped[name], kind) for name, kind in self.columns}
                else:
                    row = {name: convert(record.get(spelling)) for name, spelling, convert in converters}
                row.update(
                    {name: partition_value(name, kind, path, record, self.values) for name, kind in self.partitions}
                )
                yield row

    def fill(self, connection, scratch):
        """Makes the table in DuckDB and puts its rows in."""
        typed = {name: duckdb_type(kind) for name, kind in self.columns + self.partitions}
        target = f"{quoted(self.database)}.{quoted(self.name)}"
        columns = ", ".join(f'"{name}" {kind}' for name, kind in typed.items())
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.database)}")
        connection.execute(f"CREATE TABLE {target} ({columns})")
        path = os.path.join(scratch, "rows.ndjson")
        with open(path, "w", encoding="utf-8") as lines:
            count = 0
            for row in self.rows():
                lines.write(json.dumps(row) + "\n")
                count += 1
        if count:
            connection.execute(
                f"INSERT INTO {target} SELECT * FROM read_json(?, format = 'newline_delimited', columns = ?)",
                [path, typed],
            )
        os.remove(path)


def quoted(name):
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def log_files(paths):
    """The log files among `paths`, folders walked."""
    for path in paths:
        if os.path.isdir(path):
            for folder, _, names in os.walk(path):
                yield from (os.path.join(folder, name) for name in names if name.endswith((".json", ".json.gz")))
        else:
            yield path


@functools.cache
def records(path):
    """The records of one log file. Read once for all tables of a server, which must not change them."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as text:
        return json.load(text)["Records"]
