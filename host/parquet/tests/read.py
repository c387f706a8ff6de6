"""Reads a folder with DuckDB and PyArrow, and answers in JSON."""

import datetime
import decimal
import json
import re
import sys

import duckdb

folder, question = sys.argv[1:]
SPANS = f"read_parquet('{folder}/traces/*/*/*.parquet', hive_partitioning = true)"


def plain(value):
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def rows(sql):
    return plain(duckdb.sql(sql).fetchall())


def first(table):
    result = duckdb.sql(f"SELECT * FROM read_parquet('{folder}/{table}/*/*/*.parquet', hive_partitioning = true)")
    return dict(zip(result.columns, plain(result.limit(1).fetchall()[0])))


def totals():
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    table = ds.dataset(f"{folder}/traces", format="parquet", partitioning="hive").to_table(
        columns=["input_tokens", "cost_usd"]
    )
    return {
        "duckdb": rows(
            f"SELECT count(*), sum(input_tokens)::BIGINT, sum(cost_usd), count(*) FILTER (cost_usd IS NULL) FROM {SPANS}"
        )[0],
        "pyarrow": plain(
            [
                table.num_rows,
                pc.sum(table["input_tokens"]).as_py(),
                pc.sum(table["cost_usd"]).as_py(),
                table["cost_usd"].null_count,
            ]
        ),
    }


def groups():
    return rows(
        f"SELECT date, service, count(*), coalesce(sum(cost_usd), 0)::DECIMAL(38, 9) FROM {SPANS} GROUP BY ALL"
    )


def pruned():
    sql = f"SELECT count(*) FROM {SPANS} WHERE date = '2026-09-22' AND service = 'shop' AND span_name <> ''"
    plan = duckdb.sql(f"EXPLAIN ANALYZE {sql}").fetchall()[0][1]
    before = duckdb.sql(f"EXPLAIN {sql}").fetchall()[0][1]
    files = re.search(r"Scanning Files:\s*(\d+/\d+)", before + plan)
    return {"count": rows(sql)[0][0], "files": files and files.group(1), "plan": before}


answers = {
    "totals": totals,
    "groups": groups,
    "pruned": pruned,
    "rows": lambda: {"traces": first("traces"), "logs": first("logs")},
}
if question.startswith("sql:"):
    asked = [query.replace("'lake/", f"'{folder}/") for query in json.loads(question[4:])]
    print(json.dumps([rows(query) for query in asked]))
else:
    print(json.dumps(answers[question]()))
