package evolve

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"

	"github.com/sqlstream/sqlstream/sql/types"
)

// fit is how a value of one type becomes one of another.
type fit uint8

const (
	fitNot   fit = iota
	fitSame      // the bytes stay
	fitWiden     // see widenFixed
)

// fits says whether every value of type from has an equal one of type to.
func fits(from, to types.Type) fit {
	from, to = from.Nullable().WithoutAttr(), to.Nullable().WithoutAttr()
	if sameShape(from, to) {
		return fitSame
	}
	widerIf := func(ok, same bool) fit {
		switch {
		case !ok:
			return fitNot
		case same:
			return fitSame
		}
		return fitWiden
	}
	switch {
	case from.IsInteger() && to.IsInteger():
		return widerIf(from.Kind < to.Kind, false)
	case from.Kind == types.Float && to.Kind == types.Double:
		return fitWiden
	case from.Kind == types.Decimal && to.Kind == types.Decimal:
		return widerIf(to.Scale >= from.Scale && to.Precision-to.Scale >= from.Precision-from.Scale, false)
	case from.IsString() && to.Kind == types.VarChar, from.IsBinary() && to.Kind == types.VarBinary:
		return widerIf(to.Length >= from.Length, true)
	case from.Kind == to.Kind && from.IsTimestamp():
		return widerIf(to.Precision > from.Precision, from.UnitsPerSecond() == to.UnitsPerSecond())
	case from.Kind == types.Time && to.Kind == types.Time:
		return widerIf(to.Precision > from.Precision, true)
	}
	return fitNot
}

// sameShape is Type.Same at every depth without regard to NULL, which has no place in stored values.
func sameShape(a, b types.Type) bool {
	if a.Kind != b.Kind || a.Length != b.Length || a.Precision != b.Precision || a.Scale != b.Scale || len(a.Fields) != len(b.Fields) {
		return false
	}
	if (a.Key == nil) != (b.Key == nil) || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	if a.Key != nil && !sameShape(*a.Key, *b.Key) || a.Elem != nil && !sameShape(*a.Elem, *b.Elem) {
		return false
	}
	for i := range a.Fields {
		if !sameShape(a.Fields[i].Type, b.Fields[i].Type) {
			return false
		}
	}
	return true
}

// width is how many bytes a value of a fixed-length type has in a slot.
func width(t types.Type) int {
	if t.Physical() == types.PhysBool {
		return 1
	}
	return t.Physical().Width()
}

// decimal is an unscaled value of 128 bits.
type decimal struct {
	lo uint64
	hi int64
}

// overflowed stands, in sums, for one that left 38 digits (see exec/agg).
var overflowed = decimal{hi: math.MinInt64}

var (
	ten38  = new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	word64 = new(big.Int).Lsh(big.NewInt(1), 64)
)

func (d decimal) big() *big.Int {
	b := new(big.Int).Lsh(big.NewInt(d.hi), 64)
	return b.Add(b, new(big.Int).SetUint64(d.lo))
}

// decimalOf returns overflowed for a value of more than 38 digits.
func decimalOf(b *big.Int) decimal {
	if b.CmpAbs(ten38) >= 0 {
		return overflowed
	}
	hi, lo := new(big.Int).DivMod(b, word64, new(big.Int))
	return decimal{lo: lo.Uint64(), hi: hi.Int64()}
}

func (d decimal) add(o decimal) decimal {
	if d == overflowed || o == overflowed {
		return overflowed
	}
	return decimalOf(new(big.Int).Add(d.big(), o.big()))
}

// scaled is d with more digits behind the point.
func (d decimal) scaled(by int) decimal {
	if by == 0 || d == overflowed {
		return d
	}
	return decimalOf(new(big.Int).Mul(d.big(), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(by)), nil)))
}

func readDecimal(b []byte) decimal {
	return decimal{lo: binary.LittleEndian.Uint64(b), hi: int64(binary.LittleEndian.Uint64(b[8:]))}
}

func (d decimal) put(b []byte) {
	binary.LittleEndian.PutUint64(b, d.lo)
	binary.LittleEndian.PutUint64(b[8:], uint64(d.hi))
}

// widenFixed writes the value of type from at src as one of type to at dst, both as slots hold
// them: little endian, no longer than the types' widths.
func widenFixed(dst, src []byte, from, to types.Type) error {
	switch {
	case from.IsInteger(), from.IsTimestamp():
		v, err := widenInt(readInt(src, width(from)), from, to)
		if err != nil {
			return err
		}
		putInt(dst, width(to), v)
	case from.Kind == types.Float:
		f := math.Float32frombits(binary.LittleEndian.Uint32(src))
		binary.LittleEndian.PutUint64(dst, math.Float64bits(float64(f)))
	case from.Kind == types.Decimal:
		readDecimal(src).scaled(to.Scale - from.Scale).put(dst)
	default:
		return fmt.Errorf("no way from %s to %s", from, to)
	}
	return nil
}

// widenInt widens an integer or a timestamp.
func widenInt(v int64, from, to types.Type) (int64, error) {
	if !from.IsTimestamp() {
		return v, nil
	}
	by := to.UnitsPerSecond() / from.UnitsPerSecond()
	if v > math.MaxInt64/by || v < math.MinInt64/by {
		return 0, fmt.Errorf("a %s of the snapshot is outside the years that %s can hold, 1677 to 2262", from, to)
	}
	return v * by, nil
}

func readInt(b []byte, width int) int64 {
	switch width {
	case 1:
		return int64(int8(b[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

func putInt(b []byte, width int, v int64) {
	for i := range width {
		b[i] = byte(v >> (8 * i))
	}
}
