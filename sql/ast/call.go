package ast

// Call is a function call, with all that may follow the brackets. The odd syntaxes of some
// functions are ordinary arguments here, in the order of the words:
//
//	EXTRACT(unit FROM x), FLOOR(x TO unit), TIMESTAMPADD(unit, n, x)   a unit is a *UnitArg
//	TRIM([BOTH|LEADING|TRAILING] [c] FROM x)   *Symbol, c, x (BOTH and ' ' when absent); TRIM(x) keeps its one argument
//	SUBSTRING(x FROM a FOR b), OVERLAY(x PLACING y FROM a FOR b), POSITION(x IN y)   plain arguments
//	JSON_OBJECT(KEY k VALUE v, ..)   k, v, k, v; the clauses of the JSON functions are in JSON
type Call struct {
	At
	Name     Path
	Args     []Expr // *NamedArg, *TableArg, *Descriptor, *UnitArg and *Symbol stand only here
	Star     bool   // COUNT(*); Args is empty
	Distinct bool
	// Niladic is a call without brackets: CURRENT_TIMESTAMP.
	Niladic     bool
	JSON        *JSONClauses
	WithinGroup []OrderItem
	Filter      Expr
	Nulls       NullTreatment
	Over        *Window
	// Match is RUNNING or FINAL before a function in MATCH_RECOGNIZE.
	Match MatchSemantics
}

// NullTreatment is IGNORE NULLS or RESPECT NULLS after a call.
type NullTreatment uint8

// DefaultNulls is neither of the two.
const (
	DefaultNulls NullTreatment = iota
	IgnoreNulls
	RespectNulls
)

// MatchSemantics is RUNNING or FINAL before a call.
type MatchSemantics uint8

// DefaultSemantics is neither of the two.
const (
	DefaultSemantics MatchSemantics = iota
	Running
	Final
)

// NamedArg is name => value.
type NamedArg struct {
	At
	Name  Ident
	Value Expr
}

// UnitArg is a unit of time as an argument.
type UnitArg struct {
	At
	Unit Unit
}

// Symbol is a keyword as an argument: BOTH, LEADING, TRAILING, DEFAULT.
type Symbol struct {
	At
	Name string // upper case
}

// Descriptor is DESCRIPTOR(a, b).
type Descriptor struct {
	At
	Columns []Ident
}

// TableArg is TABLE t [PARTITION BY ..] [ORDER BY ..], or a query in brackets without the
// word, as an argument of a table function: one of Table and Query is set.
type TableArg struct {
	At
	Table       *TableName
	Query       *Query
	PartitionBy []Expr
	OrderBy     []OrderItem
}

// JSONClauses are the words inside the brackets of the JSON functions.
type JSONClauses struct {
	At
	Returning *TypeRef
	Wrapper   string // JSON_QUERY: "WITHOUT ARRAY", "WITH CONDITIONAL ARRAY", "WITH UNCONDITIONAL ARRAY", or ""
	OnEmpty   *JSONBehavior
	OnError   *JSONBehavior
	OnNull    string // JSON_OBJECT, JSON_ARRAY and their aggregates: "NULL", "ABSENT" or ""
}

// JSONBehavior is what comes before ON EMPTY or ON ERROR.
type JSONBehavior struct {
	At
	Kind    string // NULL, ERROR, TRUE, FALSE, UNKNOWN, EMPTY ARRAY, EMPTY OBJECT, DEFAULT
	Default Expr   // for DEFAULT
}

// Window is what stands after OVER or in the WINDOW clause: the name of a window of the
// WINDOW clause (then nothing else is set), or a specification, which may extend Base.
type Window struct {
	At
	Name        *Ident // OVER w
	Base        *Ident // OVER (w ORDER BY ..)
	PartitionBy []Expr
	OrderBy     []OrderItem
	Frame       *Frame
}

// Frame is ROWS or RANGE. Without BETWEEN, End is CURRENT ROW.
type Frame struct {
	At
	Rows       bool // false: RANGE
	Start, End Bound
}

// Bound is one end of a frame.
type Bound struct {
	At
	Kind   BoundKind
	Offset Expr // for Preceding and Following
}

// BoundKind tells bounds apart.
type BoundKind uint8

// The bounds, in their order in time.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

func (*Call) expr()       {}
func (*NamedArg) expr()   {}
func (*UnitArg) expr()    {}
func (*Symbol) expr()     {}
func (*Descriptor) expr() {}
func (*TableArg) expr()   {}
