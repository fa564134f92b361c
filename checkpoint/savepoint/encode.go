package savepoint

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/keyform"
	"github.com/sqlstream/sqlstream/state"
)

// The times that columns of kind instant show for the ends of time: readers know no timestamps
// out there. A real time that is shown alike does not come back as it was, which check sees.
const (
	beginOfTime = math.MinInt64 // NULL
	endOfTime   = math.MaxInt64 // the last millisecond of the year 9999
	shownEnd    = 253402300799999
	shownBegin  = -62135596800000 // the year 1; what is before it has no column either
)

// encoder turns entries into rows.
type encoder struct {
	s     *shape
	b     *array.RecordBuilder
	group *array.Uint16Builder
	cols  []array.Builder // by shape.cols
	stamp *array.TimestampBuilder
	key   *array.BinaryBuilder // raw_key, nil without
	val   *array.BinaryBuilder // raw_value
	forms [][]byte             // of the row's key parts
	rows  int
	bytes int64 // of the keys and values of rows
}

func newEncoder(s *shape) *encoder {
	e := &encoder{s: s, b: array.NewRecordBuilder(memory.DefaultAllocator, s.schema), forms: make([][]byte, len(s.parts))}
	e.group = e.b.Field(0).(*array.Uint16Builder)
	at := 1
	for range s.cols {
		e.cols = append(e.cols, e.b.Field(at))
		at++
	}
	if s.wide.stamp {
		e.stamp = e.b.Field(at).(*array.TimestampBuilder)
		at++
	}
	if s.wide.rawKey {
		e.key = e.b.Field(at).(*array.BinaryBuilder)
		at++
	}
	if s.wide.rawValue {
		e.val = e.b.Field(at).(*array.BinaryBuilder)
	}
	return e
}

// needs says which columns a file must have for an entry.
func (e *encoder) needs(r checkpoint.Records) wide {
	return wide{stamp: r.Stamp() != 0, rawKey: !e.splitKey(r.Group(), r.Key()), rawValue: !e.checkValue(r.Value())}
}

// add appends an entry. When the file needs more columns to say it, nothing is appended and
// need differs from the shape's.
func (e *encoder) add(r checkpoint.Records) (need wide) {
	key, value, stamp := r.Key(), r.Value(), r.Stamp()
	has, x := e.s.wide, e.needs(r)
	need = wide{stamp: has.stamp || x.stamp, rawKey: has.rawKey || x.rawKey, rawValue: has.rawValue || x.rawValue}
	if need != has {
		return need
	}
	plainKey, plainValue := !x.rawKey, !x.rawValue
	e.group.Append(uint16(r.Group()))
	e.addKey(plainKey)
	e.addValue(value, plainValue)
	if e.stamp != nil {
		if stamp == 0 {
			e.stamp.AppendNull()
		} else {
			e.stamp.Append(arrow.Timestamp(stamp))
		}
	}
	addRaw(e.key, key, plainKey)
	addRaw(e.val, value, plainValue)
	e.rows++
	e.bytes += int64(len(key) + len(value))
	return need
}

func addRaw(b *array.BinaryBuilder, raw []byte, plain bool) {
	switch {
	case b == nil:
	case plain:
		b.AppendNull()
	default:
		b.Append(raw)
	}
}

// take returns the rows as a record, which the caller releases, and starts anew.
func (e *encoder) take() arrow.Record {
	e.rows, e.bytes = 0, 0
	return e.b.NewRecord()
}

func (e *encoder) release() { e.b.Release() }

// splitKey takes a key apart and reports whether the columns can say it.
func (e *encoder) splitKey(g state.KeyGroup, key []byte) bool {
	rest, hashed := key, -1 // where what a hash is of begins in key
	var hash uint64
	last := 0 // where the last part begins
	for i := range e.s.parts {
		p := &e.s.parts[i]
		last = len(key) - len(rest)
		n := 8
		switch p.form {
		case formColumn:
			var ok bool
			if e.forms[i], rest, ok = keyform.Split(&p.typ, rest); !ok {
				return false
			}
			continue
		case formGroup:
			n = 2
		}
		if len(rest) < n {
			return false
		}
		e.forms[i], rest = rest[:n], rest[n:]
		switch p.form {
		case formHash:
			if hashed >= 0 {
				return false
			}
			hash, hashed = binary.BigEndian.Uint64(e.forms[i]), len(key)-len(rest)
		case formGroup:
			if binary.BigEndian.Uint16(e.forms[i]) != uint16(g) {
				return false
			}
		}
	}
	if len(rest) > 0 || hashed > last {
		return false
	}
	return hashed < 0 || keyform.Hash(key[hashed:last]) == hash
}

func (e *encoder) addKey(plain bool) {
	for i := range e.s.parts {
		p := &e.s.parts[i]
		switch {
		case p.column < 0:
		case !plain:
			e.cols[p.column].AppendNull()
		case p.form == formColumn:
			keyform.Decode(e.cols[p.column], &p.typ, e.forms[i])
		default:
			appendInt64(e.cols[p.column], int64(binary.BigEndian.Uint64(e.forms[i])^1<<63))
		}
	}
}

func appendInt64(b array.Builder, v int64) {
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(v)
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v))
	}
}

// checkValue reports whether the columns can say a value.
func (e *encoder) checkValue(v []byte) bool {
	s := e.s
	if len(v) < s.table.Size {
		return false
	}
	for i, m := range s.mask {
		if v[i]&^m != 0 {
			return false
		}
	}
	for i := range s.cols {
		c := &s.cols[i]
		switch c.kind {
		case fixed:
			if c.present == 0 {
				continue
			}
			if !c.has(v) && (!zero(v[c.off:][:c.size]) || !zero(v[c.present:][:8])) || c.has(v) && binary.LittleEndian.Uint64(v[c.present:]) != 1 {
				return false
			}
		case instant:
			if t := int64(binary.LittleEndian.Uint64(v[c.off:])); t != beginOfTime && t != endOfTime && (t < shownBegin || t >= shownEnd) {
				return false
			}
		}
	}
	return e.checkVariable(v)
}

// checkVariable wants values of variable length one behind the other in the order of columns,
// those that are NULL empty. Only when all are NULL their offsets are 0.
func (e *encoder) checkVariable(v []byte) bool {
	s, at := e.s, uint32(e.s.table.Size)
	fresh := true
	for _, i := range s.vars {
		fresh = fresh && !s.cols[i].has(v)
	}
	for _, i := range s.vars {
		c := &s.cols[i]
		off, n := pair(v, c.off)
		if fresh && off != 0 || !fresh && off != at || uint64(at)+uint64(n) > uint64(len(v)) {
			return false
		}
		x := v[at:][:n]
		at += n
		if !c.has(v) {
			if n != 0 {
				return false
			}
			continue
		}
		switch {
		case c.kind == variableKey:
			if _, rest, ok := keyform.Split(&c.typ, x); !ok || len(rest) > 0 || x[0] == 0 {
				return false
			}
		case c.present != 0 && binary.LittleEndian.Uint64(v[c.present:]) != 1, c.typ.IsString() && !utf8.Valid(x):
			return false
		}
	}
	return int(at) == len(v)
}

// has reports whether the column is not NULL in a value.
func (c *column) has(v []byte) bool {
	switch {
	case c.present != 0:
		return !zero(v[c.present:][:8])
	case c.kind == variableKey:
		_, n := pair(v, c.off)
		return n > 0
	}
	return true
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

func (e *encoder) addValue(v []byte, plain bool) {
	for i := range e.s.cols {
		c := &e.s.cols[i]
		b := e.cols[i]
		switch {
		case c.kind == keyValue || c.kind == keyOrdered:
			continue
		case !plain || !c.has(v):
			b.AppendNull()
			continue
		}
		switch c.kind {
		case fixed:
			appendFixed(b, c, v[c.off:])
		case bit:
			b.(*array.BooleanBuilder).Append(v[c.off]>>c.bit&1 != 0)
		case instant:
			switch t := int64(binary.LittleEndian.Uint64(v[c.off:])); t {
			case beginOfTime:
				b.AppendNull()
			case endOfTime:
				appendInt64(b, shownEnd)
			default:
				appendInt64(b, t)
			}
		case opaque:
			b.(*array.BinaryBuilder).Append(v[c.off:][:c.size])
		case variable:
			off, n := pair(v, c.off)
			if b, ok := b.(*array.StringBuilder); ok {
				b.BinaryBuilder.Append(v[off:][:n])
				continue
			}
			b.(*array.BinaryBuilder).Append(v[off:][:n])
		case variableKey:
			off, n := pair(v, c.off)
			keyform.Decode(b, &c.typ, v[off:][:n])
		}
	}
}

// appendFixed appends a little endian value.
func appendFixed(b array.Builder, c *column, x []byte) {
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(x[0] != 0)
	case *array.Int8Builder:
		b.Append(int8(x[0]))
	case *array.Int16Builder:
		b.Append(int16(binary.LittleEndian.Uint16(x)))
	case *array.Int32Builder:
		b.Append(int32(binary.LittleEndian.Uint32(x)))
	case *array.Date32Builder:
		b.Append(arrow.Date32(binary.LittleEndian.Uint32(x)))
	case *array.Time32Builder:
		b.Append(arrow.Time32(binary.LittleEndian.Uint32(x)))
	case *array.Float32Builder:
		b.Append(math.Float32frombits(binary.LittleEndian.Uint32(x)))
	case *array.Float64Builder:
		b.Append(math.Float64frombits(binary.LittleEndian.Uint64(x)))
	case *array.Decimal128Builder:
		b.Append(decimal128.New(int64(binary.LittleEndian.Uint64(x[8:])), binary.LittleEndian.Uint64(x)))
	default:
		appendInt64(b, int64(binary.LittleEndian.Uint64(x)))
	}
}
