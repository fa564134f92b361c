// Package expr owns bound expressions: what a planner moves around and an evaluator
// compiles. Names are resolved to column indexes, functions to overloads, and every
// implicit conversion is an explicit Cast. It is pure data plus a canonical text, which
// operator UIDs are derived from. It imports sql/types only.
package expr

import (
	"github.com/sqlstream/sqlstream/sql/types"
)

// Expr is a bound expression. Implementations: Column, Literal, Call, Cast, Case, Field.
type Expr interface {
	Type() types.Type
	// Pos is the byte offset in the statement's text of the expression it came from, -1 when
	// it came from none.
	Pos() int
}

// Column is column Index of the input row.
type Column struct {
	Index  int
	Name   string // for people; not part of the identity
	Typ    types.Type
	Offset int
}

// Literal is a constant. Value is nil for NULL, else by kind of Typ:
//
//	BOOLEAN bool · TINYINT to BIGINT int64 · FLOAT, DOUBLE float64 · DECIMAL *big.Int (unscaled, scale of Typ)
//	CHAR, VARCHAR string · BINARY, VARBINARY []byte · DATE, TIME, timestamps, intervals int64 in the units of types.Physical
type Literal struct {
	Value  any
	Typ    types.Type
	Offset int
}

// Call is a resolved function or operator. Name is the registry's canonical name, upper
// case or the operator's sign: "UPPER", "+", "=", "AND", "NOT", "IN", "LIKE", "IS NULL".
// Args already have exactly the types of the resolved overload.
type Call struct {
	Name   string
	Args   []Expr
	Typ    types.Type
	Offset int
	// Volatile calls give another value each time or row (RAND, UUID, CURRENT_TIMESTAMP,
	// PROCTIME): never folded, never merged.
	Volatile bool
}

// Cast converts Arg to Typ. Try: NULL where the conversion fails.
type Cast struct {
	Arg    Expr
	Typ    types.Type
	Try    bool
	Offset int
}

// Case is CASE WHEN Whens[i] THEN Thens[i] .. ELSE Else END. Branches have type Typ (apart
// from nullability), Else is never nil. Branches are evaluated only for their rows.
type Case struct {
	Whens, Thens []Expr
	Else         Expr
	Typ          types.Type
	Offset       int
}

// Field is member Index of the ROW Arg, NULL where Arg is NULL.
type Field struct {
	Arg    Expr
	Index  int
	Name   string
	Typ    types.Type
	Offset int
}

func (e *Column) Type() types.Type  { return e.Typ }
func (e *Literal) Type() types.Type { return e.Typ }
func (e *Call) Type() types.Type    { return e.Typ }
func (e *Cast) Type() types.Type    { return e.Typ }
func (e *Case) Type() types.Type    { return e.Typ }
func (e *Field) Type() types.Type   { return e.Typ }

func (e *Column) Pos() int  { return e.Offset }
func (e *Literal) Pos() int { return e.Offset }
func (e *Call) Pos() int    { return e.Offset }
func (e *Cast) Pos() int    { return e.Offset }
func (e *Case) Pos() int    { return e.Offset }
func (e *Field) Pos() int   { return e.Offset }

var (
	_ Expr = (*Column)(nil)
	_ Expr = (*Literal)(nil)
	_ Expr = (*Call)(nil)
	_ Expr = (*Cast)(nil)
	_ Expr = (*Case)(nil)
	_ Expr = (*Field)(nil)
)

// Aggregate is one bound aggregate call of a GROUP BY.
type Aggregate struct {
	Name     string // canonical, "COUNT", "SUM", ...; COUNT(*) has no Args
	Args     []Expr // columns of the aggregate's input, of the overload's types
	Distinct bool
	Filter   Expr // BOOLEAN or nil
	Typ      types.Type
	Offset   int
}

// Arg is what a resolver may know of an argument.
type Arg struct {
	Type    types.Type
	Literal *Literal // when the argument is a constant
}

// Overload is the answer to a resolved call.
type Overload struct {
	Name     string       // canonical name
	Args     []types.Type // the types to convert the arguments to, one per argument
	Result   types.Type
	Volatile bool
}

// Functions resolves calls. The registry behind it (exec/eval for scalars, exec/agg for
// aggregates) has one entry per function; the binder sees only this.
type Functions interface {
	// Scalar resolves a function or operator by its canonical name (upper case). An error is
	// about the arguments; it names both types and has no position (the caller adds it).
	// ErrUnknown (wrapped) means that there is no such function.
	Scalar(name string, args []Arg) (Overload, error)
	// Aggregate does the same for aggregate functions; COUNT(*) is COUNT without arguments.
	Aggregate(name string, args []Arg, distinct bool) (Overload, error)
	// IsAggregate reports whether name is an aggregate function.
	IsAggregate(name string) bool
	// Cast reports whether a value of type from may be cast to type to (CAST in SQL text),
	// with the reason when not. The result's nullability is that of from, except TRY_CAST.
	Cast(from, to types.Type) error
	// Names lists the canonical names of all functions, for suggestions and SHOW FUNCTIONS.
	Names() []string
}
