# Reads every file of a canonical savepoint with pyarrow and DuckDB, and compares the rows with those
# that were exported as Parquet, JSON lines and CSV.
import json, pathlib, sys
import duckdb
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet

place, exported = map(pathlib.Path, sys.argv[1:])
read = 0
for f in json.loads((place / "manifest.json").read_text())["rowFiles"]:
    try:
        table = ipc.open_file(pa.memory_map(str(place / f["name"]))).read_all()
        table.validate(full=True)
        rows = table.to_pylist()
        assert len(rows) == f["rows"]
        assert len(duckdb.from_arrow(table).fetchall()) == f["rows"]

        p = parquet.read_table(exported / (f["name"] + ".parquet"))
        p.validate(full=True)
        assert p.column_names == table.column_names, (p.column_names, table.column_names)
        for a, b in zip(table.columns, p.columns):
            if not pa.types.is_nested(a.type):  # those are JSON in Parquet
                assert a.type == b.type, (a.type, b.type)
                # NaN is not equal to NaN, but looks like it.
                assert str(a.to_pylist()) == str(b.to_pylist()), (a, b)

        lines = [json.loads(l) for l in open(exported / (f["name"] + ".jsonl"))]
        assert len(lines) == f["rows"] and list(lines[0]) == table.column_names
        for line, row in zip(lines, rows):
            for name, value in row.items():
                assert (value is None) == (line[name] is None), (name, value, line[name])
                if isinstance(value, (bool, int, str)):
                    assert line[name] == value, (name, value, line[name])

        csv = duckdb.read_csv(str(exported / (f["name"] + ".csv")), header=True, all_varchar=True)
        assert csv.columns == table.column_names and len(csv.fetchall()) == f["rows"]
        read += 1
    except Exception as e:
        raise SystemExit(f"{f['name']}: {e!r}")
print(read, "files are read")
