package badinput

import (
	"strings"
	"testing"
)

const tables = `CREATE TABLE t (id INT, name STRING, price DECIMAL(10, 2), ts TIMESTAMP(3)) WITH ('connector' = 'datagen', 'number-of-rows' = '1');
CREATE TABLE o (id INT, name STRING) WITH ('connector' = 'print');
`

func TestTexts(t *testing.T) {
	many := func(n int, f string) string { return strings.TrimSuffix(strings.Repeat(f+", ", n), ", ") }
	table(t, "texts", []testCase{
		{name: "B01 an empty file"},
		{name: "B01 only comments", sql: "-- nothing\n/* at\nall */\n"},
		{name: "B01 run of an empty file", files: map[string]string{"e.sql": ""}, args: []string{"run", "e.sql"}},
		{name: "B01 run of a file that is not there", args: []string{"run", "none.sql"}},
		{name: "B01 run of a folder", files: map[string]string{"d/x": ""}, args: []string{"run", "d"}},
		{name: "B01 a byte order mark", sql: "\ufeffSELECT 1;"},
		{name: "B01 a byte order mark in the middle", sql: "SELECT\ufeff 1;"},
		{name: "B01 CRLF", sql: "SELECT 1\r\n  AS a;\r\n"},
		{name: "B01 positions with CRLF", sql: "SELECT 1,\r\n  nope;\r\n"},
		{name: "B01 UTF-16", sql: "\xff\xfeS\x00E\x00L\x00"},
		{name: "B01 a NUL byte", sql: "SELECT 1;\nSELECT \x00 2;"},
		{name: "B01 a NUL byte in a string", sql: "SELECT 'a\x00b';"},
		{name: "B01 invalid UTF-8", sql: "SELECT 'a\xffb';"},
		{name: "B01 invalid UTF-8 in a comment", sql: "-- \xc3\x28\nSELECT 1;"},
		{name: "B01 a binary", sql: "\x7fELF\x02\x01\x01\x00\x00\x00"},
		{name: "B01 a string without its end", sql: "SELECT 'abc;\nSELECT 2;"},
		{name: "B01 a comment without its end", sql: "SELECT 1; /* abc"},
		{name: "B01 a quoted name without its end", sql: "SELECT `abc FROM t;"},
		{name: "B01 semicolons only", sql: ";;;"},
		{name: "B02 a statement of 2 MiB", sql: "SELECT '" + strings.Repeat("x", 2<<20) + "';"},
		{name: "B02 a file of 17 MiB", sql: strings.Repeat("SELECT 1;\n", 17<<20/10)},
		{name: "B02 an IN of 100,000 terms", sql: "SELECT 1 IN (" + many(100_000, "1") + ");"},
		{name: "B02 10,000 columns", sql: "SELECT " + many(10_000, "1") + ";"},
		{name: "B02 a table of 10,000 columns", sql: "CREATE TABLE w (a INT" + strings.Repeat(", b INT", 10_000) + ") WITH ('connector' = 'print');"},
		{name: "B02 a name of 100,000 letters", sql: "SELECT * FROM " + strings.Repeat("x", 100_000) + ";"},
		{name: "B03 100,000 parentheses", sql: "SELECT " + strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000) + ";"},
		{name: "B03 100,000 open parentheses", sql: "SELECT " + strings.Repeat("(", 100_000) + ";"},
		{name: "B03 subqueries", sql: strings.Repeat("SELECT * FROM (", 10_000) + "SELECT 1" + strings.Repeat(")", 10_000) + ";"},
		{name: "B03 CASE in CASE", sql: "SELECT " + strings.Repeat("CASE WHEN true THEN ", 10_000) + "1" + strings.Repeat(" END", 10_000) + ";"},
		{name: "B03 NOT NOT NOT", sql: "SELECT " + strings.Repeat("NOT ", 100_000) + "true;"},
		{name: "B03 minus signs", sql: "SELECT " + strings.Repeat("- ", 100_000) + "1;"},
		{name: "B03 a sum of 10,000 terms", sql: "SELECT 1" + strings.Repeat(" + 1", 10_000) + ";"},
		{name: "B03 nested types", sql: "CREATE TABLE w (a " + strings.Repeat("ARRAY<", 10_000) + "INT" + strings.Repeat(">", 10_000) + ") WITH ('connector' = 'print');"},
		{name: "B03 calls", sql: "SELECT " + strings.Repeat("ABS(", 10_000) + "1" + strings.Repeat(")", 10_000) + ";"},
		{name: "B03 UNION ALL of 5,000 queries", sql: "SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", 5_000) + ";"},
	})
}

func TestNames(t *testing.T) {
	var cases []testCase
	for _, c := range [][2]string{
		{"B04 a table that does not exist", "SELECT * FROM tt;"},
		{"B04 a table in the wrong case", "SELECT * FROM T;"},
		{"B04 a catalog that does not exist", "SELECT * FROM nope.d.t;"},
		{"B04 a column that does not exist", "SELECT nam FROM t;"},
		{"B04 a column in the wrong case", "SELECT id, NAME FROM t;"},
		{"B04 a column of another table", "SELECT o.id FROM t;"},
		{"B04 a function that does not exist", "SELECT UPPPER(name) FROM t;"},
		{"B04 an ambiguous column", "SELECT id FROM (SELECT id, id FROM t);"},
		{"B04 GROUP BY of an unknown column", "SELECT COUNT(*) FROM t GROUP BY nam;"},
		{"B04 a sink that does not exist", "INSERT INTO oo SELECT id, name FROM t;"},
		{"B04 a sink column that does not exist", "INSERT INTO o (id, nam) SELECT id, name FROM t;"},
		{"B04 DESCRIBE of nothing", "DESCRIBE oo;"},
		{"B04 DROP of nothing", "DROP TABLE oo;"},
		{"B04 a column of a ROW that does not exist", "SELECT r.c FROM (SELECT CAST(ROW(1, 2) AS ROW<a INT, b INT>) AS r);"},
		{"B04 too few arguments", "SELECT SUBSTRING() FROM t;"},
		{"B04 too many arguments", "SELECT UPPER(name, 1) FROM t;"},
		{"B05 a reserved word as a column", "SELECT id AS order FROM t;"},
		{"B05 a reserved word as a table", "CREATE TABLE user (id INT) WITH ('connector' = 'print');"},
		{"B05 a reserved word as a column of a table", "CREATE TABLE w (id INT, value STRING) WITH ('connector' = 'print');"},
		{"B05 double quotes", `SELECT "id" FROM t;`},
		{"B05 brackets", "SELECT [id] FROM t;"},
		{"B05 a misspelt keyword", "SELCT * FROM t;"},
		{"B05 a keyword of another dialect", "SELECT TOP 5 id FROM t;"},
		{"B05 == instead of =", "SELECT id FROM t WHERE id == 1;"},
		{"B05 a missing comma", "SELECT id name price FROM t;"},
		{"B05 a comma too many", "SELECT id, FROM t;"},
		{"B05 something behind the statement", "SELECT id FROM t WHERE id = 1 2;"},
		{"B05 a statement that Flink does not have", "UPSERT INTO o SELECT id, name FROM t;"},
		{"B06 text and number", "SELECT 'a' + 1;"},
		{"B06 SUM of text", "SELECT SUM(name) FROM t;"},
		{"B06 a timestamp and a number", "SELECT id FROM t WHERE ts > 5;"},
		{"B06 text as a condition", "SELECT id FROM t WHERE name;"},
		{"B06 NOT of a number", "SELECT NOT 5;"},
		{"B06 CASE of two types", "SELECT CASE WHEN true THEN 1 ELSE TIMESTAMP '2024-01-01 00:00:00' END;"},
		{"B06 a function of the wrong type", "SELECT UPPER(5);"},
		{"B06 a CAST that does not exist", "SELECT CAST(ts AS BOOLEAN) FROM t;"},
		{"B06 an unknown type", "SELECT CAST(1 AS INTT);"},
		{"B06 UNION of other types", "SELECT id FROM t UNION ALL SELECT ts FROM t;"},
		{"B06 UNION of other counts", "SELECT id FROM t UNION ALL SELECT id, name FROM t;"},
		{"B06 a decimal too long", "SELECT CAST(1 AS DECIMAL(50, 2));"},
		{"B06 a number too long", "SELECT 99999999999999999999999999999999999999999;"},
		{"B06 a date that does not exist", "SELECT DATE '2024-02-30';"},
		{"B06 an aggregate in WHERE", "SELECT id FROM t WHERE COUNT(*) > 1;"},
		{"B06 a column that is not grouped", "SELECT id, COUNT(*) FROM t GROUP BY name;"},
		{"B06 a window over a column without watermark", "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;"},
		{"B06 not supported yet", "SELECT t.id FROM t JOIN o ON t.id = o.id;"},
		{"B14 too few columns", "INSERT INTO o SELECT id FROM t;"},
		{"B14 too many columns", "INSERT INTO o SELECT id, name, price FROM t;"},
		{"B14 other types", "INSERT INTO o SELECT name, id FROM t;"},
		{"B14 updates without a key into a topic", "CREATE TABLE k (n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'k', 'properties.bootstrap.servers' = '127.0.0.1:1', 'format' = 'json');\nINSERT INTO k SELECT COUNT(*) FROM t;"},
		{"B14 an INSERT into a source", "INSERT INTO t SELECT id, name, price, ts FROM t;"},
		{"B14 a SELECT from a sink", "SELECT * FROM o;"},
		{"B14 updates into an append-only sink", "CREATE TABLE f (n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');\nSET 'execution.checkpointing.interval' = '1 s';\nINSERT INTO f SELECT COUNT(*) FROM t;"},
		{"B15 a bad statement in the middle", "CREATE TABLE x (a INT) WITH ('connector' = 'print');\nINSERT INTO o SELECT id, name FROM t;\nSELEC 1;\nSELECT 2;"},
		{"B15 a statement that does not bind in the middle", "INSERT INTO o SELECT id, name FROM t;\nSELECT nope FROM t;\nSELECT 2;"},
		{"B15 a bad statement in a set", "EXECUTE STATEMENT SET BEGIN\nINSERT INTO o SELECT id, name FROM t;\nINSERT INTO o SELECT id FROM t;\nEND;"},
		{"B15 a set without its end", "EXECUTE STATEMENT SET BEGIN\nINSERT INTO o SELECT id, name FROM t;"},
		{"B15 a table that exists", "CREATE TABLE t (a INT) WITH ('connector' = 'print');"},
	} {
		cases = append(cases, testCase{name: c[0], sql: tables + c[1]})
	}
	table(t, "names", cases)
}

func TestOptions(t *testing.T) {
	var cases []testCase
	create := func(with string) string { return "CREATE TABLE w (a INT) WITH (" + with + ");\nSELECT * FROM w;" }
	for _, c := range [][2]string{
		{"B16 no connector", create("'a' = 'b'")},
		{"B16 no WITH", "CREATE TABLE w (a INT);\nSELECT * FROM w;"},
		{"B16 an unknown connector", create("'connector' = 'kafak'")},
		{"B16 a misspelt option", create("'connector' = 'datagen', 'number-of-row' = '1'")},
		{"B16 an unknown option", create("'connector' = 'datagen', 'colour' = 'red'")},
		{"B16 an option twice", create("'connector' = 'datagen', 'seed' = '1', 'seed' = '2'")},
		{"B16 a text for a number", create("'connector' = 'datagen', 'seed' = 'many'")},
		{"B16 a number without unit", create("'connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'source.monitor-interval' = '10 parsecs'")},
		{"B16 a size with a wrong unit", create("'connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'sink.rolling-policy.file-size' = '10 zb'")},
		{"B16 a wrong value of several", create("'connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'bad-records' = 'skipp'")},
		{"B16 a wrong boolean", create("'connector' = 'print', 'standard-error' = 'yes'")},
		{"B16 an unknown format", create("'connector' = 'filesystem', 'path' = 'x', 'format' = 'jsn'")},
		{"B16 an option of a format misspelt", create("'connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'json.ignore-parse-error' = 'true'")},
		{"B16 an option of another format", create("'connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'csv.field-delimiter' = ';'")},
		{"B16 a required option missing", create("'connector' = 'filesystem', 'format' = 'json'")},
		{"B16 a value without quotes", create("'connector' = datagen")},
		{"B16 a key without quotes", create("connector = 'datagen'")},
		{"B16 a Kafka property that is not there", create("'connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'properties.bootstrap.servers' = '127.0.0.1:1', 'properties.max.pol.records' = '5'")},
		{"B16 a broker without port", create("'connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'properties.bootstrap.servers' = 'localhost'")},
		{"B16 no broker", create("'connector' = 'kafka', 'topic' = 't', 'format' = 'json'")},
		{"B16 no topic", create("'connector' = 'kafka', 'format' = 'json', 'properties.bootstrap.servers' = '127.0.0.1:1'")},
		{"B16 dead letters without a topic", create("'connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'properties.bootstrap.servers' = '127.0.0.1:1', 'bad-records' = 'dlq'")},
		{"B16 a wrong secret", create("'connector' = 'kafka', 'topic' = 't', 'format' = 'json', 'properties.bootstrap.servers' = '127.0.0.1:1', 'properties.security.protocol' = 'SASL_PLAINTEXT', 'properties.sasl.mechanism' = 'PLAIN', 'properties.sasl.jaas.config' = 'canary-7f3a'")},
		{"B16 SET of an unknown option", "SET 'paralelism.default' = '2';"},
		{"B16 SET of a text for a number", "SET 'parallelism.default' = 'two';"},
		{"B16 SET of 0 for a number that is at least 1", "SET 'parallelism.default' = '0';"},
		{"B16 SET of a wrong duration", "SET 'execution.checkpointing.interval' = '10 parsecs';"},
		{"B16 SET of a negative duration", "SET 'execution.checkpointing.interval' = '-1 s';"},
		{"B16 SET of a wrong enum", "SET 'execution.checkpointing.mode' = 'TWICE';"},
		{"B16 SET of a wrong zone", "SET 'table.local-time-zone' = 'Mars/Olympus';"},
		{"B16 RESET of an unknown option", "RESET 'paralelism.default';"},
		{"B16 a hint with an unknown option", "CREATE TABLE w (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');\nSELECT * FROM w /*+ OPTIONS('number-of-row' = '2') */;"},
	} {
		cases = append(cases, testCase{name: c[0], sql: c[1]})
	}
	cases = append(cases,
		testCase{name: "B16 -D of an unknown option", args: []string{"-D", "paralelism.default=2", "-e", "SELECT 1"}},
		testCase{name: "B16 -D without value", args: []string{"-D", "parallelism.default", "-e", "SELECT 1"}},
		testCase{name: "B51 an unknown flag", args: []string{"--outputt", "json"}},
		testCase{name: "B51 an unknown command", args: []string{"rnu", "x.sql"}},
		testCase{name: "B51 an unknown output", args: []string{"--output", "xml", "-e", "SELECT 1"}},
		testCase{name: "B51 an unknown log level", args: []string{"--log-level", "loud", "-e", "SELECT 1"}},
		testCase{name: "B51 two flags that contradict", args: []string{"-e", "SELECT 1", "-f", "x.sql"}},
		testCase{name: "B51 run without a file", args: []string{"run"}},
		testCase{name: "B51 run of a SELECT", files: map[string]string{"s.sql": "SELECT 1;"}, args: []string{"run", "s.sql"}},
		testCase{name: "B51 a parallelism of -1", files: map[string]string{"s.sql": "SELECT 1;"}, args: []string{"run", "--parallelism", "-1", "s.sql"}},
	)
	table(t, "options", cases)
}
