package job

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// recordedPlan is what a manifest remembers of a plan: enough to tell whether the state
// belongs to it, and to explain what does not.
type recordedPlan struct {
	hash      string
	sql       string
	operators []checkpoint.Operator
	names     map[string]string // by UID
	tables    map[tableKey]bool
}

type tableKey struct {
	uid string
	id  uint8
}

func recordPlan(p *plan.Job) recordedPlan {
	r := recordedPlan{names: map[string]string{}, tables: map[tableKey]bool{}, sql: hash(p.SQL)}
	for _, n := range p.Nodes {
		op := checkpoint.Operator{UID: n.UID, Name: n.Name, Kind: n.Op.Kind(), Parallelism: n.Parallelism, Fingerprint: n.Fingerprint,
			Window: n.Origin.Window, Inputs: n.Origin.Inputs, Line: n.Line, Column: n.Col, SQL: n.SQL}
		for _, t := range n.State {
			op.Tables = append(op.Tables, recordTable(&t))
			r.tables[tableKey{n.UID, t.ID}] = true
		}
		r.operators = append(r.operators, op)
		r.names[n.UID] = n.Name
	}
	var b strings.Builder
	for _, o := range r.operators {
		fmt.Fprintln(&b, o.UID, o.Name, o.Fingerprint, o.Tables)
	}
	r.hash = hash(b.String())
	return r
}

// recordTable copies all that tells how a table's entries are read. Its time to live is not
// among it: it may change over a restart.
func recordTable(t *plan.StateTable) checkpoint.Table {
	out := checkpoint.Table{ID: t.ID, Name: t.Name, Prefix: t.Prefix, Size: t.Size}
	for _, k := range t.Key {
		out.Key = append(out.Key, checkpoint.KeyPart{ID: k.ID, Name: k.Name, Type: k.Type.String(), Form: string(k.Form)})
	}
	for _, s := range t.Slots {
		slot := checkpoint.Slot{ID: s.ID, Name: s.Name, Type: s.Type.String(), Kind: string(s.Kind), Offset: s.Off, Size: s.Size, Bit: s.Bit, Text: s.Text}
		for _, f := range s.Fields {
			slot.Fields = append(slot.Fields, checkpoint.Field{Name: f.Name, Type: f.Type.String(), Offset: f.Off, Variable: f.Variable, KeyForm: f.Key})
		}
		out.Slots = append(out.Slots, slot)
	}
	return out
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:10])
}

// hasTable reports whether the plan keeps a table; state of others is dropped by roll-ups.
func (r *recordedPlan) hasTable(uid string, id uint8) bool { return r.tables[tableKey{uid, id}] }

// differences lists, for people, in what the plan is not the one the manifest was made
// with; none: the state can be restored. Parallelism and options may differ.
func (r *recordedPlan) differences(m *checkpoint.Manifest, maxParallelism int) []string {
	var out []string
	if m.MaxParallelism != maxParallelism {
		out = append(out, fmt.Sprintf("pipeline.max-parallelism is %d; the checkpoint has %d key groups, which is fixed for its life", maxParallelism, m.MaxParallelism))
	}
	if m.Plan == r.hash {
		return out
	}
	now := map[string]checkpoint.Operator{}
	for _, o := range r.operators {
		now[o.UID] = o
	}
	for _, was := range m.Operators {
		o, ok := now[was.UID]
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("gone: %s (uid %s)", was.Name, was.UID))
		case was.Fingerprint != o.Fingerprint:
			out = append(out, fmt.Sprintf("other rows reach it, a filter or watermark below has changed: %s (uid %s)", o.Name, o.UID))
		case fmt.Sprint(was.Tables) != fmt.Sprint(o.Tables):
			out = append(out, fmt.Sprintf("keeps other state: %s, was %s (uid %s)", o.Name, was.Name, o.UID))
		case was.Name != o.Name:
			out = append(out, fmt.Sprintf("changed: %s, was %s (uid %s)", o.Name, was.Name, o.UID))
		}
		delete(now, was.UID)
	}
	var added []string
	for _, o := range now {
		added = append(added, fmt.Sprintf("new: %s (uid %s)", o.Name, o.UID))
	}
	sort.Strings(added)
	return append(out, added...)
}
