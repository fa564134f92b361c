package sql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/sql"
)

// TestReservedWords holds for every word of the language: reserved ones are names only in
// backquotes, and the error says so; the others are names everywhere.
func TestReservedWords(t *testing.T) {
	words := sql.Keywords()
	if len(words) < 450 || !slices.IsSorted(words) {
		t.Fatalf("%d keywords, sorted: %v", len(words), slices.IsSorted(words))
	}
	places := []string{"SELECT a AS %s FROM t", "SELECT t.%s FROM t", "CREATE TABLE t (%s INT)", "SELECT * FROM t AS %s", "DROP TABLE %s"}
	for _, w := range words {
		for _, place := range places {
			if _, err := sql.Parse("", strings.ReplaceAll(place, "%s", "`"+w+"`")); err != nil {
				t.Errorf("%s in backquotes: %v", w, err)
			}
			text := strings.ReplaceAll(place, "%s", strings.ToLower(w))
			_, err := sql.Parse("", text)
			if sql.IsReserved(w) != (err != nil) {
				t.Errorf("%s: reserved %v, error %v", text, sql.IsReserved(w), err)
			}
		}
	}
	for _, w := range []string{"dateTime", "value", "count", "Year"} {
		_, err := sql.Parse("", "SELECT a AS "+w)
		if want := "quote it with backquotes: `" + w + "`"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", w, err)
		}
	}
}

func TestLettersThatFoldToASCII(t *testing.T) {
	stmts, err := sql.Parse("", "SELECT ſum, ſelect FROM t") // U+017F, whose upper case is S
	if err != nil || printAll(stmts) != "SELECT ſum, ſelect FROM t" {
		t.Errorf("%v %v", printAll(stmts), err)
	}
}

func TestKeywordsInAnyCase(t *testing.T) {
	stmts, err := sql.Parse("", "select Count(*) as N from T wHERE a Is nOt nuLL group BY b")
	if err != nil || printAll(stmts) != "SELECT Count(*) AS N FROM T WHERE a IS NOT NULL GROUP BY b" {
		t.Errorf("%v %v", printAll(stmts), err)
	}
}
