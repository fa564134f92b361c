package eval

import (
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Env is what expressions may know of the world.
type Env struct {
	Zone      *time.Location // 'table.local-time-zone'; nil = UTC
	Clock     exec.Clock     // nil = exec.SystemClock
	Functions *Registry      // nil = Builtins
	// Watermark is the current watermark in milliseconds for CURRENT_WATERMARK; nil or
	// false from it: none yet.
	Watermark func() (int64, bool)
}

func (e Env) withDefaults() Env {
	if e.Zone == nil {
		e.Zone = time.UTC
	}
	if e.Clock == nil {
		e.Clock = exec.SystemClock{}
	}
	if e.Functions == nil {
		e.Functions = Builtins
	}
	return e
}

// Program is a compiled list of expressions. It owns scratch memory and is used by one
// goroutine at a time.
type Program struct {
	nodes []*node
	outs  []*vec.Vec
	wide  []wide // constants spread over the batch
	pass  pass
}

// Compile makes a program of expressions over one input schema. Constant parts are
// evaluated now, equal parts once per batch. The error is the user's: a constant that
// cannot be computed (with its position), or an expression no kernel exists for.
func Compile(exprs []expr.Expr, env Env) (*Program, error) {
	c := newCompiler(env)
	p := &Program{outs: make([]*vec.Vec, len(exprs)), wide: make([]wide, len(exprs))}
	for _, e := range exprs {
		n, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		if n.fails != nil {
			return nil, n.fails
		}
		p.nodes = append(p.nodes, n)
	}
	return p, nil
}

// Eval computes the expressions for the selected rows of b. The results are columns of b.N
// physical rows to be used with b.Sel; they are valid until the next Eval, and plain
// columns are those of b itself. An error belongs to the first failing expression.
func (p *Program) Eval(b *vec.Batch) ([]*vec.Vec, error) {
	r := p.pass.start(b)
	for i, n := range p.nodes {
		v, err := n.eval(&p.pass, r)
		if err != nil {
			return nil, err
		}
		if n.konst {
			v = p.wide[i].rows(v, b.N)
		}
		p.outs[i] = v
	}
	return p.outs, nil
}

// wide is a constant repeated for many rows, and the part of it that a batch needs.
type wide struct {
	all, view vec.Vec
}

// rows returns n times the only row of v.
func (w *wide) rows(v *vec.Vec, n int) *vec.Vec {
	if w.all.N < n {
		w.all = vec.New(v.Type)
		for range max(n, vec.MaxRows) {
			w.all.AppendFrom(v, 0)
		}
	}
	w.view = w.all
	w.view.N = n
	if width := v.Type.Physical().Width(); width > 0 {
		w.view.Data = w.all.Data[:n*width]
	}
	if w.all.Off != nil {
		w.view.Off = w.all.Off[:n+1]
	}
	if v.Type.Physical() == types.PhysRow {
		w.view.Kids = make([]vec.Vec, len(w.all.Kids))
		for k := range w.view.Kids {
			w.view.Kids[k] = w.all.Kids[k]
			w.view.Kids[k].N = n
		}
	}
	return &w.view
}

// Fold computes an expression without columns. ok is false when it has columns or volatile
// calls.
func Fold(e expr.Expr, env Env) (lit *expr.Literal, ok bool, err error) {
	c := newCompiler(env)
	n, err := c.compile(e)
	if err != nil {
		return nil, false, err
	}
	if !n.konst {
		return nil, false, n.fails
	}
	value, err := literalValue(n.value, 0)
	if err != nil {
		return nil, false, nil // nested values have no literal form
	}
	return &expr.Literal{Value: value, Typ: e.Type().WithoutAttr(), Offset: e.Pos()}, true, nil
}

// pass is the evaluation of one batch.
type pass struct {
	batch *vec.Batch
	root  rows
	ids   uint64
}

func (p *pass) start(b *vec.Batch) *rows {
	p.batch = b
	p.ids++
	p.root = rows{n: b.N, sel: b.Sel, id: p.ids}
	return &p.root
}

// rows is the set of physical rows a node is evaluated for: all n, or sel. Branches of
// CASE and the right sides of AND and OR narrow it; up is the wider set, id tells sets
// apart.
type rows struct {
	n   int
	sel []int32
	id  uint64
	up  *rows
}

func (r *rows) len() int {
	if r.sel != nil {
		return len(r.sel)
	}
	return r.n
}

// narrow makes a set of some rows of r.
func (r *rows) narrow(p *pass, sel []int32) rows {
	p.ids++
	if sel == nil {
		sel = []int32{}
	}
	return rows{n: r.n, sel: sel, id: p.ids, up: r}
}

// within reports whether r is, or was narrowed from, the set called id.
func (r *rows) within(id uint64) bool {
	for ; r != nil; r = r.up {
		if r.id == id {
			return true
		}
	}
	return false
}

// node is a compiled expression.
type node struct {
	typ   types.Type
	konst bool     // the value is value, one row
	value *vec.Vec // of constants
	fails error    // a constant that cannot be computed: an error once a row needs it
	total bool     // cannot fail and is cheap: may be evaluated for rows nobody asked for
	run   func(p *pass, r *rows) (*vec.Vec, error)

	shared bool     // used more than once in the program
	seen   uint64   // the row set last holds
	last   *vec.Vec // result of a shared node
}

// eval computes the node for the rows of r. A shared node is computed once for a set of
// rows and everything narrowed from it: a pointer to its result is held only while sets
// narrowed from the holder's are evaluated, so overwriting it for another set is safe.
func (n *node) eval(p *pass, r *rows) (*vec.Vec, error) {
	if n.konst {
		return n.value, nil
	}
	if n.shared && r.within(n.seen) {
		return n.last, nil
	}
	v, err := n.run(p, r)
	if n.shared && err == nil {
		n.seen, n.last = r.id, v
	}
	return v, err
}

func (n *node) operand(p *pass, r *rows) (Operand, error) {
	v, err := n.eval(p, r)
	if n.konst {
		return Operand{v, 0}, err
	}
	return Operand{v, -1}, err
}
