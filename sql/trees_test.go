package sql_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/sql"
	"github.com/sqlstream/sqlstream/sql/ast"
)

// TestTreesAreFlinks compares the trees of random chains of operators with those that the parser
// of Flink 2.2.1 builds. testdata/trees has the expression and Flink's tree on alternating lines.
// What is refused here must say where brackets are missing.
func TestTreesAreFlinks(t *testing.T) {
	data, err := os.ReadFile("testdata/trees")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	same := 0
	for i := 0; i+1 < len(lines); i += 2 {
		expr, want := lines[i], lines[i+1]
		stmts, err := sql.Parse("", "SELECT "+expr)
		if err != nil {
			if want != "refused" && !strings.Contains(err.Error(), "put brackets around") {
				t.Errorf("%s: %v", expr, err)
			}
			continue
		}
		got := tree(stmts[0].(*ast.QueryStatement).Query.Body.(*ast.Select).Items[0].Expr)
		if got != want {
			t.Errorf("%s\ngot   %s\nFlink %s", expr, got, want)
		}
		same++
	}
	if same < 1_000 {
		t.Errorf("only %d trees were compared", same)
	}
}

// tree prints an expression with every operator in braces before its operands.
func tree(e ast.Expr) string {
	not := func(n bool) string {
		if n {
			return "NOT "
		}
		return ""
	}
	node := func(op string, args ...ast.Expr) string {
		for _, a := range args {
			if a != nil {
				op += " " + tree(a)
			}
		}
		return "{" + op + "}"
	}
	switch e := e.(type) {
	case *ast.ColumnRef:
		return e.Path[0].Name
	case *ast.Unary:
		return node(e.Op.String(), e.Arg)
	case *ast.Binary:
		return node(e.Op.String(), e.Left, e.Right)
	case *ast.Is:
		return node("IS "+not(e.Not)+e.Test.String(), e.Arg)
	case *ast.IsDistinct:
		return node("IS "+not(e.Not)+"DISTINCT FROM", e.Left, e.Right)
	case *ast.In:
		return node(not(e.Not)+"IN", append([]ast.Expr{e.Arg}, e.List...)...)
	case *ast.Like:
		op := "LIKE"
		if e.Similar {
			op = "SIMILAR TO"
		}
		return node(not(e.Not)+op, e.Arg, e.Pattern, e.Escape)
	case *ast.Between:
		return node(not(e.Not)+"BETWEEN", e.Arg, e.Low, e.High)
	}
	return "?"
}
