package eval

import (
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Kernel computes one call for the rows of a frame.
type Kernel func(f *Frame) error

// Operand is one argument of a call: a column, or a constant, whose only row answers for
// every index.
type Operand struct {
	*vec.Vec
	mask int // -1 for a column, 0 for a constant
}

// at maps a physical row to a row of the operand.
func (o Operand) at(i int) int { return i & o.mask }

func (o Operand) null(i int) bool    { return o.IsNull(i & o.mask) }
func (o Operand) bytes(i int) []byte { return o.Bytes(i & o.mask) }
func (o Operand) bool(i int) bool    { return o.Bool(i & o.mask) }

// value reads row i of a fixed-width operand. Kernels with loops of their own take the
// slice once instead.
func value[T vec.Fixed](o Operand, i int) T { return vec.Values[T](o.Vec)[i&o.mask] }

// Frame is what a kernel works on. Out has the type of the result and is sized for N rows:
// fixed-width data by index, offsets for strings, nothing for nested types. Its validity
// is set for Strict and Total functions. Only the rows of Sel (ascending; nil = all N)
// have to be computed; what the others hold afterwards does not matter.
type Frame struct {
	Out  *vec.Vec
	Args []Operand
	N    int
	Sel  []int32

	name     string
	pos      int
	constant bool
	err      *Error
	valid    []uint64 // backing of Out.Valid, kept between batches
}

// setNull makes row i of the result NULL.
func (f *Frame) setNull(i int) {
	if f.Out.Valid == nil {
		f.Out.Valid = f.validWords()
		for w := range f.Out.Valid {
			f.Out.Valid[w] = ^uint64(0)
		}
	}
	f.Out.Valid[i>>6] &^= 1 << (uint(i) & 63)
}

// validWords returns the scratch bitmap for N rows with undefined contents.
func (f *Frame) validWords() []uint64 {
	n := (f.N + 63) / 64
	if cap(f.valid) < n {
		f.valid = make([]uint64, max(n, vec.MaxRows/64))
	}
	return f.valid[:n]
}

// each calls do for every row to compute.
func (f *Frame) each(do func(i int)) {
	if f.Sel == nil {
		for i := range f.N {
			do(i)
		}
		return
	}
	for _, i := range f.Sel {
		do(int(i))
	}
}

// fill computes a fixed-width result row by row; get returning false gives NULL. It is for
// functions whose work outweighs an indirect call; cheap ones have loops of their own.
func fill[T vec.Fixed](f *Frame, get func(i int) (T, bool)) error {
	out := vec.Values[T](f.Out)
	if f.Sel == nil {
		for i := range out {
			x, ok := get(i)
			out[i] = x
			if !ok {
				f.setNull(i)
			}
		}
		return f.failure()
	}
	for _, i := range f.Sel {
		x, ok := get(int(i))
		out[i] = x
		if !ok {
			f.setNull(int(i))
		}
	}
	return f.failure()
}

// fillBool computes a BOOLEAN result row by row.
func fillBool(f *Frame, get func(i int) (x, ok bool)) error {
	f.each(func(i int) {
		x, ok := get(i)
		f.Out.SetBool(i, x)
		if !ok {
			f.setNull(i)
		}
	})
	return f.failure()
}

// fillBytes computes a string or binary result row by row: get appends the row's value to
// dst and returns it; false gives NULL.
func fillBytes(f *Frame, get func(i int, dst []byte) ([]byte, bool)) error {
	if f.Sel == nil {
		return fillAllBytes(f, get)
	}
	data, off, next := f.Out.Data[:0], f.Out.Off, 0
	row := func(i int) {
		start := int32(len(data))
		for ; next <= i; next++ {
			off[next] = start
		}
		d, ok := get(i, data)
		if ok {
			data = d
		} else {
			data = d[:start]
			f.setNull(i)
		}
		off[i+1] = int32(len(data))
		next = i + 2
	}
	off[0] = 0
	f.each(row)
	for end := int32(len(data)); next <= f.N; next++ {
		off[next] = end
	}
	f.Out.Data = data
	return f.failure()
}

// fillAllBytes is fillBytes for all rows.
func fillAllBytes(f *Frame, get func(i int, dst []byte) ([]byte, bool)) error {
	data, off := f.Out.Data[:0], f.Out.Off
	off[0] = 0
	for i := range f.N {
		d, ok := get(i, data)
		if ok {
			data = d
		} else {
			data = d[:len(data)]
			f.setNull(i)
		}
		off[i+1] = int32(len(data))
	}
	f.Out.Data = data
	return f.failure()
}

// fillNested computes an ARRAY, MAP or ROW result: add appends the elements of row i to
// Out.Kids; false gives NULL. For ROW results add must append to every child either way.
func fillNested(f *Frame, add func(i int) bool) error {
	out := f.Out
	valid := out.Valid
	n := f.N
	out.Reset()
	next := 0
	f.each(func(i int) {
		for ; next < i; next++ {
			out.AppendNull()
		}
		next = i + 1
		if valid != nil && valid[i>>6]>>(uint(i)&63)&1 == 0 {
			out.AppendNull()
			return
		}
		if ok := add(i); ok || out.Type.Physical() == types.PhysRow {
			out.AppendOpen()
			if !ok {
				out.SetNull(i)
			}
			return
		}
		out.AppendNull()
	})
	for ; next < n; next++ {
		out.AppendNull()
	}
	return f.failure()
}

// words views a BOOLEAN column's bitmap as 64-bit words.
func words(v *vec.Vec) []uint64 {
	n := (v.N + 63) / 64
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(v.Data))), n)
}

// prepare sizes a scratch column for n rows without NULLs.
func prepare(v *vec.Vec, n int) {
	v.Valid = nil
	switch v.Type.Physical() {
	case types.PhysBytes:
		v.N = n
		v.Data = v.Data[:0]
		if cap(v.Off) < n+1 {
			v.Off = make([]int32, max(n+1, 64))
		}
		v.Off = v.Off[:n+1]
	case types.PhysList, types.PhysMap, types.PhysRow, types.PhysNone:
		v.Reset()
		v.N = 0
	default:
		v.Resize(n)
	}
}
