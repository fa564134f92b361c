package sql_test

import (
	"slices"
	"testing"

	"github.com/sqlstream/sqlstream/sql"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		text     string
		complete []string
		rest     string
	}{
		{"", nil, ""},
		{"  -- only a comment\n", nil, ""},
		{"SELECT 1", nil, "SELECT 1"},
		{"SELECT 1;", []string{"SELECT 1"}, ""},
		{"SELECT 1; -- done", []string{"SELECT 1"}, ""},
		{" ; SELECT 1 ;; SELECT\n 2", []string{"SELECT 1"}, "SELECT\n 2"},
		{"SELECT ';', `;` /* ; */ -- ;\n;SELECT 2;", []string{"SELECT ';', `;`", "SELECT 2"}, ""},
		{"SELECT 'open; SELECT 2;", nil, "SELECT 'open; SELECT 2;"},
		{"SELECT 'it''s;';x", []string{"SELECT 'it''s;'"}, "x"},
		{"SELECT `open;", nil, "SELECT `open;"},
		{"SELECT 1; /* open ;", []string{"SELECT 1"}, "/* open ;"},
		{"SELECT E'a\\';b'; y", []string{"SELECT E'a\\';b'"}, "y"},
		{"EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1;", nil, "EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1;"},
		{"EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; END; SELECT 2;", []string{"EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; END", "SELECT 2"}, ""},
		{"begin statement set; INSERT INTO t SELECT CASE WHEN a THEN 1 END; end; z", []string{"begin statement set; INSERT INTO t SELECT CASE WHEN a THEN 1 END; end"}, "z"},
		{"EXPLAIN CHANGELOG_MODE STATEMENT SET BEGIN INSERT INTO t SELECT 1; END;", []string{"EXPLAIN CHANGELOG_MODE STATEMENT SET BEGIN INSERT INTO t SELECT 1; END"}, ""},
		{"EXPLAIN SELECT 1; EXECUTE SELECT 2;", []string{"EXPLAIN SELECT 1", "EXECUTE SELECT 2"}, ""},
		{"SELECT \"x\" # bad; SELECT 2;", []string{"SELECT \"x\" # bad", "SELECT 2"}, ""},
	} {
		pieces, rest, err := sql.Split(c.text)
		var got []string
		for _, p := range pieces {
			got = append(got, p.Text)
			if c.text[p.Start:p.End] != p.Text {
				t.Errorf("%q: piece %q is not at %d..%d", c.text, p.Text, p.Start, p.End)
			}
		}
		if !slices.Equal(got, c.complete) || rest != c.rest || err != nil {
			t.Errorf("%q:\ngot  %q rest %q, %v\nwant %q rest %q", c.text, got, rest, err, c.complete, c.rest)
		}
	}
	if _, _, err := sql.Split("SELECT \x00;"); err == nil {
		t.Error("a NUL byte is no error")
	}
}

func TestTokens(t *testing.T) {
	names := map[sql.TokenKind]string{sql.TokenKeyword: "k", sql.TokenName: "n", sql.TokenFunction: "f", sql.TokenString: "s", sql.TokenNumber: "d",
		sql.TokenOperator: "o", sql.TokenHint: "h", sql.TokenComment: "c", sql.TokenInvalid: "x"}
	for text, want := range map[string]string{
		"SELECT count(*), `a` FROM t -- c": "kfoooonknc",
		"select a.b||'x' /*+ H(1) */":      "knonosh",
		"SELECT 1.5e3, X'00', e":           "kdoson",
		"SELECT 'open":                     "kx",
		"SELECT a /* open":                 "knx",
		"a :: \"b\" &":                     "nxxx",
		"":                                 "",
	} {
		got, end := "", 0
		for _, tok := range sql.Tokens(text) {
			got += names[tok.Kind]
			if tok.Start < end || tok.End <= tok.Start || tok.End > len(text) {
				t.Errorf("%q: token at %d..%d after %d", text, tok.Start, tok.End, end)
			}
			end = tok.End
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
