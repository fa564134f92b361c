package eval

import (
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// Predicate is a compiled condition. Like a Program it serves one goroutine at a time.
type Predicate struct {
	terms []*node // joined by AND, each evaluated for the rows the ones before let pass
	pass  pass
	bits  []uint64
	sets  []rows
}

// CompilePredicate makes a condition for Select. e must be BOOLEAN.
func CompilePredicate(e expr.Expr, env Env) (*Predicate, error) {
	c := newCompiler(env)
	p := &Predicate{}
	for _, t := range conjuncts(e, nil) {
		n, err := c.compile(t)
		if err != nil {
			return nil, err
		}
		if n.fails != nil {
			return nil, n.fails
		}
		p.terms = append(p.terms, n)
	}
	p.sets = make([]rows, len(p.terms)+1)
	return p, nil
}

func conjuncts(e expr.Expr, out []expr.Expr) []expr.Expr {
	if call, ok := e.(*expr.Call); ok && call.Name == "AND" {
		for _, a := range call.Args {
			out = conjuncts(a, out)
		}
		return out
	}
	return append(out, e)
}

// Select returns the selected rows of b for which the condition is TRUE, in sel's memory
// when it is large enough; the caller passes the result back in at the next call. sel must
// not be b.Sel itself.
//
// Terms that cannot fail are joined as bitmaps; the rows that pass are listed before a term
// that can fail, or is expensive, and at the end.
func (p *Predicate) Select(b *vec.Batch, sel []int32) ([]int32, error) {
	if cap(sel) < b.N {
		sel = make([]int32, max(b.N, 64))
	}
	sel = sel[:cap(sel)]
	cur := p.pass.start(b)
	pending := false // p.bits narrows cur
	for i, n := range p.terms {
		if pending && !n.total {
			cur, pending = p.list(cur, sel, i), false
		}
		if cur.sel != nil && len(cur.sel) == 0 {
			return sel[:0], nil
		}
		v, err := n.eval(&p.pass, cur)
		if err != nil {
			return nil, err
		}
		if n.konst {
			if v.IsNull(0) || !v.Bool(0) {
				return sel[:0], nil
			}
			continue
		}
		p.join(v, pending)
		pending = true
	}
	if pending {
		cur = p.list(cur, sel, len(p.terms))
	}
	switch {
	case cur.sel == nil:
		for i := range b.N {
			sel[i] = int32(i)
		}
		return sel[:b.N], nil
	case cur == &p.pass.root: // nothing but constants
		return sel[:copy(sel, cur.sel)], nil
	}
	return cur.sel, nil
}

// list turns the bitmap into the rows of cur that pass.
func (p *Predicate) list(cur *rows, sel []int32, i int) *rows {
	var out []int32
	if cur.sel == nil {
		out = selectBits(sel[:cur.n], p.bits, cur.n)
	} else {
		out = selectValid(sel[:len(cur.sel)], cur.sel, p.bits)
	}
	p.sets[i] = cur.narrow(&p.pass, out)
	return &p.sets[i]
}

// join ANDs a term's TRUE rows into the bitmap, or begins one.
func (p *Predicate) join(v *vec.Vec, pending bool) {
	w := words(v)
	if !pending {
		if cap(p.bits) < len(w) {
			p.bits = make([]uint64, max(len(w), vec.MaxRows/64))
		}
		p.bits = p.bits[:len(w)]
		if v.Valid != nil {
			andBits(p.bits, w, v.Valid)
		} else {
			copy(p.bits, w)
		}
		return
	}
	andWords(p.bits, w)
	if v.Valid != nil {
		andWords(p.bits, v.Valid)
	}
}

func (c *compiler) compileField(e *expr.Field) (*node, error) {
	arg, err := c.compile(e.Arg)
	if err != nil {
		return nil, err
	}
	n := &fieldNode{arg: arg, index: e.Index, out: vec.New(e.Typ)}
	out := &node{typ: e.Typ, total: arg.total, fails: arg.fails, run: n.run}
	if arg.konst {
		return foldNode(out), nil
	}
	return out, nil
}

// fieldNode is member access: the child itself when the row is never NULL, else a view of
// it with the row's NULLs added.
type fieldNode struct {
	arg   *node
	index int
	out   vec.Vec
	valid []uint64
}

func (n *fieldNode) run(p *pass, r *rows) (*vec.Vec, error) {
	o, err := n.arg.operand(p, r)
	if err != nil {
		return nil, err
	}
	kid := &o.Kids[n.index]
	if o.Valid == nil {
		return kid, nil
	}
	n.out = *kid
	w := (kid.N + 63) / 64
	if cap(n.valid) < w {
		n.valid = make([]uint64, max(w, vec.MaxRows/64))
	}
	n.out.Valid = n.valid[:w]
	copy(n.out.Valid, o.Valid[:w])
	if kid.Valid != nil {
		andWords(n.out.Valid, kid.Valid)
	}
	return &n.out, nil
}
