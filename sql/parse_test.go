package sql_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/sql"
	"github.com/sqlstream/sqlstream/sql/ast"
)

// TestParse runs testdata/parse: a text, and its canonical form or its error. flink=accepts and
// flink=refuses is what the parser of Flink 2.2.1 says to the same text. What Flink refuses must
// be refused here; what Flink accepts may be refused here with a message of its own.
func TestParse(t *testing.T) {
	datadriven.Walk(t, "testdata/parse", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			stmts, err := sql.Parse("", d.Input)
			if err != nil {
				return "error: " + err.Error()
			}
			if d.HasArg("flink") {
				var verdict string
				d.ScanArgs(t, "flink", &verdict)
				if verdict == "refuses" {
					d.Fatalf(t, "Flink refuses this text")
				}
			}
			checkAgain(t, stmts)
			checkPositions(t, d.Input, stmts)
			return printAll(stmts)
		})
	})
}

func printAll(stmts []ast.Statement) string {
	parts := make([]string, len(stmts))
	for i, s := range stmts {
		parts[i] = ast.Print(s)
	}
	if len(parts) == 0 {
		return "no statement"
	}
	return strings.Join(parts, ";\n")
}

// checkAgain parses the printed form: it must be the same tree, printed the same.
func checkAgain(t *testing.T, stmts []ast.Statement) {
	t.Helper()
	for _, s := range stmts {
		text := ast.Print(s)
		again, err := sql.Parse("", text)
		if err != nil || len(again) != 1 {
			t.Errorf("the printed form does not parse: %v\n%s", err, text)
			continue
		}
		if got := ast.Print(again[0]); got != text {
			t.Errorf("printed again it differs:\n%s\n%s", text, got)
		}
		if !sameTree(reflect.ValueOf(s), reflect.ValueOf(again[0])) {
			t.Errorf("the printed form is another tree: %s", text)
		}
	}
}

var (
	atType   = reflect.TypeFor[ast.At]()
	spanType = reflect.TypeFor[ast.Span]()
)

// sameTree compares everything but positions.
func sameTree(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return false
	}
	if !a.IsValid() || a.Type() == atType || a.Type() == spanType {
		return true
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return sameTree(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !sameTree(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameTree(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}

// TestNexmark parses the queries of Nexmark. printed.golden holds what they become.
func TestNexmark(t *testing.T) {
	files, err := filepath.Glob("testdata/nexmark/*.sql")
	if err != nil || len(files) < 30 {
		t.Fatalf("found %d queries: %v", len(files), err)
	}
	var got strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		stmts, err := sql.Parse(file, string(text))
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		checkAgain(t, stmts)
		checkPositions(t, string(text), stmts)
		got.WriteString("-- " + filepath.Base(file) + "\n" + printAll(stmts) + ";\n\n")
	}
	golden(t, "testdata/nexmark/printed.golden", got.String())
}

// golden compares with a file, or writes it with -rewrite.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if flag.Lookup("rewrite").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; run the test with -rewrite and look at the difference", path)
	}
}

func TestEmptyTexts(t *testing.T) {
	for _, text := range []string{"", " \r\n\t", "-- nothing\n/* at all */ // here", ";;", "\uFEFF"} {
		if stmts, err := sql.Parse("", text); err != nil || len(stmts) != 0 {
			t.Errorf("%q: %d statements, error %v", text, len(stmts), err)
		}
	}
	stmts, err := sql.Parse("", "\uFEFFSELECT a\r\nFROM t -- x\r\nWHERE b;\r\n")
	if err != nil || printAll(stmts) != "SELECT a FROM t WHERE b" {
		t.Errorf("byte order mark and CRLF: %v", err)
	}
}

func TestOneBadStatementIsNoStatement(t *testing.T) {
	stmts, err := sql.Parse("job.sql", "SELECT 1;\nSELECT 2 FROM;\nSELECT 3")
	if stmts != nil || err == nil || err.Error() != "job.sql:2:14: expected a table name after FROM, found ;" {
		t.Errorf("%d statements, error %v", len(stmts), err)
	}
	var e *ast.Error
	if !errors.As(err, &e) || e.Offset != 23 {
		t.Errorf("the error is %#v", err)
	}
	want := "job.sql:2:14: expected a table name after FROM, found ;\n  SELECT 2 FROM;\n               ^"
	if got := e.Render(); got != want {
		t.Errorf("rendered:\n%s\nwant:\n%s", got, want)
	}
}

func TestStatementRanges(t *testing.T) {
	text := "  SELECT 'a;b' ; -- c;\n EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1 ; END ; DROP TABLE t"
	stmts, err := sql.Parse("", text)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"SELECT 'a;b'", "EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1 ; END", "DROP TABLE t"}
	for i, s := range stmts {
		if start, end := s.Range(); text[start:end] != want[i] {
			t.Errorf("statement %d covers %q, want %q", i, text[start:end], want[i])
		}
	}
}
