package evolve

import (
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// Compare says what becomes of the state of a snapshot under a plan. It is pure.
func Compare(old *checkpoint.Manifest, now Target, allow Allow) *Report {
	c := &comparison{old: old, now: now, allow: newAllowed(allow, old.Operators, now.Operators)}
	r := &Report{sources: map[string]string{}, groups: now.MaxParallelism, Unknown: c.allow.unknown(), shared: allow.Shared, taken: old.Created.UnixMilli()}
	if old.Epoch != 0 {
		r.Snapshot = fmt.Sprintf("%s %d of job %s", old.Kind, old.Epoch, old.JobName)
	}
	c.report = r
	c.match()
	if old.MaxParallelism != now.MaxParallelism {
		r.Rows = append(r.Rows, Row{Operator: "key groups", Verdict: Incompatible, Because: fmt.Sprintf("pipeline.max-parallelism is %d; the checkpoint has %d key groups, which is fixed for its life", now.MaxParallelism, old.MaxParallelism)})
	}
	if rows, _ := old.InFlight(); rows > 0 && old.Dataflow != now.Dataflow {
		r.Rows = append(r.Rows, Row{Operator: "rows in flight", Verdict: Incompatible, Because: fmt.Sprintf("it has %d rows in flight, which only fit the query as it was (execution.checkpointing.unaligned.enabled): "+
			"run the query as it was and take a savepoint of it, which has none", rows)})
	}
	if rows, _ := old.InFlight(); rows > 0 && old.Dataflow != now.Dataflow {
		r.Rows = append(r.Rows, Row{Verdict: Incompatible, Because: fmt.Sprintf("%d rows are in flight (execution.checkpointing.unaligned.enabled), which only fit the query as it was; "+
			"run that once more and take a savepoint, which has none", rows)})
	}
	for i := range now.Operators {
		n := now.Operators[i]
		switch p := c.pairs[&now.Operators[i]]; {
		case !matters(&n):
		case p == nil:
			c.fresh(&n)
		case isSource(&n):
			c.source(p)
		default:
			n.Tables = c.operator(p)
		}
		r.operators = append(r.operators, n)
	}
	for _, o := range c.gone {
		c.dropped(o)
	}
	c.orphaned()
	r.judge()
	return r
}

// fresh is an operator or source that the snapshot does not have.
func (c *comparison) fresh(n *checkpoint.Operator) {
	because := "starts empty"
	if isSource(n) {
		because = "is read from where its startup mode says"
	}
	c.report.Rows = append(c.report.Rows, Row{UID: n.UID, Operator: n.Name, Verdict: New, Because: because, Allowed: true})
	for _, t := range n.Tables {
		c.report.tables = append(c.report.tables, &table{uid: n.UID, Table: t})
	}
	c.changes(n, false)
}

// changes notes for the operators above that the rows of one are others than before; accepted: the user
// knows, and that is all there is to it.
func (c *comparison) changes(n *checkpoint.Operator, accepted bool) {
	if text := c.texts[1][stem(n.UID)]; text != "" {
		c.below[text] = accepted
	}
	if isSource(n) {
		c.below[strings.Join(n.Inputs, " ")] = accepted
	}
}

// source compares a source that both have.
func (c *comparison) source(p *pair) {
	row := c.row(p, Restore, "positions are kept")
	if s := c.old.Source(p.old.UID); s != nil && len(s.Splits) != 1 {
		row.Because = fmt.Sprintf("the positions of its %d splits are kept", len(s.Splits))
	}
	from, to := strings.Join(p.old.Inputs, " "), strings.Join(p.now.Inputs, " ")
	switch {
	case place(from) != place(to):
		row.Verdict, row.Because = Changed, fmt.Sprintf("it read %s, now it reads %s, from where its startup mode says", place(from), place(to))
		row.Needs = "--accept " + p.old.UID
		row.Allowed = c.allow.accept(c.uids(p)...)
		c.changes(p.now, row.Allowed)
	default:
		c.report.sources[p.now.UID] = p.old.UID
		if from != to {
			row.Because += fmt.Sprintf("; the table was called %s", shortPath(from))
		}
	}
	c.report.Rows = append(c.report.Rows, row)
}

// row begins the row of a whole operator.
func (c *comparison) row(p *pair, v Verdict, because string) Row {
	r := Row{UID: p.old.UID, Operator: p.now.Name, Verdict: v, Because: because, Allowed: true}
	if p.now.UID != p.old.UID {
		r.NowUID = p.now.UID
	}
	c.size(&r, p.old)
	return r
}

// operator compares an operator with state that both have and returns the plan's tables with what
// is remembered about their slots.
func (c *comparison) operator(p *pair) []checkpoint.Table {
	row := c.row(p, Restore, "identical")
	tables, s, reason := []*table(nil), (*slots)(nil), p.otherOperator()
	if reason == "" {
		tables, s, reason = c.compareSlots(p)
	}
	// A flag counts where it is asked for only: it may stay on the command line when the state fits again.
	drop := c.allow.drop(c.uids(p)...)
	if reason == "" && drop {
		reason = s.hopeless()
	}
	if reason != "" {
		row.Operator = p.old.Name
		row.Verdict, row.Because, row.Allowed = Incompatible, reason, drop
		row.Needs = "--drop " + p.old.UID
		if drop {
			row.Verdict, row.Because = Drop, reason+"; its state is given up"
		}
		c.report.Rows = append(c.report.Rows, row)
		c.fresh(p.now)
		return p.now.Tables
	}
	row.Verdict, row.Because = s.verdict()
	notes := widenedKeys(s.groups)
	if s.groups.beginsTTL() {
		notes = append(notes, "its time to live begins with the snapshot")
	}
	for _, k := range notes {
		if row.Verdict == Restore {
			row.Verdict, row.Because = Migrate, ""
		}
		row.Because = strings.TrimPrefix(row.Because+"; "+k, "; ")
	}
	if why, follows := c.otherRows(p); why != "" {
		row.Verdict, row.Because = Changed, why
		row.Needs = "--accept " + p.old.UID
		row.Allowed = c.allow.accept(c.uids(p)...) || follows
		c.changes(p.now, row.Allowed)
	} else if row.NowUID != "" && row.Verdict == Restore {
		row.Because = "identical; its UID is another one in the plan"
	}
	c.report.Rows = append(append(c.report.Rows, row), s.rows...)
	c.report.tables = append(c.report.tables, tables...)
	out := append([]checkpoint.Table{}, p.now.Tables...)
	for i := range out {
		if out[i].ID == groupsTable {
			out[i].Slots = s.groups.Slots
		}
	}
	return out
}

// dropped is an operator or source that the plan does not have.
func (c *comparison) dropped(o *checkpoint.Operator) {
	r := Row{UID: o.UID, Operator: o.Name, Verdict: Drop, Because: "the query does not have it any more", Needs: "--drop " + o.UID,
		Allowed: c.allow.All || c.allow.drop(o.UID)}
	if isSource(o) {
		r.Because = "it is not read any more: its positions would be forgotten"
	}
	c.size(&r, o)
	c.report.Rows = append(c.report.Rows, r)
}

// size is what the snapshot holds of an operator.
func (c *comparison) size(r *Row, o *checkpoint.Operator) {
	if !hasState(o) || len(c.old.Files)+len(c.old.Rows) == 0 {
		return
	}
	var rows, bytes int64
	for _, f := range c.old.Files {
		for _, t := range f.Tables {
			if t.UID != o.UID {
				continue
			}
			if bytes += t.Bytes; t.ID == groupsTable {
				rows += t.Entries
				r.AtMost = r.AtMost || f.Kind != "full"
			}
		}
	}
	for _, f := range c.old.Rows {
		if f.UID == o.UID {
			if bytes += f.Size; f.Table == groupsTable {
				rows += f.Rows
			}
		}
	}
	r.Rows, r.Bytes = &rows, &bytes
}

// orphaned notes whether the snapshot has entries of tables that the plan has not, or has for another
// purpose: they must not be found there by an operator to come.
func (c *comparison) orphaned() {
	stays := map[tableKey]bool{}
	for _, t := range c.report.tables {
		if t.from != nil {
			stays[tableKey{t.from.uid, t.from.ID}] = true
		}
	}
	mark := func(uid string, id uint8) {
		if !stays[tableKey{uid, id}] {
			c.report.orphans = true
		}
	}
	for _, f := range c.old.Files {
		for _, t := range f.Tables {
			mark(t.UID, t.ID)
		}
	}
	for _, f := range c.old.Rows {
		mark(f.UID, f.Table)
	}
}

type tableKey struct {
	uid string
	id  uint8
}

// widenedKeys says which columns of a key have a wider type.
func widenedKeys(t *table) []string {
	var out []string
	for i, k := range t.Key {
		if was := t.from.Key[i].Type; k.Form == formColumn && was != k.Type {
			if a, b, err := twoTypes(was, k.Type); err == nil && !sameShape(a.Nullable(), b.Nullable()) {
				out = append(out, fmt.Sprintf("GROUP BY column %s widened from %s to %s", k.Name, strings.TrimSuffix(was, " NOT NULL"), strings.TrimSuffix(k.Type, " NOT NULL")))
			}
		}
	}
	return out
}
