package evolve

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/sqlstream/sqlstream/sql/types"
)

// The key form of columns is that of package exec/rowkey, which is part of every checkpoint and
// never changes. Here it is walked without columns to decode it into.

// wideDecimal is the precision above which a DECIMAL has 16 bytes in keys.
const wideDecimal = 18

const tagNull = 0

// keyWidth is the length of a value of t without its tag, -1 when it varies.
func keyWidth(t types.Type) int {
	switch t.Physical() {
	case types.PhysBool:
		return 0
	case types.PhysD128:
		if t.Precision <= wideDecimal {
			return 8
		}
		return 16
	case types.PhysBytes, types.PhysList, types.PhysMap, types.PhysRow:
		return -1
	}
	return t.Physical().Width()
}

func errKey(t types.Type) error {
	return fmt.Errorf("a key ends inside a value of type %s: the snapshot is damaged, or its manifest is of another one", t)
}

// skipKey returns what follows the first value of a key.
func skipKey(t types.Type, key []byte) ([]byte, error) {
	if len(key) == 0 {
		return nil, errKey(t)
	}
	tag, key := key[0], key[1:]
	if tag == tagNull {
		return key, nil
	}
	if n := keyWidth(t); n >= 0 {
		if n > len(key) {
			return nil, errKey(t)
		}
		return key[n:], nil
	}
	var kids []types.Type
	switch t.Physical() {
	case types.PhysRow:
		for _, f := range t.Fields {
			kids = append(kids, f.Type)
		}
		return skipKeys(kids, key)
	case types.PhysMap:
		if t.Kind == types.Map {
			kids = []types.Type{*t.Key, *t.Elem}
		} else {
			kids = []types.Type{*t.Elem, types.IntT}
		}
	case types.PhysList:
		kids = []types.Type{*t.Elem}
	}
	n, w := binary.Uvarint(key)
	if w <= 0 || n > uint64(len(key)-w) { // an entry has a byte at least
		return nil, errKey(t)
	}
	key = key[w:]
	if kids == nil {
		return key[n:], nil
	}
	var err error
	for range n {
		if key, err = skipKeys(kids, key); err != nil {
			return nil, err
		}
	}
	return key, nil
}

func skipKeys(ts []types.Type, key []byte) ([]byte, error) {
	var err error
	for _, t := range ts {
		if key, err = skipKey(t, key); err != nil {
			return nil, err
		}
	}
	return key, nil
}

// widenKey appends the first value of a key, of type from, as one of type to, and returns what
// follows it.
func widenKey(dst []byte, from, to types.Type, key []byte) (out, rest []byte, err error) {
	if rest, err = skipKey(from, key); err != nil {
		return nil, nil, err
	}
	value := key[:len(key)-len(rest)]
	if value[0] == tagNull || fits(from, to) == fitSame || from.Kind == types.Decimal && from.Scale == to.Scale && keyWidth(from) == keyWidth(to) {
		return append(dst, value...), rest, nil
	}
	dst = append(dst, value[0])
	switch {
	case from.IsInteger(), from.IsTimestamp():
		v, err := widenInt(keyInt(from, value[1:]), from, to)
		if err != nil {
			return nil, nil, err
		}
		return appendKeyInt(dst, keyWidth(to), v), rest, nil
	case from.Kind == types.Float:
		return binary.BigEndian.AppendUint64(dst, orderDouble(float64(keyFloat(value[1:])))), rest, nil
	case from.Kind == types.Decimal:
		d := keyDecimal(from, value[1:]).scaled(to.Scale - from.Scale)
		if keyWidth(to) == 8 {
			return binary.BigEndian.AppendUint64(dst, d.lo^1<<63), rest, nil
		}
		dst = binary.BigEndian.AppendUint64(dst, uint64(d.hi)^1<<63)
		return binary.BigEndian.AppendUint64(dst, d.lo), rest, nil
	}
	return nil, nil, fmt.Errorf("no way from %s to %s", from, to)
}

// keyInt reads an integer, date, time or timestamp without its tag.
func keyInt(t types.Type, b []byte) int64 {
	n := keyWidth(t)
	v := uint64(0)
	for _, x := range b[:n] {
		v = v<<8 | uint64(x)
	}
	shift := 64 - 8*n
	return int64((v^1<<(8*n-1))<<shift) >> shift
}

func appendKeyInt(dst []byte, width int, v int64) []byte {
	u := uint64(v) ^ 1<<(8*width-1)
	for i := width - 1; i >= 0; i-- {
		dst = append(dst, byte(u>>(8*i)))
	}
	return dst
}

func keyDecimal(t types.Type, b []byte) decimal {
	hi := int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	if keyWidth(t) == 8 {
		return decimal{lo: uint64(hi), hi: hi >> 63}
	}
	return decimal{lo: binary.BigEndian.Uint64(b[8:]), hi: hi}
}

func keyFloat(b []byte) float32 {
	u := binary.BigEndian.Uint32(b)
	return math.Float32frombits(u ^ (^uint32(int32(u)>>31) | 1<<31))
}

func keyDouble(b []byte) float64 {
	u := binary.BigEndian.Uint64(b)
	return math.Float64frombits(u ^ (^uint64(int64(u)>>63) | 1<<63))
}

// orderDouble maps doubles to integers in their order, NaN last.
func orderDouble(f float64) uint64 {
	if f != f {
		return 0x7ff8<<48 | 1<<63
	}
	b := math.Float64bits(f)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}
