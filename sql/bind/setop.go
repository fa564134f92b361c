package bind

import (
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

// setOp binds UNION and UNION ALL; the columns get the types both sides have in common and
// the names of the left one.
func (b *binder) setOp(q *ast.SetOp) (rel.Node, error) {
	if q.Op != ast.Union {
		return nil, b.notYet(q.Pos(), q.Op.String())
	}
	left, err := b.body(q.Left)
	if err != nil {
		return nil, err
	}
	right, err := b.body(q.Right)
	if err != nil {
		return nil, err
	}
	l, r := left.Schema(), right.Schema()
	if len(l) != len(r) {
		return nil, b.errorf(q.Pos(), "the sides of UNION have %d and %d columns: %s and %s", len(l), len(r), l, r)
	}
	out := make(types.Schema, len(l))
	for i := range l {
		t, err := b.common([]types.Type{l[i].Type, r[i].Type})
		if err != nil {
			return nil, b.errorf(q.Pos(), "column %d of this UNION: %s; the sides are %s and %s", i+1, err, l, r).WithHint("convert one with CAST")
		}
		t.Attr = types.NotTime
		if l[i].Type.Attr == r[i].Type.Attr && sameValues(l[i].Type, r[i].Type) {
			t.Attr = l[i].Type.Attr
		}
		out[i] = types.Field{Name: l[i].Name, Type: t}
	}
	var n rel.Node = &rel.Union{In: []rel.Node{b.castTo(left, out, q.Pos()), b.castTo(right, out, q.Pos())}, Out: out, Offset: b.at(q.Pos())}
	if !q.All {
		n = rel.NewAggregate(rel.Aggregate{Input: n, Keys: all(len(out)), Offset: b.at(q.Pos())}, nil)
	}
	return n, nil
}

// castTo converts the columns of n to the types of s, under its names.
func (b *binder) castTo(n rel.Node, s types.Schema, pos int) rel.Node {
	in := n.Schema()
	exprs, same := make([]expr.Expr, len(s)), true
	for i := range s {
		exprs[i] = coerce(rel.Ref(in, i), s[i].Type)
		_, unchanged := exprs[i].(*expr.Column)
		same = same && unchanged
	}
	if same {
		return n
	}
	return rel.NewProject(n, exprs, s.Names(), b.at(pos))
}

// values binds VALUES; a column has the type all its rows have in common.
func (b *binder) values(q *ast.Values) (rel.Node, error) {
	v := &rel.Values{Offset: b.at(q.Pos())}
	sc := &scope{clause: "VALUES"}
	for i, row := range q.Rows {
		if len(row) != len(q.Rows[0]) {
			return nil, b.errorf(row[0].Pos(), "row %d of VALUES has %d values, the first has %d", i+1, len(row), len(q.Rows[0]))
		}
		es, err := b.exprs(row, sc)
		if err != nil {
			return nil, err
		}
		for c, e := range es {
			if e.Type().Kind == types.Null {
				return nil, b.errorf(row[c].Pos(), "nothing says what type this NULL has").WithHint("write CAST(NULL AS type)")
			}
		}
		v.Rows = append(v.Rows, es)
	}
	for c := range v.Rows[0] {
		typs := make([]types.Type, len(v.Rows))
		for r := range v.Rows {
			typs[r] = v.Rows[r][c].Type()
		}
		t, err := b.common(typs)
		if err != nil {
			return nil, b.errorf(q.Rows[0][c].Pos(), "column %d of VALUES: %s", c+1, err).WithHint("convert one with CAST")
		}
		for r := range v.Rows {
			v.Rows[r][c] = coerce(v.Rows[r][c], t)
		}
		v.Out = append(v.Out, types.Field{Name: rel.DefaultName(c), Type: t})
	}
	return v, nil
}
