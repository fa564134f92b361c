package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

const testJob = "0123456789abcdef0123456789abcdef"

// writeFile writes a state file of one row.
func writeFile(s Storage, e state.Epoch) (state.File, error) {
	g := state.Range{Lo: 0, Hi: 128}
	meta := stf.Meta{Name: stf.NewName(e, g), Kind: stf.Delta, Range: g, MinEpoch: e, MaxEpoch: e}
	fw, err := s.Create(meta.Name)
	if err != nil {
		return state.File{}, err
	}
	defer fw.Abort()
	w := stf.NewWriter(fw, meta)
	if err := w.Table("u1", "groups", 0); err != nil {
		return state.File{}, err
	}
	if err := w.Put(7, []byte("key"), fmt.Appendf(nil, "value of %d", e), 0); err != nil {
		return state.File{}, err
	}
	return w.Finish()
}

func manifestOf(e, previous state.Epoch, files ...state.File) *Manifest {
	w := int64(1000 * e)
	return &Manifest{
		Engine: "0.1.0", JobID: testJob, JobName: "etl", Incarnation: 3, Epoch: e, Previous: previous, Kind: Checkpoint,
		Created: time.Date(2026, 11, 25, 8, 0, int(e), 0, time.UTC), MaxParallelism: 128, Plan: "plan1", SQLHash: "sql1",
		Operators: []Operator{
			{UID: "u1", Name: "GroupAggregate(groupBy=[auction])", Kind: "GroupAggregate", Parallelism: 2, Fingerprint: "f1",
				Tables: []Table{{ID: 0, Name: "groups", Size: 32, Key: []KeyPart{{ID: "k1", Name: "auction", Type: "BIGINT", Form: "column"}}, Slots: []Slot{
					{ID: "s1", Name: "n", Type: "BIGINT", Kind: "aggregate", Size: 8, Fields: []Field{{Name: "count", Type: "BIGINT"}}},
					{ID: "s2", Name: "total", Type: "DECIMAL(38, 2)", Kind: "aggregate", Offset: 8, Size: 24, Fields: []Field{{Name: "sum", Type: "DECIMAL(38, 2)"}, {Name: "count", Type: "BIGINT", Offset: 16}}}}}}},
			{UID: "u0", Name: "Source(bids)", Kind: "Source", Parallelism: 1},
		},
		Sources:      []Source{{UID: "u0", Name: "bids", Splits: []Split{{ID: "bids-0", Position: []byte(`{"offset":42}`), Watermark: &w}, {ID: "bids-1", Position: []byte(`{"offset":0}`)}}}},
		Transactions: []Transaction{{Name: "kafka:broker", Token: []byte(`{"id":"etl-0","pid":7}`)}},
		Files:        files,
		Options: map[string]string{
			"execution.checkpointing.interval": "10s", "execution.checkpointing.num-retained": "1", "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
			"state.backend.type": "badger", "parallelism.default": "2", "pipeline.max-parallelism": "128", "pipeline.name": "etl",
			"restart-strategy.exponential-delay.max-backoff": "1m0s", "restart-strategy.fixed-delay.attempts": "1", "table.local-time-zone": "UTC",
		},
	}
}

// take takes a checkpoint on top of the files of the one before.
func take(s Storage, e state.Epoch, before *Manifest) (*Manifest, error) {
	f, err := writeFile(s, e)
	if err != nil {
		return nil, err
	}
	m := manifestOf(e, 0)
	if before != nil {
		m.Previous, m.Files = before.Epoch, slices.Clone(before.Files)
	}
	m.Files = append(m.Files, f)
	return m, Publish(s, m)
}

func openTest(t *testing.T, f FS) *Dir {
	t.Helper()
	d, err := NewDir(f, "/ckpt", DirOptions{Owner: true})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// run takes three checkpoints and deletes the first; it returns the newest one whose Publish
// returned nil.
func run(f FS) (done state.Epoch, err error) {
	d, err := NewDir(f, "/ckpt", DirOptions{Owner: true})
	if err != nil {
		return 0, err
	}
	var m *Manifest
	for e := state.Epoch(1); e <= 3; e++ {
		if m, err = take(d, e, m); err != nil {
			return done, err
		}
		done = e
		g, err := Collect(d, testJob, 1, e)
		if err != nil {
			return done, err
		}
		if err := g.Delete(d); err != nil {
			return done, err
		}
	}
	return done, nil
}

func TestAfterACrashAtAnyOperationTheNewestPublishedCheckpointIsThere(t *testing.T) {
	whole := newCrashFS()
	if done, err := run(whole); done != 3 || err != nil {
		t.Fatal(done, err)
	}
	seeds := 40
	for at := 1; at <= whole.ops; at++ {
		for seed := range seeds {
			f := newCrashFS()
			f.failAt, f.crashed = at, true
			done, err := run(f)
			if !errors.Is(err, errInjected) && !errors.Is(err, errDead) {
				t.Fatalf("operation %d: %v", at, err)
			}
			g := f.crash(rand.New(rand.NewPCG(uint64(at), uint64(seed))))
			d := openTest(t, g)
			found, err := Find(t.Context(), d, testJob)
			if err != nil {
				t.Fatal(err)
			}
			dec := Decide(&Facts{Found: found, Job: Job{Published: done > 0}})
			if dec.Action == Refuse || dec.From < done || done == 0 && dec.From > 1 {
				t.Fatalf("crash at operation %d (%s), seed %d: checkpoint %d was published, decision %v", at, f.failed, seed, done, dec)
			}
			// The next incarnation goes on.
			before, _ := Read(d, dec.From, testJob)
			next := NextEpoch(&Facts{Found: found}, nil)
			if _, err := take(d, next, before); err != nil {
				t.Fatalf("crash at operation %d (%s), seed %d: next checkpoint %d: %v", at, f.failed, seed, next, err)
			}
			if rep, err := Verify(t.Context(), d, next, testJob); err != nil || rep.Problem() != nil {
				t.Fatal(err, rep.Problem())
			}
		}
	}
}

func TestWhenAnyOperationFailsOnceTheNextCheckpointSucceeds(t *testing.T) {
	whole := newCrashFS()
	if _, err := run(whole); err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= whole.ops; at++ {
		f := newCrashFS()
		f.failAt = at
		done, err := run(f)
		if !errors.Is(err, errInjected) {
			t.Fatalf("operation %d (%s): %v", at, f.failed, err)
		}
		d := openTest(t, f)
		found, err2 := Find(t.Context(), d, testJob)
		if err2 != nil {
			t.Fatal(err2)
		}
		dec := Decide(&Facts{Found: found, Job: Job{Published: done > 0}})
		switch {
		case dec.Action == Refuse, dec.From < done:
			t.Fatalf("operation %d (%s) failed: %v", at, f.failed, dec)
		case dec.From > done && !errors.Is(err, ErrUndecided):
			t.Fatalf("operation %d (%s) failed: checkpoint %d can be used, but Publish said it failed: %v", at, f.failed, dec.From, err)
		}
		before, _ := Read(d, dec.From, testJob)
		m, err := take(d, NextEpoch(&Facts{Found: found}, nil), before)
		if err != nil {
			t.Fatalf("operation %d (%s) failed; then: %v", at, f.failed, err)
		}
		if rep, err := Verify(t.Context(), d, m.Epoch, testJob); err != nil || rep.Problem() != nil {
			t.Fatal(err, rep.Problem())
		}
	}
}

func TestAFileThatCannotBeFsyncedIsNeverWrittenAgain(t *testing.T) {
	f := newCrashFS()
	d := openTest(t, f)
	w, err := d.Create("a.stf")
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("x"))
	f.failAt = f.ops + 1
	if err := w.Commit(); !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	if err := w.Commit(); !errors.Is(err, errInjected) {
		t.Fatal("the second Commit succeeds")
	}
	if _, err := w.Write([]byte("y")); !errors.Is(err, errInjected) {
		t.Fatal("the file can be written again")
	}
	w.Abort()
	if _, err := d.Open("a.stf"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// three makes a storage with three checkpoints on a real disk.
func three(t *testing.T) (*Dir, []*Manifest) {
	t.Helper()
	d, err := OpenDir(t.TempDir(), testJob, DirOptions{Owner: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	var ms []*Manifest
	var m *Manifest
	for e := state.Epoch(1); e <= 3; e++ {
		if m, err = take(d, e, m); err != nil {
			t.Fatal(err)
		}
		ms = append(ms, m)
	}
	return d, ms
}

// damage rewrites a file beneath the storage.
func damage(t *testing.T, d *Dir, name string, f func(b []byte) []byte) {
	t.Helper()
	b, err := d.get(name, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.fs.Remove(name); err != nil {
		t.Fatal(err)
	}
	w, err := d.fs.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(f(b)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func decideOn(t *testing.T, d *Dir) ([]Found, Decision) {
	t.Helper()
	found, err := Find(context.Background(), d, testJob)
	if err != nil {
		t.Fatal(err)
	}
	return found, Decide(&Facts{Found: found, Job: Job{Published: true}})
}

func TestATornManifestOrFileMakesTheStartUseTheOneBefore(t *testing.T) {
	d, ms := three(t)
	rnd := rand.New(rand.NewPCG(3, 3))
	for _, name := range []string{manifestName(3), "shared/" + ms[2].Files[2].Name} {
		good, err := d.get(name, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		var cuts []int
		for n := max(0, len(good)-4096); n < len(good); n++ {
			cuts = append(cuts, n)
		}
		for range 100 {
			cuts = append(cuts, rnd.IntN(len(good)))
		}
		for _, n := range cuts {
			damage(t, d, name, func([]byte) []byte { return good[:n] })
			found, dec := decideOn(t, d)
			if dec.From != 2 || found[0].Err == nil || !strings.Contains(found[0].Err.Error(), name[strings.Index(name, "/")+1:]) {
				t.Fatalf("%s cut to %d of %d bytes: decision %v", name, n, len(good), dec)
			}
		}
		damage(t, d, name, func([]byte) []byte { return good })
	}
	if _, dec := decideOn(t, d); dec.From != 3 {
		t.Fatal(dec)
	}
}

func TestEveryFlippedBitInAManifestOrFileIsDetected(t *testing.T) {
	d, ms := three(t)
	rnd := rand.New(rand.NewPCG(4, 4))
	for _, name := range []string{manifestName(3), "shared/" + ms[2].Files[2].Name} {
		good, err := d.get(name, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			bad := slices.Clone(good)
			at, bit := rnd.IntN(len(bad)), rnd.IntN(8)
			bad[at] ^= 1 << bit
			damage(t, d, name, func([]byte) []byte { return bad })
			if _, dec := decideOn(t, d); dec.From != 2 {
				t.Fatalf("%s with bit %d of byte %d flipped: decision %v", name, bit, at, dec)
			}
		}
		damage(t, d, name, func([]byte) []byte { return good })
	}
}

func TestADamagedNewestCheckpointStaysAndTheJobGoesOnFromTheOneBefore(t *testing.T) {
	d, _ := three(t)
	damage(t, d, manifestName(3), func(b []byte) []byte { b[20] ^= 1; return b })
	for range 3 { // starts in a row: no loop, always the same
		found, dec := decideOn(t, d)
		if dec.Action != RestoreThenCommit || dec.From != 2 || NextEpoch(&Facts{Found: found}, nil) != 4 {
			t.Fatal(dec)
		}
	}
	before, err := Read(d, 2, testJob)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take(d, 4, before); err != nil {
		t.Fatal(err)
	}
	g, err := Collect(d, testJob, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Delete(d); err != nil {
		t.Fatal(err)
	}
	epochs, err := d.Epochs()
	if err != nil || !slices.Equal(epochs, []state.Epoch{4, 3}) {
		t.Fatalf("left are %v, expected the new one and the damaged one; err %v", epochs, err)
	}
}

func TestFailPointsAreCalledInOrder(t *testing.T) {
	var got []string
	d, err := NewDir(newCrashFS(), "/ckpt", DirOptions{Owner: true, FailPoint: func(n string) { got = append(got, n) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take(d, 1, nil); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(Points, Points[1:])
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, expected %v", got, want)
	}
}

func TestAfterACrashTheJobFileIsTheOldOrTheNewOne(t *testing.T) {
	write := func(f FS) error {
		for _, text := range []string{"one", "two"} {
			if err := replace(f, jobFile, []byte(text)); err != nil {
				return err
			}
		}
		return nil
	}
	whole := newCrashFS()
	if err := write(whole); err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= whole.ops; at++ {
		for seed := range 100 {
			f := newCrashFS()
			if err := replace(f, jobFile, []byte("zero")); err != nil {
				t.Fatal(err)
			}
			f.failAt, f.crashed = f.ops+at, true
			if err := write(f); err == nil {
				t.Fatal("nothing failed")
			}
			g := f.crash(rand.New(rand.NewPCG(uint64(at), uint64(seed))))
			r, err := g.Open(jobFile)
			if err != nil {
				t.Fatalf("crash at %d (%s): %v", at, f.failed, err)
			}
			b := make([]byte, r.Size())
			r.ReadAt(b, 0)
			if s := string(b); s != "zero" && s != "one" && s != "two" {
				t.Fatalf("crash at %d (%s): the file is %q", at, f.failed, s)
			}
			if err := write(g); err != nil {
				t.Fatal(err)
			}
		}
	}
}
