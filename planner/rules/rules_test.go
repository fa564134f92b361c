package rules_test

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/planner/rules"
	"github.com/sqlstream/sqlstream/sql"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/bind"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/rel"
)

// one makes a rewrite of a whole tree of a rule for one node.
func one(rule func(rel.Node) rel.Node) func(rel.Node) rel.Node {
	return func(n rel.Node) rel.Node { return rel.Rewrite(n, rule) }
}

var rewrites = map[string]func(rel.Node) rel.Node{
	"merge-filters":       one(rules.MergeFilters),
	"push-filter":         one(rules.PushFilter),
	"merge-projects":      one(rules.MergeProjects),
	"merge-unions":        one(rules.MergeUnions),
	"aggregate-by-window": one(rules.AggregateByWindow),
	"prune":               rules.Prune,
	"simplify":            rules.Simplify,
	"share-scans":         func(n rel.Node) rel.Node { return rules.ShareScans([]rel.Node{rules.Simplify(n)})[0] },
}

// TestRules runs testdata: the directive names the rule, the input is CREATE statements and
// a query; printed are the tree as bound and as rewritten.
func TestRules(t *testing.T) {
	datadriven.RunTest(t, "testdata/rules", func(t *testing.T, d *datadriven.TestData) string {
		rewrite, ok := rewrites[d.Cmd]
		if !ok {
			t.Fatalf("%s: no rule %s", d.Pos, d.Cmd)
		}
		const tables = "CREATE TABLE t (a BIGINT, b BIGINT, c STRING, r ROW<x BIGINT, y STRING>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts); "
		src := ast.Source{Text: tables + d.Input}
		stmts, err := sql.Parse("", src.Text)
		if err != nil {
			return err.Error() + "\n"
		}
		env := bind.Env{Catalog: catalog.New(), Functions: engine.Functions{}, Source: src}
		table, err := bind.Table(env, stmts[0].(*ast.CreateTable))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := env.Catalog.Create(table, false, false); err != nil {
			t.Fatal(err)
		}
		n, err := bind.Query(env, stmts[1].(*ast.QueryStatement).Query)
		if err != nil {
			return err.Error() + "\n"
		}
		before := rel.Print(&rel.Sink{Query: n}, n)
		out := rewrite(n)
		if got, want := out.Schema(), n.Schema(); got.String() != want.String() {
			t.Errorf("%s: columns %s became %s", d.Pos, want, got)
		}
		if rel.Print(&rel.Sink{Query: n}, n) != before {
			t.Errorf("%s: the rule changed its input", d.Pos)
		}
		return before + "---\n" + rel.Print(&rel.Sink{Query: out}, out)
	})
}
