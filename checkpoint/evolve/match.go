package evolve

import (
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// pair is an operator of the snapshot and the one of the plan that its state goes to.
type pair struct {
	old, now *checkpoint.Operator
	how      relation
}

// relation is how an operator of the plan relates to one of the snapshot.
type relation struct {
	added, removed []string // inputs
	renamed        []string // inputs, as the plan has them, that had another identity
	keys, window   bool     // are the same, but for those inputs
}

// comparison is one call of Compare.
type comparison struct {
	old    *checkpoint.Manifest
	now    Target
	allow  *allowed
	report *Report

	pairs  map[*checkpoint.Operator]*pair // by the plan's
	gone   []*checkpoint.Operator         // of the snapshot, without one in the plan
	inputs map[string]string              // identities of the snapshot that have others in the plan
	names  renames
	others []string             // inputs that operators have on one side only
	below  map[string]bool      // aggregates of the plan, by their text, that are made of other rows; whether that is accepted
	texts  [2]map[string]string // the text of an aggregate, in braces, by the stem of its UID: snapshot, plan
}

// matters reports whether a checkpoint has something of an operator.
func matters(o *checkpoint.Operator) bool { return o.Kind == kindSource || len(o.Tables) > 0 }

func pointers(ops []checkpoint.Operator, fits func(*checkpoint.Operator) bool) []*checkpoint.Operator {
	var out []*checkpoint.Operator
	for i := range ops {
		if fits(&ops[i]) {
			out = append(out, &ops[i])
		}
	}
	return out
}

func isSource(o *checkpoint.Operator) bool { return o.Kind == kindSource }
func hasState(o *checkpoint.Operator) bool { return len(o.Tables) > 0 }

// match pairs the operators.
func (c *comparison) match() {
	c.pairs, c.inputs, c.below = map[*checkpoint.Operator]*pair{}, map[string]string{}, map[string]bool{}
	c.texts = [2]map[string]string{aggregateTexts(c.old.Operators), aggregateTexts(c.now.Operators)}

	was, is := pointers(c.old.Operators, isSource), pointers(c.now.Operators, isSource)
	was, is = c.sameStems(was, is)
	was, _ = c.sources(was, is)
	c.gone = was

	was, is = pointers(c.old.Operators, hasState), pointers(c.now.Operators, hasState)
	was, is = c.sameStems(was, is)
	was, is = c.related(was, is, func(r relation) bool { return r.keys && r.window })
	was, _ = c.related(was, is, func(r relation) bool { return len(r.added)+len(r.removed) == 0 })
	c.gone = append(c.gone, was...)
}

// sameStems pairs operators whose UIDs have one stem, the most similar first.
func (c *comparison) sameStems(was, is []*checkpoint.Operator) (left, open []*checkpoint.Operator) {
	fits := func(o, n *checkpoint.Operator) bool {
		return stem(o.UID) == stem(n.UID) && (o.Kind == kindSource) == (n.Kind == kindSource)
	}
	return c.best(was, is, fits)
}

// best pairs what fits, the most similar first, and returns what is left on both sides.
func (c *comparison) best(was, is []*checkpoint.Operator, fits func(o, n *checkpoint.Operator) bool) (left, open []*checkpoint.Operator) {
	type candidate struct {
		o, n  *checkpoint.Operator
		score int
	}
	var list []candidate
	for _, n := range is {
		for _, o := range was {
			if fits(o, n) {
				list = append(list, candidate{o, n, c.similarity(o, n)})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return b.score - a.score })
	taken := map[*checkpoint.Operator]bool{}
	for _, x := range list {
		if !taken[x.o] && !taken[x.n] {
			taken[x.o], taken[x.n] = true, true
			c.pair(x.o, x.n)
		}
	}
	rest := func(ops []*checkpoint.Operator) (out []*checkpoint.Operator) {
		for _, o := range ops {
			if !taken[o] {
				out = append(out, o)
			}
		}
		return out
	}
	return rest(was), rest(is)
}

func (c *comparison) pair(o, n *checkpoint.Operator) {
	p := &pair{old: o, now: n, how: c.relate(o, n)}
	c.pairs[n] = p
	c.others = slices.Concat(c.others, p.how.added, p.how.removed)
	if stem(o.UID) != stem(n.UID) {
		c.names.add(c.texts[0][stem(o.UID)], c.texts[1][stem(n.UID)])
	}
}

// similarity orders the candidates for one operator: those that keep something of the same first, then
// those of the same rows, then those that feed the same sink.
func (c *comparison) similarity(o, n *checkpoint.Operator) int {
	score := 0
	if o.Sink == n.Sink {
		score += 200
	}
	if o.UID == n.UID {
		score++
	}
	if !hasState(o) || !hasState(n) {
		return score
	}
	both, all := 0, map[string]bool{}
	for _, s := range o.Tables[0].Slots {
		all[s.ID] = true
	}
	total := len(all)
	for _, s := range n.Tables[0].Slots {
		if all[s.ID] {
			both++
		} else {
			total++
		}
	}
	if both == 0 {
		return score
	}
	if score += 2000 + 100*both/total; o.Fingerprint == n.Fingerprint {
		score += 1000
	}
	return score
}

// sources pairs a source that is gone with the one of the plan that has its name in the catalog,
// or, under another name, its place. A place has a colon: what only names a connector, as datagen, is none.
func (c *comparison) sources(was, is []*checkpoint.Operator) (left, open []*checkpoint.Operator) {
	id := func(o *checkpoint.Operator) string { return strings.Join(o.Inputs, " ") }
	was, is = c.best(was, is, func(o, n *checkpoint.Operator) bool { return tablePath(id(o)) == tablePath(id(n)) })
	was, is = c.best(was, is, func(o, n *checkpoint.Operator) bool {
		return strings.Contains(place(id(o)), ":") && place(id(o)) == place(id(n))
	})
	for n, p := range c.pairs {
		from, to := id(p.old), id(n)
		if from == to {
			continue
		}
		c.inputs[from] = to
		c.names.source(from, to)
	}
	return was, is
}

// related pairs operators of one kind with inputs in common; inner ones come first, so that the names
// of those above are known.
func (c *comparison) related(was, is []*checkpoint.Operator, fits func(relation) bool) (left, open []*checkpoint.Operator) {
	for _, n := range is {
		var rest []*checkpoint.Operator
		was, rest = c.best(was, []*checkpoint.Operator{n}, func(o, n *checkpoint.Operator) bool {
			r := c.relate(o, n)
			return o.Kind == n.Kind && len(r.added) < len(n.Inputs) && fits(r)
		})
		open = append(open, rest...)
	}
	return was, open
}

// relate compares two operators of one kind.
func (c *comparison) relate(o, n *checkpoint.Operator) relation {
	var r relation
	in := make([]string, len(o.Inputs))
	for i, id := range o.Inputs {
		in[i] = id
		if to, ok := c.inputs[id]; ok {
			in[i] = to
		} else if strings.HasPrefix(id, "{") {
			in[i] = c.names.apply(id)
		}
		switch {
		case !slices.Contains(n.Inputs, in[i]):
			r.removed = append(r.removed, in[i])
		case in[i] != id:
			r.renamed = append(r.renamed, in[i])
		}
	}
	for _, id := range n.Inputs {
		if !slices.Contains(in, id) {
			r.added = append(r.added, id)
		}
	}
	r.window = c.oldText(o.Window, r) == c.newText(n.Window, r)
	if r.keys = hasState(o) == hasState(n); r.keys && hasState(o) {
		r.keys = slices.EqualFunc(o.Tables[0].Key, n.Tables[0].Key, func(a, b checkpoint.KeyPart) bool { return c.sameKey(a, b, r) })
	}
	return r
}

// oldText and newText write a canonical text of the snapshot, and of the plan, so that they can be
// compared: under the plan's names, without the inputs that only one of them has and without types that
// may be wider.
func (c *comparison) oldText(s string, r relation) string { return c.newText(c.names.apply(s), r) }

func (c *comparison) newText(s string, r relation) string {
	return untyped(without(s, slices.Concat(c.others, r.added, r.removed)))
}

// sameKey reports whether two parts of keys are of one column; their types may differ.
func (c *comparison) sameKey(a, b checkpoint.KeyPart, r relation) bool {
	if a.Form != b.Form || a.Form != formColumn {
		return a.Form == b.Form
	}
	return a.ID == b.ID || a.Text != "" && c.oldText(a.Text, r) == c.newText(b.Text, r)
}

// aggregateTexts finds the texts of aggregates in the inputs of others.
func aggregateTexts(ops []checkpoint.Operator) map[string]string {
	out := map[string]string{}
	for _, o := range ops {
		for _, in := range o.Inputs {
			if text, ok := strings.CutPrefix(in, "{"); ok {
				out[stemOf(strings.TrimSuffix(text, "}"))] = in
			}
		}
	}
	return out
}
