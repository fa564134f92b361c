package json

import (
	"strconv"

	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// op says how the value of a node is read.
type op uint8

const (
	opSkip op = iota
	opBool
	opSmall // TINYINT, SMALLINT: integer texts only
	opInt   // INT, BIGINT, intervals: fractions are cut
	opFloat
	opDecimal
	opString
	opBytes
	opDate
	opTime
	opTimestamp
	opArray
	opMap
	opRow
)

// node is one place in the schema: a column, a field, an element.
type node struct {
	name   string
	quoted string // `"name":`, as it mostly stands in a record
	path   string // for messages
	typ    types.Type
	phys   types.Physical
	op     op
	slot   int            // where the scanner puts the value; slots of a ROW's fields follow its own
	slots  int            // how many slots the node and those below have
	bits   int            // of integers and floats
	clock  *text.Clock    // timestamps, to read
	stamp  *text.Stamper  // timestamps, to write
	fields []node         // ROW
	index  map[string]int // ROW: field by name
	key    *node          // MAP, MULTISET
	elem   *node          // ARRAY, MAP
}

// compiler numbers slots.
type compiler struct {
	settings
	slots int
}

// row makes the fields of a row; wanted tells which of them are read.
func (c *compiler) row(path string, fields []types.Field, wanted func(int) bool) (n node, err error) {
	n.op, n.slot = opRow, c.slots
	c.slots++
	n.fields = make([]node, len(fields))
	n.index = make(map[string]int, len(fields))
	for i, f := range fields {
		if wanted(i) {
			if n.fields[i], err = c.node(join(path, f.Name), f.Type); err != nil {
				return n, err
			}
		}
		n.fields[i].name = f.Name
		n.fields[i].quoted = string(appendString(nil, []byte(f.Name))) + ":"
		n.index[f.Name] = i
	}
	n.slots = c.slots - n.slot
	return n, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (c *compiler) node(path string, t types.Type) (n node, err error) {
	if t.Kind == types.Row {
		n, err = c.row(path, t.Fields, func(int) bool { return true })
	} else {
		n.slot = c.slots
		c.slots++
		n.slots = 1
		err = c.leaf(&n, path, t)
	}
	n.path, n.typ, n.phys = path, t, t.Physical()
	return n, err
}

func (c *compiler) leaf(n *node, path string, t types.Type) (err error) {
	n.bits = t.Physical().Width() * 8
	switch t.Kind {
	case types.Boolean:
		n.op = opBool
	case types.TinyInt, types.SmallInt:
		n.op = opSmall
	case types.Int, types.BigInt, types.IntervalYearMonth, types.IntervalDayTime:
		n.op = opInt
	case types.Float, types.Double:
		n.op = opFloat
	case types.Decimal:
		n.op = opDecimal
	case types.Char, types.VarChar:
		n.op = opString
	case types.Binary, types.VarBinary:
		n.op = opBytes
	case types.Date:
		n.op = opDate
	case types.Time:
		n.op = opTime
	case types.Timestamp, types.TimestampLTZ:
		n.op = opTimestamp
		style, units := text.Style(t, c.iso), t.UnitsPerSecond()
		n.clock, n.stamp = text.NewClock(style, units), &text.Stamper{Style: style, Units: units}
	case types.Array:
		n.op = opArray
		n.elem, err = c.below(path+"[]", *t.Elem)
	case types.Map, types.Multiset:
		key, value := t.Key, t.Elem
		if t.Kind == types.Multiset {
			key, value = t.Elem, new(types.IntT.NotNullable())
		}
		if !key.IsString() {
			return exec.Userf("column %s: format 'json' needs strings as keys, %s has %s", path, t, *key)
		}
		n.op = opMap
		if n.key, err = c.below(path+" key", *key); err == nil {
			n.elem, err = c.below(path+" value", *value)
		}
	default:
		return exec.Userf("column %s: format 'json' cannot hold the type %s", path, t)
	}
	return err
}

// below makes a node whose values are never in slots.
func (c *compiler) below(path string, t types.Type) (*node, error) {
	sub := compiler{settings: c.settings}
	n, err := sub.node(path, t)
	return &n, err
}

// takes reports whether a JSON value that begins with c may be read as n.
func (n *node) takes(c byte) bool {
	switch n.op {
	case opString:
		return true
	case opArray:
		return c == '['
	case opMap, opRow:
		return c == '{'
	}
	return c != '{' && c != '['
}

// wants names what takes accepts, for messages.
func (n *node) wants() string {
	switch n.op {
	case opArray:
		return "an array"
	case opMap, opRow:
		return "an object"
	}
	return "a string or a number"
}

// kindName names the JSON value that begins with c, for messages.
func kindName(c byte) string {
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// clip is raw text for a message.
func clip(raw []byte) string {
	const most = 40
	if len(raw) > most {
		return strconv.Quote(string(raw[:most])) + "..."
	}
	return strconv.Quote(string(raw))
}
