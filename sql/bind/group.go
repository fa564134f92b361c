package bind

import (
	"strconv"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

// indexText names columns by index: for comparing expressions over one input.
func indexText(c *expr.Column) string { return "#" + strconv.Itoa(c.Index) }

// grouped makes the aggregate of a SELECT: a projection of the keys and of what the
// aggregates read, the aggregate, HAVING, the select list.
func (b *binder) grouped(q *ast.Select, in rel.Node, sc *scope, aggs *aggregates, items []item, names []string, hints hints) (rel.Node, error) {
	for _, it := range q.Items {
		if it.Alias != nil {
			sc.aliases = append(sc.aliases, it.Alias.Name)
		}
	}
	keys, err := b.groupKeys(q.GroupBy, sc)
	if err != nil {
		return nil, err
	}
	var having expr.Expr
	if q.Having != nil {
		h := *sc
		h.clause, h.aggs = "HAVING", aggs
		cond, err := b.expr(q.Having, &h)
		if err != nil {
			return nil, err
		}
		if having, err = b.condition(cond, "HAVING", q.Having.Pos()); err != nil {
			return nil, err
		}
	}
	p := &projection{in: in, at: map[string]int{}}
	a := rel.Aggregate{TTL: hints.ttl, UID: hints.uid, Offset: b.at(q.Pos())}
	if q.GroupBy != nil {
		a.Offset = b.at(q.GroupBy.Pos())
	}
	g := &grouping{b: b, keys: map[string]int{}}
	for _, k := range keys {
		text := expr.Canonical(k, indexText)
		if _, twice := g.keys[text]; !twice {
			g.keys[text] = len(a.Keys)
			a.Keys = append(a.Keys, p.column(k, keyName(k, items, names)))
		}
	}
	for _, call := range aggs.calls {
		args := make([]expr.Expr, len(call.Args))
		for i, arg := range call.Args {
			// The value that is aggregated is a column even when it is constant; what follows it
			// may be a parameter (LISTAGG's separator).
			if args[i] = p.reference(arg); i == 0 {
				args[i] = p.held(arg)
			}
		}
		call.Args = args
		if call.Filter != nil {
			call.Filter = p.reference(call.Filter)
		}
		a.Aggs = append(a.Aggs, call)
	}
	aggNames := make([]string, len(aggs.calls))
	for i, n := range aggs.names {
		if aggNames[i] = n; n == "" {
			aggNames[i] = "$agg" + strconv.Itoa(i)
		}
	}
	a.Input = p.node(b.at(q.Pos()))
	agg := rel.NewAggregate(a, aggNames)
	g.schema, g.nkeys = agg.Out, len(a.Keys)
	var out rel.Node = agg
	if having != nil {
		cond, err := g.rewrite(having, q.Having.Pos())
		if err != nil {
			return nil, err
		}
		out = &rel.Filter{Input: out, Cond: cond, Offset: b.at(q.Having.Pos())}
	}
	exprs := make([]expr.Expr, len(items))
	for i, it := range items {
		if exprs[i], err = g.rewrite(it.e, it.pos); err != nil {
			return nil, err
		}
	}
	return rel.NewProject(out, exprs, names, b.at(q.Pos())), nil
}

// keyName is what the query calls a key: a column's or field's own name, or the alias it
// has in the select list.
func keyName(k expr.Expr, items []item, names []string) string {
	text := expr.Canonical(k, indexText)
	for i, it := range items {
		if expr.Canonical(it.e, indexText) == text {
			return names[i]
		}
	}
	switch k := k.(type) {
	case *expr.Column:
		return k.Name
	case *expr.Field:
		return k.Name
	}
	return ""
}

func (b *binder) groupKeys(g *ast.GroupBy, sc *scope) ([]expr.Expr, error) {
	if g == nil {
		return nil, nil
	}
	if g.Distinct {
		return nil, b.notYet(g.Pos(), "GROUP BY DISTINCT")
	}
	in := *sc
	in.clause = "GROUP BY"
	var keys []expr.Expr
	for _, el := range g.Elements {
		switch el.Kind {
		case ast.GroupingSets:
			return nil, b.notYet(el.Pos(), "GROUPING SETS")
		case ast.Rollup:
			return nil, b.notYet(el.Pos(), "ROLLUP")
		case ast.Cube:
			return nil, b.notYet(el.Pos(), "CUBE")
		}
		for _, e := range el.Exprs {
			if n, ok := e.(*ast.NumberLit); ok {
				return nil, b.errorf(n.Pos(), "GROUP BY %s does not mean a column of the select list in Flink SQL", n.Text).WithHint("write the expression")
			}
			k, err := b.expr(e, &in)
			if err != nil {
				return nil, err
			}
			if err := b.typeKnown(k, e.Pos()); err != nil {
				return nil, err
			}
			if t := k.Type().Kind; t == types.Map || t == types.Multiset {
				return nil, b.errorf(e.Pos(), "GROUP BY a %s is not possible", k.Type().Nullable())
			}
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// projection collects the columns an aggregate reads; equal expressions share one.
type projection struct {
	in    rel.Node
	exprs []expr.Expr
	names []string
	at    map[string]int
}

func (p *projection) column(e expr.Expr, name string) int {
	text := expr.Canonical(e, indexText)
	if i, ok := p.at[text]; ok {
		return i
	}
	if c, ok := e.(*expr.Column); ok && name == "" {
		name = c.Name
	}
	if name == "" {
		name = rel.HelperName + strconv.Itoa(len(p.exprs))
	}
	p.at[text] = len(p.exprs)
	p.exprs, p.names = append(p.exprs, e), append(p.names, name)
	return len(p.exprs) - 1
}

// reference is the column that holds e; a constant stays itself.
func (p *projection) reference(e expr.Expr) expr.Expr {
	if l, ok := e.(*expr.Literal); ok {
		return l
	}
	return p.held(e)
}

// held is the column that holds e.
func (p *projection) held(e expr.Expr) expr.Expr {
	i := p.column(e, "")
	return &expr.Column{Index: i, Name: p.names[i], Typ: e.Type(), Offset: e.Pos()}
}

func (p *projection) node(pos int) rel.Node {
	return rel.NewProject(p.in, p.exprs, p.names, pos)
}

// grouping rewrites expressions over the input into expressions over the aggregate.
type grouping struct {
	b      *binder
	keys   map[string]int // canonical text of a key -> its column
	schema types.Schema
	nkeys  int
}

// rewrite replaces keys and aggregate calls by the columns that hold them; what is left of
// the input's columns is an error.
func (g *grouping) rewrite(e expr.Expr, pos int) (expr.Expr, error) {
	if c, ok := e.(*expr.Column); ok && c.Index >= aggBase {
		return g.column(g.nkeys+c.Index-aggBase, c.Offset), nil
	}
	if i, ok := g.keys[expr.Canonical(e, indexText)]; ok {
		if _, constant := e.(*expr.Literal); !constant {
			return g.column(i, e.Pos()), nil
		}
	}
	switch n := e.(type) {
	case *expr.Column:
		at := n.Offset
		if g.b.origin != nil || at < 0 {
			at = pos
		}
		return nil, g.b.errorf(at, "column %s is neither in GROUP BY nor in an aggregate function", types.QuoteIdent(n.Name))
	case *expr.Call:
		c := *n
		c.Args = make([]expr.Expr, len(n.Args))
		for i, a := range n.Args {
			r, err := g.rewrite(a, pos)
			if err != nil {
				return nil, err
			}
			c.Args[i] = r
		}
		return &c, nil
	case *expr.Cast:
		c := *n
		arg, err := g.rewrite(n.Arg, pos)
		c.Arg = arg
		return &c, err
	case *expr.Field:
		c := *n
		arg, err := g.rewrite(n.Arg, pos)
		c.Arg = arg
		return &c, err
	case *expr.Case:
		c := *n
		c.Whens, c.Thens = make([]expr.Expr, len(n.Whens)), make([]expr.Expr, len(n.Thens))
		var err error
		for i := range n.Whens {
			if c.Whens[i], err = g.rewrite(n.Whens[i], pos); err != nil {
				return nil, err
			}
			if c.Thens[i], err = g.rewrite(n.Thens[i], pos); err != nil {
				return nil, err
			}
		}
		c.Else, err = g.rewrite(n.Else, pos)
		return &c, err
	}
	return e, nil
}

func (g *grouping) column(i, pos int) expr.Expr {
	c := rel.Ref(g.schema, i)
	c.Offset = pos
	return c
}
