package ast

// TableExpr is an item of FROM: *TableName, *Derived, *TableFunc, *Unnest, *MatchRecognize
// or *Join.
type TableExpr interface {
	Node
	table()
}

// Alias is AS name [(columns)].
type Alias struct {
	At
	Name    Ident
	Columns []Ident
}

// TableName is a table or view by name.
type TableName struct {
	At
	Path  Path
	Hints []*Hint
	AsOf  Expr // FOR SYSTEM_TIME AS OF expr
	Alias *Alias
}

// Derived is a query in brackets.
type Derived struct {
	At
	Lateral bool
	Query   *Query
	Alias   *Alias
}

// TableFunc is a table function: TABLE(f(..)), LATERAL TABLE(f(..)), or f(..) alone. Window
// functions (TUMBLE, HOP, ..) are among them.
type TableFunc struct {
	At
	Lateral bool
	Call    *Call
	Alias   *Alias
}

// Unnest is UNNEST(arrays) [WITH ORDINALITY].
type Unnest struct {
	At
	Args       []Expr
	Ordinality bool
	Alias      *Alias
}

// Join is a join of two items. Left-associative; On and Using are both empty for CROSS and
// NATURAL.
type Join struct {
	At          // of the first word, or of the comma
	Kind        JoinKind
	Natural     bool
	Left, Right TableExpr
	On          Expr
	Using       []Ident
}

// JoinKind tells joins apart.
type JoinKind uint8

// The joins. A comma is CrossJoin.
const (
	CrossJoin JoinKind = iota
	InnerJoin
	LeftJoin
	RightJoin
	FullJoin
)

var joinNames = [...]string{CrossJoin: "CROSS JOIN", InnerJoin: "JOIN", LeftJoin: "LEFT JOIN", RightJoin: "RIGHT JOIN", FullJoin: "FULL JOIN"}

// String returns the words of the join.
func (k JoinKind) String() string { return joinNames[k] }

func (*TableName) table()      {}
func (*Derived) table()        {}
func (*TableFunc) table()      {}
func (*Unnest) table()         {}
func (*Join) table()           {}
func (*MatchRecognize) table() {}
