// Package ast owns the syntax tree of sqlstream's dialect, Flink SQL: what package sql
// parses a text into, before any name is looked up. It is pure data: every node knows where
// in the text it stands and nothing else. It imports sql/types (a data type in the text
// is a types.Type at once) and sql/secret; every front-end package may import it.
//
// A tree belongs to whoever called sql.Parse and is not changed by anybody afterwards.
package ast

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql/types"
)

// Node is anything in the tree. Pos is the byte offset in the source text where the node
// begins (for an operator: where the operator itself stands), -1 for a node that no text
// stands for.
type Node interface{ Pos() int }

// At is the byte offset of a node; nodes embed it.
type At int

// Pos returns the byte offset.
func (a At) Pos() int { return int(a) }

// Span is the text a node covers: bytes [Start, End) of the source. Statements and queries
// embed it.
type Span struct{ Start, End int }

// Pos returns the byte offset of the first byte.
func (s Span) Pos() int { return s.Start }

// Range returns the bytes [start, end) of the source that the node covers.
func (s Span) Range() (start, end int) { return s.Start, s.End }

// Ident is one name as the user wrote it. Names are compared exactly; only names of
// functions are compared without case.
type Ident struct {
	At
	Name   string
	Quoted bool // stands (or must be printed) in backquotes
}

// NewIdent makes a name that no text stands for.
func NewIdent(name string) Ident { return Ident{At: -1, Name: name, Quoted: true} }

// String returns the name as it is written in SQL.
func (i Ident) String() string {
	if i.Quoted {
		return types.QuoteIdent(i.Name)
	}
	return i.Name
}

// Path is a dotted name: a table (catalog.database.table), a function, or a column with
// its qualifiers and fields. The parser does not know which part is what.
type Path []Ident

// Pos returns the offset of the first part.
func (p Path) Pos() int {
	if len(p) == 0 {
		return -1
	}
	return p[0].Pos()
}

// Last returns the last part.
func (p Path) Last() Ident { return p[len(p)-1] }

// Names returns the parts without positions.
func (p Path) Names() []string {
	names := make([]string, len(p))
	for i := range p {
		names[i] = p[i].Name
	}
	return names
}

// String returns the path as it is written in SQL.
func (p Path) String() string {
	parts := make([]string, len(p))
	for i := range p {
		parts[i] = p[i].String()
	}
	return strings.Join(parts, ".")
}

// TypeRef is a data type in the text.
type TypeRef struct {
	At
	Type types.Type
}

// Option is 'key' = 'value' in WITH, SET and OPTIONS.
type Option struct {
	At
	Key, Value StringLit
}
