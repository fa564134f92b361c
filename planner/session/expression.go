package session

import (
	"github.com/sqlstream/sqlstream/sql"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/bind"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Expression parses and binds one expression over columns: for tests and tools. The columns
// may be qualified with alias, if that is not empty. Positions of errors and of the
// expression count from the beginning of "SELECT " + text.
func Expression(text string, columns types.Schema, alias string, fns expr.Functions) (expr.Expr, error) {
	src := "SELECT " + text
	stmts, err := sql.Parse("", src)
	if err != nil {
		return nil, err
	}
	source := ast.Source{Text: src}
	var item ast.Expr
	if len(stmts) == 1 {
		if q, ok := stmts[0].(*ast.QueryStatement); ok {
			if sel, ok := q.Query.Body.(*ast.Select); ok && len(sel.Items) == 1 && sel.From == nil {
				item = sel.Items[0].Expr
			}
		}
	}
	if item == nil {
		return nil, source.Errorf(0, "expected one expression")
	}
	return bind.Expression(bind.Env{Catalog: catalog.New(), Functions: fns, Source: source}, item, columns, alias)
}
