package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/secret"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Explain writes the plan for people: the logical plan, then every operator from the sources
// to the sinks with its identity, changelog, inputs and state. The text depends on the
// statements, the catalog and the options only, so it is the same on every machine; secrets
// are masked.
func Explain(j *Job) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Job %s: parallelism %d, at most %d\n", quoteName(j.Name), j.Parallelism, j.MaxParallel)
	if j.Logical != "" {
		b.WriteString("\n== Logical plan ==\n" + j.Logical)
	}
	b.WriteString("\n== Physical plan ==\n")
	for _, n := range j.Nodes {
		e := nodeExplainer{j: j, n: n}
		fmt.Fprintf(&b, "[%d] %s\n", n.ID, n.Name)
		for _, l := range e.lines() {
			fmt.Fprintf(&b, "      %-11s %s\n", l.key, l.text)
		}
	}
	return b.String()
}

func quoteName(name string) string {
	if name == "" {
		return "without a name"
	}
	return "'" + name + "'"
}

type line struct{ key, text string }

type nodeExplainer struct {
	j   *Job
	n   *Node
	out []line
}

func (e *nodeExplainer) add(key, format string, args ...any) {
	e.out = append(e.out, line{key, fmt.Sprintf(format, args...)})
}

// lines are what there is to say about a node, in a fixed order.
func (e *nodeExplainer) lines() []line {
	n := e.n
	e.add("uid", "%s", n.UID)
	for _, in := range n.Inputs {
		e.add("from", "[%d] %s", in.Node, e.exchange(in))
	}
	e.add("parallelism", "%d", n.Parallelism)
	changes := "[" + n.Mode.String() + "]"
	if n.Mode != AppendOnly {
		changes += keysText(n)
	}
	e.add("changelog", "%s", changes)
	switch op := n.Op.(type) {
	case *Source:
		e.source(op)
	case *Sink:
		e.sink(op)
	case *GroupAggregate:
		if op.Retract {
			e.add("retracts", "yes: the input has updates or deletes")
		}
		if m := op.MiniBatch; m.Rows > 0 {
			e.add("mini-batch", "one change per group for up to %d rows or %s", m.Rows, short(m.Latency))
		}
	case *WindowAggregate:
		if op.Retract {
			e.add("retracts", "yes: the input has updates or deletes")
		}
		if op.Window.Processing {
			e.add("time", "processing time")
		}
	}
	e.state()
	return e.out
}

func keysText(n *Node) string {
	if len(n.UpsertKeys) == 0 {
		return " without a key"
	}
	keys := make([]string, len(n.UpsertKeys))
	for i, k := range n.UpsertKeys {
		keys[i] = "(" + strings.Join(names(n.Schema, k), ", ") + ")"
	}
	return " by key " + strings.Join(keys, " or ")
}

func names(s types.Schema, cols []int) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = s[c].Name
	}
	return out
}

func (e *nodeExplainer) exchange(in Input) string {
	switch in.Exchange {
	case Hash:
		return "hash by " + strings.Join(names(e.j.Nodes[in.Node].Schema, in.Keys), ", ")
	case Rebalance:
		return "rebalance"
	case Single:
		return "all to one subtask"
	}
	return "forward"
}

// StoredName is the name of column i of the list (Physical, then Metadata).
func (t *Table) StoredName(i int) string {
	if i < len(t.Physical) {
		return t.Physical[i].Name
	}
	return t.Metadata[i-len(t.Physical)].Name
}

func (e *nodeExplainer) source(op *Source) {
	e.add("connector", "%s", optionsText(&op.Table))
	reads := make([]string, len(op.Read))
	for i, r := range op.Read {
		reads[i] = op.Table.StoredName(r)
	}
	e.add("reads", "%s", orNothing(op.Reads()))
	stored := func(c *expr.Column) string { return reads[c.Index] }
	for i, c := range op.Columns {
		if text := expr.Text(c, stored); text != e.n.Schema[i].Name {
			e.add("computes", "%s AS %s", text, e.n.Schema[i].Name)
		}
	}
	if w := op.Watermark; w != nil {
		name := func(c *expr.Column) string { return e.n.Schema[c.Index].Name }
		text := fmt.Sprintf("for %s as %s", e.n.Schema[w.Column].Name, expr.Text(w.Expr, name))
		if w.MaxFuture > 0 {
			text += ", rows more than " + short(w.MaxFuture) + " ahead of the clock dropped"
		}
		if w.IdleTimeout > 0 {
			text += ", splits idle after " + short(w.IdleTimeout)
		}
		e.add("watermark", "%s", text)
	}
}

// Reads names the stored columns that are read, with the fields of rows: "bid(auction, price)".
func (op *Source) Reads() []string {
	out := make([]string, len(op.Read))
	for i, r := range op.Read {
		out[i] = op.Table.StoredName(r)
		if r < len(op.Table.Physical) {
			out[i] += rowFields(op.Table.Physical[r].Type)
		}
	}
	return out
}

func rowFields(t types.Type) string {
	if t.Kind != types.Row {
		return ""
	}
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name + rowFields(f.Type)
	}
	return "(" + strings.Join(names, ", ") + ")"
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "no columns"
	}
	return strings.Join(list, ", ")
}

// short writes a duration without its zero parts: 1m0s is 1m.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

func (e *nodeExplainer) sink(op *Sink) {
	e.add("columns", "%s", fields(e.n.Schema))
	if op.Collect {
		return
	}
	e.add("connector", "%s", optionsText(&op.Table))
	accepts := "[" + op.Accepts.String() + "]"
	if len(op.Key) > 0 {
		accepts += " by primary key (" + strings.Join(names(e.n.Schema, op.Key), ", ") + ")"
	}
	if op.RetractAsDelete {
		accepts += ", -U as deletes"
	}
	e.add("accepts", "%s", accepts)
	if slices.ContainsFunc(e.n.Schema, func(f types.Field) bool { return f.Type.NotNull }) {
		e.add("not null", "%s", [...]string{NotNullError: "a NULL fails the job", NotNullDrop: "rows with a NULL are dropped"}[op.NotNull])
	}
}

// optionsText is the connector and the other options by key, secrets masked.
func optionsText(t *Table) string {
	keys := make([]string, 0, len(t.Options))
	for k := range t.Options {
		if k != "connector" {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	text := t.Connector
	for _, k := range keys {
		text += ", '" + k + "' = '" + secret.Value(k, t.Options[k]) + "'"
	}
	return text
}

func (e *nodeExplainer) state() {
	for _, t := range e.n.State {
		key := "one record"
		if keyText(t.Key) != "" {
			key = "by " + keyText(t.Key)
		}
		if t.TTL > 0 {
			key += ", dropped after " + short(t.TTL)
		}
		e.add("state", "%s %s", t.Name, key)
		for _, s := range t.Slots {
			e.add("  slot", "%s %s %s", s.ID, s.Name, s.Type)
		}
	}
	if e.n.Fingerprint != "" {
		e.add("fingerprint", "%s", e.n.Fingerprint)
	}
}

// keyText is the columns of a key; what stands before them to find them by is left out.
func keyText(key []KeyPart) string {
	var out []string
	for _, k := range key {
		if k.Form != KeyHash {
			out = append(out, k.Name+" "+k.Type.String())
		}
	}
	return strings.Join(out, ", ")
}

func fields(s types.Schema) string {
	out := make([]string, len(s))
	for i, f := range s {
		out[i] = f.Name + " " + f.Type.String()
	}
	return strings.Join(out, ", ")
}
