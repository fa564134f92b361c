// Package keyform owns the way of key columns between the bytes of keyed state and Arrow
// arrays. The bytes are those that package exec/rowkey makes and describes (its equality with
// them is tested in testsql): checkpoint/savepoint reads and writes them without the engine.
// It imports sql/types and arrow only.
package keyform

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/sqlstream/sqlstream/sql/types"
)

const (
	tagNull  = 0
	tagValue = 1
	tagFalse = 1
	tagTrue  = 2
)

// wideDecimal is the precision above which a DECIMAL needs 16 bytes.
const wideDecimal = 18

// multiplicity is the type of a MULTISET's counts.
var multiplicity = types.IntT.NotNullable()

// Hash is the stable hash of key bytes.
func Hash(key []byte) uint64 { return xxh3.Hash(key) }

// Split takes the key form of one value of type t from the front of key. It accepts exactly
// what has an Arrow form and comes back from it with the same bytes: ok is false for what is
// cut or no key form, for NULL in a type without NULL, for strings that are not UTF-8, and for
// maps with a NULL key.
func Split(t *types.Type, key []byte) (form, rest []byte, ok bool) {
	n, ok := measure(t, key)
	if !ok {
		return nil, nil, false
	}
	return key[:n], key[n:], true
}

// measure is the length of the value at the front of key.
func measure(t *types.Type, key []byte) (int, bool) {
	if len(key) == 0 {
		return 0, false
	}
	p := t.Physical()
	switch {
	case key[0] == tagNull:
		return 1, !t.NotNull
	case t.Kind == types.Null:
		return 0, false
	case p == types.PhysBool:
		return 1, key[0] <= tagTrue
	case key[0] != tagValue:
		return 0, false
	}
	switch p {
	case types.PhysF32:
		return 5, len(key) >= 5 && binary.BigEndian.Uint32(key[1:]) == bits32(math.Float32bits(float32Of(binary.BigEndian.Uint32(key[1:]))))
	case types.PhysF64:
		return 9, len(key) >= 9 && binary.BigEndian.Uint64(key[1:]) == bits64(math.Float64bits(float64Of(binary.BigEndian.Uint64(key[1:]))))
	case types.PhysD128:
		if t.Precision <= wideDecimal {
			return 9, len(key) >= 9
		}
		return 17, len(key) >= 17
	case types.PhysBytes:
		n, at, ok := count(key)
		if !ok || n > len(key)-at || t.IsString() && !utf8.Valid(key[at:at+n]) {
			return 0, false
		}
		return at + n, true
	case types.PhysList, types.PhysMap:
		return measureEntries(t, key)
	case types.PhysRow:
		at := 1
		for i := range t.Fields {
			n, ok := measure(&t.Fields[i].Type, key[at:])
			if !ok {
				return 0, false
			}
			at += n
		}
		return at, true
	}
	w := 1 + p.Width()
	return w, w > 1 && len(key) >= w
}

func measureEntries(t *types.Type, key []byte) (int, bool) {
	entries, at, ok := count(key)
	if !ok || entries > len(key) { // an entry has at least one byte
		return 0, false
	}
	elem, second := entry(t)
	for range entries {
		if t.Kind != types.Array && at < len(key) && key[at] == tagNull {
			return 0, false // Arrow's maps have no NULL keys
		}
		n, ok := measure(elem, key[at:])
		if !ok {
			return 0, false
		}
		at += n
		if second == nil {
			continue
		}
		if n, ok = measure(second, key[at:]); !ok {
			return 0, false
		}
		at += n
	}
	return at, true
}

// entry is what an entry of an ARRAY, MAP or MULTISET is made of.
func entry(t *types.Type) (first, second *types.Type) {
	switch t.Kind {
	case types.Map:
		return t.Key, t.Elem
	case types.Multiset:
		return t.Elem, &multiplicity
	}
	return t.Elem, nil
}

// count reads the number behind the tag and returns where the rest begins. Numbers have one
// form, the shortest.
func count(key []byte) (n, at int, ok bool) {
	v, w := binary.Uvarint(key[1:])
	if w <= 0 || v > math.MaxInt32 || !bytes.Equal(key[1:1+w], binary.AppendUvarint(make([]byte, 0, 10), v)) {
		return 0, 0, false
	}
	return int(v), 1 + w, true
}

// bits64 maps the bits of floats to integers in the order of Java's Double.compareTo: -0.0
// before 0.0, one NaN, last.
func bits64(b uint64) uint64 {
	if f := math.Float64frombits(b); f != f {
		return 0x7ff8<<48 | 1<<63
	}
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

func float64Of(b uint64) float64 {
	return math.Float64frombits(b ^ (^uint64(int64(b)>>63) | 1<<63))
}

func bits32(b uint32) uint32 {
	if f := math.Float32frombits(b); f != f {
		return 0x7fc0<<16 | 1<<31
	}
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

func float32Of(b uint32) float32 {
	return math.Float32frombits(b ^ (^uint32(int32(b)>>31) | 1<<31))
}
