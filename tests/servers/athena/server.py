"""A test server that speaks Athena's protocol and executes the SQL it is given.

AWS JSON 1.1 (`X-Amz-Target: AmazonAthena.*`) on a free loopback port. A template of tests/suite/common/fork_server.py:
the request is {"configuration"}, the answer is {"port"}.

Configuration: {"s3": URL, where results go, "folder"?: where its files are,
"tables": [{"shape", "database"?, "name"?, "files"?, "without"?, "parameters"?}], "unrelated": [NAME…],
"workgroups": {NAME: {"output"?, "enforce"?, "managed"?}}}

Tests steer it by `POST /_control` with any of
{"hold": STATE|null, "fail": REASON, "cancel": REASON, "throttle": {OPERATION: COUNT}, "deny": [OPERATION…],
"cut_page": N|null (GetQueryResults page N, from 1, never answers)}
look at it by `GET /_calls`: {"calls": {OPERATION: COUNT}, "queries": [{"sql", "state", "id", "output"}]},
and wait by `POST /_await` with {"operation", "calls": COUNT} until it was called so often.
"""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from queries import Engine, Query, Refused
from tables import Table

MAX_QUERY_BYTES = 262_144
MAX_ROWS_A_PAGE = 1_000
TABLES_A_PAGE = 2  # Few, so that paging is tested.


class Service:
    """Athena's operations."""

    def __init__(self, config):
        self.tables = [Table(definition) for definition in config.get("tables", [])]
        self.unrelated = [Table.unrelated("default", name) for name in config.get("unrelated", [])]
        self.workgroups = {"primary": {}, **config.get("workgroups", {})}
        self.engine = Engine(self.tables, config["s3"], config.get("folder"))
        self.wishes, self.throttle, self.calls = {}, Counter(), Counter()
        self.never = threading.Event()
        self.called = threading.Condition()

    def control(self, wishes):
        """What a test wants from now on."""
        self.throttle.update(wishes.pop("throttle", {}))
        self.wishes.update(wishes)

    def wait_for(self, operation, calls):
        """Ends when the operation was called so often."""
        with self.called:
            self.called.wait_for(lambda: self.calls[operation] >= calls)

    def seen(self):
        """What happened so far."""
        queries = self.engine.queries.values()
        return {
            "calls": self.calls,
            "queries": [{"id": q.id, "sql": q.sql, "state": q.state, "output": q.location()} for q in queries],
        }

    def call(self, operation, request):
        """Answers one call."""
        with self.called:
            self.calls[operation] += 1
            self.called.notify_all()
        if operation in self.wishes.get("deny", []):
            message = f"User: arn:aws:iam::123456789012:user/test is not authorized to perform: athena:{operation}"
            raise Refused("AccessDeniedException", message)
        if self.throttle[operation] > 0:
            self.throttle[operation] -= 1
            if self.throttle[operation] % 2:
                raise Refused("ThrottlingException", "Rate exceeded")
            raise Refused("TooManyRequestsException", "Rate exceeded", Reason="CONCURRENT_QUERY_LIMIT_EXCEEDED")
        method = getattr(self, f"do_{operation}", None)
        if method is None:
            raise Refused("UnknownOperationException", operation)
        return method(request)

    def workgroup(self, name):
        if name not in self.workgroups:
            raise Refused("InvalidRequestException", f"WorkGroup {name} is not found.")
        return self.workgroups[name]

    def database(self, request):
        name = request["DatabaseName"]
        tables = [table for table in self.tables + self.unrelated if table.database == name]
        if not tables and name != "default":
            raise Refused("MetadataException", f"Database {name} not found.")
        return sorted(tables, key=lambda table: table.name)

    def query(self, request):
        identifier = request["QueryExecutionId"]
        if identifier not in self.engine.queries:
            raise Refused("InvalidRequestException", f"QueryExecution {identifier} was not found")
        return self.engine.queries[identifier]

    def do_GetWorkGroup(self, request):
        group = self.workgroup(request["WorkGroup"])
        result = {"OutputLocation": group["output"]} if "output" in group else {}
        configuration = {
            "ResultConfiguration": result,
            "EnforceWorkGroupConfiguration": group.get("enforce", False),
            "ManagedQueryResultsConfiguration": {"Enabled": group.get("managed", False)},
        }
        return {"WorkGroup": {"Name": request["WorkGroup"], "State": "ENABLED", "Configuration": configuration}}

    def do_ListTableMetadata(self, request):
        tables = self.database(request)
        start = int(request.get("NextToken") or 0)
        end = start + min(TABLES_A_PAGE, request.get("MaxResults", 50))
        answer = {"TableMetadataList": [table.metadata() for table in tables[start:end]]}
        if end < len(tables):
            answer["NextToken"] = str(end)
        return answer

    def do_GetTableMetadata(self, request):
        for table in self.database(request):
            if table.name == request["TableName"].lower():
                return {"TableMetadata": table.metadata()}
        raise Refused("MetadataException", f"EntityNotFoundException: Entity Not Found: {request['TableName']}")

    def do_StartQueryExecution(self, request):
        sql = request["QueryString"]
        if len(sql.encode()) > MAX_QUERY_BYTES:
            raise Refused("InvalidRequestException", "Query string length is greater than 262144")
        name = request.get("WorkGroup", "primary")
        group = self.workgroup(name)
        wanted = request.get("ResultConfiguration", {}).get("OutputLocation")
        managed = group.get("managed", False)
        if managed and wanted:
            raise Refused("InvalidRequestException", "OutputLocation can't be given for managed query results")
        output = group.get("output") if group.get("enforce") or not wanted else wanted
        if not managed:
            if not output:
                raise Refused("InvalidRequestException", "No output location provided. An output location is required")
            self.engine.check_output(output)
        database = request.get("QueryExecutionContext", {}).get("Database", "default")
        query = self.engine.start(Query(sql, database, name, output, managed), request.get("ClientRequestToken"))
        return {"QueryExecutionId": query.id}

    def do_GetQueryExecution(self, request):
        query = self.query(request)
        described = query.describe()
        self.engine.advance(query, self.wishes)
        return {"QueryExecution": described}

    def do_StopQueryExecution(self, request):
        query = self.query(request)
        if query.state in ("QUEUED", "RUNNING"):
            query.state, query.reason = "CANCELLED", "Query cancelled by user"
        return {}

    def do_GetQueryResults(self, request):
        query = self.query(request)
        if query.state != "SUCCEEDED":
            raise Refused("InvalidRequestException", f"Query has not yet finished. Current state: {query.state}")
        offset = int(request.get("NextToken") or 0)
        limit = min(request.get("MaxResults", MAX_ROWS_A_PAGE), MAX_ROWS_A_PAGE)
        if self.wishes.get("cut_page") == (offset + 1) // limit + 1:
            self.never.wait()
        # The header takes the place of one row on the first page.
        first = offset == 0
        with self.engine.lock:
            rows = self.engine.rows(query, offset, limit - first)
            more = bool(self.engine.rows(query, offset + limit - first, 1))
        if first:
            rows.insert(0, tuple(query.columns))
        data = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows]
        columns = [{"Name": name, "Type": "varchar"} for name in query.columns]
        answer = {"UpdateCount": 0, "ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": columns}}}
        if more:
            answer["NextToken"] = str(offset + limit - first)
        return answer


class Handler(BaseHTTPRequestHandler):
    """HTTP around the service."""

    protocol_version = "HTTP/1.1"
    service = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(200, self.service.seen())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path == "/_control":
            self.service.control(body)
            return self.answer(200, {})
        if self.path == "/_await":
            self.service.wait_for(body["operation"], body["calls"])
            return self.answer(200, {})
        operation = self.headers.get("X-Amz-Target", "").removeprefix("AmazonAthena.")
        try:
            return self.answer(200, self.service.call(operation, body))
        except Refused as refused:
            return self.answer(400, {"__type": refused.kind, "Message": str(refused), **refused.members})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", "00000000-0000-4000-8000-000000000000")
        self.end_headers()
        self.wfile.write(body)


def serve(request, caller):
    """Answers until the test drops the server."""
    Handler.service = Service(request["configuration"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    caller.answer({"port": server.server_address[1]})
    caller.wait()
