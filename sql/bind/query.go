package bind

import (
	"strconv"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Query binds a query.
func Query(env Env, q *ast.Query) (rel.Node, error) {
	b := newBinder(env)
	return b.query(q)
}

func (b *binder) query(q *ast.Query) (rel.Node, error) {
	outer := b.ctes
	defer func() { b.ctes = outer }()
	for _, c := range q.With {
		b.addCTE(c)
	}
	switch {
	case len(q.OrderBy) > 0:
		return nil, b.notYet(q.OrderBy[0].Pos(), "ORDER BY")
	case q.Limit != nil:
		return nil, b.notYet(q.Limit.Pos(), "LIMIT")
	case q.Offset != nil:
		return nil, b.notYet(q.Offset.Pos(), "OFFSET")
	}
	return b.body(q.Body)
}

// addCTE makes a name of WITH known. Its query is bound again at each use, like a view, in
// the scope of the names before it.
func (b *binder) addCTE(c *ast.CTE) {
	scope := b.ctes
	b.ctes = &cteScope{name: c.Name.Name, outer: scope, bind: func(pos int) (relation, error) {
		saved := b.ctes
		b.ctes = scope
		defer func() { b.ctes = saved }()
		n, err := b.query(c.Query)
		if err != nil {
			return relation{}, err
		}
		if n, err = b.rename(n, c.Columns, c.Name.Pos()); err != nil {
			return relation{}, err
		}
		return relation{node: n, alias: c.Name.Name}, nil
	}}
}

func (b *binder) body(q ast.QueryBody) (rel.Node, error) {
	switch q := q.(type) {
	case *ast.Query:
		return b.query(q)
	case *ast.Select:
		return b.selectQuery(q)
	case *ast.SetOp:
		return b.setOp(q)
	case *ast.Values:
		return b.values(q)
	case *ast.TableQuery:
		r, err := b.table(&ast.TableName{At: q.At, Path: q.Table})
		return r.node, err
	}
	return nil, b.errorf(q.Pos(), "this is no query")
}

func (b *binder) selectQuery(q *ast.Select) (rel.Node, error) {
	if q.Qualify != nil {
		return nil, b.notYet(q.Qualify.Pos(), "QUALIFY")
	}
	from, err := b.from(q)
	if err != nil {
		return nil, err
	}
	sc := &scope{alias: from.alias, path: from.path, columns: from.node.Schema()}
	in := from.node
	if q.Where != nil {
		sc.clause = "WHERE"
		cond, err := b.expr(q.Where, sc)
		if err != nil {
			return nil, err
		}
		if cond, err = b.condition(cond, "WHERE", q.Where.Pos()); err != nil {
			return nil, err
		}
		in = &rel.Filter{Input: in, Cond: cond, Offset: b.at(q.Where.Pos())}
	}
	aggs := &aggregates{global: q.GroupBy == nil}
	items, names, err := b.items(q, &scope{alias: sc.alias, path: sc.path, columns: sc.columns, clause: "SELECT", aggs: aggs})
	if err != nil {
		return nil, err
	}
	hints, err := b.hints(q.Hints, from.alias)
	if err != nil {
		return nil, err
	}
	var out rel.Node
	if q.GroupBy != nil || q.Having != nil || len(aggs.calls) > 0 {
		out, err = b.grouped(q, in, sc, aggs, items, names, hints)
	} else {
		out = rel.NewProject(in, exprsOf(items), names, b.at(q.Pos()))
	}
	if err != nil || !q.Distinct {
		return out, err
	}
	return rel.NewAggregate(rel.Aggregate{Input: out, Keys: all(len(out.Schema())), TTL: hints.ttl, UID: hints.uid, Offset: b.at(q.Pos())}, nil), nil
}

// item is a bound expression of a select list.
type item struct {
	e   expr.Expr
	pos int
}

func exprsOf(items []item) []expr.Expr {
	out := make([]expr.Expr, len(items))
	for i := range items {
		out[i] = items[i].e
	}
	return out
}

// items binds the select list and names its columns: the alias, the last name of a column
// or field, else EXPR$i. A name that occurs again gets a number, as in Flink.
func (b *binder) items(q *ast.Select, sc *scope) (items []item, names []string, err error) {
	taken := map[string]bool{}
	add := func(e expr.Expr, name string, pos int) error {
		if err := b.typeKnown(e, pos); err != nil {
			return err
		}
		unique := name
		for i := 0; taken[unique]; i++ {
			unique = name + strconv.Itoa(i)
		}
		taken[unique] = true
		items, names = append(items, item{e, pos}), append(names, unique)
		return nil
	}
	for _, it := range q.Items {
		if star, ok := it.Expr.(*ast.Star); ok {
			if err := b.star(star, sc, add); err != nil {
				return nil, nil, err
			}
			continue
		}
		e, err := b.expr(it.Expr, sc)
		if err != nil {
			return nil, nil, err
		}
		name := rel.DefaultName(len(items))
		switch ref := it.Expr.(type) {
		case *ast.ColumnRef:
			name = ref.Path.Last().Name
		case *ast.Field:
			name = ref.Name.Name
		}
		if it.Alias != nil {
			name = it.Alias.Name
		}
		if c, ok := e.(*expr.Column); ok && c.Index >= aggBase && sc.aggs.names[c.Index-aggBase] == "" {
			sc.aggs.names[c.Index-aggBase] = name
		}
		if err := add(e, name, it.Expr.Pos()); err != nil {
			return nil, nil, err
		}
	}
	return items, names, nil
}

// star expands *, t.* and row.*.
func (b *binder) star(s *ast.Star, sc *scope, add func(expr.Expr, string, int) error) error {
	switch {
	case len(s.Qualifier) == 0 && len(sc.columns) == 0:
		return b.errorf(s.Pos(), "* needs a FROM clause")
	case len(s.Qualifier) == 0, len(s.Qualifier) == 1 && sc.alias != "" && s.Qualifier[0].Name == sc.alias:
		for i, f := range sc.columns {
			c := rel.Ref(sc.columns, i)
			c.Offset = b.at(s.Pos())
			if err := add(c, f.Name, s.Pos()); err != nil {
				return err
			}
		}
		return nil
	}
	row, err := b.column(&ast.ColumnRef{At: ast.At(s.Pos()), Path: s.Qualifier}, sc)
	if err != nil {
		return err
	}
	if row.Type().Kind != types.Row {
		return b.errorf(s.Pos(), "%s.* needs a table or a ROW, this is %s", s.Qualifier, row.Type().Nullable())
	}
	for _, f := range row.Type().Fields {
		e, err := b.field(row, ast.NewIdent(f.Name), s.Qualifier.String())
		if err != nil {
			return err
		}
		if err := add(e, f.Name, s.Pos()); err != nil {
			return err
		}
	}
	return nil
}

// rename gives the columns of n the names of a column list; none leaves them.
func (b *binder) rename(n rel.Node, names []ast.Ident, pos int) (rel.Node, error) {
	if len(names) == 0 {
		return n, nil
	}
	s := n.Schema()
	if len(names) != len(s) {
		return nil, b.errorf(names[0].Pos(), "the column list has %d names, the query has %d columns: %s", len(names), len(s), s)
	}
	exprs, out := make([]expr.Expr, len(s)), make([]string, len(s))
	for i, name := range names {
		exprs[i], out[i] = rel.Ref(s, i), name.Name
		for _, before := range names[:i] {
			if before.Name == name.Name {
				return nil, b.errorf(name.Pos(), "column %s is named twice", name)
			}
		}
	}
	return rel.NewProject(n, exprs, out, b.at(pos)), nil
}

func all(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
