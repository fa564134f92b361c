package eval

import (
	"github.com/sqlstream/sqlstream/exec/vec"
)

// call is the run-time half of a bound call: scratch for its result and the handling of
// NULLs that its null rule asks for.
type call struct {
	kernel Kernel
	nulls  NullRule
	args   []*node
	frame  Frame
	out    vec.Vec
	sel    []int32 // scratch for the rows that are selected and not NULL
}

func newCall(s *Site, nulls NullRule, k Kernel, args []*node) *call {
	c := &call{kernel: k, nulls: nulls, args: args, out: vec.New(s.Result)}
	c.frame = Frame{Out: &c.out, Args: make([]Operand, len(args)), name: s.Name, pos: s.Pos}
	return c
}

// sparse is the share of selected rows (1/sparse) under which Total kernels skip rows.
const sparse = 4

func (c *call) run(p *pass, r *rows) (*vec.Vec, error) {
	f := &c.frame
	for i, a := range c.args {
		o, err := a.operand(p, r)
		if err != nil {
			return nil, err
		}
		f.Args[i] = o
	}
	f.N, f.Sel, f.err = r.n, r.sel, nil
	prepare(&c.out, r.n)
	if c.nulls == Custom {
		return &c.out, c.kernel(f)
	}
	none := c.mergeValid(r.n)
	switch {
	case none:
		f.Sel = []int32{}
	case c.nulls == Total:
		if r.sel != nil && len(r.sel)*sparse > r.n {
			f.Sel = nil
		}
	case c.out.Valid != nil:
		f.Sel = c.present(r)
	}
	return &c.out, c.kernel(f)
}

// mergeValid sets the result's validity to the AND of the arguments'. It reports true when
// a constant argument is NULL, and so every row.
func (c *call) mergeValid(n int) bool {
	w := (n + 63) / 64
	for _, a := range c.frame.Args {
		if a.Valid == nil {
			continue
		}
		if a.mask == 0 {
			if a.IsNull(0) {
				c.out.Valid = c.frame.validWords()
				clear(c.out.Valid)
				return true
			}
			continue
		}
		if c.out.Valid == nil {
			c.out.Valid = c.frame.validWords()
			copy(c.out.Valid, a.Valid[:w])
			continue
		}
		andWords(c.out.Valid, a.Valid[:w])
	}
	return false
}

func andWords(dst, src []uint64) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] &= src[i]
	}
}

// present lists the rows of r whose result is not NULL.
func (c *call) present(r *rows) []int32 {
	if cap(c.sel) < r.len() {
		c.sel = make([]int32, max(r.len(), 64))
	}
	if r.sel == nil {
		return selectBits(c.sel[:r.n], c.out.Valid, r.n)
	}
	return selectValid(c.sel[:len(r.sel)], r.sel, c.out.Valid)
}

// selectValid keeps the rows of sel whose bit is set.
//
//go:noinline
func selectValid(dst, sel []int32, valid []uint64) []int32 {
	k := 0
	for _, i := range sel {
		dst[k] = i
		k += int(valid[i>>6] >> (uint(i) & 63) & 1)
	}
	return dst[:k]
}
