package badgerstate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
	"github.com/sqlstream/sqlstream/state/stf"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

var whole = state.Range{Lo: 0, Hi: 128}

func openStore(t *testing.T, o Options) *Store {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "state")
	}
	o.Range, o.MaxParallelism = whole, 128
	if o.MinFree == 0 {
		o.MinFree = 1
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func table(t *testing.T, s *Store) state.Table {
	t.Helper()
	tab, err := s.Table(state.Spec{UID: "u", Name: "groups"})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func put(t *testing.T, tab state.Table, n int, val []byte) {
	t.Helper()
	for i := range n {
		r, err := tab.Upsert(state.KeyGroup(i%128), 0, fmt.Appendf(nil, "key-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := tab.Set(r, val); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, s *Store, dst state.Files, e state.Epoch) []state.File {
	t.Helper()
	x, err := s.Seal(e)
	if err != nil {
		t.Fatal(err)
	}
	fs, err := x.Write(dst)
	if err != nil {
		t.Fatal(err)
	}
	x.Release()
	return fs
}

func TestNoDatabaseWhileEverythingFits(t *testing.T) {
	dst := &memstate.Files{}
	s := openStore(t, Options{MemoryBudget: 64 << 20})
	tab := table(t, s)
	put(t, tab, 10000, make([]byte, 100))
	fs := write(t, s, dst, 1)
	if err := s.Trim(); err != nil {
		t.Fatal(err)
	}
	if s.spill != nil {
		t.Fatal("there is a database")
	}
	names, err := os.ReadDir(s.opts.Dir)
	if err != nil || len(names) != 0 {
		t.Fatal(names, err)
	}
	again := openStore(t, Options{MemoryBudget: 64 << 20, Files: dst, Restore: fs, NextEpoch: 2})
	if got := table(t, again).Len(); got != 10000 || again.spill != nil {
		t.Fatal(got)
	}
}

func TestMemoryStaysWithinTheBudget(t *testing.T) {
	const budget = 2 << 20
	dst := &memstate.Files{}
	s := openStore(t, Options{MemoryBudget: budget})
	tab := table(t, s)
	var fs []state.File
	for e := state.Epoch(1); e <= 8; e++ {
		put(t, tab, 40000, fmt.Appendf(nil, "value of %d, of some length: %064d", e, e))
		fs = append(fs, write(t, s, dst, e)...)
		s.waitApplied()
		for range 8 {
			if err := s.Trim(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.OverBudget() || s.MemoryBytes() > budget {
		t.Fatalf("%d bytes in memory, the budget is %d", s.MemoryBytes(), budget)
	}
	if tab.Len() != 40000 {
		t.Fatal(tab.Len())
	}
	n := 0
	err := tab.Each(func(r state.Ref) error {
		n++
		if want := fmt.Sprintf("value of 8, of some length: %064d", 8); string(tab.Get(r)) != want {
			return fmt.Errorf("%s is %q", tab.Key(r), tab.Get(r))
		}
		return nil
	})
	if err != nil || n != 40000 {
		t.Fatal(n, err)
	}
	again := openStore(t, Options{MemoryBudget: budget, Files: dst, Restore: fs, NextEpoch: 9})
	tab = table(t, again)
	if again.spill == nil || again.MemoryBytes() > budget || tab.Len() != 40000 {
		t.Fatal(again.MemoryBytes(), tab.Len())
	}
	r, err := tab.Find(5, 0, []byte("key-39941"))
	if err != nil || r == state.NoRef || !strings.HasPrefix(string(tab.Get(r)), "value of 8") {
		t.Fatal(r, err)
	}
}

// waitApplied returns when the database has taken everything that was handed over.
func (s *Store) waitApplied() {
	p := s.spill
	if p == nil {
		return
	}
	done := make(chan struct{})
	if p.enqueue(wave{epoch: s.last, done: func() { close(done) }}) {
		<-done
	}
}

func TestAFullDiskEndsTheJobWithAnErrorInsteadOfASignal(t *testing.T) {
	s := openStore(t, Options{MemoryBudget: 1 << 20, MinFree: 1 << 60})
	tab := table(t, s)
	put(t, tab, 20000, make([]byte, 100))
	err := s.Trim()
	if err == nil || !strings.Contains(err.Error(), "MiB free, local state needs") {
		t.Fatal(err)
	}

	// The disk fills up later: the error comes with the next call that can return one.
	s = openStore(t, Options{MemoryBudget: 1 << 20})
	tab = table(t, s)
	put(t, tab, 20000, make([]byte, 100))
	if err := s.Trim(); err != nil || s.spill == nil {
		t.Fatal(err)
	}
	s.opts.MinFree = 1 << 60
	write(t, s, &memstate.Files{}, 1)
	<-s.spill.done
	if _, err := s.Seal(2); err == nil || !strings.Contains(err.Error(), "MiB free") {
		t.Fatal(err)
	}
	if err := s.Trim(); err == nil || !strings.Contains(err.Error(), "MiB free") {
		t.Fatal(err)
	}
	if n := tab.Len(); n != 20000 {
		t.Fatal(n)
	}
}

func TestWhatACrashLeftIsNeverRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"MANIFEST", "00001.mem", "000001.sst", "sub/x"} {
		if err := os.WriteFile(filepath.Join(dir, n), []byte("left over"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := openStore(t, Options{Dir: dir, MemoryBudget: 1 << 20})
	if n := table(t, s).Len(); n != 0 {
		t.Fatal(n)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 0 {
		t.Fatal(names, err)
	}
}

func TestOpenRefusesWhatMakesNoSense(t *testing.T) {
	dst := &memstate.Files{}
	s := openStore(t, Options{})
	put(t, table(t, s), 10, []byte("v"))
	fs := write(t, s, dst, 7)
	if _, err := s.Table(state.Spec{UID: "late"}); err == nil || !strings.Contains(err.Error(), "declared after rows were processed") {
		t.Error(err)
	}
	if _, err := s.Seal(7); err == nil {
		t.Error("epoch 7 is sealed twice")
	}
	dir := filepath.Join(t.TempDir(), "x")
	for want, o := range map[string]Options{
		"key groups [5, 5) of 128":             {Dir: dir, Range: state.Range{Lo: 5, Hi: 5}, MaxParallelism: 128},
		"key groups [0, 200) of 128":           {Dir: dir, Range: state.Range{Lo: 0, Hi: 200}, MaxParallelism: 128},
		`"" is no directory`:                   {Range: whole, MaxParallelism: 128},
		`"/" is no directory`:                  {Dir: "/", Range: whole, MaxParallelism: 128},
		"no place to read them from":           {Dir: dir, Range: whole, MaxParallelism: 128, Restore: fs, NextEpoch: 8},
		"has epoch 7, the next one is to be 7": {Dir: dir, Range: whole, MaxParallelism: 128, Restore: fs, Files: dst, NextEpoch: 7},
	} {
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected %s, got %v", want, err)
		}
	}
	b := dst.Bytes(fs[0].Name)
	b[40] ^= 1
	dst.Put(fs[0].Name, b)
	s = openStore(t, Options{Files: dst, Restore: fs, NextEpoch: 8})
	if _, err := s.Table(state.Spec{UID: "u", Name: "groups"}); !errors.Is(err, stf.ErrCorrupt) || !strings.Contains(err.Error(), fs[0].Name) {
		t.Error(err)
	}
}

// failing is a place where files cannot be written.
type failing struct{ memstate.Files }

func (*failing) Create(string) (state.FileWriter, error) { return nil, errors.New("no space left") }

func TestAWriteThatFailedCanBeRepeated(t *testing.T) {
	s := openStore(t, Options{})
	tab := table(t, s)
	put(t, tab, 10, []byte("v"))
	x, err := s.Seal(1)
	if err != nil {
		t.Fatal(err)
	}
	put(t, tab, 10, []byte("w"))
	if _, err := x.Write(&failing{}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatal(err)
	}
	dst := &memstate.Files{}
	fs, err := x.Write(dst)
	if err != nil || len(fs) != 1 || fs[0].Entries != 10 {
		t.Fatal(fs, err)
	}
	x.Release()
	again := openStore(t, Options{Files: dst, Restore: fs, NextEpoch: 2})
	tab = table(t, again)
	if err := tab.Each(func(r state.Ref) error {
		if string(tab.Get(r)) != "v" {
			return fmt.Errorf("%q", tab.Get(r))
		}
		return nil
	}); err != nil || tab.Len() != 10 {
		t.Fatal(err, tab.Len())
	}
}
