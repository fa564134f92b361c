package eval

import (
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// bindCompareText binds = and <> of a string with another type, where Flink has rules of its
// own: a BOOLEAN or an interval never equals a string; a date or time equals the string
// that can be read as it, and gives NULL for one that cannot.
func bindCompareText(s *Site, op cmpOp) (Kernel, error) {
	text := 0
	if s.Args[1].IsString() {
		text = 1
	}
	other := s.Args[1-text]
	if !isDateTime(other) {
		return func(f *Frame) error {
			return fillBool(f, func(int) (bool, bool) { return op == opNe, true })
		}, nil
	}
	conv, err := bindCast(&Site{Name: s.Name, Pos: s.Pos, Env: s.Env, Args: []types.Type{s.Args[text]},
		Consts: []*vec.Vec{nil}, Result: other.Nullable(), Try: true})
	if err != nil {
		return nil, err
	}
	inner, err := bindCompare(op)(&Site{Name: s.Name, Pos: s.Pos, Env: s.Env, Args: []types.Type{other, other}})
	if err != nil {
		return nil, err
	}
	if c := s.Consts[text]; c != nil && !c.IsNull(0) {
		// A constant that is no date is refused while planning.
		one := newCall(&Site{Name: s.Name, Pos: s.Pos, Result: other.Nullable()}, Strict, conv, []*node{{typ: s.Args[text], konst: true, value: c}})
		var p pass
		if v, err := one.run(&p, p.start(&vec.Batch{N: 1})); err != nil || v.IsNull(0) {
			return nil, s.errorf("%q is not a valid %s", clip(c.Bytes(0)), other.Nullable())
		}
	}
	parsed := vec.New(other)
	sub := Frame{name: s.Name, pos: s.Pos}
	return func(f *Frame) error {
		n, mask := f.N, f.Args[text].mask
		sub.Sel = f.presentRows()
		if mask == 0 {
			n, sub.Sel = 1, nil
		}
		sub.Out, sub.N, sub.Args = &parsed, n, f.Args[text:text+1]
		prepare(&parsed, n)
		if f.Args[text].Valid == nil || mask != 0 || !f.Args[text].IsNull(0) {
			if err := conv(&sub); err != nil {
				return err
			}
		}
		args := f.Args
		pair := [2]Operand{args[0], args[1]}
		pair[text] = Operand{&parsed, mask}
		f.Args = pair[:]
		err := inner(f)
		f.Args = args
		if parsed.Valid != nil {
			f.each(func(i int) {
				if parsed.IsNull(i & mask) {
					f.setNull(i)
				}
			})
		}
		return err
	}, nil
}

// presentRows lists the rows to compute whose result is not yet known to be NULL; nil when
// those are all. It allocates; for rare kernels.
func (f *Frame) presentRows() []int32 {
	if f.Sel == nil && f.Out.Valid == nil {
		return nil
	}
	rows := make([]int32, 0, f.N)
	f.each(func(i int) {
		if !f.Out.IsNull(i) {
			rows = append(rows, int32(i))
		}
	})
	return rows
}
