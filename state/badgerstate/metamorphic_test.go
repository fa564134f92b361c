package badgerstate

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
	"github.com/sqlstream/sqlstream/state/stf"
	"github.com/zeebo/xxh3"
)

// The metamorphic test runs random operations on the engine's store and on the reference,
// through checkpoints, given up checkpoints, crashes, roll-ups and changes of parallelism, and
// compares everything that can be seen. A run restores from its own or from the reference's files.

const groups = 16

var specs = []state.Spec{
	{UID: "plain", Name: "groups", ID: 0},
	{UID: "window", Name: "panes", ID: 0, Prefix: 8},
	{UID: "window", Name: "late", ID: 1, Prefix: 3, TTL: 50 * time.Millisecond},
	{UID: "other", Name: "ttl", ID: 7, TTL: 120 * time.Millisecond},
}

type side struct {
	stores []state.Store
	tables [][]state.Table // by subtask, spec
	files  []state.File    // of the newest complete checkpoint
	extra  []state.File    // written by failed ones since
	// carried are sealed changes that a failed checkpoint could not write: the next one does, as
	// the engine's coordinator.
	carried []state.Sealed
}

type world struct {
	t      *testing.T
	rnd    *rand.Rand
	now    time.Time
	dst    *memstate.Files
	a, b   side // the engine's, the reference
	par    int
	epoch  state.Epoch
	budget int64
	dir    string
	opened int
	keys   int
	busy   chan struct{} // a checkpoint is being written in the background
}

func TestStoreBehavesLikeTheReference(t *testing.T) {
	for _, budget := range []int64{0, 24 << 10} {
		n := 24
		if budget > 0 {
			n = 6 // opening databases takes long
		}
		for seed := range n {
			t.Run(fmt.Sprintf("budget=%d/seed=%d", budget, seed), func(t *testing.T) {
				w := &world{t: t, rnd: rand.New(rand.NewPCG(uint64(seed), 1)), now: time.UnixMilli(1000), dst: &memstate.Files{}, budget: budget, dir: t.TempDir(), keys: 40 << (seed % 5)}
				w.open()
				for range 1200 {
					w.step()
				}
				w.compare()
				w.close()
			})
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open() {
	w.par = 1 + w.rnd.IntN(3)
	w.a.stores, w.a.tables, w.b.stores, w.b.tables = nil, nil, nil, nil
	w.a.extra, w.b.extra = nil, nil
	clock := func() time.Time { return w.now }
	for i := range w.par {
		g := state.RangeOf(i, w.par, groups)
		w.opened++
		a, err := Open(Options{Dir: filepath.Join(w.dir, fmt.Sprint(w.opened)), Range: g, MaxParallelism: groups, MemoryBudget: w.budget, Now: clock,
			Files: w.dst, Restore: w.a.files, NextEpoch: w.epoch + 1, MinFree: 1})
		w.must(err)
		b, err := memstate.Open(memstate.Options{Range: g, MaxParallelism: groups, Now: clock, Files: w.dst, Restore: w.b.files})
		w.must(err)
		var ta, tb []state.Table
		for _, s := range specs {
			x, err := a.Table(s)
			w.must(err)
			y, err := b.Table(s)
			w.must(err)
			ta, tb = append(ta, x), append(tb, y)
		}
		w.a.stores, w.a.tables = append(w.a.stores, a), append(w.a.tables, ta)
		w.b.stores, w.b.tables = append(w.b.stores, b), append(w.b.tables, tb)
	}
}

func (w *world) close() {
	w.wait()
	for i := range w.par {
		w.must(w.a.stores[i].Close())
		w.must(w.b.stores[i].Close())
	}
}

// key makes a key with its group and hash; small numbers repeat often.
func (w *world) key() (state.KeyGroup, uint64, []byte) {
	n := w.rnd.IntN(w.keys)
	k := binary.BigEndian.AppendUint64(nil, uint64(n%5)*60000)
	k = fmt.Appendf(k, "key-%d", n)
	if n%7 == 0 {
		k = append(k, make([]byte, n%90)...)
	}
	h := xxh3.Hash(k[8:])
	return state.GroupOf(h, groups), h, k
}

func (w *world) value() []byte {
	n := 1 + w.rnd.IntN(40)
	switch w.rnd.IntN(60) {
	case 0:
		n = 1000 + w.rnd.IntN(9000)
	case 1:
		if w.rnd.IntN(10) == 0 {
			n = 200000 + w.rnd.IntN(500000)
		}
	}
	v := make([]byte, n)
	for i := range min(n, 64) {
		v[i] = byte(w.rnd.Uint32())
	}
	return v
}

func (w *world) step() {
	i := w.rnd.IntN(len(specs))
	g, h, k := w.key()
	s := state.SubtaskOf(g, w.par, groups)
	a, b := w.a.tables[s][i], w.b.tables[s][i]
	switch op := w.rnd.IntN(100); {
	case op < 30: // upsert, then set, edit or nothing
		w.upsert(a, b, g, h, k)
	case op < 45:
		w.batch(i)
	case op < 60: // delete
		ra, rb := w.find(a, b, g, h, k)
		if ra != state.NoRef {
			w.must(a.Delete(ra))
			w.must(b.Delete(rb))
		}
	case op < 72:
		w.find(a, b, g, h, k)
	case op < 78:
		w.scan(i, k)
	case op < 80:
		for s := range w.par {
			if x, y := w.a.tables[s][i].Len(), w.b.tables[s][i].Len(); x != y && (specs[i].TTL == 0 || w.budget == 0) {
				w.t.Fatalf("Len of %s is %d, expected %d", specs[i].Name, x, y)
			}
		}
	case op < 86:
		for s := range w.par {
			w.must(w.a.stores[s].Trim())
			w.must(w.b.stores[s].Trim())
		}
	case op < 90:
		w.now = w.now.Add(time.Duration(w.rnd.IntN(30)) * time.Millisecond)
	case op < 97:
		w.checkpoint()
	case op < 98:
		w.crash()
	case op < 99:
		w.compact()
	default:
		w.compare()
	}
}

func (w *world) upsert(a, b state.Table, g state.KeyGroup, h uint64, k []byte) {
	ra, err := a.Upsert(g, h, k)
	w.must(err)
	rb, err := b.Upsert(g, h, k)
	w.must(err)
	w.same(a, ra, b, rb)
	if len(b.Get(rb)) == 0 || w.rnd.IntN(2) == 0 {
		v := w.value()
		if w.rnd.IntN(8) == 0 {
			return
		}
		w.must(a.Set(ra, v))
		w.must(b.Set(rb, v))
	} else {
		at, x := w.rnd.IntN(len(b.Get(rb))), byte(w.rnd.Uint32())
		a.Edit(ra)[at], b.Edit(rb)[at] = x, x
	}
	w.same(a, ra, b, rb)
}

func (w *world) batch(i int) {
	s := w.rnd.IntN(w.par)
	a, b := w.a.tables[s][i], w.b.tables[s][i]
	var gs []state.KeyGroup
	var hs []uint64
	keys := state.Keys{Off: []int32{0}}
	for len(gs) < 1+w.rnd.IntN(150) {
		if g, h, k := w.key(); state.SubtaskOf(g, w.par, groups) == s {
			gs, hs = append(gs, g), append(hs, h)
			keys.Data = append(keys.Data, k...)
			keys.Off = append(keys.Off, int32(len(keys.Data)))
		}
	}
	ra, rb := make([]state.Ref, len(gs)), make([]state.Ref, len(gs))
	w.must(a.UpsertAll(gs, hs, keys, ra))
	w.must(b.UpsertAll(gs, hs, keys, rb))
	for j := range ra {
		w.same(a, ra[j], b, rb[j])
		switch w.rnd.IntN(3) {
		case 0:
			v := w.value()
			w.must(a.Set(ra[j], v))
			w.must(b.Set(rb[j], v))
		case 1:
			if len(b.Get(rb[j])) > 0 {
				a.Edit(ra[j])[0]++
				b.Edit(rb[j])[0]++
			}
		}
	}
	for j := range ra {
		w.same(a, ra[j], b, rb[j])
	}
}

func (w *world) find(a, b state.Table, g state.KeyGroup, h uint64, k []byte) (ra, rb state.Ref) {
	ra, err := a.Find(g, h, k)
	w.must(err)
	rb, err = b.Find(g, h, k)
	w.must(err)
	if (ra == state.NoRef) != (rb == state.NoRef) {
		w.t.Fatalf("Find(%q) is %d, the reference says %d", k, ra, rb)
	}
	if ra != state.NoRef {
		w.same(a, ra, b, rb)
	}
	return ra, rb
}

func (w *world) same(a state.Table, ra state.Ref, b state.Table, rb state.Ref) {
	w.t.Helper()
	if string(a.Key(ra)) != string(b.Key(rb)) || a.Group(ra) != b.Group(rb) || string(a.Get(ra)) != string(b.Get(rb)) {
		w.t.Fatalf("record %q of group %d = %.60x, expected %q %d %.60x", a.Key(ra), a.Group(ra), a.Get(ra), b.Key(rb), b.Group(rb), b.Get(rb))
	}
}

func content(t state.Table, each func(func(state.Ref) error) error) (map[string]string, error) {
	m := map[string]string{}
	err := each(func(r state.Ref) error {
		k := string(t.Key(r))
		if _, ok := m[k]; ok {
			return fmt.Errorf("record %q comes twice", k)
		}
		m[k] = fmt.Sprintf("%d:%s", t.Group(r), t.Get(r))
		return nil
	})
	return m, err
}

// scan reads a prefix; now and then it deletes, sets or edits what it sees.
func (w *world) scan(i int, k []byte) {
	n := specs[i].Prefix
	if n == 0 {
		return
	}
	mode, salt := w.rnd.IntN(4), byte(w.rnd.Uint32())
	val := w.value()
	for s := range w.par {
		var got [2]map[string]string
		for j, t := range []state.Table{w.a.tables[s][i], w.b.tables[s][i]} {
			m, err := content(t, func(fn func(state.Ref) error) error { return t.Scan(k[:n], fn) })
			w.must(err)
			got[j] = m
			w.must(t.Scan(k[:n], func(r state.Ref) error {
				switch {
				case mode == 1:
					return t.Delete(r)
				case mode == 2 && t.Key(r)[len(t.Key(r))-1]%2 == salt%2:
					return t.Set(r, val)
				case mode == 3 && len(t.Get(r)) > 0:
					t.Edit(r)[0] = salt
				}
				return nil
			}))
		}
		w.equal(specs[i].Name, got[0], got[1])
	}
}

func (w *world) equal(what string, a, b map[string]string) {
	w.t.Helper()
	if maps.Equal(a, b) {
		return
	}
	for k, v := range b {
		if a[k] != v {
			w.t.Errorf("%s: %q = %.80q, expected %.80q", what, k, a[k], v)
		}
	}
	for k, v := range a {
		if _, ok := b[k]; !ok {
			w.t.Errorf("%s: %q = %.80q should not be there", what, k, v)
		}
	}
	w.t.FailNow()
}

func (w *world) compare() {
	for s := range w.par {
		for i, spec := range specs {
			a, b := w.a.tables[s][i], w.b.tables[s][i]
			x, err := content(a, a.Each)
			w.must(err)
			y, err := content(b, b.Each)
			w.must(err)
			w.equal(spec.Name, x, y)
			if a.Len() != len(y) {
				w.t.Fatalf("Len of %s is %d, expected %d", spec.Name, a.Len(), len(y))
			}
			if spec.Prefix > 0 {
				w.equal(spec.Name+" prefixes", prefixes(w, a), prefixes(w, b))
			}
		}
	}
}

func prefixes(w *world, t state.Table) map[string]string {
	m := map[string]string{}
	w.must(t.Prefixes(func(p []byte) error { m[string(p)] += "x"; return nil }))
	return m
}

func (w *world) wait() {
	if w.busy != nil {
		<-w.busy
		w.busy = nil
	}
}

// checkpoint seals all stores and writes in the background, or gives the epoch up.
func (w *world) checkpoint() {
	w.wait()
	w.epoch++
	var sa, sb []state.Sealed
	for s := range w.par {
		x, err := w.a.stores[s].Seal(w.epoch)
		w.must(err)
		y, err := w.b.stores[s].Seal(w.epoch)
		w.must(err)
		sa, sb = append(sa, x), append(sb, y)
	}
	fate := w.rnd.IntN(5)
	done := make(chan struct{})
	w.busy = done
	go func() {
		defer close(done)
		finish(w, &w.a, sa, fate)
		finish(w, &w.b, sb, fate)
	}()
	if w.rnd.IntN(3) == 0 {
		w.wait()
	}
}

func finish(w *world, x *side, sealed []state.Sealed, fate int) {
	if fate == 1 {
		x.carried = append(x.carried, sealed...)
		return
	}
	var fresh []state.File
	for _, c := range x.carried {
		fs, err := c.Write(w.dst)
		if err != nil {
			w.t.Error(err)
		}
		fresh = append(fresh, fs...)
		c.Release()
	}
	x.carried = nil
	for s, c := range sealed {
		if fate == 0 && s == len(sealed)-1 { // the last subtask gives up: the checkpoint fails
			if err := c.Merge(); err != nil {
				w.t.Error(err)
			}
			c.Release()
			x.extra = append(x.extra, fresh...)
			return
		}
		fs, err := c.Write(w.dst)
		if err != nil {
			w.t.Error(err)
		}
		fresh = append(fresh, fs...)
		c.Release()
	}
	x.files = slices.Concat(x.files, x.extra, fresh)
	x.extra = nil
}

// crash forgets everything since the last checkpoint, and starts again from it.
func (w *world) crash() {
	w.wait()
	for _, x := range []*side{&w.a, &w.b} {
		for _, c := range x.carried {
			c.Release()
		}
		x.carried = nil
	}
	for i := range w.par {
		w.must(w.a.stores[i].Close())
		w.must(w.b.stores[i].Close())
	}
	switch w.rnd.IntN(4) {
	case 0:
		w.a.files = w.b.files
	case 1:
		w.b.files = w.a.files
	}
	w.open()
	w.compare()
}

// compact rolls up the files that are due.
func (w *world) compact() {
	w.wait()
	for _, x := range []*side{&w.a, &w.b} {
		for _, set := range stf.Plan(x.files, stf.Policy{MaxDeltas: 3, MaxRatio: 0.5}) {
			f, err := stf.Compact(w.t.Context(), w.dst, set, nil)
			w.must(err)
			x.files = append(slices.DeleteFunc(slices.Clone(x.files), func(f state.File) bool {
				return slices.ContainsFunc(set, func(o state.File) bool { return o.Name == f.Name })
			}), f)
		}
	}
}
