"""One contender reads a folder of log files, and prints how many records it read and how many of them create a bucket.

`python contender.py NAME FOLDER THREADS`. Each extracts what an owner needs: time, caller and bucket of each creation. Those in
Python also print a digest of that.
"""
import glob
import gzip
import hashlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor


def found(records):
    created = [
        (record["eventTime"], record["userIdentity"]["arn"], record["requestParameters"]["bucketName"])
        for record in records
        if record["eventName"] == "CreateBucket"
        and record["eventSource"] == "s3.amazonaws.com"
        and record.get("errorCode") is None
    ]
    return len(records), created


def digest(rows):
    """The same for the same rows in any order."""
    return hashlib.sha256(repr(sorted(map(tuple, rows))).encode()).hexdigest()


def standard(path):
    with gzip.open(path) as file:
        return found(json.load(file)["Records"])


def with_orjson(path):
    import orjson

    with gzip.open(path) as file:
        return found(orjson.loads(file.read())["Records"])


def in_python(read):
    def run(folder, threads):
        paths = sorted(glob.glob(f"{folder}/*.json.gz"))
        if threads == 1:
            results = [read(path) for path in paths]
        else:
            with ProcessPoolExecutor(threads) as pool:
                results = list(pool.map(read, paths, chunksize=8))
        rows = [row for _, created in results for row in created]
        return sum(records for records, _ in results), len(rows), digest(rows)

    return run


def with_duckdb(folder, threads):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    # The fastest way that is known to ask it: columns given, and each file one object with a list.
    record = (
        "STRUCT(eventTime VARCHAR, eventSource VARCHAR, eventName VARCHAR, errorCode VARCHAR,"
        " userIdentity STRUCT(arn VARCHAR), requestParameters STRUCT(bucketName VARCHAR))[]"
    )
    query = f"""
        SELECT count(*), count(*) FILTER (r.eventName = 'CreateBucket' AND r.eventSource = 's3.amazonaws.com'
            AND r.errorCode IS NULL AND r.eventTime IS NOT NULL AND r.userIdentity.arn IS NOT NULL
            AND r.requestParameters.bucketName IS NOT NULL)
        FROM (SELECT unnest("Records") AS r FROM read_json('{folder}/*.json.gz', columns={{Records: '{record}'}},
            records=true, maximum_object_size=67108864))"""
    return connection.execute(query).fetchone()


def with_chdb(folder, threads):
    import chdb

    query = f"""
        SELECT count(), countIf(JSONExtractString(r, 'eventName') = 'CreateBucket'
            AND JSONExtractString(r, 'eventSource') = 's3.amazonaws.com' AND JSONExtractString(r, 'errorCode') = ''
            AND JSONExtractString(r, 'requestParameters', 'bucketName') != '')
        FROM (SELECT arrayJoin(JSONExtractArrayRaw(json, 'Records')) AS r
            FROM file('{folder}/*.json.gz', 'JSONAsString', 'json String'))
        SETTINGS max_threads = {threads}"""
    return [int(value) for value in str(chdb.query(query, "TabSeparated")).split()]


CONTENDERS = {"python": in_python(standard), "orjson": in_python(with_orjson), "duckdb": with_duckdb, "chdb": with_chdb}

if __name__ == "__main__":
    print(*CONTENDERS[sys.argv[1]](sys.argv[2], int(sys.argv[3])))
