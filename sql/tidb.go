package sql

import (
	"regexp"
	"strconv"
	"sync"

	tidb "github.com/pingcap/tidb/pkg/parser"
	tast "github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// TiDB's parser wants to know how literals are made before it parses anything. A skeleton has
// none, so these are never called.
var installHooks = sync.OnceFunc(func() {
	tast.NewValueExpr = func(any, string, string) tast.ValueExpr { return nil }
	tast.NewParamMarkerExpr = func(int) tast.ParamMarkerExpr { return nil }
	tast.NewDecimal = func(s string) (any, error) { return s, nil }
	tast.NewHexLiteral = func(s string) (any, error) { return s, nil }
	tast.NewBitLiteral = func(s string) (any, error) { return s, nil }
})

var errorLine = regexp.MustCompile(`^line (\d+) column`)

// parse gives the skeleton to TiDB. Every query has a TiDB parser of its own: one that is
// used again writes into the tree it returned before.
func (p *parser) parse(s *skeleton) tast.StmtNode {
	installHooks()
	t := tidb.New()
	t.SetSQLMode(mysql.ModePipesAsConcat | mysql.ModeNoBackslashEscapes)
	stmts, _, err := t.ParseSQL(s.text())
	if err == nil && len(stmts) == 1 {
		return stmts[0]
	}
	src := s.line(0).src
	if err != nil {
		if m := errorLine.FindStringSubmatch(err.Error()); m != nil {
			n, _ := strconv.Atoi(m[1])
			src = s.line(n - 1).src
		}
	}
	panic(p.src.Errorf(src, "these operators do not go together").WithHint("put brackets around their operands"))
}

// query parses a query of its own, not one inside another, from the current token on.
func (p *parser) query() *ast.Query {
	p.sk = &skeleton{}
	q := p.queryExpr()
	p.convert()
	return q
}

// scalar parses an expression of its own: a computed column, a watermark.
func (p *parser) scalar() (out ast.Expr) {
	p.sk = &skeleton{}
	p.sk.emit(p.tok().start, "SELECT")
	p.field(func(e ast.Expr) { out = e })
	p.convert()
	return out
}

// convert fills the slots of the query that was just parsed.
func (p *parser) convert() {
	s := p.sk
	p.sk = nil
	c := &converter{s: s}
	c.result(p.parse(s))
}
