package bind_test

import (
	"testing"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/sql"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/bind"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

const prefix = "SELECT "

// expression binds the text of one expression.
func expression(t *testing.T, text string, columns types.Schema) (expr.Expr, error) {
	t.Helper()
	src := ast.Source{Text: prefix + text}
	stmts, err := sql.Parse("", src.Text)
	if err != nil {
		return nil, err
	}
	item := stmts[0].(*ast.QueryStatement).Query.Body.(*ast.Select).Items[0].Expr
	env := bind.Env{Catalog: catalog.New(), Functions: engine.Functions{}, Source: src}
	return bind.Expression(env, item, columns, "t")
}

// query binds a query over a catalog filled by CREATE statements before it.
func query(t *testing.T, text string) (rel.Node, error) {
	t.Helper()
	env := bind.Env{Catalog: catalog.New(), Functions: engine.Functions{}, Source: ast.Source{Text: text}}
	stmts, err := sql.Parse("", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.CreateTable:
			table, err := bind.Table(env, s)
			if err != nil {
				return nil, err
			}
			if _, err := env.Catalog.Create(table, s.Temporary, false); err != nil {
				t.Fatal(err)
			}
		case *ast.CreateView:
			v, err := bind.View(env, s)
			if err != nil {
				return nil, err
			}
			if _, err := env.Catalog.Create(v, s.Temporary, false); err != nil {
				t.Fatal(err)
			}
		case *ast.QueryStatement:
			return bind.Query(env, s.Query)
		}
	}
	t.Fatal("no query")
	return nil, nil
}
