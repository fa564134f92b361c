package evolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// Row is what becomes of one piece of state: of an operator or source as a whole (Slot is ""), or of
// one slot of it.
type Row struct {
	UID      string  `json:"uid,omitempty"`    // of the snapshot; of the plan where the snapshot has none
	NowUID   string  `json:"nowUid,omitempty"` // of the plan, where it is another one
	Operator string  `json:"operator,omitempty"`
	Slot     string  `json:"slot,omitempty"`
	SlotID   string  `json:"slotId,omitempty"`
	Type     string  `json:"type,omitempty"`
	Verdict  Verdict `json:"verdict"`
	// Rows and Bytes are what the snapshot holds of the operator, nil where that is not known. Of a
	// checkpoint with deltas they count changes, so there are no more records than that.
	Rows    *int64 `json:"rows,omitempty"`
	AtMost  bool   `json:"atMost,omitempty"`
	Bytes   *int64 `json:"bytes,omitempty"`
	Because string `json:"because"`
	// Needs is the flag that allows it, "" where nothing is asked or nothing helps. Allowed: nothing
	// is asked, or it was given.
	Needs   string `json:"needs,omitempty"`
	Allowed bool   `json:"allowed"`
}

// Report is what Compare finds.
type Report struct {
	Snapshot string   `json:"snapshot,omitempty"` // "checkpoint 12 of job etl"; "" when two plans are compared
	Rows     []Row    `json:"rows"`
	Unknown  []string `json:"unknown,omitempty"` // names of --drop and --accept that nothing has
	Verdict  Verdict  `json:"verdict"`           // the worst one
	Exit     int      `json:"exit"`              // see ExitCode

	operators []checkpoint.Operator
	sources   map[string]string
	tables    []*table
	orphans   bool // the snapshot holds state that goes
	groups    int
	taken     int64 // ms
	shared    bool  // see Allow
}

// The exit codes of a comparison.
const (
	ExitSame    = 0 // all state is kept whole
	ExitPartial = 2 // it can be restored; something starts empty or is, by leave, dropped or used though its rows were others
	ExitRefused = 3 // it cannot be restored, or not without leave
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

// verdict sums the slots up.
func (s *slots) verdict() (Verdict, string) {
	n := map[Verdict]int{}
	for _, x := range s.rows {
		n[x.Verdict]++
	}
	count := func(n int, one, more string) string {
		if n == 1 {
			return "1 of its aggregates " + one
		}
		return fmt.Sprintf("%d of its aggregates %s", n, more)
	}
	switch empty := n[New] + n[Partial]; {
	case empty > 0:
		return Partial, count(empty, "starts empty in groups that exist", "start empty in groups that exist")
	case n[Incompatible] > 0:
		return Restore, count(n[Incompatible], "cannot be kept", "cannot be kept")
	case n[Drop] > 0:
		return Restore, count(n[Drop], "goes", "go")
	case n[Migrate] > 0:
		return Migrate, "a type is wider"
	}
	return Restore, "identical"
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

// judge sums the rows up.
func (r *Report) judge() {
	r.Verdict, r.Exit = Restore, ExitSame
	for _, x := range r.Rows {
		if severity[x.Verdict] > severity[r.Verdict] {
			r.Verdict = x.Verdict
		}
		switch {
		case !x.Allowed:
			r.Exit = ExitRefused
		case severity[x.Verdict] >= severity[New] && r.Exit == ExitSame:
			r.Exit = ExitPartial
		}
	}
	if len(r.Unknown) > 0 && !r.shared {
		r.Exit = ExitRefused
	}
}

// Operators are those of the plan, with what is remembered about their slots: what the
// manifests of the job have to list from now on.
func (r *Report) Operators() []checkpoint.Operator { return r.operators }

// Source is the UID under which the snapshot has the positions of a source of the plan; "" when it has none
// to go on from.
func (r *Report) Source(uid string) string { return r.sources[uid] }

// Moves reports whether the snapshot's state files cannot be restored as they are: Rewrite has to write
// new ones.
func (r *Report) Moves() bool {
	for _, t := range r.tables {
		if t.from != nil && !t.same() {
			return true
		}
	}
	return r.orphans
}

// ExitCode is ExitSame, ExitPartial or ExitRefused.
func (r *Report) ExitCode() int { return r.Exit }

// Reasons says, for people, why the snapshot cannot be restored, one reason each with the flag that
// allows it; none: it can.
func (r *Report) Reasons() []string {
	var out []string
	for _, x := range r.Rows {
		if x.Allowed {
			continue
		}
		s := x.Because
		switch {
		case x.Slot != "":
			s = fmt.Sprintf("%s of operator %s: %s: %s", x.Slot, x.UID, x.Verdict, s)
		case x.UID != "":
			s = fmt.Sprintf("%s (uid %s): %s: %s", x.Operator, x.UID, x.Verdict, s)
		}
		if x.Needs != "" {
			s += " (allow it with " + x.Needs + ")"
		}
		out = append(out, s)
	}
	return out
}

// UnknownError is the error of names that nothing has, nil when there are none.
func (r *Report) UnknownError() error {
	if len(r.Unknown) == 0 || r.shared {
		return nil
	}
	return fmt.Errorf("neither the snapshot nor the query has %s, named with --drop or --accept; 'sqlstream diff' lists the names", strings.Join(r.Unknown, ", "))
}

// Flags are all flags that would allow what is refused; ok is false when no flag does.
func (r *Report) Flags() (flags []string, ok bool) {
	seen := map[string]bool{}
	ok = true
	for _, x := range r.Rows {
		switch {
		case x.Allowed:
		case x.Needs == "":
			ok = false
		case !seen[x.Needs]:
			seen[x.Needs] = true
			flags = append(flags, x.Needs)
		}
	}
	return flags, ok
}

// Err is the refusal, nil when the snapshot can be restored.
func (r *Report) Err() error {
	if r.Exit != ExitRefused {
		return nil
	}
	if err := r.UnknownError(); err != nil {
		return err
	}
	of := r.Snapshot
	if of == "" {
		of = "the old query"
	}
	text := fmt.Sprintf("the state of %s does not fit the query:\n  %s", of, strings.Join(r.Reasons(), "\n  "))
	if flags, ok := r.Flags(); ok {
		text += "\nto go on all the same add: " + strings.Join(flags, " ")
	}
	return fmt.Errorf("%s", text)
}
