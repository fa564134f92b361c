package sql

import (
	"fmt"
	"strconv"

	tast "github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// converter walks TiDB's tree of a skeleton and puts the operator trees into their slots. The
// order of the walk does not matter: each slot knows its place.
type converter struct{ s *skeleton }

// result walks a query or an item of FROM. What it is made of is in our tree already.
func (c *converter) result(n tast.Node) {
	switch n := n.(type) {
	case *tast.SelectStmt:
		c.with(n.With)
		for _, f := range n.Fields.Fields {
			c.expr(f.Expr)
		}
		if n.From != nil {
			c.result(n.From.TableRefs)
		}
		if n.Where != nil {
			c.expr(n.Where)
		}
		if n.GroupBy != nil {
			c.items(n.GroupBy.Items)
		}
		if n.Having != nil {
			c.expr(n.Having.Expr)
		}
		c.order(n.OrderBy)
	case *tast.SetOprStmt:
		c.with(n.With)
		c.result(n.SelectList)
		c.order(n.OrderBy)
	case *tast.SetOprSelectList:
		c.with(n.With)
		for _, s := range n.Selects {
			c.result(s)
		}
		c.order(n.OrderBy)
	case *tast.SubqueryExpr:
		c.result(n.Query)
	case *tast.Join:
		c.result(n.Left)
		if n.Right != nil {
			c.result(n.Right)
		}
		if n.On != nil {
			c.expr(n.On.Expr)
		}
	case *tast.TableSource:
		c.result(n.Source)
	case *tast.TableName:
	default:
		panic(fmt.Sprintf("skeleton: unexpected %T", n))
	}
}

func (c *converter) with(w *tast.WithClause) {
	if w == nil {
		return
	}
	for _, cte := range w.CTEs {
		c.result(cte.Query)
	}
}

func (c *converter) order(o *tast.OrderByClause) {
	if o != nil {
		c.items(o.Items)
	}
}

func (c *converter) items(items []*tast.ByItem) {
	for _, it := range items {
		c.expr(it.Expr)
	}
}

// expr converts an operator tree; operands bring their own nodes.
func (c *converter) expr(n tast.ExprNode) ast.Expr {
	switch n := n.(type) {
	case *tast.ColumnNameExpr:
		return c.ref(n.Name.Name.O).node
	case *tast.FuncCallExpr:
		r := c.ref(n.FnName.O)
		if r.slot {
			e := c.expr(n.Args[0])
			if r.set != nil { // nobody takes the value of brackets around an operand
				r.set(e)
			}
			return e
		}
		for _, a := range n.Args {
			c.expr(a)
		}
		return r.node
	case *tast.BinaryOperationExpr:
		left := c.expr(n.L)
		if r := c.test(n.R); r != nil {
			c.expr(n.R)
			return r.test(left)
		}
		right := c.expr(n.R)
		// TiDB gives an operator the place of its left operand; its own is before the right one.
		return c.s.line(c.s.at(n.R.OriginTextPosition())-1).join(left, right)
	case *tast.UnaryOperationExpr:
		return c.s.line(c.s.at(n.OriginTextPosition())).wrap(c.expr(n.V))
	case *tast.ParenthesesExpr:
		return c.expr(n.Expr)
	case *tast.SubqueryExpr:
		c.result(n)
		return nil
	}
	panic(fmt.Sprintf("skeleton: unexpected %T", n))
}

// test returns the ref of a right operand that is a predicate's, else nil.
func (c *converter) test(n tast.ExprNode) *ref {
	var r *ref
	switch n := n.(type) {
	case *tast.ColumnNameExpr:
		r = c.ref(n.Name.Name.O)
	case *tast.FuncCallExpr:
		r = c.ref(n.FnName.O)
	}
	if r == nil || r.test == nil {
		return nil
	}
	return r
}

func (c *converter) ref(name string) *ref {
	n, err := strconv.Atoi(name)
	if err != nil || n >= len(c.s.refs) {
		panic(fmt.Sprintf("skeleton: unexpected name %q", name))
	}
	return &c.s.refs[n]
}
