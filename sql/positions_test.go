package sql_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/sql/ast"
)

// checkPositions walks a tree and compares what each node with a place says with the text that
// stands there.
func checkPositions(t *testing.T, text string, stmts []ast.Statement) {
	t.Helper()
	c := &positions{t: t, text: text}
	for _, s := range stmts {
		c.walk(reflect.ValueOf(s))
	}
}

type positions struct {
	t    *testing.T
	text string
}

// begins checks that the text at a place begins with one of some words, in any case.
func (c *positions) begins(pos int, what string, words ...string) {
	c.t.Helper()
	if pos < 0 || pos > len(c.text) {
		c.t.Errorf("%s stands at %d", what, pos)
		return
	}
	for _, w := range words {
		if len(c.text)-pos >= len(w) && strings.EqualFold(c.text[pos:pos+len(w)], w) {
			return
		}
	}
	c.t.Errorf("%s points at %.20q, want one of %q", what, c.text[pos:], words)
}

func (c *positions) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			c.walk(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.walk(v.Index(i))
		}
	case reflect.Struct:
		c.node(v.Interface())
		for i := range v.NumField() {
			c.walk(v.Field(i))
		}
	}
}

func (c *positions) node(n any) {
	stringStart := []string{"'", "U&'", "E'"}
	switch n := n.(type) {
	case ast.Ident:
		if n.Quoted {
			c.begins(n.Pos(), "name", "`"+strings.ReplaceAll(n.Name, "`", "``")+"`")
		} else {
			c.begins(n.Pos(), "name", n.Name)
		}
	case ast.ColumnRef:
		c.begins(n.Pos(), "column", n.Path[0].String())
	case ast.NumberLit:
		c.begins(n.Pos(), "number", n.Text)
	case ast.StringLit:
		if n.Value != " " { // what TRIM takes away when nothing is said
			c.begins(n.Pos(), "string", append(stringStart, n.Value)...)
		}
	case ast.BinaryLit:
		c.begins(n.Pos(), "binary", "X'")
	case ast.NullLit:
		c.begins(n.Pos(), "NULL", "NULL", "UNKNOWN")
	case ast.BoolLit:
		c.begins(n.Pos(), "boolean", "TRUE", "FALSE")
	case ast.TypedLit:
		c.begins(n.Pos(), "literal", "DATE", "TIME")
	case ast.IntervalLit:
		c.begins(n.Pos(), "interval", "INTERVAL")
	case ast.Unary:
		c.begins(n.Pos(), "operator", n.Op.String())
	case ast.Binary:
		c.begins(n.Pos(), "operator", n.Op.String())
	case ast.Difference:
		c.begins(n.Pos(), "unit", n.From.String())
	case ast.Is, ast.IsDistinct:
		c.begins(n.(ast.Node).Pos(), "IS", "IS")
	case ast.Between:
		c.begins(n.Pos(), "BETWEEN", "BETWEEN", "NOT")
	case ast.In:
		c.begins(n.Pos(), "IN", "IN", "NOT")
	case ast.Like:
		c.begins(n.Pos(), "LIKE", "LIKE", "SIMILAR", "NOT")
	case ast.Quantified:
		c.begins(n.Pos(), "operator", n.Op.String())
	case ast.Case:
		c.begins(n.Pos(), "CASE", "CASE")
	case ast.When:
		c.begins(n.Pos(), "WHEN", "WHEN")
	case ast.Cast:
		c.begins(n.Pos(), "CAST", "CAST", "TRY_CAST", "UNKNOWN")
	case ast.ArrayLit, ast.MapLit:
		c.begins(n.(ast.Node).Pos(), "collection", "ARRAY", "MAP")
	case ast.RowLit:
		c.begins(n.Pos(), "row", "ROW", "(")
	case ast.Index:
		c.begins(n.Pos(), "subscript", "[")
	case ast.Field:
		c.begins(n.Pos(), "field", ".")
	case ast.Exists:
		c.begins(n.Pos(), "EXISTS", "EXISTS")
	case ast.Subquery:
		c.begins(n.Pos(), "subquery", "(")
	case ast.Star:
		c.begins(n.Pos(), "star", append([]string{"*"}, n.Qualifier.String())...)
	case ast.Call:
		c.begins(n.Pos(), "call", n.Name[0].String())
	case ast.UnitArg:
		c.begins(n.Pos(), "unit", n.Unit.String())
	case ast.Window:
		c.begins(n.Pos(), "window", windowStart(&n))
	case ast.Select:
		c.begins(n.Pos(), "SELECT", "SELECT")
	case ast.SetOp:
		c.begins(n.Pos(), "set operation", n.Op.String())
	case ast.Values:
		c.begins(n.Pos(), "VALUES", "VALUES")
	case ast.Join:
		c.begins(n.Pos(), "join", ",", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL")
	case ast.Option:
		c.begins(n.Pos(), "option", stringStart...)
	case ast.Watermark:
		c.begins(n.Pos(), "watermark", "WATERMARK")
	case ast.PrimaryKey:
		c.begins(n.Pos(), "key", "PRIMARY", "CONSTRAINT")
	}
}

func windowStart(w *ast.Window) string {
	if w.Name != nil {
		return w.Name.String()
	}
	return "("
}
