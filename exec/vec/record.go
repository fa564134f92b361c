package vec

import (
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sqlstream/sqlstream/sql/types"
)

// SQLType is the key of the field metadata that holds the SQL type's text in Arrow schemas:
// Arrow has no CHAR(n), and metadata survives IPC, slicing and Parquet.
const SQLType = "sql.type"

// ArrowType returns the Arrow type with the layout of a SQL type's columns. Every call makes
// new type objects: some of Arrow's functions write into the ones they are given.
func ArrowType(t types.Type) (arrow.DataType, error) {
	switch t.Kind {
	case types.Null:
		return arrow.Null, nil
	case types.Boolean:
		return &arrow.BooleanType{}, nil
	case types.TinyInt:
		return &arrow.Int8Type{}, nil
	case types.SmallInt:
		return &arrow.Int16Type{}, nil
	case types.Int:
		return &arrow.Int32Type{}, nil
	case types.BigInt:
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
		ts := &arrow.TimestampType{Unit: map[int64]arrow.TimeUnit{1e3: arrow.Millisecond, 1e6: arrow.Microsecond, 1e9: arrow.Nanosecond}[t.UnitsPerSecond()]}
		if t.Kind == types.TimestampLTZ {
			ts.TimeZone = "UTC"
		}
		return ts, nil
	case types.IntervalYearMonth:
		return &arrow.MonthIntervalType{}, nil
	case types.IntervalDayTime:
		return &arrow.DurationType{Unit: arrow.Millisecond}, nil
	case types.Array:
		f, err := arrowField("element", *t.Elem)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(f), nil
	case types.Map, types.Multiset:
		key, value := t.Key, *t.Elem
		if t.Kind == types.Multiset {
			key, value = t.Elem, types.IntT.NotNullable()
		}
		k, err := ArrowType(*key)
		if err != nil {
			return nil, err
		}
		v, err := ArrowType(value)
		if err != nil {
			return nil, err
		}
		m := arrow.MapOf(k, v)
		m.SetItemNullable(!value.NotNull)
		return m, nil
	case types.Row:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			var err error
			if fields[i], err = arrowField(f.Name, f.Type); err != nil {
				return nil, err
			}
		}
		return arrow.StructOf(fields...), nil
	}
	return nil, fmt.Errorf("type %s has no Arrow form", t)
}

func arrowField(name string, t types.Type) (arrow.Field, error) {
	a, err := ArrowType(t)
	return arrow.Field{Name: name, Type: a, Nullable: !t.NotNull, Metadata: arrow.NewMetadata([]string{SQLType}, []string{t.String()})}, err
}

// ArrowSchema is the schema of the records that Record makes.
func ArrowSchema(s types.Schema) (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(s))
	for i, f := range s {
		var err error
		if fields[i], err = arrowField(f.Name, f.Type); err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdent(f.Name), err)
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

// Record views the batch as an Arrow record without copying, apart from a selection, which is
// compacted. The record is borrowed like the batch: it must not be kept beyond it. Row kinds
// are not part of it. The caller releases it. The error is about a MAP with a NULL key, which
// Arrow does not have.
func (b *Batch) Record(schema *arrow.Schema) (rec arrow.Record, err error) {
	cols := b.Cols
	n := b.N
	if b.Sel != nil {
		cols = make([]Vec, len(b.Cols))
		for i := range cols {
			cols[i] = New(b.Cols[i].Type)
			cols[i].AppendRows(&b.Cols[i], b.Sel)
		}
		n = len(b.Sel)
	}
	arrays := make([]arrow.Array, len(cols))
	for i := range cols {
		if err := noNullKeys(&cols[i]); err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdent(schema.Field(i).Name), err)
		}
	}
	for i := range cols {
		d := arrowData(&cols[i], schema.Field(i).Type)
		arrays[i] = array.MakeFromData(d)
		d.Release()
	}
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	return array.NewRecord(schema, arrays, int64(n)), nil
}

// noNullKeys fails when a MAP in v has a NULL key, at any depth.
func noNullKeys(v *Vec) error {
	if v.Type.Physical() == types.PhysMap && nulls(&v.Kids[0]) > 0 {
		return fmt.Errorf("a %s with a NULL key has no Arrow form", v.Type)
	}
	for i := range v.Kids {
		if err := noNullKeys(&v.Kids[i]); err != nil {
			return err
		}
	}
	return nil
}

// nulls counts the NULLs of a column.
func nulls(v *Vec) int {
	if v.Valid == nil {
		return 0
	}
	n := v.N
	for w, bits64 := range v.Valid[:(v.N+63)/64] {
		if rest := v.N - w*64; rest < 64 {
			bits64 &= 1<<uint(rest) - 1
		}
		n -= bits.OnesCount64(bits64)
	}
	return n
}

func arrowData(v *Vec, t arrow.DataType) *array.Data {
	bufs := []*memory.Buffer{nil}
	if v.Valid != nil {
		bufs[0] = memory.NewBufferBytes(bytesOf(v.Valid))
	}
	var kids []arrow.ArrayData
	switch p := v.Type.Physical(); {
	case v.Type.Kind == types.Null:
		return array.NewData(t, v.N, bufs, nil, v.N, 0)
	case p == types.PhysBytes:
		bufs = append(bufs, memory.NewBufferBytes(bytesOf(v.Off)), memory.NewBufferBytes(v.Data))
	case p == types.PhysList:
		bufs = append(bufs, memory.NewBufferBytes(bytesOf(v.Off)))
		kids = []arrow.ArrayData{arrowData(&v.Kids[0], t.(*arrow.ListType).Elem())}
	case p == types.PhysMap:
		bufs = append(bufs, memory.NewBufferBytes(bytesOf(v.Off)))
		m := t.(*arrow.MapType)
		pair := []arrow.ArrayData{arrowData(&v.Kids[0], m.KeyType()), arrowData(&v.Kids[1], m.ItemType())}
		kids = []arrow.ArrayData{array.NewData(m.Elem(), v.Kids[0].N, []*memory.Buffer{nil}, pair, 0, 0)}
		release(pair)
	case p == types.PhysRow:
		for i := range v.Kids {
			kids = append(kids, arrowData(&v.Kids[i], t.(*arrow.StructType).Field(i).Type))
		}
	default:
		bufs = append(bufs, memory.NewBufferBytes(v.Data))
	}
	d := array.NewData(t, v.N, bufs, kids, nulls(v), 0)
	release(kids)
	return d
}

func release(ds []arrow.ArrayData) {
	for _, d := range ds {
		d.Release()
	}
}

// bytesOf views a slice of numbers as its bytes.
func bytesOf[T int32 | uint64](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}
