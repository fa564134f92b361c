package sql_test

import (
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/sql"
)

// TestLimits gives texts that are far too large in one way each. An error says which limit it
// was, and none of them may take the stack or the patience away.
func TestLimits(t *testing.T) {
	rep := strings.Repeat
	cases := []struct{ name, text, want string }{
		{"statement", "SELECT '" + rep("x", 10<<20) + "'", "1:1: this statement is longer than the limit of 1048576 bytes (1 MiB)"},
		{"second statement", "SELECT 1;\nSELECT " + rep("a, ", 400_000) + "a", "2:1: this statement is longer than the limit of 1048576 bytes (1 MiB)"},
		{"statement of a set", "EXECUTE STATEMENT SET BEGIN INSERT INTO t VALUES " + rep("(1), ", 300_000) + "(1); END", "1:1: this statement is longer than the limit of 1048576 bytes (1 MiB)"},
		{"IN list", "SELECT a IN (" + rep("1, ", 100_000) + "1)", "more than 16384 terms in this list"},
		{"columns", "SELECT " + rep("a, ", 10_000) + "a", "more than 4096 terms in this list"},
		{"table columns", "CREATE TABLE t (" + rep("a INT, ", 10_000) + "a INT)", "more than 4096 terms in this list"},
		{"brackets", "SELECT " + rep("(", 100_000) + "1" + rep(")", 100_000), "nested more than 256 levels deep"},
		{"unclosed brackets", "SELECT " + rep("(", 100_000), "nested more than 256 levels deep"},
		{"subqueries", rep("SELECT * FROM (", 50_000) + "SELECT 1" + rep(")", 50_000), "nested more than 256 levels deep"},
		{"EXISTS", "SELECT " + rep("EXISTS (SELECT ", 50_000) + "1" + rep(")", 50_000), "nested more than 256 levels deep"},
		{"CASE", "SELECT " + rep("CASE WHEN a THEN ", 40_000) + "1" + rep(" END", 40_000), "nested more than 256 levels deep"},
		{"calls", "SELECT " + rep("f(", 100_000) + "1" + rep(")", 100_000), "nested more than 256 levels deep"},
		{"types", "SELECT CAST(a AS " + rep("ARRAY<", 100_000) + "INT" + rep(">", 100_000) + ")", "nested more than 256 levels deep"},
		{"type suffixes", "SELECT CAST(a AS INT" + rep(" ARRAY", 100_000) + ")", "nested more than 256 levels deep"},
		{"joins", "SELECT * FROM " + rep("(a JOIN ", 100_000), "nested more than 256 levels deep"},
		{"many joins", "SELECT * FROM a" + rep(" CROSS JOIN a", 50_000), "more than 256 joins in one FROM"},
		{"commas", "SELECT * FROM a" + rep(", a", 50_000), "more than 256 tables in one FROM"},
		{"pattern", "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (" + rep("(", 100_000) + "a" + rep(")", 100_000) + ")", "nested more than 256 levels deep"},
		{"grouping sets", "SELECT a FROM t GROUP BY " + rep("ROLLUP (", 50_000) + "a" + rep(")", 50_000), "nested more than 256 levels deep"},
		{"NOT", "SELECT " + rep("NOT ", 100_000) + "a", "more than 256 operators before one operand"},
		{"signs", "SELECT " + rep("- ", 100_000) + "a", "more than 256 operators before one operand"},
		{"subscripts", "SELECT a" + rep("[1]", 100_000), "more than 256 subscripts and fields of one value"},
		{"operators", "SELECT " + rep("a AND ", 100_000) + "a", "more than 16384 operators in one expression"},
		{"tests", "SELECT a" + rep(" IS NULL", 100_000), "more than 16384 operators in one expression"},
		{"set operations", "SELECT 1" + rep(" UNION SELECT 1", 50_000), "more than 1024 set operations in one statement"},
		{"intersections", "SELECT 1" + rep(" INTERSECT SELECT 1", 50_000), "more than 1024 set operations in one statement"},
		{"EXPLAIN", rep("EXPLAIN ", 100_000), "1:9: expected a query, INSERT or STATEMENT SET after EXPLAIN, found EXPLAIN"},
		{"EXECUTE", rep("EXECUTE ", 100_000), "1:1: EXECUTE statements are not supported"},
		{"named arguments", "SELECT f(" + rep("a => ", 100_000) + "1)", "nested more than 256 levels deep"},
		{"hints", "SELECT /*+ " + rep("f(", 100_000) + " */ 1", "expected , or ) after f, found ("},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := sql.Parse("", c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %.200v\nwant %s", err, c.want)
			}
		})
	}
}

// TestLargeButAllowed parses texts that are just within the limits.
func TestLargeButAllowed(t *testing.T) {
	rep := strings.Repeat
	for name, text := range map[string]string{
		"IN list":    "SELECT a IN (" + rep("1, ", 16_383) + "1)",
		"columns":    "SELECT " + rep("a + 1, ", 4_095) + "a",
		"operators":  "SELECT " + rep("a AND b = 1 OR ", 5_000) + "a",
		"rows":       "INSERT INTO t VALUES " + rep("(1, 'abc'), ", 60_000) + "(1, 'abc')",
		"brackets":   "SELECT " + rep("(", 250) + "1 + 1" + rep(")", 250),
		"calls":      "SELECT " + rep("f(a || ", 250) + "a" + rep(")", 250),
		"subqueries": rep("SELECT * FROM (", 250) + "SELECT 1" + rep(")", 250),
	} {
		t.Run(name, func(t *testing.T) {
			stmts, err := sql.Parse("", text)
			if err != nil {
				t.Fatalf("%.300v", err)
			}
			checkAgain(t, stmts)
		})
	}
}

func TestBadBytes(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1;\nSELECT \x00":      "2:8: NUL byte at byte offset 17; is this a text file?",
		"SELECT 'é\xff'":              "1:10: invalid UTF-8 at byte offset 10 (0xff); save the file as UTF-8",
		"-- \xc3":                     "1:4: invalid UTF-8 at byte offset 3 (0xc3); save the file as UTF-8",
		"SELECT '\uFFFD', é + \u200b": "1:17: unexpected character '\\u200b' (U+200B)",
	} {
		if _, err := sql.Parse("", text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
