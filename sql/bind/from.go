package bind

import (
	"errors"
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
)

// maxViewDepth bounds views that read views.
const maxViewDepth = 64

// from binds the FROM clause; without one there is a single row without columns.
func (b *binder) from(q *ast.Select) (relation, error) {
	if q.From == nil {
		return relation{node: &rel.Values{Rows: [][]expr.Expr{{}}, Offset: b.at(q.Pos())}}, nil
	}
	return b.tableExpr(q.From)
}

func (b *binder) tableExpr(t ast.TableExpr) (relation, error) {
	switch t := t.(type) {
	case *ast.TableName:
		if t.AsOf != nil {
			return relation{}, b.notYet(t.AsOf.Pos(), "FOR SYSTEM_TIME AS OF")
		}
		return b.table(t)
	case *ast.Derived:
		if t.Lateral {
			return relation{}, b.notYet(t.Pos(), "LATERAL")
		}
		n, err := b.query(t.Query)
		if err != nil {
			return relation{}, err
		}
		return b.aliased(relation{node: n}, t.Alias)
	case *ast.TableFunc:
		if t.Lateral {
			return relation{}, b.notYet(t.Pos(), "LATERAL TABLE")
		}
		r, err := b.tableFunc(t.Call)
		if err != nil {
			return relation{}, err
		}
		return b.aliased(r, t.Alias)
	case *ast.Unnest:
		return relation{}, b.notYet(t.Pos(), "UNNEST")
	case *ast.MatchRecognize:
		return relation{}, b.notYet(t.Pos(), "MATCH_RECOGNIZE")
	case *ast.Join:
		what := t.Kind.String()
		if t.Kind == ast.CrossJoin {
			what = "a join (also by a comma)"
		}
		return relation{}, b.notYet(t.Pos(), what)
	}
	return relation{}, b.errorf(t.Pos(), "this cannot stand in FROM")
}

// aliased applies AS name (columns).
func (b *binder) aliased(r relation, a *ast.Alias) (relation, error) {
	if a == nil {
		return r, nil
	}
	r.alias, r.path = a.Name.Name, catalog.Path{}
	var err error
	r.node, err = b.rename(r.node, a.Columns, a.Pos())
	return r, err
}

// table binds a table or view by name: a name of WITH first, then the catalog.
func (b *binder) table(t *ast.TableName) (relation, error) {
	if len(t.Path) == 1 {
		if c := b.ctes.lookup(t.Path[0].Name); c != nil {
			r, err := c.bind(t.Pos())
			if err != nil {
				return relation{}, err
			}
			return b.aliased(r, t.Alias)
		}
	}
	obj, path, err := b.lookup(t.Path)
	if err != nil {
		return relation{}, err
	}
	r := relation{alias: t.Path.Last().Name, path: path}
	switch obj := obj.(type) {
	case *catalog.Table:
		options, err := b.optionHints(t.Hints, obj)
		if err != nil {
			return relation{}, err
		}
		r.node = rel.NewScan(rel.Scan{Table: obj, Options: options, Offset: b.at(t.Pos())}, nil)
	case *catalog.View:
		if len(t.Hints) > 0 {
			return relation{}, b.errorf(t.Hints[0].Pos(), "hint %s: %s is a view, hints go with the tables it reads", t.Hints[0].Name, path.Short())
		}
		if r.node, err = b.view(obj, t.Pos()); err != nil {
			return relation{}, err
		}
	}
	return b.aliased(r, t.Alias)
}

// lookup finds a table or view and notes that it is read.
func (b *binder) lookup(p ast.Path) (catalog.Object, catalog.Path, error) {
	path, err := b.Catalog.Resolve(p.Names())
	if err != nil {
		return nil, path, b.errorf(p.Pos(), "%s", err)
	}
	obj, err := b.Catalog.Lookup(path)
	if err != nil {
		e := b.errorf(p.Pos(), "there is no table or view %s", p)
		if _, e.Hint, _ = strings.Cut(err.Error(), "; "); e.Hint == "" {
			e.Hint = "SHOW TABLES and SHOW VIEWS list what there is"
		}
		return nil, path, e
	}
	if len(b.views) == 0 {
		*b.uses = append(*b.uses, path)
	}
	return obj, path, nil
}

// view binds the query of a view in the database it was created in.
func (b *binder) view(v *catalog.View, pos int) (rel.Node, error) {
	for _, p := range b.views {
		if p == v.Path {
			return nil, b.errorf(pos, "view %s reads itself", v.Path.Short())
		}
	}
	if len(b.views) >= maxViewDepth {
		return nil, b.errorf(pos, "views read views more than %d deep", maxViewDepth)
	}
	inner := *b
	inner.Env.Source, inner.ctes = v.Source, nil
	inner.views = append(b.views[:len(b.views):len(b.views)], v.Path)
	if v.Source != b.Source && b.origin == nil {
		inner.origin = &pos
	}
	if v.Database != b.Catalog.Database() {
		inner.Env.Catalog = b.Catalog.Clone()
		if err := inner.Env.Catalog.Use(v.Database); err != nil {
			return nil, b.errorf(pos, "view %s: %s", v.Path.Short(), err)
		}
	}
	n, err := inner.query(v.Query)
	if err != nil {
		var e *ast.Error
		if errors.As(err, &e) && v.Source != b.Source {
			return nil, b.errorf(pos, "view %s no longer holds: %s", v.Path.Short(), e)
		}
		return nil, err
	}
	if len(v.Columns) == 0 {
		return n, nil
	}
	names := make([]ast.Ident, len(v.Columns))
	for i, c := range v.Columns {
		names[i] = ast.Ident{At: ast.At(pos), Name: c}
	}
	return b.rename(n, names, pos)
}
