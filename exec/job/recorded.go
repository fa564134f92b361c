package job

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/secret"
)

// recordedPlan is what a manifest remembers of a plan: enough to tell whether the state
// belongs to it, and to explain what does not.
type recordedPlan struct {
	hash      string
	dataflow  string // of everything that says what rows between operators look like
	sql       string
	options   map[string]string // secrets masked
	operators []checkpoint.Operator
	names     map[string]string // by UID
	tables    map[tableKey]bool
}

type tableKey struct {
	uid string
	id  uint8
}

func recordPlan(p *plan.Job) recordedPlan {
	t := Target(p)
	r := recordedPlan{operators: t.Operators, dataflow: t.Dataflow, options: map[string]string{}, names: map[string]string{}, tables: map[tableKey]bool{}, sql: hash(p.SQL)}
	for k, v := range p.Options {
		r.options[k] = secret.Value(k, v)
	}
	for _, o := range r.operators {
		for _, t := range o.Tables {
			r.tables[tableKey{o.UID, t.ID}] = true
		}
		r.names[o.UID] = o.Name
	}
	r.hash = hash(stateText(r.operators))
	return r
}

// Target is what a manifest records of a plan, for the comparison with a snapshot.
func Target(p *plan.Job) evolve.Target {
	t := evolve.Target{MaxParallelism: p.MaxParallel}
	var dataflow strings.Builder
	for _, n := range p.Nodes {
		fmt.Fprintln(&dataflow, n.UID, n.Name, n.Schema)
		op := checkpoint.Operator{UID: n.UID, Name: n.Name, Kind: n.Op.Kind(), Parallelism: n.Parallelism, Fingerprint: n.Fingerprint,
			Window: n.Origin.Window, Inputs: n.Origin.Inputs, Conditions: n.Origin.Conditions, Sink: n.Origin.Sink, Line: n.Line, Column: n.Col, SQL: n.SQL}
		switch x := n.Op.(type) {
		case *plan.GroupAggregate:
			op.Retract = x.Retract
		case *plan.WindowAggregate:
			op.Retract = x.Retract
		}
		for i := range n.State {
			op.Tables = append(op.Tables, recordTable(&n.State[i]))
		}
		t.Operators = append(t.Operators, op)
	}
	t.Dataflow = hash(dataflow.String())
	return t
}

// stateText writes all that state depends on. Names are for people and not among it, so that an alias makes no
// other plan.
func stateText(ops []checkpoint.Operator) string {
	var b strings.Builder
	for _, o := range ops {
		fmt.Fprintln(&b, o.UID, o.Fingerprint)
		for _, t := range o.Tables {
			fmt.Fprintln(&b, t.ID, t.Prefix, t.Size)
			for _, k := range t.Key {
				fmt.Fprintln(&b, k.ID, k.Type, k.Form)
			}
			for _, s := range t.Slots {
				fmt.Fprintln(&b, s.ID, s.Kind, s.Type, s.Offset, s.Size, s.Bit, s.Fields)
			}
		}
	}
	return b.String()
}

// recordTable copies all that tells how a table's entries are read.
func recordTable(t *plan.StateTable) checkpoint.Table {
	out := checkpoint.Table{ID: t.ID, Name: t.Name, Prefix: t.Prefix, Size: t.Size}
	if t.TTL > 0 {
		out.TTL = max(t.TTL.Milliseconds(), 1)
	}
	for _, k := range t.Key {
		out.Key = append(out.Key, checkpoint.KeyPart{ID: k.ID, Name: k.Name, Type: k.Type.String(), Form: string(k.Form), Text: k.Text})
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
