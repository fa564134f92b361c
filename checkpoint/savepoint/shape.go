package savepoint

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/keyform"
	"github.com/sqlstream/sqlstream/sql/types"
)

// The names of the columns that are not the query's.
const (
	groupColumn   = "key_group"
	stampColumn   = "last_changed"
	rawKeyColumn  = "raw_key"
	rawValColumn  = "raw_value"
	windowEnd     = "window_end" // parts of keys that are milliseconds, see planner/plan
	paneEnd       = "pane_end"
	metaRole      = "sqlstream.role" // key, state or engine
	metaID        = "sqlstream.id"   // of a key part or slot
	metaField     = "sqlstream.field"
	metaText      = "sqlstream.text" // the canonical expression
	metaUID       = "sqlstream.uid"
	metaOperator  = "sqlstream.operator"
	metaTable     = "sqlstream.table"
	metaSQL       = "sqlstream.sql"
	valueField    = "value"
	presentField  = "present"
	maxColumns    = 1 << 16
	variableWidth = 8
)

// milliseconds is what the engine's own times are shown as.
var milliseconds = types.TimestampT(3)

// columnKind is how a column follows from an entry.
type columnKind uint8

const (
	keyValue    columnKind = iota // a key part in key form
	keyOrdered                    // a key part of 8 bytes
	fixed                         // bytes at off, little endian
	bit                           // bit number bit of the byte at off
	instant                       // 8 bytes at off: milliseconds; the ends of time have names
	opaque                        // size bytes at off that nothing is known about
	variable                      // offset and length at off, of bytes behind the fixed part
	variableKey                   // the same, in key form
)

// column is one column of the query's.
type column struct {
	kind columnKind
	typ  types.Type
	off  int // in the value
	size int // of fixed and opaque
	bit  int
	// present, when not 0, is the offset of 8 bytes that are 1 when there is a value and 0
	// when the column is NULL.
	present int
}

// part is a piece of a key; column is its number, -1 for those that follow from others.
type part struct {
	form   string
	typ    types.Type
	column int
}

// shape says how the entries of a table and the rows of its file belong together. It follows
// from the table's schema in the manifest and three facts about the file.
type shape struct {
	table  *checkpoint.Table
	wide   wide
	parts  []part
	cols   []column
	schema *arrow.Schema
	// mask has a set bit for every bit of the fixed part that a column holds; the others
	// must be zero.
	mask []byte
	vars []int // columns of variable length, in the order of their offsets
	hash bool  // a key part is a hash
}

// wide says which columns a file has beside the query's.
type wide struct{ stamp, rawKey, rawValue bool }

// The forms of key parts; see planner/plan.
const (
	formColumn  = "column"
	formOrdered = "ordered"
	formHash    = "hash"
	formGroup   = "group"
)

// newShape lays out the columns of a table's file.
func newShape(m *checkpoint.Manifest, o *checkpoint.Operator, t *checkpoint.Table, w wide) (*shape, error) {
	s := &shape{table: t, wide: w, mask: make([]byte, t.Size)}
	b := fields{names: map[string]bool{groupColumn: true, stampColumn: true, rawKeyColumn: true, rawValColumn: true}}
	b.list = append(b.list, arrow.Field{Name: groupColumn, Type: &arrow.Uint16Type{}, Metadata: metadata(metaRole, "engine")})
	b.nullable = w.rawKey
	for _, k := range t.Key {
		if err := s.addKey(&b, k); err != nil {
			return nil, fmt.Errorf("key column %s: %w", types.QuoteIdent(k.Name), err)
		}
	}
	b.nullable = w.rawValue
	for i := range t.Slots {
		if err := s.addSlot(&b, &t.Slots[i]); err != nil {
			return nil, fmt.Errorf("slot %q: %w", t.Slots[i].Name, err)
		}
	}
	if len(s.cols) > maxColumns {
		return nil, fmt.Errorf("more than %d columns", maxColumns)
	}
	if w.stamp {
		utc, _ := keyform.Type(types.TimestampLTZT(3)) // has one
		b.list = append(b.list, arrow.Field{Name: stampColumn, Type: utc, Nullable: true, Metadata: metadata(metaRole, "engine")})
	}
	for _, raw := range []struct {
		name string
		has  bool
	}{{rawKeyColumn, w.rawKey}, {rawValColumn, w.rawValue}} {
		if raw.has {
			b.list = append(b.list, arrow.Field{Name: raw.name, Type: &arrow.BinaryType{}, Nullable: true, Metadata: metadata(metaRole, "engine")})
		}
	}
	about := metadata(metaUID, o.UID, metaOperator, o.Name, metaTable, t.Name, metaSQL, m.SQL)
	s.schema = arrow.NewSchema(b.list, &about)
	return s, nil
}

func metadata(pairs ...string) arrow.Metadata {
	var keys, values []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			keys, values = append(keys, pairs[i]), append(values, pairs[i+1])
		}
	}
	return arrow.NewMetadata(keys, values)
}

// fields collects Arrow fields under different names.
type fields struct {
	list     []arrow.Field
	names    map[string]bool
	nullable bool // all of them
}

func (b *fields) add(name string, t types.Type, pairs ...string) error {
	f, err := keyform.Field(name, t)
	if err != nil {
		return err
	}
	if f.Name == "" {
		f.Name = "column"
	}
	for n, base := 2, f.Name; b.names[f.Name]; n++ {
		f.Name = fmt.Sprintf("%s_%d", base, n)
	}
	b.names[f.Name] = true
	f.Nullable = f.Nullable || b.nullable
	f.Metadata = metadata(append([]string{keyform.SQLType, t.String()}, pairs...)...)
	b.list = append(b.list, f)
	return nil
}

func (s *shape) addKey(b *fields, k checkpoint.KeyPart) error {
	t, err := types.Parse(k.Type)
	if err != nil {
		return err
	}
	p := part{form: k.Form, typ: t, column: len(s.cols)}
	c := column{kind: keyValue, typ: t}
	switch k.Form {
	case formColumn:
	case formOrdered:
		c.kind = keyOrdered
		if k.Name == windowEnd || k.Name == paneEnd {
			c.typ = milliseconds.NotNullable()
		}
		if c.typ.Physical() != types.PhysI64 {
			return fmt.Errorf("type %s in a key part of 8 bytes", t)
		}
	case formHash, formGroup:
		s.hash = s.hash || k.Form == formHash
		p.column = -1
		s.parts = append(s.parts, p)
		return nil
	default:
		return fmt.Errorf("form %.40q, expected %s, %s, %s or %s", k.Form, formColumn, formOrdered, formHash, formGroup)
	}
	s.parts = append(s.parts, p)
	s.cols = append(s.cols, c)
	return b.add(k.Name, c.typ, metaRole, "key", metaID, k.ID)
}

func (s *shape) addSlot(b *fields, slot *checkpoint.Slot) error {
	about := func(field string) []string {
		return []string{metaRole, "state", metaID, slot.ID, metaField, field, metaText, slot.Text}
	}
	if len(slot.Fields) == 0 {
		c, err := whole(slot)
		if err != nil {
			return err
		}
		if err := s.cover(&c, len(s.mask)-slot.Offset); err != nil {
			return err
		}
		s.cols = append(s.cols, c)
		return b.add(slot.Name, c.typ, about("")...)
	}
	fs := slot.Fields
	present := len(fs) == 2 && fs[0].Name == valueField && fs[1].Name == presentField && fs[1].Type == types.BigIntT.String() && !fs[1].Variable
	for i := range fs {
		if present && i == 1 {
			break
		}
		f := &fs[i]
		t, err := types.Parse(f.Type)
		if err != nil {
			return err
		}
		c := column{kind: fixed, typ: t, off: slot.Offset + f.Offset}
		switch {
		case f.Variable && f.KeyForm:
			c.kind, c.typ = variableKey, t.Nullable()
		case f.Variable && t.Physical() == types.PhysBytes:
			c.kind = variable
		case !f.Variable && (t.Physical().Width() > 0 || t.Kind == types.Boolean):
			c.size = max(1, t.Physical().Width())
			// What is not nullable in the slot has no way to be NULL, whatever its type says.
			c.typ = t.NotNullable()
		default:
			return fmt.Errorf("field %q: type %s has no such form", f.Name, t)
		}
		name := slot.Name
		if f.Name != valueField && len(fs) > 1 {
			name += "." + f.Name
		}
		room := slot.Size - f.Offset
		if present {
			c.typ, c.present = t.Nullable(), slot.Offset+fs[1].Offset
			if fs[1].Offset < 8 || fs[1].Offset+8 > slot.Size {
				return fmt.Errorf("field %q at %d of %d bytes", fs[1].Name, fs[1].Offset, slot.Size)
			}
			s.set(c.present, 8, 0xff)
		}
		if c.kind == variable && !present {
			c.typ = t.NotNullable()
		}
		if c.kind != fixed {
			s.vars = append(s.vars, len(s.cols))
		}
		if err := s.cover(&c, room); err != nil {
			return fmt.Errorf("field %q: %w", f.Name, err)
		}
		s.cols = append(s.cols, c)
		if err := b.add(name, c.typ, about(f.Name)...); err != nil {
			return err
		}
	}
	return nil
}

// The kinds of slots without fields; see planner/plan.
const (
	slotSeen = "seen"
	slotTime = "time"
)

// whole is the column of a slot without fields.
func whole(slot *checkpoint.Slot) (column, error) {
	t, err := types.Parse(slot.Type)
	if err != nil {
		return column{}, err
	}
	c := column{kind: fixed, typ: t.NotNullable(), off: slot.Offset, size: slot.Size}
	switch w := t.Physical().Width(); {
	case slot.Kind == slotSeen:
		c.kind, c.typ, c.bit = bit, types.BooleanT.NotNullable(), slot.Bit
	case slot.Kind == slotTime && slot.Size == 8:
		c.kind, c.typ = instant, milliseconds
	case w > 0 && w <= slot.Size:
		c.size = w
	default:
		c.kind, c.typ = opaque, types.BytesT.NotNullable()
	}
	return c, nil
}

// cover marks the bits of the fixed part that a column holds; room is how many bytes there are.
func (s *shape) cover(c *column, room int) error {
	n, bits := c.size, byte(0xff)
	switch c.kind {
	case bit:
		n, bits = 1, 1<<c.bit
	case instant, variable, variableKey:
		n = variableWidth
	case fixed:
		if c.typ.Kind == types.Boolean {
			bits = 1
		}
	}
	if n > room || c.off+n > len(s.mask) {
		return fmt.Errorf("%d bytes at %d of %d", n, c.off, len(s.mask))
	}
	s.set(c.off, n, bits)
	return nil
}

func (s *shape) set(off, n int, bits byte) {
	for i := range n {
		s.mask[off+i] |= bits
	}
}

// pair reads the offset and length of a value of variable length.
func pair(value []byte, off int) (at, n uint32) {
	return binary.LittleEndian.Uint32(value[off:]), binary.LittleEndian.Uint32(value[off+4:])
}
