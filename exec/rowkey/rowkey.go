// Package rowkey owns the canonical form of key columns: the bytes under which keyed state
// is stored, the stable hash that chooses a key group, and the way back to columns. Operator
// families and exchanges import it; it imports exec/vec, state and sql/types only.
//
// The form of a key is the concatenation of its columns. A column starts with a byte that is
// 0 for NULL and 1 for a value (BOOLEAN: 1 false, 2 true), then follows
//
//	integers, DATE, TIME, timestamps, intervals   the value, big endian, sign bit flipped
//	FLOAT, DOUBLE                                 the bits, big endian, all flipped when negative, else the sign bit; one NaN
//	DECIMAL                                       unscaled, big endian, sign bit flipped: 8 bytes up to precision 18, else 16
//	strings, binary                               length (uvarint), bytes
//	ARRAY, MAP, MULTISET                          number of entries (uvarint), each entry (MAP: key, value)
//	ROW                                           its fields
//
// No key is a prefix of another key of the same types, so keys may be followed by more.
// Scalar values other than strings and binary compare as their bytes do (see Compare). The form does not depend on nullability, or on which rows share a batch. As in Flink, 0.0 and
// -0.0 are different keys, NaN equals NaN, and maps are equal only in the same order.
//
// The form is part of every checkpoint: it must never change.
package rowkey

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/sqlstream/sqlstream/exec/vec"
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

// fixedSize is the encoded size of a value of t without its tag, -1 when it varies.
func fixedSize(t types.Type) int {
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

// AppendValue appends the key form of row i of v to dst.
func AppendValue(dst []byte, v *vec.Vec, i int) []byte {
	if v.IsNull(i) {
		return append(dst, tagNull)
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		if v.Bool(i) {
			return append(dst, tagTrue)
		}
		return append(dst, tagFalse)
	case types.PhysI8:
		return append(dst, tagValue, byte(vec.Values[int8](v)[i])^0x80)
	case types.PhysI16:
		return binary.BigEndian.AppendUint16(append(dst, tagValue), uint16(vec.Values[int16](v)[i])^1<<15)
	case types.PhysI32:
		return binary.BigEndian.AppendUint32(append(dst, tagValue), uint32(vec.Values[int32](v)[i])^1<<31)
	case types.PhysI64:
		return binary.BigEndian.AppendUint64(append(dst, tagValue), uint64(vec.Values[int64](v)[i])^1<<63)
	case types.PhysF32:
		return binary.BigEndian.AppendUint32(append(dst, tagValue), bits32(vec.Values[float32](v)[i]))
	case types.PhysF64:
		return binary.BigEndian.AppendUint64(append(dst, tagValue), bits64(vec.Values[float64](v)[i]))
	case types.PhysD128:
		d := vec.Values[vec.Dec128](v)[i]
		dst = append(dst, tagValue)
		if v.Type.Precision <= wideDecimal {
			return binary.BigEndian.AppendUint64(dst, d.Lo^1<<63)
		}
		dst = binary.BigEndian.AppendUint64(dst, uint64(d.Hi)^1<<63)
		return binary.BigEndian.AppendUint64(dst, d.Lo)
	case types.PhysBytes:
		s := v.Bytes(i)
		return append(binary.AppendUvarint(append(dst, tagValue), uint64(len(s))), s...)
	case types.PhysList, types.PhysMap:
		lo, hi := int(v.Off[i]), int(v.Off[i+1])
		dst = binary.AppendUvarint(append(dst, tagValue), uint64(hi-lo))
		for j := lo; j < hi; j++ {
			for k := range v.Kids {
				dst = AppendValue(dst, &v.Kids[k], j)
			}
		}
		return dst
	case types.PhysRow:
		dst = append(dst, tagValue)
		for k := range v.Kids {
			dst = AppendValue(dst, &v.Kids[k], i)
		}
		return dst
	}
	return dst
}

// bits64 maps floats to integers in the order of Java's Double.compareTo: -0.0 before 0.0,
// NaN last.
func bits64(f float64) uint64 {
	if f != f {
		return 0x7ff8<<48 | 1<<63
	}
	b := math.Float64bits(f)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

func float64Of(b uint64) float64 {
	return math.Float64frombits(b ^ (^uint64(int64(b)>>63) | 1<<63))
}

func bits32(f float32) uint32 {
	if f != f {
		return 0x7fc0<<16 | 1<<31
	}
	b := math.Float32bits(f)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

func float32Of(b uint32) float32 {
	return math.Float32frombits(b ^ (^uint32(int32(b)>>31) | 1<<31))
}

// Compare orders two values of scalar type t by their key form: NULL first, then as Java's
// compareTo of the type (UTF-8 bytes for strings).
func Compare(t types.Type, a, b []byte) int {
	if t.Physical() == types.PhysBytes && a[0] == tagValue && b[0] == tagValue {
		return bytes.Compare(payload(a), payload(b))
	}
	return bytes.Compare(a, b)
}

// payload is the bytes of a string or binary value in key form.
func payload(a []byte) []byte {
	_, w := binary.Uvarint(a[1:])
	return a[1+w:]
}

// DecodeValue appends the first column of key, of type v.Type, to v and returns the rest.
func DecodeValue(v *vec.Vec, key []byte) ([]byte, error) {
	if len(key) == 0 {
		return nil, errShort(v.Type)
	}
	tag, key := key[0], key[1:]
	if tag == tagNull {
		v.AppendNull()
		return key, nil
	}
	if n := fixedSize(v.Type); n > len(key) {
		return nil, errShort(v.Type)
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		v.AppendBool(tag == tagTrue)
	case types.PhysI8:
		vec.Append(v, int8(key[0]^0x80))
		key = key[1:]
	case types.PhysI16:
		vec.Append(v, int16(binary.BigEndian.Uint16(key)^1<<15))
		key = key[2:]
	case types.PhysI32:
		vec.Append(v, int32(binary.BigEndian.Uint32(key)^1<<31))
		key = key[4:]
	case types.PhysI64:
		vec.Append(v, int64(binary.BigEndian.Uint64(key)^1<<63))
		key = key[8:]
	case types.PhysF32:
		vec.Append(v, float32Of(binary.BigEndian.Uint32(key)))
		key = key[4:]
	case types.PhysF64:
		vec.Append(v, float64Of(binary.BigEndian.Uint64(key)))
		key = key[8:]
	case types.PhysD128:
		hi := int64(binary.BigEndian.Uint64(key) ^ 1<<63)
		if v.Type.Precision <= wideDecimal {
			vec.Append(v, vec.Dec128{Lo: uint64(hi), Hi: hi >> 63})
			return key[8:], nil
		}
		vec.Append(v, vec.Dec128{Lo: binary.BigEndian.Uint64(key[8:]), Hi: hi})
		key = key[16:]
	default:
		return decodeVariable(v, key)
	}
	return key, nil
}

func decodeVariable(v *vec.Vec, key []byte) ([]byte, error) {
	if v.Type.Physical() == types.PhysRow {
		return decodeEntry(v, key)
	}
	n, w := binary.Uvarint(key)
	if w <= 0 || n > uint64(len(key)-w) {
		return nil, errShort(v.Type)
	}
	key = key[w:]
	if v.Type.Physical() == types.PhysBytes {
		v.AppendBytes(key[:n])
		return key[n:], nil
	}
	var err error
	for range n {
		for k := range v.Kids {
			if key, err = DecodeValue(&v.Kids[k], key); err != nil {
				return nil, err
			}
		}
	}
	v.AppendOpen()
	return key, nil
}

func decodeEntry(v *vec.Vec, key []byte) ([]byte, error) {
	var err error
	for k := range v.Kids {
		if key, err = DecodeValue(&v.Kids[k], key); err != nil {
			return nil, err
		}
	}
	v.AppendOpen()
	return key, nil
}

// Decode appends one key to its columns, which have the types it was encoded from.
func Decode(cols []vec.Vec, key []byte) error {
	rest := key
	var err error
	for i := range cols {
		if rest, err = DecodeValue(&cols[i], rest); err != nil {
			return fmt.Errorf("state key %x, column %d: %w", key, i, err)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("state key %x: %d bytes follow its %d columns; the state belongs to another query or is damaged", key, len(rest), len(cols))
	}
	return nil
}

func errShort(t types.Type) error {
	return fmt.Errorf("the key ends inside a value of type %s; the state belongs to another query or is damaged", t)
}

// Skip returns what follows the first columns of key, which have the given types.
func Skip(key []byte, columns []types.Type) ([]byte, error) {
	for _, t := range columns {
		if len(key) == 0 {
			return nil, errShort(t)
		}
		tag := key[0]
		key = key[1:]
		if tag == tagNull {
			continue
		}
		n := uint64(max(fixedSize(t), 0))
		w := 0
		if t.Physical() == types.PhysBytes {
			n, w = binary.Uvarint(key)
		} else if fixedSize(t) < 0 {
			v := vec.New(t)
			rest, err := decodeVariable(&v, key)
			if err != nil {
				return nil, err
			}
			key = rest
			continue
		}
		if w < 0 || n > uint64(len(key)-w) {
			return nil, errShort(t)
		}
		key = key[uint64(w)+n:]
	}
	return key, nil
}
