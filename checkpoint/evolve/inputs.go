package evolve

import (
	"slices"
	"strings"
)

// otherRows says why the state was made of other rows than the plan would have made it of, "" when it was not.
// follows: that is so only because of what is below it, and accepted there.
func (c *comparison) otherRows(p *pair) (why string, follows bool) {
	var list, other []string
	if len(p.how.added) > 0 {
		list = append(list, "also rows of "+inputNames(p.how.added)+" reach it")
	}
	if len(p.how.removed) > 0 {
		list = append(list, "rows of "+inputNames(p.how.removed)+" do not reach it any more")
	}
	if len(list) == 0 && !c.sameConditions(p) {
		list = append(list, "other rows reach it: a filter or watermark below has changed")
	}
	follows = len(list) == 0
	for _, id := range p.now.Inputs {
		if accepted, is := c.below[id]; is && !slices.Contains(p.how.added, id) {
			other = append(other, id)
			follows = follows && accepted
		}
	}
	if len(other) > 0 {
		list = append(list, inputNames(other)+" below it has changed")
	}
	return strings.Join(list, "; "), follows
}

// sameConditions reports whether the same filters and watermarks decide about the rows of an operator.
func (c *comparison) sameConditions(p *pair) bool {
	if p.old.Fingerprint == p.now.Fingerprint {
		return true
	}
	was, is := p.old.Conditions, p.now.Conditions
	known := hash(was, len(p.old.Fingerprint)) == p.old.Fingerprint && hash(is, len(p.now.Fingerprint)) == p.now.Fingerprint
	return known && ownConditions(c.oldText(was, p.how)) == ownConditions(c.newText(is, p.how))
}

// ownConditions leaves out those of the queries below, which have said themselves what has changed.
func ownConditions(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			end := min(endOfQuote(s, i)+1, len(s))
			b.WriteString(s[i:end])
			i = end - 1
		case '{':
			b.WriteString("{}")
			i = closing(s, i) - 1
		default:
			b.WriteByte(s[i])
		}
	}
	return strings.NewReplacer(" and {}", "", "{} and ", "", "{}", "").Replace(b.String())
}

func inputNames(ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = shortPath(id)
		if strings.HasPrefix(id, "{") {
			out[i] = "the query"
		}
	}
	return strings.Join(out, ", ")
}
