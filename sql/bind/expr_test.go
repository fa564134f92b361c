package bind_test

import (
	"testing"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

var columns = types.Schema{
	{Name: "i", Type: types.IntT}, {Name: "n", Type: types.BigIntT.NotNullable()}, {Name: "s", Type: types.StringT}, {Name: "d", Type: types.DecimalT(10, 2)},
	{Name: "b", Type: types.BooleanT}, {Name: "ts", Type: types.Type{Kind: types.Timestamp, Precision: 3, Attr: types.RowTime}},
	{Name: "t", Type: types.RowT(types.Field{Name: "x", Type: types.IntT.NotNullable()}, types.Field{Name: "r", Type: types.RowT(types.Field{Name: "y", Type: types.StringT})})},
}

// TestExpressions: what an expression becomes, with its casts, and its type.
func TestExpressions(t *testing.T) {
	for _, tc := range []struct{ text, bound, typ string }{
		{"i + 1", "i + 1", "INT"},
		{"n + i", "n + CAST(i AS BIGINT)", "BIGINT"},
		{"n > 5", "n > 5", "BOOLEAN NOT NULL"},
		{"d * 2", "d * 2", "DECIMAL(21, 2)"},
		{"t.i", "i", "INT"},
		{"t.x", "t.x", "INT"},
		{"t.r.y", "t.r.y", "STRING"},
		{"t.t.r.y", "t.r.y", "STRING"},
		{"CASE i WHEN 1 THEN 'a' WHEN 2 THEN 'bcd' END", "CASE WHEN i = 1 THEN 'a' WHEN i = 2 THEN 'bcd' END", "VARCHAR(3)"},
		{"CASE WHEN b THEN 1 ELSE n END", "CASE WHEN b THEN 1 ELSE n END", "BIGINT NOT NULL"},
		{"i IN (1, NULL)", "i IN (1, NULL)", "BOOLEAN"},
		{"n NOT BETWEEN 1 AND i", "n NOT BETWEEN 1 AND CAST(i AS BIGINT)", "BOOLEAN"},
		{"s LIKE 'a%' AND NOT b", "s LIKE 'a%' AND NOT b", "BOOLEAN"},
		{"s NOT LIKE 'a%'", "NOT s LIKE 'a%'", "BOOLEAN"},
		{"b IS UNKNOWN", "b IS NULL", "BOOLEAN NOT NULL"},
		{"i IS NOT DISTINCT FROM NULL", "i IS NOT DISTINCT FROM NULL", "BOOLEAN NOT NULL"},
		{"CAST(NULL AS INT)", "NULL", "INT"},
		{"CAST(s AS INT)", "CAST(s AS INT)", "INT"},
		{"TRY_CAST(n AS INT)", "TRY_CAST(n AS INT)", "INT"},
		{"CAST(ts AS TIMESTAMP(3))", "CAST(ts AS TIMESTAMP(3))", "TIMESTAMP(3)"},
		{"ts", "ts", "TIMESTAMP(3) *ROWTIME*"},
		{"ts - INTERVAL '4' SECOND", "ts - INTERVAL '4' SECOND", "TIMESTAMP(3)"},
		{"-i - -1", "-i - -1", "INT"},
		{"(i + 1) * 2 - 3 * (i - (i - 1))", "(i + 1) * 2 - 3 * (i - (i - 1))", "INT"},
		{"b AND (b OR i = 1)", "b AND (b OR i = 1)", "BOOLEAN"},
		{"upper(s) || 'x'", "UPPER(s) || 'x'", "STRING"},
		{"COALESCE(NULL, i)", "COALESCE(NULL, i)", "INT"},
	} {
		e, err := expression(t, tc.text, columns)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		if got := expr.Text(e, nil); got != tc.bound {
			t.Errorf("%s is bound as %s, want %s", tc.text, got, tc.bound)
		}
		if got := e.Type().Summary(); got != tc.typ {
			t.Errorf("%s has type %s, want %s", tc.text, got, tc.typ)
		}
	}
}

// TestErrorsStandWhereFlinkPutsThem.
func TestErrorsStandWhereFlinkPutsThem(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"i + 1 + s", "1:8"},
		{"1 + (s + 1)", "1:13"},
		{"UPPER(i)", "1:8"},
		{"i + nope", "1:12"},
		{"t.r.nope", "1:12"},
		{"NULL", "1:8"},
		{"ROW(i, NULL)", "1:15"},
		{"ARRAY[NULL]", "1:8"},
		{"CASE WHEN i THEN 1 END", "1:18"},
		{"IF(b, i, s)", "1:8"},
		{"CAST(ts AS BOOLEAN)", "1:8"},
		{"COUNT(*)", "1:8"},
	} {
		_, err := expression(t, tc.text, columns)
		if err == nil {
			t.Errorf("%s: no error", tc.text)
			continue
		}
		if got := err.Error()[:len(tc.want)+1]; got != tc.want+":" {
			t.Errorf("%s: %v, want it at %s", tc.text, err, tc.want)
		}
	}
}

const tables = `CREATE TABLE t (a BIGINT, b BIGINT NOT NULL, s STRING, ts TIMESTAMP(3), p AS PROCTIME(), WATERMARK FOR ts AS ts); `

// TestQueryTypes: names, types and time attributes of results.
func TestQueryTypes(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"SELECT a, a, a AS a0, a + 1 FROM t", "a BIGINT, a0 BIGINT, a00 BIGINT, EXPR$3 BIGINT"},
		{"SELECT * FROM t", "a BIGINT, b BIGINT NOT NULL, s STRING, ts TIMESTAMP(3) *ROWTIME*, p TIMESTAMP_LTZ(3) NOT NULL *PROCTIME*"},
		{"SELECT default_database.t.a FROM default_database.t", "a BIGINT"},
		{"SELECT SUM(b) FROM t", "EXPR$0 BIGINT"},
		{"SELECT SUM(b) FROM t GROUP BY a", "EXPR$0 BIGINT NOT NULL"},
		{"SELECT SUM(b) FILTER (WHERE a > 1) FROM t GROUP BY a", "EXPR$0 BIGINT"},
		{"SELECT COUNT(*), COUNT(a) FROM t", "EXPR$0 BIGINT NOT NULL, EXPR$1 BIGINT NOT NULL"},
		{"SELECT ts FROM t GROUP BY ts", "ts TIMESTAMP(3)"},
		{"SELECT x.ts FROM (SELECT ts FROM t WHERE a > 1) AS x", "ts TIMESTAMP(3) *ROWTIME*"},
		{"SELECT ts FROM t UNION ALL SELECT ts FROM t", "ts TIMESTAMP(3) *ROWTIME*"},
		{"SELECT a, s FROM t UNION ALL SELECT 1, 'abc'", "a BIGINT, s STRING"},
		{"SELECT window_start, window_end, window_time, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end, window_time",
			"window_start TIMESTAMP(3) NOT NULL, window_end TIMESTAMP(3) NOT NULL, window_time TIMESTAMP(3) NOT NULL *ROWTIME*, EXPR$3 BIGINT NOT NULL"},
		{"SELECT window_time, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(p), INTERVAL '1' SECOND)) GROUP BY window_time", "window_time TIMESTAMP_LTZ(3) NOT NULL, EXPR$1 BIGINT NOT NULL"},
		{"VALUES (1, 'a'), (2, 'bcd')", "EXPR$0 INT NOT NULL, EXPR$1 VARCHAR(3) NOT NULL"},
		{"WITH x AS (SELECT a AS k FROM t), y (z) AS (SELECT k + 1 FROM x) SELECT * FROM y", "z BIGINT"},
	} {
		n, err := query(t, tables+tc.text)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		got := ""
		for i, f := range n.Schema() {
			if i > 0 {
				got += ", "
			}
			got += f.Name + " " + f.Type.Summary()
		}
		if got != tc.want {
			t.Errorf("%s\n returns %s\n want    %s", tc.text, got, tc.want)
		}
	}
}
