package planner

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/rules"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/types"
)

const (
	uidVersion  = "v1"
	uidLength   = 20
	maxOrigin   = 4096 // bytes
	shortLength = 12   // of slots and fingerprints
	tieLength   = 6
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func hash(text string, length int) string {
	sum := sha256.Sum256([]byte(text))
	return base32Lower.EncodeToString(sum[:])[:length]
}

// identity is what a relation is, whatever the query around it looks like. See the package
// comment.
type identity struct {
	columns []string // origin of each column
	in      []string // what it descends from, sorted
	filters []string // conditions that hold for its rows, sorted
	time    []string // what decides about its time, sorted
	text    string   // aggregates: what the UID is the hash of
	made    plan.Origin
}

// origin names columns by their origin, for expr.Canonical.
func (id *identity) origin(c *expr.Column) string { return id.columns[c.Index] }

func (b *builder) identity(n rel.Node) *identity {
	if id, ok := b.ids[n]; ok {
		return id
	}
	id := b.identityOf(n)
	b.ids[n] = id
	return id
}

func (b *builder) identityOf(n rel.Node) *identity {
	switch n := n.(type) {
	case *rel.Scan:
		return b.scanIdentity(n)
	case *rel.Values:
		return valuesIdentity(n)
	case *rel.Filter:
		id := *b.identity(n.Input)
		id.filters = add(id.filters, conditions(n.Cond, id.origin)...)
		return &id
	case *rel.Project:
		in := b.identity(n.Input)
		id := *in
		id.columns, id.text = nil, ""
		for _, e := range n.Exprs {
			id.columns = append(id.columns, short(expr.Canonical(e, in.origin)))
		}
		return &id
	case *rel.Window:
		id := *b.identity(n.Input)
		spec := windowText(n, id.columns)
		id.columns = slices.Clone(id.columns)
		for _, f := range rel.WindowColumns(types.TimestampT(3)) {
			id.columns = append(id.columns, f.Name+"("+spec+")")
		}
		id.time = b.windowTime(id.time, n)
		return &id
	case *rel.Union:
		return b.unionIdentity(n)
	case *rel.Aggregate:
		return aggregateIdentity("GroupAggregate", b.identity(n.Input), n.Keys, n.Aggs, "", n.UID)
	case *rel.WindowAggregate:
		in := b.identity(n.Input)
		var spec string
		if n.Window != nil {
			spec = windowText(n.Window, in.columns)
		} else {
			spec = "attached " + in.columns[n.Start]
		}
		id := aggregateIdentity("WindowAggregate", in, n.Keys, n.Aggs, spec, n.UID)
		if n.Window != nil {
			id.time = b.windowTime(id.time, &rel.Window{Input: n.Input, Time: n.Window.Time})
		}
		for _, bound := range n.Bounds {
			id.columns = append(id.columns, rel.WindowColumns(types.TimestampT(3))[bound].Name+"("+spec+")")
		}
		return id
	}
	return &identity{}
}

// short replaces a very long origin by its hash: expressions over expressions may double at
// every level of a query.
func short(origin string) string {
	if len(origin) <= maxOrigin {
		return origin
	}
	return "hash(" + hash(origin, 2*uidLength) + ")"
}

func (b *builder) scanIdentity(n *rel.Scan) *identity {
	table := b.tables[n]
	name := strconv.Quote(tableIdentity(table))
	stored := n.Table.Stored()
	storedOrigin := make([]string, len(stored))
	for i, f := range stored {
		if c := n.Table.Column(f.Name); c.Kind == catalog.Metadata {
			storedOrigin[i] = name + "@" + strconv.Quote(c.MetaKey)
		} else {
			storedOrigin[i] = name + "." + strconv.Quote(f.Name)
		}
	}
	all := make([]string, len(n.Table.Columns))
	for i, c := range n.Table.Columns {
		if c.Kind == catalog.Computed {
			all[i] = expr.Canonical(c.Expr, func(c *expr.Column) string { return storedOrigin[c.Index] })
		} else {
			all[i] = storedOrigin[stored.Index(c.Name)]
		}
	}
	id := &identity{in: []string{tableIdentity(table)}}
	for _, c := range n.Cols {
		id.columns = append(id.columns, all[c])
	}
	if w := n.Table.Watermark; w != nil {
		id.time = []string{"watermark " + expr.Canonical(w.Expr, func(c *expr.Column) string { return all[c.Index] })}
	}
	if n.Filter != nil {
		id.filters = add(nil, conditions(n.Filter, id.origin)...)
	}
	return id
}

func valuesIdentity(n *rel.Values) *identity {
	var rows strings.Builder
	for _, row := range n.Rows {
		rows.WriteByte('(')
		for _, e := range row {
			rows.WriteString(expr.Canonical(e, func(*expr.Column) string { return "" }) + ",")
		}
		rows.WriteByte(')')
	}
	name := "values " + hash(rows.String(), shortLength)
	id := &identity{in: []string{name}}
	for i := range n.Out {
		id.columns = append(id.columns, fmt.Sprintf("%q.%d", name, i))
	}
	return id
}

// unionIdentity: the order of the inputs does not matter, and equal ones count only in the
// conditions.
func (b *builder) unionIdentity(n *rel.Union) *identity {
	id := &identity{}
	columns := make([][]string, len(n.Out))
	var branches []string
	for _, in := range n.In {
		i := b.identity(in)
		id.in, id.time = add(id.in, i.in...), add(id.time, i.time...)
		for c, origin := range i.columns {
			columns[c] = add(columns[c], origin)
		}
		branches = append(branches, "["+strings.Join(i.filters, " and ")+"] of "+strings.Join(i.in, ", "))
	}
	slices.Sort(branches)
	id.filters = []string{"union of " + strings.Join(branches, " or ")}
	for _, origins := range columns {
		if len(origins) == 1 {
			id.columns = append(id.columns, origins[0])
		} else {
			id.columns = append(id.columns, "union("+strings.Join(origins, ",")+")")
		}
	}
	return id
}

func aggregateIdentity(kind string, in *identity, keys []int, aggs []expr.Aggregate, window, uid string) *identity {
	id := &identity{time: in.time, made: plan.Origin{Window: window, Inputs: in.in}}
	for _, k := range keys {
		id.columns = append(id.columns, in.columns[k])
	}
	id.text = strings.Join([]string{uidVersion, kind, "keys: " + strings.Join(id.columns, ", "), "window: " + window, "in: " + strings.Join(in.in, ", ")}, " | ")
	if uid != "" {
		id.text = hinted(uid)
	}
	for i := range aggs {
		id.columns = append(id.columns, aggs[i].Canonical(in.origin)+" of {"+id.text+"}")
	}
	id.in = []string{"{" + id.text + "}"}
	if len(in.filters) > 0 {
		id.filters = []string{"{" + strings.Join(in.filters, " and ") + "}"}
	}
	return id
}

// windowText is the window function and the origin of its time.
func windowText(w *rel.Window, columns []string) string {
	kind := [...]string{rel.Tumble: "tumble", rel.Hop: "hop"}[w.Kind]
	return fmt.Sprintf("%s %d %d %d %s", kind, w.Size.Milliseconds(), w.Slide.Milliseconds(), w.Shift.Milliseconds(), columns[w.Time])
}

// windowTime adds what a window over w's time depends on.
func (b *builder) windowTime(of []string, w *rel.Window) []string {
	t := w.Input.Schema()[w.Time].Type
	if t.Kind == types.TimestampLTZ {
		of = add(of, "zone "+b.Settings.TimeZone())
	}
	return of
}

// conditions splits a filter and writes its parts over origins.
func conditions(e expr.Expr, origin func(*expr.Column) string) []string {
	var out []string
	for _, c := range rules.Conjuncts(e) {
		out = append(out, expr.Canonical(c, origin))
	}
	return out
}

// add returns the sorted set of both.
func add(set []string, more ...string) []string {
	out := append(slices.Clone(set), more...)
	slices.Sort(out)
	return slices.Compact(out)
}

// identify gives every node its UID, and those with state their tables and fingerprint.
func (b *builder) identify() error {
	for _, n := range b.job.Nodes {
		f := b.facts[n.ID]
		kind := n.Op.Kind()
		switch op := n.Op.(type) {
		case *plan.Source:
			f.text = join(kind, tableIdentity(op.Table))
			n.Origin.Inputs = []string{tableIdentity(op.Table)}
		case *plan.Sink:
			if f.text = join(kind, f.sink); f.uid != "" {
				f.text = hinted(f.uid)
			}
		case *plan.GroupAggregate:
			f.text, n.Origin = f.id.text, f.id.made
			in := b.inputFacts(n).id
			if err := b.groupState(n, op); err != nil {
				return err
			}
			n.Origin.Conditions = strings.Join(in.filters, " and ")
			n.Fingerprint = hash(n.Origin.Conditions, shortLength)
		case *plan.WindowAggregate:
			f.text, n.Origin = f.id.text, f.id.made
			in := b.inputFacts(n).id
			if err := b.windowState(n, op); err != nil {
				return err
			}
			n.Origin.Conditions = strings.Join(in.filters, " and ") + " | " + strings.Join(f.id.time, ", ")
			n.Fingerprint = hash(n.Origin.Conditions, shortLength)
		case *plan.WindowAssign:
			f.text = join(kind, f.id.columns[len(f.id.columns)-1], strings.Join(f.id.in, ", "))
		case *plan.Values:
			f.text = join(kind, strings.Join(f.id.in, ", "))
		default:
			var in []string
			for _, i := range n.Inputs {
				in = append(in, b.facts[i.Node].text)
			}
			slices.Sort(in)
			f.text = join(kind, strings.Join(in, ", "))
		}
	}
	for _, n := range b.job.Nodes {
		n.Origin.Sink = b.facts[n.ID].sink
	}
	b.number()
	return nil
}

// hinted is the text of a node whose UID the user chose.
func hinted(uid string) string { return join("hint", strconv.Quote(uid)) }

func join(parts ...string) string { return uidVersion + " | " + strings.Join(parts, " | ") }

// number makes UIDs of the texts and tells equal ones apart.
func (b *builder) number() {
	groups := map[string][]*plan.Node{}
	for _, n := range b.job.Nodes {
		groups[b.facts[n.ID].text] = append(groups[b.facts[n.ID].text], n)
	}
	for text, nodes := range groups {
		slices.SortStableFunc(nodes, func(x, y *plan.Node) int {
			return cmp.Or(cmp.Compare(b.facts[x.ID].sink, b.facts[y.ID].sink), cmp.Compare(x.Fingerprint, y.Fingerprint))
		})
		uid := hash(text, uidLength)
		seen := map[string]int{}
		for i, n := range nodes {
			if n.UID = uid; i == 0 {
				continue
			}
			n.UID += "-" + hash(uid+" | "+b.facts[n.ID].sink, tieLength)
			if seen[n.UID]++; seen[n.UID] > 1 {
				n.UID += "." + strconv.Itoa(seen[n.UID])
			}
		}
	}
}
