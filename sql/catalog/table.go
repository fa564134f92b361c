package catalog

import (
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Table is a table of the catalog. Tables are immutable once created: ALTER replaces them,
// so plans and clones of the catalog share them freely.
type Table struct {
	Path          Path
	Temporary     bool
	Columns       []Column // declared order
	Watermark     *Watermark
	PrimaryKey    []string
	KeyName       string // of CONSTRAINT name PRIMARY KEY, "" none
	PartitionKeys []string
	Comment       string
	Options       []Option // declared order, no key twice
}

// Option is one entry of WITH (..).
type Option struct {
	Key, Value string
	Pos        int // byte offset in the statement that set it
}

// ColumnKind is where a column's values come from.
type ColumnKind uint8

// The kinds of columns.
const (
	Physical ColumnKind = iota // in the records of the connector
	Metadata                   // beside them: offset, timestamp, headers
	Computed                   // an expression over the others
)

// Column is a column of a table.
type Column struct {
	Name    string
	Type    types.Type // with its time attribute
	Kind    ColumnKind
	Expr    expr.Expr // Computed: over the stored row
	Text    string    // Computed: the expression as the user wrote it
	MetaKey string    // Metadata: the connector's key
	Virtual bool      // Metadata: not written by INSERT
	Comment string
}

// Watermark is WATERMARK FOR Column AS Expr.
type Watermark struct {
	Column string
	Expr   expr.Expr // over the table's Schema
	Text   string
}

// Schema returns all columns in declared order.
func (t *Table) Schema() types.Schema {
	s := make(types.Schema, len(t.Columns))
	for i, c := range t.Columns {
		s[i] = types.Field{Name: c.Name, Type: c.Type}
	}
	return s
}

// Stored returns the row that a reader can fill: the physical columns in declared order,
// then the metadata columns. Computed columns are expressions over it. None has a time
// attribute.
func (t *Table) Stored() types.Schema {
	var s types.Schema
	for _, kind := range [...]ColumnKind{Physical, Metadata} {
		for _, c := range t.Columns {
			if c.Kind == kind {
				s = append(s, types.Field{Name: c.Name, Type: c.Type.WithoutAttr()})
			}
		}
	}
	return s
}

// PhysicalSchema returns the physical columns.
func (t *Table) PhysicalSchema() types.Schema {
	s := t.Stored()
	return s[:len(s)-len(t.MetadataColumns())]
}

// MetadataColumns returns the metadata columns in declared order.
func (t *Table) MetadataColumns() []Column {
	var out []Column
	for _, c := range t.Columns {
		if c.Kind == Metadata {
			out = append(out, c)
		}
	}
	return out
}

// SinkSchema returns what INSERT writes: physical columns, then metadata columns that are
// not virtual.
func (t *Table) SinkSchema() types.Schema {
	s := t.PhysicalSchema()
	for _, c := range t.MetadataColumns() {
		if !c.Virtual {
			s = append(s, types.Field{Name: c.Name, Type: c.Type.WithoutAttr()})
		}
	}
	return s
}

// WrittenColumns returns the columns INSERT without a column list writes, in declared
// order, as indexes into SinkSchema and as a schema.
func (t *Table) WrittenColumns() (index []int, s types.Schema) {
	sink := t.SinkSchema()
	for _, c := range t.Columns {
		if i := sink.Index(c.Name); i >= 0 {
			index = append(index, i)
			s = append(s, sink[i])
		}
	}
	return index, s
}

// Option returns the value of an option, "" when it is not set.
func (t *Table) Option(key string) string {
	for _, o := range t.Options {
		if o.Key == key {
			return o.Value
		}
	}
	return ""
}

// OptionMap returns a copy of the options.
func (t *Table) OptionMap() map[string]string {
	m := make(map[string]string, len(t.Options))
	for _, o := range t.Options {
		m[o.Key] = o.Value
	}
	return m
}

// Column returns the column called name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}
