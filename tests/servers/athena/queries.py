"""Queries: Athena's SQL, executed by DuckDB, with Athena's asynchronous states and its result files.

A query moves one state on each time it is asked about, so tests need no clock: QUEUED, RUNNING, then its end. The SQL
runs when RUNNING ends. Results are kept as a DuckDB table, read in pages, and written to S3 in Athena's CSV: every
value quoted, quotes doubled, NULL nothing at all.
"""

import os
import tempfile
import threading
import time
import uuid

import boto3
import duckdb
import sqlglot

# Rows fetched at a time while a result file is written.
BATCH = 10_000


def s3_client(url=None):
    """boto3's client for moto's S3."""
    return boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


# The first client reads botocore's models, and the first translation builds sqlglot's tables: once, for all servers that are forked.
s3_client()
sqlglot.transpile("SELECT 1", read="athena", write="duckdb")


class Refused(Exception):
    """A request that AWS refuses: the error's type, its message, further members."""

    def __init__(self, kind, message, **members):
        super().__init__(message)
        self.kind, self.members = kind, members


class Query:
    """One execution."""

    def __init__(self, sql, database, workgroup, output, managed):
        self.id = str(uuid.uuid4())
        self.sql, self.database, self.workgroup, self.output, self.managed = sql, database, workgroup, output, managed
        self.state, self.reason, self.scanned = "QUEUED", None, 0
        self.submitted = time.time()
        self.result = f"result_{self.id.replace('-', '_')}"
        self.columns = []

    def location(self):
        """Where its result is; nothing for managed results."""
        return None if self.managed else f"{self.output.rstrip('/')}/{self.id}.csv"

    def describe(self):
        """As GetQueryExecution gives it."""
        status = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.reason:
            status["StateChangeReason"] = self.reason
        if self.state == "FAILED":
            status["AthenaError"] = {"ErrorCategory": 2, "ErrorType": 1006, "Retryable": False, "ErrorMessage": self.reason}
        execution = {
            "QueryExecutionId": self.id,
            "Query": self.sql,
            "StatementType": "DML",
            "QueryExecutionContext": {"Database": self.database, "Catalog": "awsdatacatalog"},
            "Status": status,
            "Statistics": {
                "DataScannedInBytes": self.scanned,
                "EngineExecutionTimeInMillis": 1500,
                "TotalExecutionTimeInMillis": 1700,
                "QueryQueueTimeInMillis": 200,
            },
            "WorkGroup": self.workgroup,
            "ManagedQueryResultsConfiguration": {"Enabled": self.managed},
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        }
        if not self.managed:
            execution["ResultConfiguration"] = {"OutputLocation": self.location()}
        return execution


class Engine:
    """DuckDB with the catalogue's tables, and the queries that ran on it."""

    def __init__(self, tables, s3_url, folder):
        self.scratch = tempfile.mkdtemp(prefix="athena-", dir=folder)
        self.connection = duckdb.connect(os.path.join(self.scratch, "tables.duckdb"))
        # A load's query has thousands of names in conditions. DuckDB's optimizer thinks about them for 7 seconds, and the plan that
        # it starts from gives the same rows in less than a tenth of one.
        self.connection.execute("PRAGMA disable_optimizer")
        self.s3 = s3_client(s3_url)
        self.lock = threading.RLock()
        self.queries, self.tokens = {}, {}
        for table in tables:
            table.fill(self.connection, self.scratch)

    def start(self, query, token):
        """Begins a query; the same token gives the query that it began before."""
        with self.lock:
            if token and token in self.tokens:
                earlier = self.queries[self.tokens[token]]
                if earlier.sql != query.sql:
                    raise Refused("InvalidRequestException", "Idempotent parameters do not match")
                return earlier
            self.queries[query.id] = query
            if token:
                self.tokens[token] = query.id
            return query

    def advance(self, query, wishes):
        """Moves a query one state on, as far as the test's wishes let it."""
        with self.lock:
            if query.state == wishes.get("hold") or query.state not in ("QUEUED", "RUNNING"):
                return
            if query.state == "QUEUED":
                query.state, query.scanned = "RUNNING", 1_000_000
            elif reason := wishes.get("fail"):
                query.state, query.reason = "FAILED", reason
            elif reason := wishes.get("cancel"):
                query.state, query.reason = "CANCELLED", reason
            else:
                self.execute(query)

    def execute(self, query):
        """Runs the SQL and writes the result."""
        try:
            statement = sqlglot.transpile(query.sql, read="athena", write="duckdb")[0]
            self.connection.execute(f'CREATE TABLE {query.result} AS SELECT row_number() OVER () AS "#", * FROM ({statement})')
        except (sqlglot.errors.SqlglotError, duckdb.Error) as error:
            query.state, query.reason = "FAILED", f"SYNTAX_ERROR: {error}"
            return
        described = self.connection.execute(f"DESCRIBE {query.result}").fetchall()
        query.columns = [row[0] for row in described[1:]]
        query.scanned = 123_456_789
        if not query.managed:
            self.write_result(query)
        query.state = "SUCCEEDED"

    def rows(self, query, offset, limit):
        """Rows of a result as tuples of text or None."""
        columns = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in query.columns)
        return self.connection.execute(
            f'SELECT {columns} FROM {query.result} WHERE "#" > ? AND "#" <= ? ORDER BY "#"', [offset, offset + limit]
        ).fetchall()

    def write_result(self, query):
        """The CSV and its companion, where Athena puts them."""
        bucket, _, key = query.location().removeprefix("s3://").partition("/")
        path = os.path.join(self.scratch, f"{query.id}.csv")
        with open(path, "w", encoding="utf-8", newline="") as text:
            text.write(csv_line(query.columns))
            offset = 0
            while rows := self.rows(query, offset, BATCH):
                text.writelines(csv_line(row) for row in rows)
                offset += BATCH
        self.s3.upload_file(path, bucket, key)
        self.s3.put_object(Bucket=bucket, Key=f"{key}.metadata", Body=b"\x08\x02")
        os.remove(path)

    def check_output(self, location):
        """Athena's check of the output location before a query starts."""
        bucket = location.removeprefix("s3://").partition("/")[0]
        try:
            self.s3.head_bucket(Bucket=bucket)
        except self.s3.exceptions.ClientError:
            raise Refused("InvalidRequestException", f"Unable to verify/create output bucket {bucket}") from None


def csv_line(values):
    """A line as Athena writes it."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values) + "\n"
