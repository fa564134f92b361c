package ast

// Query is [WITH ..] body [ORDER BY ..] [LIMIT ..] [OFFSET ..].
type Query struct {
	Span
	With    []*CTE
	Body    QueryBody
	OrderBy []OrderItem
	Limit   *NumberLit // nil also for LIMIT ALL
	Offset  *NumberLit
}

// QueryBody is *Select, *SetOp, *Values, *TableQuery, or *Query: a query in brackets that has
// a WITH, ORDER BY, LIMIT or OFFSET of its own.
type QueryBody interface {
	Node
	body()
}

// CTE is one name of WITH.
type CTE struct {
	At
	Name    Ident
	Columns []Ident
	Query   *Query
}

// SetOp is left UNION|INTERSECT|EXCEPT [ALL] right. Pos is that of the word.
type SetOp struct {
	At
	Op          SetOperator
	All         bool
	Left, Right QueryBody
}

// SetOperator tells set operations apart.
type SetOperator uint8

// The set operations; Intersect binds tighter than the other two.
const (
	Union SetOperator = iota
	Except
	Intersect
)

var setNames = [...]string{Union: "UNION", Except: "EXCEPT", Intersect: "INTERSECT"}

// String returns the word.
func (o SetOperator) String() string { return setNames[o] }

// Values is VALUES (..), (..).
type Values struct {
	At
	Rows [][]Expr
}

// TableQuery is TABLE t as a query.
type TableQuery struct {
	At
	Table Path
}

// Select is one SELECT.
type Select struct {
	At
	Hints    []*Hint
	Distinct bool
	Items    []SelectItem
	From     TableExpr // nil without FROM; a comma is a cross join
	Where    Expr
	GroupBy  *GroupBy
	Having   Expr
	Windows  []NamedWindow
	Qualify  Expr
}

// SelectItem is expr [AS alias], also of MEASURES.
type SelectItem struct {
	At
	Expr  Expr
	Alias *Ident
}

// GroupBy is the GROUP BY clause.
type GroupBy struct {
	At
	Distinct bool // GROUP BY DISTINCT
	Elements []GroupElement
}

// GroupElement is one element of GROUP BY. GroupExpr has one expression in Exprs, GroupTuple
// any number: (a, b) or (). The others have their elements in Sets.
type GroupElement struct {
	At
	Kind  GroupKind
	Exprs []Expr
	Sets  []GroupElement
}

// GroupKind tells group elements apart.
type GroupKind uint8

// The group elements.
const (
	GroupExpr GroupKind = iota
	GroupTuple
	GroupingSets
	Rollup
	Cube
)

// NamedWindow is one name of the WINDOW clause.
type NamedWindow struct {
	At
	Name Ident
	Spec *Window
}

// OrderItem is expr [ASC|DESC] [NULLS FIRST|LAST].
type OrderItem struct {
	At
	Expr  Expr
	Desc  bool
	Nulls NullOrder
}

// NullOrder is NULLS FIRST or NULLS LAST.
type NullOrder uint8

// NullsDefault is neither: NULL is the smallest value.
const (
	NullsDefault NullOrder = iota
	NullsFirst
	NullsLast
)

// Hint is NAME(args) in /*+ .. */ after SELECT or a table.
type Hint struct {
	At
	Name    Ident
	Options []Option  // NAME('k' = 'v', ..)
	Args    []HintArg // NAME(a, 'b', 3)
}

// HintArg is an argument that is not key = value.
type HintArg struct {
	At
	Text   string
	String bool // it is a string literal
}

func (*Query) body()      {}
func (*Select) body()     {}
func (*SetOp) body()      {}
func (*Values) body()     {}
func (*TableQuery) body() {}
