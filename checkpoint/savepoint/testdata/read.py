# Reads a canonical savepoint with pyarrow and DuckDB alone, and prints what they see.
import json, pathlib, sys
import pyarrow as pa
import pyarrow.ipc as ipc

place = pathlib.Path(sys.argv[1])
manifest = json.loads((place / "manifest.json").read_text())
print(manifest["kind"], manifest["layout"], manifest["jobName"], manifest["epoch"])
tables = {}
for f in manifest["rowFiles"]:
    # memory_map: as people open large files; open_file reads by the footer.
    with pa.memory_map(str(place / f["name"])) as source:
        table = ipc.open_file(source).read_all()
    table.validate(full=True)
    assert table.num_rows == f["rows"]
    # The same rows come out front to back, without the footer.
    with open(place / f["name"], "rb") as source:
        source.seek(8)
        assert ipc.open_stream(source).read_all().equals(table)
    print()
    print(f["name"], table.num_rows, "rows")
    for field in table.schema:
        print("  %s: %s%s  [%s]" % (field.name, field.type, "" if field.nullable else " not null", (field.metadata or {}).get(b"sql.type", b"").decode()))
    for row in table.to_pylist():
        print("  " + json.dumps(row, default=str))
    tables[f["name"]] = table

if len(sys.argv) > 2:
    import duckdb
    groups = next(t for n, t in tables.items() if n.endswith(".groups.arrow"))
    print()
    print("DuckDB:", duckdb.sql('select customer, "COUNT(*)", "SUM(amount).sum" from groups order by "COUNT(*)" desc').fetchall())
