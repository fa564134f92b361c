package sql

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
	case t.kind == text && (prev.kind == word || prev.kind == quoted):
		return "a name stands in backquotes, a string is never an alias"
	case t.is("?"):
		return "there are no parameters"
	case prev.is(",") && (t.is(")") || t.is("FROM")):
		return "take the comma before it away"
	case t.kind == word && statementWords[t.upper] && p.i > 0 && !prev.is(";"):
		return "put a semicolon between two statements"
	}
	return ""
}

var statementWords = map[string]bool{"CREATE": true, "INSERT": true, "DROP": true, "ALTER": true, "EXPLAIN": true, "SHOW": true, "EXECUTE": true}
