package sql

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// TestSkeleton shows what TiDB sees of a query. No word of the user may be in it.
func TestSkeleton(t *testing.T) {
	datadriven.RunTest(t, "testdata/skeleton", func(t *testing.T, d *datadriven.TestData) string {
		src := ast.Source{Text: d.Input}
		p := &parser{src: src, toks: scan(src, false), sk: &skeleton{}}
		p.match = matchBrackets(p.toks)
		p.queryExpr()
		return strings.Join(strings.Fields(p.sk.text()), " ")
	})
}
