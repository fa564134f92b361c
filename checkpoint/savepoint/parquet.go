package savepoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"reflect"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/parquet-go/parquet-go"

	"github.com/sqlstream/sqlstream/sql/types"
)

// rowGroup is the number of rows after which a Parquet row group is closed.
const rowGroup = 128 << 10

// parquetSink writes a Parquet file. Nested columns become JSON.
type parquetSink struct {
	w     *parquet.Writer
	types []types.Type
	null  []bool // columns that admit NULL
	rows  []parquet.Row
	heap  []byte // what byte arrays of the rows at hand point into
	n     int    // rows of the row group
}

// columns is a group whose fields keep their order; parquet.Group sorts them by name.
type columns struct {
	parquet.Group
	order []parquet.Field
}

func (c *columns) Fields() []parquet.Field { return c.order }
func (c *columns) GoType() reflect.Type    { return reflect.TypeFor[struct{}]() }

type namedColumn struct {
	parquet.Node
	name string
}

func (c namedColumn) Name() string                      { return c.name }
func (c namedColumn) Value(reflect.Value) reflect.Value { return reflect.Value{} } // rows are written as values

func newParquet(w io.Writer, s *shape) (*parquetSink, error) {
	p := &parquetSink{types: s.columnTypes()}
	root := &columns{Group: parquet.Group{}}
	for i, f := range s.schema.Fields() {
		node, err := parquetNode(p.types[i])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", types.QuoteIdent(f.Name), err)
		}
		if f.Name == groupColumn {
			node = parquet.Uint(16)
		}
		p.null = append(p.null, f.Nullable)
		if f.Nullable {
			node = parquet.Optional(node)
		}
		root.Group[f.Name] = node
		root.order = append(root.order, namedColumn{node, f.Name})
	}
	p.w = parquet.NewWriter(w, parquet.NewSchema("state", root), parquet.Compression(&parquet.Snappy))
	meta := s.schema.Metadata()
	for i, k := range meta.Keys() {
		p.w.SetKeyValueMetadata(k, meta.Values()[i])
	}
	return p, nil
}

// parquetNode is the Parquet type of a column, without NULL.
func parquetNode(t types.Type) (parquet.Node, error) {
	switch t.Kind {
	case types.Boolean:
		return parquet.Leaf(parquet.BooleanType), nil
	case types.TinyInt:
		return parquet.Int(8), nil
	case types.SmallInt:
		return parquet.Int(16), nil
	case types.Int, types.IntervalYearMonth:
		return parquet.Int(32), nil
	case types.BigInt, types.IntervalDayTime:
		return parquet.Int(64), nil
	case types.Float:
		return parquet.Leaf(parquet.FloatType), nil
	case types.Double:
		return parquet.Leaf(parquet.DoubleType), nil
	case types.Decimal:
		return parquet.Decimal(t.Scale, t.Precision, parquet.FixedLenByteArrayType(16)), nil
	case types.Char, types.VarChar:
		return parquet.String(), nil
	case types.Binary, types.VarBinary:
		return parquet.Leaf(parquet.ByteArrayType), nil
	case types.Date:
		return parquet.Date(), nil
	case types.Time:
		return parquet.TimeAdjusted(parquet.Millisecond, false), nil
	case types.Timestamp, types.TimestampLTZ:
		unit := parquet.Millisecond
		switch t.UnitsPerSecond() {
		case 1e6:
			unit = parquet.Microsecond
		case 1e9:
			unit = parquet.Nanosecond
		}
		return parquet.TimestampAdjusted(unit, t.Kind == types.TimestampLTZ), nil
	case types.Array, types.Map, types.Multiset, types.Row:
		return parquet.JSON(), nil
	}
	return nil, fmt.Errorf("type %s has no Parquet form", t)
}

func (p *parquetSink) write(rec arrow.Record) error {
	p.rows, p.heap = p.rows[:0], p.heap[:0]
	for i := range int(rec.NumRows()) {
		row := make(parquet.Row, len(p.types))
		for c := range row {
			a, def := rec.Column(c), 0
			v := parquet.NullValue()
			if !a.IsNull(i) {
				v = p.value(&p.types[c], a, i)
				if p.null[c] {
					def = 1
				}
			}
			row[c] = v.Level(0, def, c)
		}
		p.rows = append(p.rows, row)
	}
	if _, err := p.w.WriteRows(p.rows); err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	if p.n += len(p.rows); p.n >= rowGroup {
		p.n = 0
		if err := p.w.Flush(); err != nil {
			return fmt.Errorf("parquet: %w", err)
		}
	}
	return nil
}

// keep appends bytes to the heap and returns them there.
func (p *parquetSink) keep(b []byte) []byte {
	n := len(p.heap)
	p.heap = append(p.heap, b...)
	return p.heap[n:len(p.heap):len(p.heap)]
}

func (p *parquetSink) value(t *types.Type, a arrow.Array, i int) parquet.Value {
	switch a := a.(type) {
	case *array.Boolean:
		return parquet.BooleanValue(a.Value(i))
	case *array.Int8:
		return parquet.Int32Value(int32(a.Value(i)))
	case *array.Int16:
		return parquet.Int32Value(int32(a.Value(i)))
	case *array.Uint16:
		return parquet.Int32Value(int32(a.Value(i)))
	case *array.Int32:
		return parquet.Int32Value(a.Value(i))
	case *array.Date32:
		return parquet.Int32Value(int32(a.Value(i)))
	case *array.Time32:
		return parquet.Int32Value(int32(a.Value(i)))
	case *array.Float32:
		return parquet.FloatValue(a.Value(i))
	case *array.Float64:
		return parquet.DoubleValue(a.Value(i))
	case *array.Decimal128:
		x := a.Value(i)
		b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(x.HighBits()))
		return parquet.FixedLenByteArrayValue(p.keep(binary.BigEndian.AppendUint64(b, x.LowBits())))
	case *array.String:
		return parquet.ByteArrayValue(p.keep([]byte(a.Value(i))))
	case *array.Binary:
		return parquet.ByteArrayValue(p.keep(a.Value(i)))
	case *array.Int64, *array.Timestamp:
		return parquet.Int64Value(int64At(a, i))
	}
	return parquet.ByteArrayValue(p.keep(appendJSON(nil, t, a, i)))
}

func (p *parquetSink) close() error {
	if err := p.w.Close(); err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	return nil
}
