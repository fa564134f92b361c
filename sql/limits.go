package sql

// The limits on one statement. They keep parsing under a second and every recursion over a
// tree, here and in all who walk it later, far from the end of the stack.
const (
	maxStatement = 1 << 20 // bytes
	maxDepth     = 256     // brackets, subqueries, types and CASEs inside each other
	maxOperators = 16_384  // operators in one expression, not counting those in brackets
	maxList      = 16_384  // terms of an IN list, arguments of a call
	maxColumns   = 4_096   // of a table, a select list, a row of VALUES
	maxSetOps    = 1_024   // UNIONs and the like of a statement
	maxRows      = 65_536  // of VALUES
)
