package eval

import (
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// bindIn compiles IN to a set lookup when the items are constants of a hashable type, else
// to a chain of comparisons joined by OR.
func bindIn(not bool) func(c *compiler, e *expr.Call) (*node, error) {
	return func(c *compiler, e *expr.Call) (*node, error) {
		args, err := c.compileAll(e.Args)
		if err != nil {
			return nil, err
		}
		for _, a := range args {
			if a.fails != nil {
				return failing(e.Typ, a.fails), nil
			}
		}
		var n *node
		if set := constantSet(args); set != nil {
			s := &Site{Name: e.Name, Pos: e.Offset, Env: c.env, Result: e.Typ}
			n, err = c.bind(s, Strict, false, func(*Site) (Kernel, error) { return set, nil }, args[:1])
		} else {
			n, err = c.inChain(e, args)
		}
		if err != nil || !not {
			return n, err
		}
		return c.bind(&Site{Name: "NOT", Pos: e.Offset, Env: c.env, Result: e.Typ}, Total, false, bindNot, []*node{n})
	}
}

func (c *compiler) inChain(e *expr.Call, args []*node) (*node, error) {
	var n *node
	for _, a := range args[1:] {
		eq, err := c.compareNodes(e.Name, e.Offset, opEq, args[0], a, true)
		if err != nil {
			return nil, err
		}
		if n == nil {
			n = eq
			continue
		}
		n = c.logic(true, n, eq, e.Typ)
	}
	return n, nil
}

// logic joins two nodes by OR or AND.
func (c *compiler) logic(or bool, a, b *node, t types.Type) *node {
	if a.fails != nil {
		return a
	}
	l := &logicNode{or: or, left: a, right: b, out: vec.New(t)}
	n := &node{typ: t, total: a.total && b.total, run: l.run}
	if a.konst && b.konst {
		return foldNode(n)
	}
	return n
}

// constantSet makes the kernel of "x IN (constants)", nil when it has to be a chain.
func constantSet(args []*node) Kernel {
	items := args[1:]
	hasNull := false
	for _, a := range items {
		if !a.konst || a.typ.Kind != args[0].typ.Kind && a.typ.Kind != types.Null && !(a.typ.IsString() && args[0].typ.IsString()) {
			return nil
		}
		hasNull = hasNull || a.value.IsNull(0)
	}
	switch args[0].typ.Physical() {
	case types.PhysBytes:
		return bytesSet(items, hasNull)
	case types.PhysI8:
		return fixedSet[int8](items, hasNull)
	case types.PhysI16:
		return fixedSet[int16](items, hasNull)
	case types.PhysI32:
		return fixedSet[int32](items, hasNull)
	case types.PhysI64:
		return fixedSet[int64](items, hasNull)
	}
	return nil
}

func bytesSet(items []*node, hasNull bool) Kernel {
	set := make(map[string]struct{}, len(items))
	var list []string
	for _, a := range items {
		if a.typ.Physical() != types.PhysBytes {
			return nil
		}
		if !a.value.IsNull(0) {
			list = append(list, string(a.value.Bytes(0)))
			set[list[len(list)-1]] = struct{}{}
		}
	}
	return func(f *Frame) error {
		if a := f.Args[0]; len(list) <= smallSet && a.mask != 0 && !hasNull && f.Sel == nil {
			inSmallBytes(f.N, words(f.Out), a, list)
			return nil
		}
		return fillBool(f, func(i int) (bool, bool) {
			_, ok := set[string(f.Args[0].bytes(i))]
			return ok, ok || !hasNull
		})
	}
}

// smallSet is how many constants are compared one after another before a map is faster.
const smallSet = 8

func fixedSet[T integer](items []*node, hasNull bool) Kernel {
	var list []T
	set := make(map[T]struct{}, len(items))
	for _, a := range items {
		if !a.value.IsNull(0) {
			list = append(list, vec.Values[T](a.value)[0])
			set[list[len(list)-1]] = struct{}{}
		}
	}
	return func(f *Frame) error {
		x, m := vec.Values[T](f.Args[0].Vec), f.Args[0].mask
		if len(list) <= smallSet && m != 0 && !hasNull {
			inSmall(words(f.Out), x, list)
			return nil
		}
		return fillBool(f, func(i int) (bool, bool) {
			_, ok := set[x[i&m]]
			return ok, ok || !hasNull
		})
	}
}

//go:noinline
func inSmallBytes(n int, out []uint64, a Operand, list []string) {
	clear(out)
	off, data := a.Off[:n+1], a.Data
	for i := range n {
		s := data[off[i]:off[i+1]]
		for _, c := range list {
			if len(s) == len(c) && string(s) == c {
				out[i>>6] |= 1 << (uint(i) & 63)
				break
			}
		}
	}
}

//go:noinline
func inSmall[T integer](out []uint64, x, list []T) {
	clear(out)
	for _, c := range list {
		for w := range out {
			var m uint64
			for j, v := range x[w*64 : min(w*64+64, len(x))] {
				m |= b2u(v == c) << (uint(j) & 63)
			}
			out[w] |= m
		}
	}
}

// bindBetween compiles to x >= lo AND x <= hi; symmetric also to the bounds exchanged.
func bindBetween(not, symmetric bool) func(c *compiler, e *expr.Call) (*node, error) {
	return func(c *compiler, e *expr.Call) (*node, error) {
		args, err := c.compileAll(e.Args)
		if err != nil {
			return nil, err
		}
		n, err := c.between(e, args[0], args[1], args[2])
		if err != nil {
			return nil, err
		}
		if symmetric {
			back, err := c.between(e, args[0], args[2], args[1])
			if err != nil {
				return nil, err
			}
			n = c.logic(true, n, back, e.Typ)
		}
		if !not {
			return n, nil
		}
		return c.bind(&Site{Name: "NOT", Pos: e.Offset, Env: c.env, Result: e.Typ}, Total, false, bindNot, []*node{n})
	}
}

func (c *compiler) between(e *expr.Call, x, lo, hi *node) (*node, error) {
	ge, err := c.compareNodes(e.Name, e.Offset, opGe, x, lo, false)
	if err != nil {
		return nil, err
	}
	le, err := c.compareNodes(e.Name, e.Offset, opLe, x, hi, false)
	if err != nil {
		return nil, err
	}
	return c.logic(false, ge, le, e.Typ), nil
}

func betweenRule(args []expr.Arg) (Sig, error) {
	if len(args) != 3 {
		return Sig{}, mismatch("BETWEEN", args)
	}
	return memberOf(args)
}

// predicateFamily are the predicates that are not plain operators.
var predicateFamily = Family{"Predicates", []Function{
	{Name: "IN", Signature: "a IN (b, ...)", Doc: "Whether a equals one of the values; NULL when it does not and one of them is NULL.",
		Example: "2 IN (1, 2)", Result: "TRUE", Type: memberOf, special: bindIn(false)},
	{Name: "NOT IN", Signature: "a NOT IN (b, ...)", Doc: "The opposite of IN.",
		Example: "2 NOT IN (1, 2)", Result: "FALSE", Type: memberOf, special: bindIn(true)},
	{Name: "BETWEEN", Signature: "a BETWEEN low AND high", Doc: "low <= a AND a <= high.",
		Example: "2 BETWEEN 1 AND 3", Result: "TRUE", Type: betweenRule, special: bindBetween(false, false)},
	{Name: "NOT BETWEEN", Signature: "a NOT BETWEEN low AND high", Doc: "The opposite of BETWEEN.",
		Example: "2 NOT BETWEEN 1 AND 3", Result: "FALSE", Type: betweenRule, special: bindBetween(true, false)},
	{Name: "BETWEEN SYMMETRIC", Signature: "a BETWEEN SYMMETRIC x AND y", Doc: "BETWEEN with the bounds in either order.",
		Example: "2 BETWEEN SYMMETRIC 3 AND 1", Result: "TRUE", Type: betweenRule, special: bindBetween(false, true)},
	{Name: "NOT BETWEEN SYMMETRIC", Signature: "a NOT BETWEEN SYMMETRIC x AND y", Doc: "The opposite of BETWEEN SYMMETRIC.",
		Example: "2 NOT BETWEEN SYMMETRIC 3 AND 1", Result: "FALSE", Type: betweenRule, special: bindBetween(true, true)},
}}
