package ast

import "github.com/sqlstream/sqlstream/sql/types"

// Expr is an expression. The implementations are the types of this file, of call.go, and
// Star. Redundant brackets leave no trace: the tree is the grouping.
type Expr interface {
	Node
	expr()
}

// ColumnRef is a.b.c: table alias, column and fields are told apart when names are resolved.
type ColumnRef struct {
	At
	Path Path
}

// NumberLit is an unsigned number, as written: 1.10 has scale 2, 1e3 is a DOUBLE.
type NumberLit struct {
	At
	Text string
}

// StringLit is a character literal, decoded (quotes, U& and E escapes).
type StringLit struct {
	At
	Value string
}

// BinaryLit is X'0aff'.
type BinaryLit struct {
	At
	Value []byte
}

// NullLit is NULL.
type NullLit struct{ At }

// BoolLit is TRUE or FALSE. UNKNOWN is parsed as CAST(NULL AS BOOLEAN).
type BoolLit struct {
	At
	Value bool
}

// TypedLit is DATE '..', TIME '..' or TIMESTAMP '..'; the text is not checked.
type TypedLit struct {
	At
	Kind  types.Kind // Date, Time or Timestamp
	Value StringLit
}

// IntervalLit is INTERVAL [-]'value' From [TO To].
type IntervalLit struct {
	At
	Negative bool
	Value    StringLit // also for a bare number, INTERVAL 5 DAY
	From     Unit
	To       Unit // UnitNone: a single unit
	// Precision is that of From, DAY(3); FracPrecision that of seconds, SECOND(2, 3) or
	// TO SECOND(3). -1: not given.
	Precision, FracPrecision int
}

// Difference is (Left - Right) From [TO To]: the time between two points as an interval. Pos is
// that of the unit; precisions as in IntervalLit.
type Difference struct {
	At
	Left, Right              Expr
	From, To                 Unit
	Precision, FracPrecision int
}

// Unary is an operator before its operand.
type Unary struct {
	At
	Op  UnaryOp
	Arg Expr
}

// Binary is an operator between two operands. Pos is the operator's.
type Binary struct {
	At
	Op          BinaryOp
	Left, Right Expr
}

// Is is arg IS [NOT] NULL, TRUE, FALSE, UNKNOWN, JSON [VALUE|OBJECT|ARRAY|SCALAR]. Pos is
// that of IS.
type Is struct {
	At
	Arg  Expr
	Test IsTest
	Not  bool
}

// IsDistinct is left IS [NOT] DISTINCT FROM right. Pos is that of IS.
type IsDistinct struct {
	At
	Left, Right Expr
	Not         bool
}

// Between is arg [NOT] BETWEEN [SYMMETRIC] low AND high. Pos is that of [NOT] BETWEEN.
type Between struct {
	At
	Arg, Low, High Expr
	Not, Symmetric bool
}

// In is arg [NOT] IN (list) or (query): one of List and Query is set. Pos is that of [NOT] IN.
type In struct {
	At
	Arg   Expr
	List  []Expr
	Query *Query
	Not   bool
}

// Like is arg [NOT] LIKE pattern [ESCAPE escape], or with SIMILAR TO. Escape is nil when
// absent: Flink has no default escape character. Pos is that of [NOT] LIKE.
type Like struct {
	At
	Arg, Pattern, Escape Expr
	Similar, Not         bool
}

// Quantified is left op ANY|ALL (query or list). SOME is ANY. Pos is the operator's.
type Quantified struct {
	At
	Op    BinaryOp // a comparison
	All   bool
	Left  Expr
	List  []Expr
	Query *Query
}

// Case is CASE [operand] WHEN .. THEN .. ELSE .. END; Operand and Else may be nil.
type Case struct {
	At
	Operand Expr
	Whens   []When
	Else    Expr
}

// When is one branch of a Case.
type When struct {
	At
	Cond, Result Expr
}

// Cast is CAST(arg AS type) or TRY_CAST.
type Cast struct {
	At
	Arg  Expr
	Type TypeRef
	Try  bool
}

// ArrayLit is ARRAY[..].
type ArrayLit struct {
	At
	Items []Expr
}

// MapLit is MAP[key, value, ..]; len(Keys) == len(Values).
type MapLit struct {
	At
	Keys, Values []Expr
}

// RowLit is ROW(a, b), or (a, b) without the word.
type RowLit struct {
	At
	Explicit bool // with the word
	Items    []Expr
}

// Index is arg[index] of an array or a map. Pos is that of the bracket.
type Index struct {
	At
	Arg, Index Expr
}

// Field is arg.name where arg is not itself a name: f(x).y, a[1].b. Pos is that of the dot.
type Field struct {
	At
	Arg  Expr
	Name Ident
}

// Exists is EXISTS (query).
type Exists struct {
	At
	Query *Query
}

// Subquery is a query in brackets used as a value or, left of IN, as a row.
type Subquery struct {
	At
	Query *Query
}

// Star is * or t.* in a select list.
type Star struct {
	At
	Qualifier Path // empty for *
}

func (*ColumnRef) expr()   {}
func (*NumberLit) expr()   {}
func (*StringLit) expr()   {}
func (*BinaryLit) expr()   {}
func (*NullLit) expr()     {}
func (*BoolLit) expr()     {}
func (*TypedLit) expr()    {}
func (*IntervalLit) expr() {}
func (*Difference) expr()  {}
func (*Unary) expr()       {}
func (*Binary) expr()      {}
func (*Is) expr()          {}
func (*IsDistinct) expr()  {}
func (*Between) expr()     {}
func (*In) expr()          {}
func (*Like) expr()        {}
func (*Quantified) expr()  {}
func (*Case) expr()        {}
func (*Cast) expr()        {}
func (*ArrayLit) expr()    {}
func (*MapLit) expr()      {}
func (*RowLit) expr()      {}
func (*Index) expr()       {}
func (*Field) expr()       {}
func (*Exists) expr()      {}
func (*Subquery) expr()    {}
func (*Star) expr()        {}
