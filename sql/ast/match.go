package ast

// MatchRecognize is table MATCH_RECOGNIZE ( .. ) [AS alias].
type MatchRecognize struct {
	At
	Input       TableExpr // *TableName or *Derived
	PartitionBy []Expr
	OrderBy     []OrderItem
	Measures    []SelectItem
	Rows        RowsPerMatch
	After       *AfterMatch
	Pattern     Pattern
	Anchored    bool // ^ before the pattern
	AnchoredEnd bool // $ after it
	Within      Expr
	Subsets     []Subset
	Defines     []Define
	Alias       *Alias
}

// RowsPerMatch is ONE ROW or ALL ROWS PER MATCH.
type RowsPerMatch uint8

// DefaultRows is neither: one row.
const (
	DefaultRows RowsPerMatch = iota
	OneRow
	AllRows
)

// AfterMatch is AFTER MATCH SKIP ..; Variable is set for the last three.
type AfterMatch struct {
	At
	Skip     Skip
	Variable Ident
}

// Skip says where matching goes on.
type Skip uint8

// The places; SkipTo is that of the variable's last row.
const (
	SkipPastLastRow Skip = iota
	SkipToNextRow
	SkipToFirst
	SkipToLast
	SkipTo
)

// Subset is SUBSET name = (a, b).
type Subset struct {
	At
	Name      Ident
	Variables []Ident
}

// Define is variable AS condition.
type Define struct {
	At
	Variable Ident
	Cond     Expr
}

// Pattern is a row pattern: *PatternVar, *PatternSeq, *PatternAlt, *PatternRepeat,
// *PatternPermute or *PatternExclude.
type Pattern interface {
	Node
	pattern()
}

// PatternVar is one pattern variable.
type PatternVar struct {
	At
	Name Ident
}

// PatternSeq is a b c.
type PatternSeq struct {
	At
	Items []Pattern
}

// PatternAlt is a | b | c.
type PatternAlt struct {
	At
	Items []Pattern
}

// PatternRepeat is item{Min,Max}: * + ? {n} {n,m} {,m}. Max -1: no limit.
type PatternRepeat struct {
	At
	Item      Pattern
	Min, Max  int
	Reluctant bool // followed by ?
}

// PatternPermute is PERMUTE(a, b).
type PatternPermute struct {
	At
	Items []Pattern
}

// PatternExclude is {- item -}.
type PatternExclude struct {
	At
	Item Pattern
}

func (*PatternVar) pattern()     {}
func (*PatternSeq) pattern()     {}
func (*PatternAlt) pattern()     {}
func (*PatternRepeat) pattern()  {}
func (*PatternPermute) pattern() {}
func (*PatternExclude) pattern() {}
