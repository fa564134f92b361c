package bind

import (
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/suggest"
	"github.com/sqlstream/sqlstream/sql/types"
)

// relation is a bound item of FROM and the name its columns may be qualified with.
type relation struct {
	node  rel.Node
	alias string       // "" none
	path  catalog.Path // of a table or view that has no other alias
}

// scope is the columns an expression may name.
type scope struct {
	alias   string
	path    catalog.Path
	columns types.Schema
	// clause names where the expression stands, for messages: "WHERE".
	clause string
	// aliases are the names of the select list, to explain that Flink does not see them.
	aliases []string
	// computed are the computed columns of a table being declared, which others do not see.
	computed []string
	aggs     *aggregates // collects aggregate calls; nil: they are not allowed here
}

// column resolves a.b.c: the qualifier of the relation, then a column, then fields of a ROW.
func (b *binder) column(ref *ast.ColumnRef, sc *scope) (expr.Expr, error) {
	path := b.unqualified(ref.Path, sc)
	if len(path) > 1 && sc.alias != "" && path[0].Name == sc.alias {
		i, err := b.find(path[1], sc)
		if i >= 0 {
			return b.fields(rel.Ref(sc.columns, i), path[1:], ref.Pos())
		}
		// A column may have the name of the relation: bid.price with a column bid.
		if sc.columns.Index(path[0].Name) < 0 {
			return nil, err
		}
	}
	i, err := b.find(path[0], sc)
	if i < 0 {
		if len(path) > 1 {
			err.Message = "there is no table or column " + path[0].String() + " here"
			err.Hint = hintNames(path[0].Name, append(sc.columns.Names(), sc.alias))
		}
		return nil, err
	}
	return b.fields(rel.Ref(sc.columns, i), path, ref.Pos())
}

// unqualified drops the catalog and database from catalog.database.table.column.
func (b *binder) unqualified(p ast.Path, sc *scope) ast.Path {
	switch {
	case sc.path.Name == "":
	case len(p) > 3 && p[0].Name == sc.path.Catalog && p[1].Name == sc.path.Database && p[2].Name == sc.path.Name:
		return p[2:]
	case len(p) > 2 && p[0].Name == sc.path.Database && p[1].Name == sc.path.Name:
		return p[1:]
	}
	return p
}

// find returns the index of a column, or -1 and an error that names what is near.
func (b *binder) find(name ast.Ident, sc *scope) (int, *ast.Error) {
	found := -1
	for i, f := range sc.columns {
		if f.Name != name.Name {
			continue
		}
		if found >= 0 {
			return -1, b.errorf(name.Pos(), "column %s is ambiguous: there are %d of it", name, count(sc.columns, name.Name)).
				WithHint("give them different names with AS in the query below")
		}
		found = i
	}
	if found >= 0 {
		return found, nil
	}
	err := b.errorf(name.Pos(), "there is no column %s here", name)
	for _, a := range sc.aliases {
		if a == name.Name {
			err.Message = "column " + name.String() + " is a name of the select list, which " + sc.clause + " does not see in Flink SQL"
			return -1, err.WithHint("repeat the expression, or use a subquery")
		}
	}
	if slices.Contains(sc.computed, name.Name) {
		err.Message = "column " + name.String() + " is computed; a computed column reads only the stored ones"
		return -1, err.WithHint("repeat its expression")
	}
	err.Hint = hintNames(name.Name, sc.columns.Names())
	return -1, err
}

func count(s types.Schema, name string) int {
	n := 0
	for _, f := range s {
		if f.Name == name {
			n++
		}
	}
	return n
}

// hintNames offers near names, or lists what there is when it is little.
func hintNames(name string, candidates []string) string {
	if h := suggest.Hint(name, candidates); h != "" {
		return strings.TrimPrefix(h, "; ")
	}
	var names []string
	for _, c := range candidates {
		if c != "" {
			names = append(names, c)
		}
	}
	switch {
	case len(names) == 0:
		return "there is no FROM clause"
	case len(names) > 12:
		return "there are " + strings.Join(names[:12], ", ") + ", .."
	}
	return "there are " + strings.Join(names, ", ")
}

// fields applies path[1:] to the column e, which path[0] names.
func (b *binder) fields(e *expr.Column, path ast.Path, pos int) (expr.Expr, error) {
	e.Offset = b.at(pos)
	var out expr.Expr = e
	for i, name := range path[1:] {
		f, err := b.field(out, name, path[:i+1].String())
		if err != nil {
			return nil, err
		}
		out = f
	}
	return out, nil
}

// field is member name of a ROW; what is the row's name in messages.
func (b *binder) field(row expr.Expr, name ast.Ident, what string) (expr.Expr, error) {
	t := row.Type()
	if t.Kind != types.Row {
		return nil, b.errorf(name.Pos(), "%s is %s, it has no field %s", what, t.Nullable(), name)
	}
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		if f.Name == name.Name {
			ft := f.Type.WithNull(!t.NotNull || !f.Type.NotNull)
			return &expr.Field{Arg: row, Index: i, Name: f.Name, Typ: ft, Offset: b.at(name.Pos())}, nil
		}
		names[i] = f.Name
	}
	err := b.errorf(name.Pos(), "%s has no field %s", what, name)
	err.Hint = hintNames(name.Name, names)
	return nil, err
}
