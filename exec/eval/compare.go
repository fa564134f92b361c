package eval

import (
	"bytes"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Comparison kernels over fixed-width columns write a bitmap, 64 rows a word. One loop per
// operator; > and >= are < and <= with the operands exchanged.

type cmpOp uint8

const (
	opEq cmpOp = iota
	opNe
	opLt
	opLe
	opGt
	opGe
)

type ordered interface {
	int8 | int16 | int32 | int64 | float32 | float64
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func bindCompare(op cmpOp) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		a, b := s.Args[0], s.Args[1]
		if a.IsString() != b.IsString() {
			return bindCompareText(s, op)
		}
		switch a.Physical() {
		case types.PhysI8:
			if b.Physical() == types.PhysI8 {
				return compareFixed[int8](op), nil
			}
		case types.PhysI16:
			if b.Physical() == types.PhysI16 {
				return compareFixed[int16](op), nil
			}
		case types.PhysI32:
			if b.Physical() == types.PhysI32 {
				return compareFixed[int32](op), nil
			}
		case types.PhysI64:
			if b.Physical() == types.PhysI64 {
				return compareFixed[int64](op), nil
			}
		case types.PhysF32:
			return compareFixed[float32](op), nil
		case types.PhysF64:
			return compareFixed[float64](op), nil
		case types.PhysBytes:
			if op <= opNe {
				return equalBytes(op == opNe), nil
			}
			return compareRows(op, func(a, b Operand, i int) int { return bytes.Compare(a.bytes(i), b.bytes(i)) }), nil
		case types.PhysBool:
			return compareRows(op, func(a, b Operand, i int) int { return int(b2u(a.bool(i))) - int(b2u(b.bool(i))) }), nil
		}
		if a.IsExact() && b.IsExact() {
			return compareDecimal(a, b, op), nil
		}
		if a.Kind == types.Row && b.Kind == types.Row {
			return equalRows(op == opNe), nil
		}
		if op <= opNe {
			return compareRows(op, func(a, b Operand, i int) int {
				if equalRow(a.Vec, a.at(i), b.Vec, b.at(i)) {
					return 0
				}
				return 1
			}), nil
		}
		return nil, s.errorf("cannot compare %s with %s", a, b)
	}
}

func compareFixed[T ordered](op cmpOp) Kernel {
	return func(f *Frame) error {
		a, b := f.Args[0], f.Args[1]
		o := op
		if o == opGt || o == opGe {
			a, b = b, a
			o -= 2
		}
		out := words(f.Out)
		x, y := vec.Values[T](a.Vec), vec.Values[T](b.Vec)
		switch {
		case a.mask == 0 && b.mask == 0:
			out[0] = b2u(compareValue(o, x[0], y[0]))
		case b.mask == 0:
			compareConst(out, x, y[0], o)
		case a.mask == 0: // c < x is x > c
			switch o {
			case opLt:
				gtConst(out, y, x[0])
			case opLe:
				geConst(out, y, x[0])
			default:
				compareConst(out, y, x[0], o)
			}
		default:
			switch o {
			case opEq:
				eqCols(out, x, y)
			case opNe:
				eqCols(out, x, y)
				notBits(out)
			case opLt:
				ltCols(out, x, y)
			default:
				leCols(out, x, y)
			}
		}
		return nil
	}
}

func compareConst[T ordered](out []uint64, x []T, c T, op cmpOp) {
	switch op {
	case opEq:
		eqConst(out, x, c)
	case opNe:
		eqConst(out, x, c)
		notBits(out)
	case opLt:
		ltConst(out, x, c)
	case opLe:
		leConst(out, x, c)
	}
}

func compareValue[T ordered](op cmpOp, x, y T) bool {
	switch op {
	case opEq:
		return x == y
	case opNe:
		return x != y
	case opLt:
		return x < y
	}
	return x <= y
}

//go:noinline
func notBits(w []uint64) {
	for i := range w {
		w[i] = ^w[i]
	}
}

//go:noinline
func eqConst[T ordered](out []uint64, x []T, c T) {
	for w := range out {
		blk := x[w*64 : min(w*64+64, len(x))]
		var m uint64
		j := 0
		for ; j+8 <= len(blk); j += 8 {
			y := blk[j : j+8 : j+8]
			m |= (b2u(y[0] == c) |
				b2u(y[1] == c)<<1 |
				b2u(y[2] == c)<<2 |
				b2u(y[3] == c)<<3 |
				b2u(y[4] == c)<<4 |
				b2u(y[5] == c)<<5 |
				b2u(y[6] == c)<<6 |
				b2u(y[7] == c)<<7) << (uint(j) & 63)
		}
		for ; j < len(blk); j++ {
			m |= b2u(blk[j] == c) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func ltConst[T ordered](out []uint64, x []T, c T) {
	for w := range out {
		blk := x[w*64 : min(w*64+64, len(x))]
		var m uint64
		j := 0
		for ; j+8 <= len(blk); j += 8 {
			y := blk[j : j+8 : j+8]
			m |= (b2u(y[0] < c) |
				b2u(y[1] < c)<<1 |
				b2u(y[2] < c)<<2 |
				b2u(y[3] < c)<<3 |
				b2u(y[4] < c)<<4 |
				b2u(y[5] < c)<<5 |
				b2u(y[6] < c)<<6 |
				b2u(y[7] < c)<<7) << (uint(j) & 63)
		}
		for ; j < len(blk); j++ {
			m |= b2u(blk[j] < c) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func leConst[T ordered](out []uint64, x []T, c T) {
	for w := range out {
		blk := x[w*64 : min(w*64+64, len(x))]
		var m uint64
		j := 0
		for ; j+8 <= len(blk); j += 8 {
			y := blk[j : j+8 : j+8]
			m |= (b2u(y[0] <= c) |
				b2u(y[1] <= c)<<1 |
				b2u(y[2] <= c)<<2 |
				b2u(y[3] <= c)<<3 |
				b2u(y[4] <= c)<<4 |
				b2u(y[5] <= c)<<5 |
				b2u(y[6] <= c)<<6 |
				b2u(y[7] <= c)<<7) << (uint(j) & 63)
		}
		for ; j < len(blk); j++ {
			m |= b2u(blk[j] <= c) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func gtConst[T ordered](out []uint64, x []T, c T) {
	for w := range out {
		blk := x[w*64 : min(w*64+64, len(x))]
		var m uint64
		j := 0
		for ; j+8 <= len(blk); j += 8 {
			y := blk[j : j+8 : j+8]
			m |= (b2u(y[0] > c) |
				b2u(y[1] > c)<<1 |
				b2u(y[2] > c)<<2 |
				b2u(y[3] > c)<<3 |
				b2u(y[4] > c)<<4 |
				b2u(y[5] > c)<<5 |
				b2u(y[6] > c)<<6 |
				b2u(y[7] > c)<<7) << (uint(j) & 63)
		}
		for ; j < len(blk); j++ {
			m |= b2u(blk[j] > c) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func geConst[T ordered](out []uint64, x []T, c T) {
	for w := range out {
		blk := x[w*64 : min(w*64+64, len(x))]
		var m uint64
		j := 0
		for ; j+8 <= len(blk); j += 8 {
			y := blk[j : j+8 : j+8]
			m |= (b2u(y[0] >= c) |
				b2u(y[1] >= c)<<1 |
				b2u(y[2] >= c)<<2 |
				b2u(y[3] >= c)<<3 |
				b2u(y[4] >= c)<<4 |
				b2u(y[5] >= c)<<5 |
				b2u(y[6] >= c)<<6 |
				b2u(y[7] >= c)<<7) << (uint(j) & 63)
		}
		for ; j < len(blk); j++ {
			m |= b2u(blk[j] >= c) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func eqCols[T ordered](out []uint64, x, y []T) {
	for w := range out {
		blk := x[w*64 : min(w*64+64, len(x))]
		oth := y[w*64:][:len(blk)]
		var m uint64
		for j, v := range blk {
			m |= b2u(v == oth[j]) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func ltCols[T ordered](out []uint64, x, y []T) {
	for w := range out {
		blk := x[w*64 : min(w*64+64, len(x))]
		oth := y[w*64:][:len(blk)]
		var m uint64
		for j, v := range blk {
			m |= b2u(v < oth[j]) << (uint(j) & 63)
		}
		out[w] = m
	}
}

//go:noinline
func leCols[T ordered](out []uint64, x, y []T) {
	for w := range out {
		blk := x[w*64 : min(w*64+64, len(x))]
		oth := y[w*64:][:len(blk)]
		var m uint64
		for j, v := range blk {
			m |= b2u(v <= oth[j]) << (uint(j) & 63)
		}
		out[w] = m
	}
}

// equalBytes compares strings for equality: lengths first, then bytes.
func equalBytes(not bool) Kernel {
	return func(f *Frame) error {
		a, b := f.Args[0], f.Args[1]
		if a.mask == 0 {
			a, b = b, a
		}
		out := words(f.Out)
		if b.mask == 0 {
			eqBytesConst(f, out, a, b.Bytes(0))
		} else {
			eqBytesCols(f, out, a, b)
		}
		if not {
			notBits(out)
		}
		return nil
	}
}

//go:noinline
func eqBytesConst(f *Frame, out []uint64, a Operand, c []byte) {
	clear(out)
	off, data := a.Off, a.Data
	if f.Sel != nil {
		for _, i := range f.Sel {
			k := int(i) & a.mask
			if int(off[k+1]-off[k]) == len(c) && string(data[off[k]:off[k+1]]) == string(c) {
				out[i>>6] |= 1 << (uint(i) & 63)
			}
		}
		return
	}
	for i := range f.N {
		k := i & a.mask
		if int(off[k+1]-off[k]) == len(c) && string(data[off[k]:off[k+1]]) == string(c) {
			out[i>>6] |= 1 << (uint(i) & 63)
		}
	}
}

//go:noinline
func eqBytesCols(f *Frame, out []uint64, a, b Operand) {
	clear(out)
	for i := range f.N {
		if string(a.bytes(i)) == string(b.bytes(i)) {
			out[i>>6] |= 1 << (uint(i) & 63)
		}
	}
}

// compareRows is for types without a loop of their own.
func compareRows(op cmpOp, cmp func(a, b Operand, i int) int) Kernel {
	return func(f *Frame) error {
		a, b := f.Args[0], f.Args[1]
		f.each(func(i int) {
			if f.Out.Valid != nil && f.Out.IsNull(i) {
				return
			}
			f.Out.SetBool(i, holds(op, cmp(a, b, i)))
		})
		return f.failure()
	}
}

func holds(op cmpOp, c int) bool {
	switch op {
	case opEq:
		return c == 0
	case opNe:
		return c != 0
	case opLt:
		return c < 0
	case opLe:
		return c <= 0
	case opGt:
		return c > 0
	}
	return c >= 0
}

// equalRows compares ROWs field by field in three-valued logic: one field that differs
// decides, else a NULL in any makes the result NULL.
func equalRows(not bool) Kernel {
	return func(f *Frame) error {
		a, b := f.Args[0], f.Args[1]
		return fillBool(f, func(i int) (bool, bool) {
			if f.Out.IsNull(i) {
				return false, false
			}
			same, known := true, true
			x, y := a.at(i), b.at(i)
			for k := range a.Kids {
				switch {
				case a.Kids[k].IsNull(x) || b.Kids[k].IsNull(y):
					known = false
				case !equalRow(&a.Kids[k], x, &b.Kids[k], y):
					return not, true
				}
			}
			return same != not, known
		})
	}
}

// equalRow compares two values of the same physical layout at any depth; NULLs inside are
// equal to each other.
func equalRow(a *vec.Vec, i int, b *vec.Vec, j int) bool {
	if a.IsNull(i) || b.IsNull(j) {
		return a.IsNull(i) && b.IsNull(j)
	}
	switch p := a.Type.Physical(); p {
	case types.PhysBool:
		return a.Bool(i) == b.Bool(j)
	case types.PhysBytes:
		return bytes.Equal(a.Bytes(i), b.Bytes(j))
	case types.PhysF32:
		return vec.Values[float32](a)[i] == vec.Values[float32](b)[j]
	case types.PhysF64:
		return vec.Values[float64](a)[i] == vec.Values[float64](b)[j]
	case types.PhysRow:
		for k := range a.Kids {
			if !equalRow(&a.Kids[k], i, &b.Kids[k], j) {
				return false
			}
		}
		return true
	case types.PhysList:
		return equalList(a, i, b, j)
	case types.PhysMap:
		return equalMap(a, i, b, j)
	default:
		w := p.Width()
		return bytes.Equal(a.Data[i*w:i*w+w], b.Data[j*w:j*w+w])
	}
}

func equalList(a *vec.Vec, i int, b *vec.Vec, j int) bool {
	n := int(a.Off[i+1] - a.Off[i])
	if n != int(b.Off[j+1]-b.Off[j]) {
		return false
	}
	for k := range n {
		if !equalRow(&a.Kids[0], int(a.Off[i])+k, &b.Kids[0], int(b.Off[j])+k) {
			return false
		}
	}
	return true
}

func equalMap(a *vec.Vec, i int, b *vec.Vec, j int) bool {
	if a.Off[i+1]-a.Off[i] != b.Off[j+1]-b.Off[j] {
		return false
	}
	for k := int(a.Off[i]); k < int(a.Off[i+1]); k++ {
		m := mapFind(b, j, &a.Kids[0], k)
		// A NULL value never equals: Flink's generated code compares the values only.
		if m < 0 || a.Kids[1].IsNull(k) || !equalRow(&a.Kids[1], k, &b.Kids[1], m) {
			return false
		}
	}
	return true
}

// mapFind returns the position in m's children of the entry of row i whose key equals
// row k of key, or -1.
func mapFind(m *vec.Vec, i int, key *vec.Vec, k int) int {
	for e := int(m.Off[i]); e < int(m.Off[i+1]); e++ {
		if equalRow(&m.Kids[0], e, key, k) {
			return e
		}
	}
	return -1
}
