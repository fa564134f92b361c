package badinput

import (
	"strings"
	"testing"
)

// columns of the table that the records below are read into.
const columns = "id INT, big BIGINT, n DOUBLE, d DECIMAL(10, 2), s STRING, b BOOLEAN, ts TIMESTAMP(3), dt DATE, r ROW<x INT, y STRING>, a ARRAY<INT>"

// good is a record before and after the bad one, so that it shows what is lost with it.
const good = `{"id": 1}` + "\n"

func read(columns, format, options string) string {
	return "CREATE TABLE t (" + columns + ") WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = '" + format + "'" + options + ");\n"
}

// TestRecords feeds each record with both policies of files. What is no mistake has one
// outcome.
func TestRecords(t *testing.T) {
	var cases []testCase
	for _, c := range []struct{ name, record, query string }{
		{"B19 an empty line", "", "id"},
		{"B19 null", "null", "id"},
		{"B19 blanks", "   ", "id"},
		{"B20 truncated", `{"id": 2, "s": "ab`, "id, s"},
		{"B20 trailing garbage", `{"id": 2} x`, "id"},
		{"B20 two objects", `{"id": 2}{"id": 3}`, "id"},
		{"B20 not an object", `[1, 2]`, "id"},
		{"B20 text", `hello`, "id"},
		{"B20 NaN", `{"id": 2, "n": NaN}`, "id, n"},
		{"B20 Infinity", `{"id": 2, "n": -Infinity}`, "id, n"},
		{"B20 NaN as text", `{"id": 2, "n": "NaN"}`, "id, n"},
		{"B20 1e400", `{"id": 2, "n": 1e400}`, "id, n"},
		{"B20 a key twice: the last wins", `{"id": 2, "id": 3}`, "id"},
		{"B20 a lone surrogate", `{"id": 2, "s": "a\ud800b"}`, "id, s"},
		{"B20 an unknown escape", `{"id": 2, "s": "\q"}`, "id, s"},
		{"B20 a control character", "{\"id\": 2, \"s\": \"a\tb\"}", "id, s"},
		{"B20 an escape sequence of a terminal", "{\"id\": \"\x1b[31mred\"}", "id"},
		{"B20 single quotes", `{'id': 2}`, "id"},
		{"B20 a comma too many", `{"id": 2,}`, "id"},
		{"B21 100,000 levels in a column", `{"id": 2, "s": ` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, "id, CHAR_LENGTH(s)"},
		{"B21 100,000 levels in an unknown field", `{"id": 2, "z": ` + strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000) + `}`, "id"},
		{"B21 100,000 levels never closed", strings.Repeat("[", 100_000), "id"},
		{"B21 100,000 fields", `{` + manyFields(100_000) + `"id": 2}`, "id"},
		{"B21 a text of 1 MB", `{"id": 2, "s": "` + strings.Repeat("x", 1<<20) + `"}`, "id, CHAR_LENGTH(s)"},
		{"B22 a number as text", `{"id": "2"}`, "id"},
		{"B22 text for a number", `{"id": "two"}`, "id"},
		{"B22 a fraction into INT", `{"id": 2.5}`, "id"},
		{"B22 2.0 into INT", `{"id": 2.0}`, "id"},
		{"B22 an exponent into INT", `{"id": 2e3}`, "id"},
		{"B22 2^31 into INT", `{"id": 2147483648}`, "id"},
		{"B22 2^53+1 into BIGINT", `{"id": 2, "big": 9007199254740993}`, "id, big"},
		{"B22 2^63 into BIGINT", `{"id": 2, "big": 9223372036854775808}`, "id, big"},
		{"B22 2^53+1 into DOUBLE", `{"id": 2, "n": 9007199254740993}`, "id, n"},
		{"B22 too many digits for a DECIMAL", `{"id": 2, "d": 123456789.00}`, "id, d"},
		{"B22 too many decimals for a DECIMAL", `{"id": 2, "d": 1.239}`, "id, d"},
		{"B22 a DECIMAL as text", `{"id": 2, "d": "1.20"}`, "id, d"},
		{"B22 a huge exponent into a DECIMAL", `{"id": 2, "d": 1e999999999}`, "id, d"},
		{"B22 text for a BOOLEAN", `{"id": 2, "b": "yes"}`, "id, b"},
		{"B22 a number for text", `{"id": 2, "s": 5}`, "id, s"},
		{"B22 an object for text", `{"id": 2, "s": {"a": [1]}}`, "id, s"},
		{"B22 an object for a number", `{"id": {"a": 1}}`, "id"},
		{"B22 a number for a ROW", `{"id": 2, "r": 5}`, "id, r"},
		{"B22 a wrong field of a ROW", `{"id": 2, "r": {"x": "two"}}`, "id, r"},
		{"B22 a number for an ARRAY", `{"id": 2, "a": 5}`, "id, a"},
		{"B22 a wrong element of an ARRAY", `{"id": 2, "a": [1, "two"]}`, "id, a"},
		{"B23 epoch seconds into TIMESTAMP", `{"id": 2, "ts": 1700000000}`, "id, ts"},
		{"B23 a form of another option", `{"id": 2, "ts": "2024-01-01T00:00:00Z"}`, "id, ts"},
		{"B23 the 13th month", `{"id": 2, "ts": "2024-13-01 00:00:00"}`, "id, ts"},
		{"B23 a leap second", `{"id": 2, "ts": "2016-12-31 23:59:60"}`, "id, ts"},
		{"B23 the year 10000", `{"id": 2, "ts": "10000-01-01 00:00:00"}`, "id, ts"},
		{"B23 before 1970", `{"id": 2, "ts": "1969-12-31 23:59:59.999"}`, "id, ts"},
		{"B23 the year 0", `{"id": 2, "ts": "0000-01-01 00:00:00"}`, "id, ts"},
		{"B23 microseconds into TIMESTAMP(3)", `{"id": 2, "ts": "2024-01-01 00:00:00.123456"}`, "id, ts"},
		{"B23 the 30th of February", `{"id": 2, "dt": "2024-02-30"}`, "id, dt"},
		{"B29 invalid UTF-8", "{\"id\": 2, \"s\": \"a\xffb\"}", "id, s"},
	} {
		files := map[string]string{"in/a.json": good + c.record + "\n" + `{"id": 9}` + "\n"}
		query := "SELECT " + c.query + " FROM t;"
		cases = append(cases,
			testCase{name: c.name, files: files, sql: read(columns, "json", "") + query},
			testCase{name: c.name + ", skipped", files: files, sql: read(columns, "json", ", 'bad-records' = 'skip'") + query})
	}
	cases = append(cases,
		testCase{name: "B20 dead letters of files", sql: read(columns, "json", ", 'bad-records' = 'dlq'") + "SELECT * FROM t;", files: map[string]string{"in/a.json": good}},
		testCase{name: "B20 Flink's own option", sql: read(columns, "json", ", 'json.ignore-parse-errors' = 'true'") + "SELECT id FROM t;", files: map[string]string{"in/a.json": good + "{\n"}},
		testCase{name: "B20 a missing field that must be there", sql: read(columns, "json", ", 'json.fail-on-missing-field' = 'true'") + "SELECT id, s FROM t;", files: map[string]string{"in/a.json": good}},
		testCase{name: "B36 a null in NOT NULL", sql: read("id INT NOT NULL", "json", "") + "SELECT id FROM t;", files: map[string]string{"in/a.json": `{"id": null}` + "\n"}},
		testCase{name: "B19 a path that does not exist", sql: read(columns, "json", "") + "SELECT id FROM t;"},
		testCase{name: "B19 an empty file", sql: read(columns, "json", "") + "SELECT id FROM t;", files: map[string]string{"in/a.json": ""}},
		testCase{name: "B19 a last line without its end", sql: read(columns, "json", "") + "SELECT id FROM t;", files: map[string]string{"in/a.json": `{"id": 7}`}},
		testCase{name: "B19 a byte order mark", sql: read(columns, "json", "") + "SELECT id FROM t;", files: map[string]string{"in/a.json": "\ufeff" + `{"id": 7}`}},
	)
	table(t, "records", cases)
}

func manyFields(n int) string { return strings.Repeat(`"f": 0, `, n) }

func TestCSVRecords(t *testing.T) {
	var cases []testCase
	for _, c := range [][2]string{
		{"B28 too few columns", "2"},
		{"B28 too many columns", "2,b,c,d"},
		{"B28 text for a number", "two,b,1.0"},
		{"B28 an empty line", ""},
		{"B28 a quote without its end", `2,"b,1.0`},
		{"B28 something behind a quote", `2,"b"x,1.0`},
		{"B28 a quote in the middle", `2,a"b,1.0`},
		{"B28 an empty number", ",b,1.0"},
		{"B28 a DECIMAL too large", "2,b,123456789012.0"},
		{"B28 blanks around a number", " 2 ,b,1.0"},
		{"B28 invalid UTF-8", "2,a\xffb,1.0"},
		{"B28 a NUL byte", "2,a\x00b,1.0"},
	} {
		files := map[string]string{"in/a.csv": "1,a,1.0\n" + c[1] + "\n9,z,1.0\n"}
		cols := "id INT, s STRING, d DECIMAL(10, 2)"
		cases = append(cases,
			testCase{name: c[0], files: files, sql: read(cols, "csv", "") + "SELECT * FROM t;"},
			testCase{name: c[0] + ", skipped", files: files, sql: read(cols, "csv", ", 'bad-records' = 'skip'") + "SELECT * FROM t;"})
	}
	cases = append(cases, testCase{name: "B28 a byte order mark", files: map[string]string{"in/a.csv": "\ufeff1,a,1.0\n"}, sql: read("id INT, s STRING, d DECIMAL(10, 2)", "csv", "") + "SELECT * FROM t;"})
	table(t, "csv", cases)
}

// TestRows has rows that decode and fail later: B07, and event times (B24, B25).
func TestRows(t *testing.T) {
	one := func(expr string) string {
		return "CREATE TABLE t (i INT, l BIGINT, s STRING, d DECIMAL(10, 2), n DOUBLE) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');\nSELECT " + expr + " FROM t;"
	}
	row := map[string]string{"in/a.json": `{"i": 0, "l": 9223372036854775807, "s": "abc", "d": 99999999.99, "n": 1e308}` + "\n"}
	var cases []testCase
	for _, c := range [][2]string{
		{"B07 division by zero", "1 / i"},
		{"B07 modulo of zero", "MOD(1, i)"},
		{"B07 a decimal by zero", "d / i"},
		{"B07 a double by zero", "n / i"},
		{"B07 overflow of BIGINT wraps as in Flink", "l + 1"},
		{"B07 a CAST of text", "CAST(s AS INT)"},
		{"B07 TRY_CAST", "TRY_CAST(s AS INT)"},
		{"B07 a CAST out of range", "CAST(l AS INT)"},
		{"B07 a DECIMAL out of range", "CAST(d * 1000000 AS DECIMAL(4, 2))"},
		{"B07 square root of -1", "SQRT(-1 + i)"},
		{"B07 logarithm of 0", "LN(i)"},
		{"B07 a date", "TO_TIMESTAMP(s)"},
		{"B07 a text of 2 GB", "REPEAT(s, 1000000000)"},
		{"B08 a bad pattern", "REGEXP_EXTRACT(s, '(', 1)"},
		{"B08 a pattern of the row", "REGEXP(s, CONCAT('(', s))"},
		{"B08 a pattern with a backreference", `REGEXP_REPLACE(s, '(a)\\1', 'x')`},
		{"B08 a pattern that would explode", "REGEXP(REPEAT('a', 30), '(a+)+$')"},
		{"B08 ESCAPE of two characters", "s LIKE 'a' ESCAPE 'xy'"},
		{"B08 a repetition of 100,000", "REGEXP(s, 'a{100000}')"},
	} {
		cases = append(cases, testCase{name: c[0], files: row, sql: one(c[1])})
	}
	windows := func(options string) string {
		return "CREATE TABLE t (id INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json'" + options + ");\n" +
			"SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;"
	}
	at := func(times ...string) map[string]string {
		var b strings.Builder
		for _, ts := range times {
			b.WriteString(`{"id": 1, "ts": "` + ts + `"}` + "\n")
		}
		return map[string]string{"in/a.json": b.String()}
	}
	many := make([]string, 5000) // more than a batch: a watermark follows it
	for i := range many {
		many[i] = "2024-01-01 00:01:00"
	}
	cases = append(cases,
		testCase{name: "B24 ten years ahead", files: at("2024-01-01 00:00:01", "2034-01-01 00:00:00", "2024-01-01 00:00:02"), sql: windows("")},
		testCase{name: "B24 ten years ahead, dropped", files: at(append([]string{"2234-01-01 00:00:00"}, append(many, "2024-01-01 00:00:02")...)...),
			sql: windows(", 'scan.watermark.max-future' = '1 h'")},
		testCase{name: "B25 late", files: at(append(many, "2024-01-01 00:00:02", "2024-01-01 00:01:00")...), sql: windows("")},
		testCase{name: "B25 no time", files: map[string]string{"in/a.json": `{"id": 1, "ts": null}` + "\n"}, sql: windows("")},
		testCase{name: "B14 a NULL into NOT NULL", sql: "CREATE TABLE n (id INT NOT NULL) WITH ('connector' = 'print');\nINSERT INTO n SELECT CAST(NULL AS INT);"},
	)
	table(t, "rows", cases)
}
