package eval

import (
	"math/bits"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// AND, OR and NOT in Kleene's logic, word by word. The right side is evaluated only for the
// rows the left side leaves open, unless it cannot fail and costs less than finding them.

// logicNode is AND (or = false) or OR of two nodes.
type logicNode struct {
	or          bool
	left, right *node
	out         vec.Vec
	valid       []uint64
	sel         []int32
	bits        []uint64
	open        rows // the rows the left side leaves open
}

func bindLogic(or bool) func(c *compiler, e *expr.Call) (*node, error) {
	return func(c *compiler, e *expr.Call) (*node, error) {
		args, err := c.compileAll(e.Args)
		if err != nil {
			return nil, err
		}
		if args[0].fails != nil {
			return failing(e.Typ, args[0].fails), nil
		}
		l := &logicNode{or: or, left: args[0], right: args[1], out: vec.New(e.Typ)}
		return &node{typ: e.Typ, total: args[0].total && args[1].total, run: l.run}, nil
	}
}

func (l *logicNode) run(p *pass, r *rows) (*vec.Vec, error) {
	a, err := l.left.operand(p, r)
	if err != nil {
		return nil, err
	}
	right := r
	if !l.right.total && !l.right.konst {
		l.open = r.narrow(p, l.undecided(a, r))
		right = &l.open
	}
	b, err := l.right.operand(p, right)
	if err != nil {
		return nil, err
	}
	l.out.Resize(r.n)
	w := words(&l.out)
	if a.Valid == nil && b.Valid == nil && a.mask != 0 && b.mask != 0 {
		if l.or {
			orBits(w, words(a.Vec), words(b.Vec))
		} else {
			andBits(w, words(a.Vec), words(b.Vec))
		}
		return &l.out, nil
	}
	if cap(l.valid) < len(w) {
		l.valid = make([]uint64, max(len(w), vec.MaxRows/64))
	}
	l.out.Valid = l.valid[:len(w)]
	kleene(w, l.out.Valid, a, b, l.or)
	return &l.out, nil
}

// undecided lists the rows whose result depends on the right side: all but those where the
// left side is FALSE (AND) or TRUE (OR).
func (l *logicNode) undecided(a Operand, r *rows) []int32 {
	if cap(l.sel) < r.n {
		size := max(r.n, 64)
		l.sel, l.bits = make([]int32, size), make([]uint64, (size+63)/64)
	}
	bits, values := l.bits[:(r.n+63)/64], words(a.Vec)
	for i := range bits {
		x, valid := bitWord(a, values, i)
		if l.or {
			bits[i] = ^(x & valid)
		} else {
			bits[i] = x | ^valid
		}
	}
	if r.sel == nil {
		return selectBits(l.sel[:r.n], bits, r.n)
	}
	return selectValid(l.sel[:len(r.sel)], r.sel, bits)
}

//go:noinline
func andBits(dst, a, b []uint64) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] & b[i]
	}
}

//go:noinline
func orBits(dst, a, b []uint64) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] | b[i]
	}
}

// bitWord reads word i of a BOOLEAN operand's values and validity.
func bitWord(o Operand, values []uint64, i int) (x, valid uint64) {
	if o.mask == 0 {
		if o.IsNull(0) {
			return 0, 0
		}
		if o.Bool(0) {
			return ^uint64(0), ^uint64(0)
		}
		return 0, ^uint64(0)
	}
	valid = ^uint64(0)
	if o.Valid != nil {
		valid = o.Valid[i]
	}
	return values[i], valid
}

func kleene(dst, valid []uint64, a, b Operand, or bool) {
	av, bv := words(a.Vec), words(b.Vec)
	for i := range dst {
		x, xv := bitWord(a, av, i)
		y, yv := bitWord(b, bv, i)
		if or {
			dst[i] = x&xv | y&yv
			valid[i] = xv&yv | x&xv | y&yv
		} else {
			dst[i] = (x | ^xv) & (y | ^yv)
			valid[i] = xv&yv | ^x&xv | ^y&yv
		}
	}
}

func bindNot(*Site) (Kernel, error) {
	return func(f *Frame) error {
		out := words(f.Out)
		for i := range out {
			x, _ := bitWord(f.Args[0], words(f.Args[0].Vec), i)
			out[i] = ^x
		}
		return nil
	}, nil
}

// bindIsNull binds IS NULL (want = true) and IS NOT NULL.
func bindIsNull(want bool) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			out := words(f.Out)
			a := f.Args[0]
			for i := range out {
				v := ^uint64(0)
				switch {
				case a.mask == 0 && a.IsNull(0):
					v = 0
				case a.mask != 0 && a.Valid != nil:
					v = a.Valid[i]
				}
				if want {
					v = ^v
				}
				out[i] = v
			}
			return nil
		}, nil
	}
}

// bindIs binds IS [NOT] TRUE, FALSE: never NULL.
func bindIs(want, not bool) func(*Site) (Kernel, error) {
	return func(*Site) (Kernel, error) {
		return func(f *Frame) error {
			out := words(f.Out)
			for i := range out {
				x, valid := bitWord(f.Args[0], words(f.Args[0].Vec), i)
				if !want {
					x = ^x
				}
				x &= valid
				if not {
					x = ^x
				}
				out[i] = x
			}
			return nil
		}, nil
	}
}

// selectBits lists the set bits among the first n: a selection vector.
//
//go:noinline
func selectBits(dst []int32, w []uint64, n int) []int32 {
	k := 0
	for i, x := range w {
		if left := n - i*64; left < 64 {
			x &= 1<<uint(left) - 1
		}
		if x == ^uint64(0) {
			for j := range int32(64) {
				dst[k] = int32(i*64) + j
				k++
			}
			continue
		}
		for ; x != 0; x &= x - 1 {
			dst[k] = int32(i*64 + bits.TrailingZeros64(x))
			k++
		}
	}
	return dst[:k]
}

// logicFamily are the operators on truth values.
var logicFamily = Family{"Logical operators", []Function{
	{Name: "AND", Signature: "a AND b", Doc: "TRUE if both are, FALSE if one is FALSE, else NULL.",
		Example: "TRUE AND FALSE", Result: "FALSE", Type: logical(2), Nulls: Custom, special: bindLogic(false)},
	{Name: "OR", Signature: "a OR b", Doc: "TRUE if one is, FALSE if both are FALSE, else NULL.",
		Example: "TRUE OR FALSE", Result: "TRUE", Type: logical(2), Nulls: Custom, special: bindLogic(true)},
	{Name: "NOT", Signature: "NOT a", Doc: "The opposite; NULL for NULL.",
		Example: "NOT TRUE", Result: "FALSE", Type: logical(1), Nulls: Total, Bind: bindNot},
	{Name: "IS NULL", Aliases: []string{"IS UNKNOWN"}, Signature: "a IS NULL", Doc: "Whether a is NULL.",
		Example: "1 IS NULL", Result: "FALSE", Type: fnNotNull(ret(types.BooleanT), pAny), Nulls: Custom, Bind: bindIsNull(true)},
	{Name: "IS NOT NULL", Aliases: []string{"IS NOT UNKNOWN"}, Signature: "a IS NOT NULL", Doc: "Whether a is not NULL.",
		Example: "1 IS NOT NULL", Result: "TRUE", Type: fnNotNull(ret(types.BooleanT), pAny), Nulls: Custom, Bind: bindIsNull(false)},
	{Name: "IS TRUE", Signature: "a IS TRUE", Doc: "Whether a is TRUE; FALSE for NULL.",
		Example: "TRUE IS TRUE", Result: "TRUE", Type: fnNotNull(ret(types.BooleanT), pBool), Nulls: Custom, Bind: bindIs(true, false)},
	{Name: "IS NOT TRUE", Signature: "a IS NOT TRUE", Doc: "Whether a is FALSE or NULL.",
		Example: "TRUE IS NOT TRUE", Result: "FALSE", Type: fnNotNull(ret(types.BooleanT), pBool), Nulls: Custom, Bind: bindIs(true, true)},
	{Name: "IS FALSE", Signature: "a IS FALSE", Doc: "Whether a is FALSE; FALSE for NULL.",
		Example: "TRUE IS FALSE", Result: "FALSE", Type: fnNotNull(ret(types.BooleanT), pBool), Nulls: Custom, Bind: bindIs(false, false)},
	{Name: "IS NOT FALSE", Signature: "a IS NOT FALSE", Doc: "Whether a is TRUE or NULL.",
		Example: "TRUE IS NOT FALSE", Result: "TRUE", Type: fnNotNull(ret(types.BooleanT), pBool), Nulls: Custom, Bind: bindIs(false, true)},
}}
