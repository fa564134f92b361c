package bind

import (
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/secret"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Insert binds INSERT INTO: the sink's query has exactly the columns of the table's
// SinkSchema, converted to its types.
func Insert(env Env, ins *ast.Insert) (*rel.Sink, error) {
	b := newBinder(env)
	switch {
	case ins.Overwrite:
		return nil, b.notYet(ins.Pos(), "INSERT OVERWRITE")
	case len(ins.Partition) > 0:
		return nil, b.notYet(ins.Partition[0].Pos(), "INSERT .. PARTITION")
	}
	obj, path, err := b.lookup(ins.Table.Path)
	if err != nil {
		return nil, err
	}
	t, ok := obj.(*catalog.Table)
	if !ok {
		return nil, b.errorf(ins.Table.Pos(), "%s is a view, INSERT needs a table", path.Short())
	}
	options, err := b.optionHints(ins.Table.Hints, t)
	if err != nil {
		return nil, err
	}
	q, err := b.query(ins.Query)
	if err != nil {
		return nil, err
	}
	if q, err = b.toSink(q, t, ins); err != nil {
		return nil, err
	}
	start, end := ins.Range()
	return &rel.Sink{Query: q, Table: t, Options: options, Offset: ins.Table.Pos(), SQL: secret.SQL(b.Source.Text[start:end])}, nil
}

// toSink orders and converts the query's columns for the table; columns that a column list
// leaves out become NULL.
func (b *binder) toSink(q rel.Node, t *catalog.Table, ins *ast.Insert) (rel.Node, error) {
	sink := t.SinkSchema()
	target, want := t.WrittenColumns()
	if len(ins.Columns) > 0 {
		var err error
		if target, want, err = b.columnList(ins.Columns, t, sink); err != nil {
			return nil, err
		}
	}
	have := q.Schema()
	mismatch := func(what string) *ast.Error {
		return b.errorf(ins.Query.Pos(), "%s\n  query: %s\n  %s: %s", what, visible(have), t.Path.Short(), want)
	}
	if len(have) != len(want) {
		return nil, mismatch("the query does not have the number of columns that " + t.Path.Name + " takes")
	}
	exprs := make([]expr.Expr, len(sink))
	for i, f := range want {
		if !implicit(have[i].Type, f.Type) {
			return nil, mismatch("the query's column " + types.QuoteIdent(have[i].Name) + " of type " + have[i].Type.Nullable().String() +
				" does not go into " + types.QuoteIdent(f.Name) + " of type " + f.Type.Nullable().String() + " without CAST")
		}
		exprs[target[i]] = toColumn(rel.Ref(have, i), f.Type)
	}
	for i, f := range sink {
		if exprs[i] != nil {
			continue
		}
		if f.Type.NotNull {
			return nil, b.errorf(ins.Columns[0].Pos(), "column %s of %s is NOT NULL and must be in the column list", types.QuoteIdent(f.Name), t.Path.Short())
		}
		exprs[i] = &expr.Literal{Typ: f.Type, Offset: -1}
	}
	return rel.NewProject(q, exprs, sink.Names(), b.at(ins.Query.Pos())), nil
}

// visible is a query's schema without time attributes, for messages.
func visible(s types.Schema) types.Schema {
	out := make(types.Schema, len(s))
	for i, f := range s {
		out[i] = types.Field{Name: f.Name, Type: f.Type.WithoutAttr()}
	}
	return out
}

func (b *binder) columnList(names []ast.Ident, t *catalog.Table, sink types.Schema) (target []int, want types.Schema, err error) {
	seen := map[string]bool{}
	for _, name := range names {
		i := sink.Index(name.Name)
		if i < 0 {
			if c := t.Column(name.Name); c != nil {
				what := "computed"
				if c.Kind == catalog.Metadata {
					what = "virtual"
				}
				return nil, nil, b.errorf(name.Pos(), "column %s of %s is %s, INSERT does not write it", name, t.Path.Short(), what)
			}
			e := b.errorf(name.Pos(), "table %s has no column %s", t.Path.Short(), name)
			e.Hint = hintNames(name.Name, sink.Names())
			return nil, nil, e
		}
		if seen[name.Name] {
			return nil, nil, b.errorf(name.Pos(), "column %s is named twice", name)
		}
		seen[name.Name] = true
		target, want = append(target, i), append(want, sink[i])
	}
	return target, want, nil
}

// toColumn converts a column of the query to the type of the sink's. A text that may be too
// long is cut by the cast, as in Flink; one that fits is passed on as it is.
func toColumn(e expr.Expr, t types.Type) expr.Expr {
	from := e.Type()
	fits := from.Length <= t.Length && (t.Kind == types.VarChar || t.Kind == types.VarBinary)
	if fits && (from.IsString() && t.IsString() || from.IsBinary() && t.IsBinary()) {
		return e
	}
	return coerce(e, t)
}

// implicit reports whether a value of type from goes into a column of type to without CAST:
// LogicalTypeCasts.supportsImplicitCast of Flink, apart from nullability.
func implicit(from, to types.Type) bool {
	switch {
	case from.Kind == types.Null:
		return true
	case to.IsNested():
		return implicitNested(from, to)
	case to.Kind == types.Decimal, to.Kind == types.Double:
		return from.IsNumeric()
	case to.IsInteger():
		return from.IsInteger() && from.Kind <= to.Kind
	case to.Kind == types.Float:
		return from.IsExact() || from.Kind == types.Float
	case to.Kind == types.VarChar:
		return from.IsString()
	case to.Kind == types.VarBinary:
		return from.IsBinary()
	case to.Kind == types.Date, to.Kind == types.Time:
		return from.Kind == to.Kind || from.Kind == types.Timestamp
	case to.IsTimestamp():
		return from.IsTimestamp()
	}
	return from.Kind == to.Kind
}

func implicitNested(from, to types.Type) bool {
	if from.Kind != to.Kind || len(from.Fields) != len(to.Fields) {
		return false
	}
	if to.Key != nil && !implicit(*from.Key, *to.Key) || to.Elem != nil && !implicit(*from.Elem, *to.Elem) {
		return false
	}
	for i := range to.Fields {
		if !implicit(from.Fields[i].Type, to.Fields[i].Type) {
			return false
		}
	}
	return true
}
