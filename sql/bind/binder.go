// Package bind owns the step from syntax to meaning: it resolves the names of a statement
// against the catalog, types every expression through expr.Functions with each implicit
// conversion made an explicit cast, and gives a relational tree (sql/rel), a table or a view
// (sql/catalog). What Flink SQL has and the engine does not run yet is refused by name.
//
// Every error is an *ast.Error with the place in the text. The package imports sql/ast,
// sql/catalog, sql/expr, sql/rel and sql/types; planner/session and tests import it.
package bind

import (
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// Env is what names are resolved against.
type Env struct {
	Catalog   *catalog.Catalog
	Functions expr.Functions
	Source    ast.Source // the text of the statement
}

// binder binds one statement.
type binder struct {
	Env
	ctes  *cteScope
	views []catalog.Path // being expanded, to find cycles
	uses  *[]catalog.Path
	// origin is set inside a view that was created from another text: nodes and expressions
	// then stand at the place where the statement names the view.
	origin *int
}

func newBinder(env Env) *binder {
	return &binder{Env: env, uses: new([]catalog.Path)}
}

// errorf makes an error at a byte offset of the text being bound.
func (b *binder) errorf(pos int, format string, args ...any) *ast.Error {
	return b.Source.Errorf(pos, format, args...)
}

// notYet refuses a construct by name.
func (b *binder) notYet(pos int, what string) *ast.Error {
	return b.errorf(pos, "%s is not supported yet", what)
}

// at gives the offset to record in a bound node for an offset of the text being bound.
func (b *binder) at(pos int) int {
	if b.origin != nil {
		return *b.origin
	}
	return pos
}

// cteScope is a list of the names of WITH, innermost first.
type cteScope struct {
	name  string
	bind  func(pos int) (relation, error)
	outer *cteScope
}

func (s *cteScope) lookup(name string) *cteScope {
	for ; s != nil; s = s.outer {
		if s.name == name {
			return s
		}
	}
	return nil
}
