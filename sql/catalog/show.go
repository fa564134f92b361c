package catalog

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql/secret"
	"github.com/sqlstream/sqlstream/sql/types"
)

// ShowCreate returns the statement that creates the table, secrets masked.
func (t *Table) ShowCreate() string {
	var b strings.Builder
	b.WriteString("CREATE ")
	if t.Temporary {
		b.WriteString("TEMPORARY ")
	}
	b.WriteString("TABLE " + t.Path.SQL() + " (\n")
	var lines []string
	for _, c := range t.Columns {
		lines = append(lines, c.ddl())
	}
	if w := t.Watermark; w != nil {
		lines = append(lines, "WATERMARK FOR "+types.QuoteIdent(w.Column)+" AS "+w.Text)
	}
	if len(t.PrimaryKey) > 0 {
		name := t.KeyName
		if name == "" {
			name = "PK_" + strings.Join(t.PrimaryKey, "_")
		}
		lines = append(lines, "CONSTRAINT "+types.QuoteIdent(name)+" PRIMARY KEY ("+quoteAll(t.PrimaryKey)+") NOT ENFORCED")
	}
	b.WriteString("  " + strings.Join(lines, ",\n  ") + "\n)")
	if t.Comment != "" {
		b.WriteString("\nCOMMENT " + quoteString(t.Comment))
	}
	if len(t.PartitionKeys) > 0 {
		b.WriteString("\nPARTITIONED BY (" + quoteAll(t.PartitionKeys) + ")")
	}
	if len(t.Options) > 0 {
		b.WriteString("\nWITH (\n")
		for i, o := range t.Options {
			if i > 0 {
				b.WriteString(",\n")
			}
			b.WriteString("  " + quoteString(o.Key) + " = " + quoteString(secret.Value(o.Key, o.Value)))
		}
		b.WriteString("\n)")
	}
	return b.String()
}

func (c *Column) ddl() string {
	s := types.QuoteIdent(c.Name) + " "
	switch c.Kind {
	case Computed:
		s += "AS " + c.Text
	case Metadata:
		s += c.Type.WithoutAttr().String() + c.metadata()
	default:
		s += c.Type.WithoutAttr().String()
	}
	if c.Comment != "" {
		s += " COMMENT " + quoteString(c.Comment)
	}
	return s
}

func (c *Column) metadata() string {
	s := " METADATA"
	if c.MetaKey != c.Name {
		s += " FROM " + quoteString(c.MetaKey)
	}
	if c.Virtual {
		s += " VIRTUAL"
	}
	return s
}

// ShowCreate returns the statement that creates the view.
func (v *View) ShowCreate() string {
	s := "CREATE "
	if v.Temporary {
		s += "TEMPORARY "
	}
	s += "VIEW " + v.Path.SQL()
	if len(v.Columns) > 0 {
		s += " (" + quoteAll(v.Columns) + ")"
	}
	if v.Comment != "" {
		s += "\nCOMMENT " + quoteString(v.Comment)
	}
	return s + "\nAS " + secret.SQL(v.Text)
}

// DescribeHeader is the header of Describe's rows, as Flink prints it.
var DescribeHeader = []string{"name", "type", "null", "key", "extras", "watermark"}

// Describe returns the rows of DESCRIBE for a table.
func (t *Table) Describe() [][]string {
	key := ""
	if len(t.PrimaryKey) > 0 {
		key = "PRI(" + strings.Join(t.PrimaryKey, ", ") + ")"
	}
	rows := make([][]string, 0, len(t.Columns))
	for _, c := range t.Columns {
		row := describe(c.Name, c.Type)
		for _, k := range t.PrimaryKey {
			if k == c.Name {
				row[3] = key
			}
		}
		switch c.Kind {
		case Computed:
			row[4] = "AS " + c.Text
		case Metadata:
			row[4] = strings.TrimPrefix(c.metadata(), " ")
		}
		if t.Watermark != nil && t.Watermark.Column == c.Name {
			row[5] = t.Watermark.Text
		}
		rows = append(rows, row)
	}
	return rows
}

// DescribeSchema returns the rows of DESCRIBE for a view.
func DescribeSchema(s types.Schema) [][]string {
	rows := make([][]string, len(s))
	for i, f := range s {
		rows[i] = describe(f.Name, f.Type)
	}
	return rows
}

func describe(name string, t types.Type) []string {
	null := "TRUE"
	if t.NotNull {
		null = "FALSE"
	}
	return []string{name, t.Nullable().Summary(), null, "", "", ""}
}

func quoteAll(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = types.QuoteIdent(n)
	}
	return strings.Join(q, ", ")
}

func quoteString(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
