package evolve

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// closing returns the index behind the bracket that closes the one at s[i], and len(s) when
// nothing does. Quoted names are passed over.
func closing(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = endOfQuote(s, i)
		case '`':
			if end := strings.IndexByte(s[i+1:], '`'); end >= 0 {
				i += 1 + end
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// endOfQuote returns the index of the quote that ends the Go string at s[i].
func endOfQuote(s string, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i
}

// call is the canonical text of an aggregate: NAME distinct(args){filter}:TYPE.
type call struct {
	name     string
	distinct bool
	args     string
	filter   string
	typ      string
}

func parseCall(text string) (c call, ok bool) {
	open := strings.IndexByte(text, '(')
	if open < 0 {
		return c, false
	}
	c.name, c.distinct = strings.CutSuffix(text[:open], " distinct")
	end := closing(text, open)
	if end > len(text)-1 {
		return c, false
	}
	c.args = text[open+1 : end-1]
	if rest := text[end:]; rest[0] == '{' {
		stop := closing(text, end)
		if stop > len(text)-1 {
			return c, false
		}
		c.filter, end = text[end+1:stop-1], stop
	}
	c.typ, ok = strings.CutPrefix(text[end:], ":")
	return c, ok
}

// use is how the aggregate's counter or bit in a table of values is called, without its first word.
func (c call) use() string {
	s := " of " + c.args
	if c.filter != "" {
		s += " where " + c.filter
	}
	return s
}

// same reports whether two aggregates are over the same values: argument, DISTINCT, FILTER.
func (c call) same(o call) bool {
	return c.args == o.args && c.distinct == o.distinct && c.filter == o.filter
}

// renames replaces texts, the last added first: what was added later may hold what was added before.
type renames []struct{ from, to string }

func (r *renames) add(from, to string) {
	if from != "" && to != "" && from != to {
		*r = append(*r, struct{ from, to string }{from, to})
	}
}

// source notes that a table has another identity.
func (r *renames) source(from, to string) {
	r.add(strconv.Quote(from)+".", strconv.Quote(to)+".")
	r.add(strconv.Quote(from)+"@", strconv.Quote(to)+"@")
}

func (r renames) apply(s string) string {
	for i := len(r) - 1; i >= 0; i-- {
		s = strings.ReplaceAll(s, r[i].from, r[i].to)
	}
	return s
}

// without takes the columns of some inputs out of the unions in a canonical text.
func without(s string, gone []string) string {
	if len(gone) == 0 || !strings.Contains(s, "union(") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		switch {
		case s[i] == '"':
			end := min(endOfQuote(s, i)+1, len(s))
			b.WriteString(s[i:end])
			i = end
		case strings.HasPrefix(s[i:], "union("):
			end := closing(s, i+len("union"))
			b.WriteString(branches(s[i+len("union("):max(end-1, i+len("union("))], gone))
			i = end
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}

// branches writes the union of those columns that do not come from gone.
func branches(args string, gone []string) string {
	var keep []string
	for _, a := range split(args) {
		if !slices.ContainsFunc(gone, func(id string) bool { return comesFrom(a, id) }) {
			keep = append(keep, without(a, gone))
		}
	}
	slices.Sort(keep)
	if keep = slices.Compact(keep); len(keep) == 1 {
		return keep[0]
	}
	return "union(" + strings.Join(keep, ",") + ")"
}

// comesFrom reports whether an origin is of a column of an input: a table, or, in braces, an aggregate.
func comesFrom(origin, input string) bool {
	if strings.HasPrefix(input, "{") {
		return strings.Contains(origin, " of "+input)
	}
	q := strconv.Quote(input)
	return strings.Contains(origin, q+".") || strings.Contains(origin, q+"@")
}

// split cuts a list at its commas.
func split(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			i = endOfQuote(s, i)
		case '(', '[', '{':
			i = closing(s, i) - 1
		case ',':
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// typed is the type of an aggregate whose result is a column.
var typed = regexp.MustCompile(`:[A-Z_]+(\([0-9]+(, [0-9]+)?\))? of \{`)

// untyped takes the types of aggregates below out of a canonical text.
func untyped(s string) string {
	if !strings.Contains(s, " of {") {
		return s
	}
	return typed.ReplaceAllString(s, " of {")
}

// stem is a UID without what tells nodes with one text apart.
func stem(uid string) string {
	s, _, _ := strings.Cut(uid, "-")
	return s
}

// stemOf is the UID that package planner makes of an aggregate's text.
func stemOf(text string) string { return hash(text, 20) }

// hash is package planner's.
func hash(text string, length int) string {
	sum := sha256.Sum256([]byte(text))
	return base32Lower.EncodeToString(sum[:])[:min(length, 52)]
}

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// tablePath is the catalog's name of the table with an identity, see planner: path|connector's identity.
func tablePath(identity string) string {
	path, _, _ := strings.Cut(identity, "|")
	return path
}

// shortPath leaves out the default catalog and database.
func shortPath(identity string) string {
	return strings.TrimPrefix(tablePath(identity), "default_catalog.default_database.")
}

// place is the connector's part of an identity: "kafka:orders".
func place(identity string) string {
	_, p, _ := strings.Cut(identity, "|")
	return p
}
