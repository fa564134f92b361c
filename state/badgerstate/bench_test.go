package badgerstate

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
	"github.com/zeebo/xxh3"
)

const batch = 4096

// load holds batches of random keys of n groups.
type load struct {
	groups []state.KeyGroup
	hashes []uint64
	keys   state.Keys
}

func loads(n, batches int) []load {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]load, batches)
	for i := range out {
		l := &out[i]
		l.keys.Off = append(l.keys.Off, 0)
		for j := range batch {
			k := rnd.IntN(n)
			if n >= batch*batches {
				k = i*batch + j // every key once
			}
			l.keys.Data = fmt.Appendf(l.keys.Data, "user-%08d", k)
			h := xxh3.Hash(l.keys.Data[l.keys.Off[j]:])
			l.keys.Off = append(l.keys.Off, int32(len(l.keys.Data)))
			l.groups, l.hashes = append(l.groups, state.GroupOf(h, 128)), append(l.hashes, h)
		}
	}
	return out
}

func benchStore(b *testing.B, budget int64) (*Store, state.Table) {
	s, err := Open(Options{Dir: b.TempDir() + "/state", Range: state.Range{Lo: 0, Hi: 128}, MaxParallelism: 128, NextEpoch: 1, MemoryBudget: budget})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	t, err := s.Table(state.Spec{UID: "u", Name: "groups"})
	if err != nil {
		b.Fatal(err)
	}
	return s, t
}

// update adds one to two counters per key, as COUNT and SUM do.
func update(b *testing.B, t state.Table, l *load, refs []state.Ref) {
	if err := t.UpsertAll(l.groups, l.hashes, l.keys, refs); err != nil {
		b.Fatal(err)
	}
	var zero [24]byte
	for i, r := range refs {
		v := t.Edit(r)
		if len(v) == 0 {
			if err := t.Set(r, zero[:]); err != nil {
				b.Fatal(err)
			}
			v = t.Edit(r)
		}
		binary.LittleEndian.PutUint64(v, binary.LittleEndian.Uint64(v)+1)
		binary.LittleEndian.PutUint64(v[8:], binary.LittleEndian.Uint64(v[8:])+l.hashes[i]%10000)
	}
}

// fill makes n records.
func fill(b *testing.B, t state.Table, n int) {
	refs := make([]state.Ref, batch)
	for _, l := range loads(n, n/batch) {
		update(b, t, &l, refs)
	}
}

func BenchmarkUpsertAllEdit(b *testing.B) {
	for _, n := range []int{1 << 10, 100 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("groups=%d", n), func(b *testing.B) {
			_, t := benchStore(b, 0)
			fill(b, t, max(n, batch))
			ls := loads(n/2, 128)
			refs := make([]state.Ref, batch)
			b.ResetTimer()
			for i := 0; b.Loop(); i++ {
				update(b, t, &ls[i%len(ls)], refs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/row")
		})
	}
}

// BenchmarkSeal is the pause of a checkpoint, and the first update of every record after it.
func BenchmarkSeal(b *testing.B) {
	const n = 1 << 20
	s, t := benchStore(b, 0)
	dst := &memstate.Files{}
	ls := loads(n, n/batch)
	refs := make([]state.Ref, batch)
	var touch, write, size float64
	e := state.Epoch(1)
	for i := range ls {
		update(b, t, &ls[i], refs)
	}
	for b.Loop() {
		x, err := s.Seal(e)
		if err != nil {
			b.Fatal(err)
		}
		e++
		b.StopTimer()
		at := b.Elapsed()
		b.StartTimer()
		for i := range ls { // while the frozen ones are held
			update(b, t, &ls[i], refs)
		}
		b.StopTimer()
		mid := b.Elapsed()
		b.StartTimer()
		fs, err := x.Write(dst)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		touch += float64(mid - at)
		write += float64(b.Elapsed() - mid)
		size += float64(fs[0].Size)
		x.Release()
		s.Trim()
		dst.Remove(fs[0].Name)
		b.StartTimer()
	}
	per := float64(b.N) * n
	b.ReportMetric((float64(b.Elapsed())-touch-write)/float64(b.N)/1e6, "seal-ms")
	b.ReportMetric(touch/per, "touch-ns/row")
	b.ReportMetric(write/per, "write-ns/row")
	b.ReportMetric(size/per, "file-B/row")
}

func BenchmarkRestore(b *testing.B) {
	const n = 1 << 20
	s, t := benchStore(b, 0)
	fill(b, t, n)
	dst := &memstate.Files{}
	x, err := s.Seal(1)
	if err != nil {
		b.Fatal(err)
	}
	fs, err := x.Write(dst)
	if err != nil {
		b.Fatal(err)
	}
	x.Release()
	for _, budget := range []int64{0, 64 << 20} {
		b.Run(fmt.Sprintf("budget=%dMiB", budget>>20), func(b *testing.B) {
			for b.Loop() {
				s, err := Open(Options{Dir: b.TempDir() + "/state", Range: state.Range{Lo: 0, Hi: 128}, MaxParallelism: 128, NextEpoch: 2, Files: dst, Restore: fs, MemoryBudget: budget})
				if err != nil {
					b.Fatal(err)
				}
				t, err := s.Table(state.Spec{UID: "u", Name: "groups"})
				if err != nil || t.Len() != n {
					b.Fatal(err, t.Len())
				}
				s.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
		})
	}
}

// BenchmarkDropWindow deletes windows of 100k groups that a checkpoint knows, or not.
func BenchmarkDropWindow(b *testing.B) {
	for _, sealed := range []bool{false, true} {
		b.Run(fmt.Sprintf("sealed=%v", sealed), func(b *testing.B) {
			const n = 100 << 10
			var pure float64
			for b.Loop() {
				b.StopTimer()
				s, err := Open(Options{Dir: b.TempDir() + "/state", Range: state.Range{Lo: 0, Hi: 128}, MaxParallelism: 128, NextEpoch: 1})
				if err != nil {
					b.Fatal(err)
				}
				t, err := s.Table(state.Spec{UID: "u", Name: "panes", Prefix: 8})
				if err != nil {
					b.Fatal(err)
				}
				for i := range n {
					k := fmt.Appendf([]byte("\x00\x00\x00\x00\x00\x00\x00\x07"), "user-%08d", i)
					h := xxh3.Hash(k)
					r, err := t.Upsert(state.GroupOf(h, 128), h, k)
					if err != nil {
						b.Fatal(err)
					}
					t.Set(r, k)
				}
				if sealed {
					x, err := s.Seal(1)
					if err != nil {
						b.Fatal(err)
					}
					x.Release()
				}
				at := b.Elapsed()
				b.StartTimer()
				err = t.Scan([]byte("\x00\x00\x00\x00\x00\x00\x00\x07"), t.Delete)
				b.StopTimer()
				pure += float64(b.Elapsed() - at)
				if err != nil || t.Len() != 0 {
					b.Fatal(err, t.Len())
				}
				s.Close()
				b.StartTimer()
			}
			b.ReportMetric(pure/float64(b.N*n), "ns/row")
		})
	}
}
