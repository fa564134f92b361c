package badgerstate

import (
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
	"github.com/zeebo/xxh3"
)

var scale = flag.Int("scale", 0, "millions of records of TestScale; 0: it is skipped")

// TestScale prints what a large state costs; it asserts nothing but the counts.
func TestScale(t *testing.T) {
	if *scale == 0 {
		t.Skip("run with -scale 4 to measure 4 million records")
	}
	n := *scale * 1000 * 1000
	s, err := Open(Options{Dir: filepath.Join(t.TempDir(), "state"), Range: whole, MaxParallelism: 128})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tab := table(t, s)
	var slowest time.Duration
	var key []byte
	begin := time.Now()
	one := func(i int) {
		at := time.Now()
		key = fmt.Appendf(key[:0], "user-%08d", i)
		h := xxh3.Hash(key)
		r, err := tab.Upsert(state.GroupOf(h, 128), h, key)
		if err != nil {
			t.Fatal(err)
		}
		if v := tab.Get(r); len(v) == 0 {
			v = append(v, make([]byte, 24)...)
			if err := tab.Set(r, v); err != nil {
				t.Fatal(err)
			}
		}
		tab.Edit(r)[i%24]++
		slowest = max(slowest, time.Since(at))
	}
	for i := range n {
		one(i)
	}
	t.Logf("make %d records: %s, slowest %s", n, time.Since(begin), slowest)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	t.Logf("memory: %d B/record in use, %d B/record of heap", s.MemoryBytes()/int64(n), m.HeapAlloc/uint64(n))
	dst := &memstate.Files{}
	var files []state.File
	for e := state.Epoch(1); e <= 3; e++ {
		at := time.Now()
		x, err := s.Seal(e)
		if err != nil {
			t.Fatal(err)
		}
		pause := time.Since(at)
		slowest = 0
		for i := range 100_000 {
			one(i * 7919 % n)
		}
		at = time.Now()
		fs, err := x.Write(dst)
		if err != nil {
			t.Fatal(err)
		}
		x.Release()
		write := time.Since(at)
		at = time.Now()
		if err := s.Trim(); err != nil {
			t.Fatal(err)
		}
		t.Logf("epoch %d: seal %s, slowest update %s, write %d rows, %d B: %s, trim %s", e, pause, slowest, fs[0].Entries, fs[0].Size, write, time.Since(at))
		files = append(files, fs...)
	}
	at := time.Now()
	r, err := Open(Options{Dir: filepath.Join(t.TempDir(), "again"), Range: whole, MaxParallelism: 128, Files: dst, Restore: files, NextEpoch: 9})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := table(t, r).Len(); got != n {
		t.Fatalf("%d records are restored, expected %d", got, n)
	}
	t.Logf("restore: %s", time.Since(at))
}
