package sql

import (
	"strings"

	"github.com/sqlstream/sqlstream/sql/suggest"
)

// habits are words of other dialects that the grammar knows no place for, and what to write.
var habits = map[string]string{
	"ILIKE": "write LOWER(a) LIKE LOWER(b)", "RLIKE": "write REGEXP(text, 'pattern')", "REGEXP": "write REGEXP(text, 'pattern')",
	"DIV": "integers divide to integers: write a / b", "MOD": "write MOD(a, b) or a % b", "EMIT": "a query emits its changes by itself: leave EMIT CHANGES out",
	"RETURNING": "", "TOP": "write LIMIT", "MEMBER": "write ARRAY_CONTAINS(array, x)", "PIVOT": "write aggregates with FILTER (WHERE ..)",
	"STRAIGHT_JOIN": "write JOIN",
}

// advice says what to do about the token that stands where it must not.
func (p *parser) advice() string {
	t := p.tok()
	prev := token{}
	if p.i > 0 {
		prev = p.toks[p.i-1]
	}
	for _, w := range []token{t, prev} { // an unreserved word was taken as an alias: the trouble comes after it
		if hint := habits[w.upper]; hint != "" && w.kind == word {
			return hint
		}
	}
	switch {
	case t.kind == text && (prev.kind == word && !reserved[prev.upper] || prev.kind == quoted):
		return "a name stands in backquotes, a string is never an alias"
	case t.is("?"):
		return "there are no parameters"
	case prev.is(",") && (t.is(")") || t.is("FROM")):
		return "take the comma before it away"
	case t.kind == word && statementWords[t.upper] && p.i > 0 && !prev.is(";"):
		return "put a semicolon between two statements"
	}
	for _, w := range []token{t, prev} {
		if near := suggest.Nearest(w.upper, clauseWords); w.kind == word && !keywords[w.upper] && len(near) > 0 && len(w.upper) > 3 {
			return didYouMean(w.value, near)
		}
	}
	return ""
}

// didYouMean proposes what a misspelt word may have been.
func didYouMean(found string, near []string) string {
	if len(near) == 0 {
		return ""
	}
	return "is " + found + " meant to be " + strings.Join(near, " or ") + "?"
}

// clauseWords are the words that a misspelling is likely of where a clause may begin.
var clauseWords = []string{"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "JOIN", "INNER", "CROSS", "LEFT", "RIGHT",
	"SELECT", "BETWEEN", "LIKE", "WITH", "PARTITIONED", "COMMENT", "WINDOW", "OVER", "METADATA", "VIRTUAL", "WATERMARK", "PRIMARY", "ENFORCED"}

// startWords begin a statement.
var startWords = []string{"SELECT", "WITH", "VALUES", "INSERT", "CREATE", "DROP", "ALTER", "EXECUTE", "EXPLAIN", "SHOW", "DESCRIBE", "DESC", "USE", "SET", "RESET", "STOP", "BEGIN"}

var statementWords = map[string]bool{"CREATE": true, "INSERT": true, "DROP": true, "ALTER": true, "EXPLAIN": true, "SHOW": true, "EXECUTE": true}
