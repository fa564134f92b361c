package evolve

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/exec/job"
)

// TestKilledWhileMigrating ends starts at the steps of a migration: the next one does it again, and
// nothing is left behind.
func TestKilledWhileMigrating(t *testing.T) {
	rows := t.TempDir()
	writeRows(t, rows)
	e := edit{tables: [2]string{"", wideKeys}, old: by(count, "MAX(channel)", "COUNT(DISTINCT price)"), now: by("COUNT(DISTINCT price)", count)}
	oldText, nowText, _ := e.texts()
	for _, tt := range []struct{ point, layout string }{
		{"rec_before_migrate", ""}, {"rec_after_migrate", ""}, {"rec_before_import", checkpoint.Canonical}, {"rec_after_import", checkpoint.Native},
	} {
		t.Run(tt.point, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, rows)
				h, err := w.run(w.plan(oldText, 2), "", evolve.Allow{})
				if err != nil {
					t.Fatal(err)
				}
				w.release(before)
				snap, _, _ := w.snapshot(h, tt.layout)
				ctx, cancel := context.WithCancel(t.Context())
				reached := false
				h, err = job.Run(ctx, w.plan(nowText, 1), job.Config{Dir: w.next(tt.layout), From: snap, Allow: evolve.Allow{All: true}, Connectors: w.lookup, FailPoint: func(name string) {
					if name == tt.point {
						reached = true
						cancel()
					}
				}})
				cancel()
				if err == nil {
					err = h.Wait()
				}
				if !reached || !errors.Is(err, job.ErrCancelled) {
					t.Fatalf("the point is reached: %v; %v", reached, err)
				}
				w.dir = w.next(tt.layout)
				if h, err = w.run(w.plan(nowText, 1), snap, evolve.Allow{All: true}); err != nil {
					t.Fatal(err)
				}
				w.release(after)
				w.suspend(h)
				w.noOrphans()
				got, want := read(t, w.golden.Rows("plain")), whole(t, rows, "", nowText, "plain", 0)
				for k := range want {
					if fmt.Sprint(got[k]) != fmt.Sprint(want[k]) {
						t.Errorf("key %s: got %v, expected %v", k, got[k], want[k])
					}
				}
			})
		})
	}
}

// next is the directory of the job that goes on: its own, or that of a second one.
func (w *world) next(layout string) string {
	if layout != "" && w.second == "" {
		w.second = w.t.TempDir()
	}
	if layout != "" {
		return w.second
	}
	return w.dir
}

// noOrphans finds state files that no checkpoint lists.
func (w *world) noOrphans() {
	m, _ := w.newest()
	s, err := checkpoint.OpenDir(w.dir+"/checkpoints", m.JobID, checkpoint.DirOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	listed := map[string]bool{}
	epochs, err := s.Epochs()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range epochs {
		m, err := checkpoint.Read(s, e, m.JobID)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range m.Files {
			listed[f.Name] = true
		}
	}
	names, err := s.Names()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range names {
		if !listed[n] {
			w.t.Errorf("no checkpoint lists %s", n)
		}
	}
}
