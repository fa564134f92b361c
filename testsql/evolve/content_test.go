package evolve

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
)

// contents is the state of a snapshot: by UID and number of the table, the values by key.
type contents map[string]map[string][]byte

func name(uid string, id uint8) string { return fmt.Sprint(uid, " ", id) }

// dump reads everything that a snapshot's operators have, and closes c.
func dump(t *testing.T, c checkpoint.Content, m *checkpoint.Manifest) contents {
	t.Helper()
	out := contents{}
	for _, o := range m.Operators {
		for _, x := range o.Tables {
			r, err := c.Table(o.UID, x.ID)
			if err != nil {
				t.Fatal(err)
			}
			rows := map[string][]byte{}
			for r != nil && r.Next() {
				rows[string(r.Key())] = bytes.Clone(r.Value())
			}
			if r != nil && r.Err() != nil {
				t.Fatal(r.Err())
			}
			out[name(o.UID, x.ID)] = rows
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

// newest reads the newest checkpoint of the job.
func (w *world) newest() (*checkpoint.Manifest, contents) {
	w.t.Helper()
	j, err := checkpoint.ReadJob(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := checkpoint.OpenDir(w.dir+"/checkpoints", j.ID, checkpoint.DirOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	epochs, err := s.Epochs()
	if err != nil || len(epochs) == 0 {
		w.t.Fatal("no checkpoint", err)
	}
	m, err := checkpoint.Read(s, epochs[0], j.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := checkpoint.OpenFiles(s, m.Files, m.MaxParallelism)
	if err != nil {
		w.t.Fatal(err)
	}
	return m, dump(w.t, c, m)
}

// sameAsSaid compares what the restore did, as the first checkpoint after it shows, with what the report said
// beforehand.
func (w *world) sameAsSaid(r *evolve.Report, was *checkpoint.Manifest, held contents) {
	w.t.Helper()
	is, got := w.newest()
	gone := map[string]bool{}
	for _, x := range r.Rows {
		uid := x.UID
		if x.NowUID != "" {
			uid = x.NowUID
		}
		old, now := was.Operator(x.UID), is.Operator(uid)
		switch {
		case x.Slot == "" && x.Verdict == evolve.Drop:
			gone[x.UID] = true
		case x.Slot == "" && x.Verdict == evolve.New:
			for _, t := range now.Tables {
				if n := len(got[name(uid, t.ID)]); n > 0 && t.ID != layout.Progress { // it knows how far time is
					w.t.Errorf("%s is NEW and has %d entries in %s", x.Operator, n, t.Name)
				}
			}
		case x.Slot == "" && old != nil && len(old.Tables) > 0:
			if a, b := len(held[name(x.UID, 0)]), len(got[name(uid, 0)]); a != b || a == 0 {
				w.t.Errorf("%s had %d records and has %d", x.Operator, a, b)
			}
		}
	}
	for _, f := range is.Files {
		for _, t := range f.Tables {
			if is.Operator(t.UID) == nil {
				w.t.Errorf("the files have state of %s, which the plan has not", t.UID)
			}
		}
	}
	for _, x := range r.Rows {
		if x.Slot != "" && !gone[x.UID] {
			w.sameSlot(&x, r, was, is, held, got)
		}
	}
}

// sameSlot checks a slot that starts empty, or that is as it was.
func (w *world) sameSlot(x *evolve.Row, r *evolve.Report, was, is *checkpoint.Manifest, held, got contents) {
	uid := x.UID
	for _, o := range r.Rows {
		if o.UID == x.UID && o.Slot == "" && o.NowUID != "" {
			uid = o.NowUID
		}
	}
	s := slotOf(is.Operator(uid), x.SlotID)
	switch {
	case x.Verdict == evolve.New:
		if s.Since != was.Epoch {
			w.t.Errorf("%s starts with checkpoint %d and says %d", x.Slot, was.Epoch, s.Since)
		}
		for k, v := range got[name(uid, 0)] {
			if !bytes.Equal(v[s.Offset:s.Offset+s.Size], make([]byte, s.Size)) {
				w.t.Errorf("%s is NEW and is %x in group %x", x.Slot, v[s.Offset:s.Offset+s.Size], k)
			}
		}
	case x.Verdict == evolve.Restore && x.Because == "identical":
		o := slotOf(was.Operator(x.UID), x.SlotID)
		if o.ID == "" {
			return // its text names other inputs
		}
		for k, v := range got[name(uid, 0)] {
			old, ok := held[name(x.UID, 0)][k]
			for _, f := range s.Fields {
				if !ok || f.Variable {
					continue // keys are wider; values lie elsewhere
				}
				if a, b := old[o.Offset+f.Offset:][:8], v[s.Offset+f.Offset:][:8]; !bytes.Equal(a, b) {
					w.t.Errorf("%s was %x and is %x in group %x", x.Slot, a, b, k)
				}
			}
		}
	}
}

func slotOf(o *checkpoint.Operator, id string) *checkpoint.Slot {
	for i := range o.Tables[0].Slots {
		if s := &o.Tables[0].Slots[i]; s.ID == id {
			return s
		}
	}
	return &checkpoint.Slot{}
}
