package eval

import (
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// cast converts a node; conversions that change no byte give the node itself.
func (c *compiler) cast(arg *node, to types.Type, try bool, pos int) (*node, error) {
	if sameBytes(arg.typ, to) {
		if arg.typ.Equal(to) {
			return arg, nil
		}
		return retype(arg, to), nil
	}
	s := &Site{Name: "CAST", Pos: pos, Env: c.env, Result: to, Try: try}
	if try {
		s.Name = "TRY_CAST"
	}
	n, err := c.bind(s, castNulls(arg.typ, to), false, bindCast, []*node{arg})
	return n, err
}

// retype makes the same column with another type: a header, no copy.
func retype(arg *node, to types.Type) *node {
	out := new(vec.Vec)
	view := func(v *vec.Vec) *vec.Vec {
		*out = *v
		out.Type = to
		return out
	}
	n := &node{typ: to, konst: arg.konst, total: arg.total, fails: arg.fails}
	if arg.konst {
		n.value = view(arg.value)
		return n
	}
	n.run = func(p *pass, r *rows) (*vec.Vec, error) {
		v, err := arg.eval(p, r)
		if err != nil {
			return nil, err
		}
		return view(v), nil
	}
	return n
}

// sameBytes reports that every value of from is, as it is, a value of to.
func sameBytes(from, to types.Type) bool {
	switch {
	case from.Kind == types.Null:
		return false
	case from.Same(to):
		return true
	case to.Kind == types.VarChar && from.IsString(), to.Kind == types.VarBinary && from.IsBinary():
		return to.Length >= from.Length
	case from.Kind == to.Kind && from.IsTimestamp():
		return from.Precision <= to.Precision && from.UnitsPerSecond() == to.UnitsPerSecond()
	case from.Kind == to.Kind && (from.Kind == types.Time || from.IsInterval()):
		return true // a TIME keeps its milliseconds whatever the precision, as in Flink
	}
	return false
}

// castNulls is the null rule of a conversion: number to number cannot fail.
func castNulls(from, to types.Type) NullRule {
	fixed := func(t types.Type) bool { return t.IsInteger() || t.IsApprox() }
	switch {
	case from.Kind == types.Null:
		return Custom
	case fixed(from) && fixed(to):
		return Total
	}
	return Strict
}

// bindCast makes the kernel that converts Args[0] to Result.
func bindCast(s *Site) (Kernel, error) {
	from, to := s.Args[0], s.Result
	switch {
	case from.Kind == types.Null:
		return allNulls, nil
	case to.IsString():
		return castToText(s)
	case from.IsNested():
		return castNested(s)
	case to.IsBinary():
		return castToBinary(s), nil
	case from.IsString():
		return castFromText(s)
	case to.Kind == types.Boolean:
		return castToBool(s)
	case from.Kind == types.Boolean:
		return castFromBool(s)
	case from.IsNumeric() && to.IsNumeric():
		return castNumber(s)
	case isDateTime(from) && isDateTime(to):
		return castTemporal(s)
	}
	if err := CastAllowed(from, to); err != nil {
		return nil, s.errorf("%v", err)
	}
	return nil, s.errorf("cannot cast %s to %s", from, to)
}

func allNulls(f *Frame) error {
	out := f.Out
	out.Reset()
	for range f.N {
		out.AppendNull()
	}
	return nil
}

// reject handles a value that cannot be converted: an error, or NULL for TRY_CAST.
func (s *Site) reject(f *Frame, i int, format string, args ...any) {
	if !s.Try {
		f.fail(i, format, args...)
	}
}

// castNested converts ARRAY, MAP, MULTISET and ROW child by child.
func castNested(s *Site) (Kernel, error) {
	from, to := s.Args[0], s.Result
	if !castAllowed(from, to) {
		return nil, s.errorf("%v", CastAllowed(from, to))
	}
	src, dst := vec.New(from), vec.New(to)
	kids := make([]*childCast, len(src.Kids))
	for k := range kids {
		c, err := newChildCast(s, src.Kids[k].Type, dst.Kids[k].Type)
		if err != nil {
			return nil, err
		}
		kids[k] = c
	}
	return func(f *Frame) error {
		a := f.Args[0]
		done := make([]*vec.Vec, len(kids))
		for k, c := range kids {
			v, err := c.convert(&a.Kids[k])
			if err != nil {
				return err
			}
			done[k] = v
		}
		return fillNested(f, func(i int) bool {
			r, failed := a.at(i), false
			lo, hi := r, r+1
			if a.Off != nil {
				lo, hi = int(a.Off[r]), int(a.Off[r+1])
			}
			for ; lo < hi; lo++ {
				for k := range done {
					if s.Try && done[k].IsNull(lo) && !a.Kids[k].IsNull(lo) {
						failed = true // one bad element makes the whole value NULL
					}
					f.Out.Kids[k].AppendFrom(done[k], lo)
				}
			}
			return !failed
		})
	}, nil
}

// childCast converts a child column as a whole.
type childCast struct {
	src  *vec.Vec
	same bool
	call *call
	pass pass
}

func newChildCast(s *Site, from, to types.Type) (*childCast, error) {
	c := &childCast{same: sameBytes(from, to)}
	if c.same {
		return c, nil
	}
	site := &Site{Name: s.Name, Pos: s.Pos, Env: s.Env, Args: []types.Type{from}, Consts: []*vec.Vec{nil}, Result: to, Try: s.Try}
	k, err := bindCast(site)
	if err != nil {
		return nil, err
	}
	arg := &node{typ: from, run: func(*pass, *rows) (*vec.Vec, error) { return c.src, nil }}
	c.call = newCall(site, castNulls(from, to), k, []*node{arg})
	return c, nil
}

func (c *childCast) convert(src *vec.Vec) (*vec.Vec, error) {
	if c.same {
		return src, nil
	}
	c.src = src
	return c.call.run(&c.pass, c.pass.start(&vec.Batch{N: src.N}))
}
