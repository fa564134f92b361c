package keyform

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"

	"github.com/sqlstream/sqlstream/sql/types"
)

// SQLType is the key of the field metadata that holds the text of a SQL type: Arrow has no
// CHAR(n).
const SQLType = "sql.type"

// Type returns the Arrow type of columns of type t. Intervals are numbers (of months, of
// milliseconds): few readers know Arrow's.
func Type(t types.Type) (arrow.DataType, error) {
	switch t.Kind {
	case types.Null:
		return arrow.Null, nil
	case types.Boolean:
		return &arrow.BooleanType{}, nil
	case types.TinyInt:
		return &arrow.Int8Type{}, nil
	case types.SmallInt:
		return &arrow.Int16Type{}, nil
	case types.Int, types.IntervalYearMonth:
		return &arrow.Int32Type{}, nil
	case types.BigInt, types.IntervalDayTime:
		return &arrow.Int64Type{}, nil
	case types.Float:
		return &arrow.Float32Type{}, nil
	case types.Double:
		return &arrow.Float64Type{}, nil
	case types.Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}, nil
	case types.Char, types.VarChar:
		return &arrow.StringType{}, nil
	case types.Binary, types.VarBinary:
		return &arrow.BinaryType{}, nil
	case types.Date:
		return &arrow.Date32Type{}, nil
	case types.Time:
		return &arrow.Time32Type{Unit: arrow.Millisecond}, nil
	case types.Timestamp, types.TimestampLTZ:
		unit := map[int64]arrow.TimeUnit{1e3: arrow.Millisecond, 1e6: arrow.Microsecond, 1e9: arrow.Nanosecond}[t.UnitsPerSecond()]
		if t.Kind == types.TimestampLTZ {
			return &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}, nil
		}
		return &arrow.TimestampType{Unit: unit}, nil
	}
	return nested(t)
}

func nested(t types.Type) (arrow.DataType, error) {
	switch t.Kind {
	case types.Array:
		f, err := Field("element", *t.Elem)
		return arrow.ListOfField(f), err
	case types.Map, types.Multiset:
		first, second := entry(&t)
		k, err := Type(*first)
		if err != nil {
			return nil, err
		}
		v, err := Type(*second)
		if err != nil {
			return nil, err
		}
		m := arrow.MapOf(k, v)
		m.SetItemNullable(!second.NotNull)
		return m, nil
	case types.Row:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			var err error
			if fields[i], err = Field(f.Name, f.Type); err != nil {
				return nil, err
			}
		}
		return arrow.StructOf(fields...), nil
	}
	return nil, fmt.Errorf("type %s has no Arrow form", t)
}

// Field returns the Arrow field of a column.
func Field(name string, t types.Type) (arrow.Field, error) {
	a, err := Type(t)
	if err != nil {
		return arrow.Field{}, err
	}
	return arrow.Field{Name: name, Type: a, Nullable: !t.NotNull, Metadata: arrow.NewMetadata([]string{SQLType}, []string{t.String()})}, nil
}

// Decode appends the value at the front of key to b, a builder of Type(*t), and returns the
// rest. Split must have accepted it.
func Decode(b array.Builder, t *types.Type, key []byte) []byte {
	if key[0] == tagNull {
		b.AppendNull()
		return key[1:]
	}
	tag, key := key[0], key[1:]
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(tag == tagTrue)
		return key
	case *array.Int8Builder:
		b.Append(int8(key[0] ^ 0x80))
		return key[1:]
	case *array.Int16Builder:
		b.Append(int16(binary.BigEndian.Uint16(key) ^ 1<<15))
		return key[2:]
	case *array.Int32Builder:
		b.Append(i32(key))
		return key[4:]
	case *array.Date32Builder:
		b.Append(arrow.Date32(i32(key)))
		return key[4:]
	case *array.Time32Builder:
		b.Append(arrow.Time32(i32(key)))
		return key[4:]
	case *array.Int64Builder:
		b.Append(i64(key))
		return key[8:]
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(i64(key)))
		return key[8:]
	case *array.Float32Builder:
		b.Append(float32Of(binary.BigEndian.Uint32(key)))
		return key[4:]
	case *array.Float64Builder:
		b.Append(float64Of(binary.BigEndian.Uint64(key)))
		return key[8:]
	case *array.Decimal128Builder:
		hi := i64(key)
		if t.Precision <= wideDecimal {
			b.Append(decimal128.New(hi>>63, uint64(hi)))
			return key[8:]
		}
		b.Append(decimal128.New(hi, binary.BigEndian.Uint64(key[8:])))
		return key[16:]
	case *array.StringBuilder:
		n, w := binary.Uvarint(key)
		b.BinaryBuilder.Append(key[w:][:n])
		return key[w+int(n):]
	case *array.BinaryBuilder:
		n, w := binary.Uvarint(key)
		b.Append(key[w:][:n])
		return key[w+int(n):]
	}
	return decodeNested(b, t, key)
}

func decodeNested(b array.Builder, t *types.Type, key []byte) []byte {
	switch b := b.(type) {
	case *array.MapBuilder:
		b.Append(true)
		first, second := entry(t)
		n, w := binary.Uvarint(key)
		key = key[w:]
		for range n {
			key = Decode(b.KeyBuilder(), first, key)
			key = Decode(b.ItemBuilder(), second, key)
		}
	case *array.ListBuilder:
		b.Append(true)
		n, w := binary.Uvarint(key)
		key = key[w:]
		for range n {
			key = Decode(b.ValueBuilder(), t.Elem, key)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i := range t.Fields {
			key = Decode(b.FieldBuilder(i), &t.Fields[i].Type, key)
		}
	}
	return key
}

func i32(key []byte) int32 { return int32(binary.BigEndian.Uint32(key) ^ 1<<31) }
func i64(key []byte) int64 { return int64(binary.BigEndian.Uint64(key) ^ 1<<63) }

// Append appends the key form of row i of a, an array of Type(*t).
func Append(dst []byte, t *types.Type, a arrow.Array, i int) []byte {
	if a.IsNull(i) {
		return append(dst, tagNull)
	}
	switch a := a.(type) {
	case *array.Boolean:
		if a.Value(i) {
			return append(dst, tagTrue)
		}
		return append(dst, tagFalse)
	case *array.Int8:
		return append(dst, tagValue, byte(a.Value(i))^0x80)
	case *array.Int16:
		return binary.BigEndian.AppendUint16(append(dst, tagValue), uint16(a.Value(i))^1<<15)
	case *array.Int32:
		return append32(dst, a.Value(i))
	case *array.Date32:
		return append32(dst, int32(a.Value(i)))
	case *array.Time32:
		return append32(dst, int32(a.Value(i)))
	case *array.Int64:
		return append64(dst, a.Value(i))
	case *array.Timestamp:
		return append64(dst, int64(a.Value(i)))
	case *array.Float32:
		return binary.BigEndian.AppendUint32(append(dst, tagValue), bits32(math.Float32bits(a.Value(i))))
	case *array.Float64:
		return binary.BigEndian.AppendUint64(append(dst, tagValue), bits64(math.Float64bits(a.Value(i))))
	case *array.Decimal128:
		d := a.Value(i)
		if t.Precision <= wideDecimal {
			return append64(dst, int64(d.LowBits()))
		}
		return binary.BigEndian.AppendUint64(append64(dst, d.HighBits()), d.LowBits())
	case *array.String:
		s := a.Value(i)
		return append(binary.AppendUvarint(append(dst, tagValue), uint64(len(s))), s...)
	case *array.Binary:
		s := a.Value(i)
		return append(binary.AppendUvarint(append(dst, tagValue), uint64(len(s))), s...)
	}
	return appendNested(append(dst, tagValue), t, a, i)
}

func append32(dst []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, tagValue), uint32(v)^1<<31)
}

func append64(dst []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, tagValue), uint64(v)^1<<63)
}

func appendNested(dst []byte, t *types.Type, a arrow.Array, i int) []byte {
	switch a := a.(type) {
	case *array.Map:
		first, second := entry(t)
		lo, hi := a.ValueOffsets(i)
		dst = binary.AppendUvarint(dst, uint64(hi-lo))
		for j := int(lo); j < int(hi); j++ {
			dst = Append(dst, first, a.Keys(), j)
			dst = Append(dst, second, a.Items(), j)
		}
	case *array.List:
		lo, hi := a.ValueOffsets(i)
		dst = binary.AppendUvarint(dst, uint64(hi-lo))
		for j := int(lo); j < int(hi); j++ {
			dst = Append(dst, t.Elem, a.ListValues(), j)
		}
	case *array.Struct:
		for k := range t.Fields {
			dst = Append(dst, &t.Fields[k].Type, a.Field(k), i)
		}
	}
	return dst
}
