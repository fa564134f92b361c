package stf_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
	"github.com/sqlstream/sqlstream/state/stf"
)

var all = state.Range{Lo: 0, Hi: 128}

// build writes a file of two tables with n rows each over many blocks.
func build(t testing.TB, dst *memstate.Files, name string, n int) state.File {
	t.Helper()
	fw, err := dst.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := stf.NewWriter(fw, stf.Meta{Name: name, Kind: stf.Delta, Range: all, MinEpoch: 3, MaxEpoch: 4})
	uids := []string{"b", "a"}
	if x, y := stf.IDOf("a", 1), stf.IDOf("b", 1); bytes.Compare(x[:], y[:]) < 0 {
		uids = []string{"a", "b"}
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, uid := range uids {
		if err := w.Table(uid, "groups", 1); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			g, key := state.KeyGroup(i*128/n), fmt.Appendf(nil, "key-%06d", i)
			if i%5 == 0 {
				err = w.Delete(g, key)
			} else {
				err = w.Put(g, key, fmt.Appendf(nil, "%x", rnd.Uint64()), int64(i%3))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	f, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func verify(dst *memstate.Files, f state.File) error {
	r, err := stf.Open(dst, f)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Verify(context.Background(), f)
}

func TestFileReadsBackAndCountsAreTrue(t *testing.T) {
	dst := &memstate.Files{}
	f := build(t, dst, "f", 20000)
	if err := verify(dst, f); err != nil {
		t.Fatal(err)
	}
	if f.Entries != 40000 || len(f.Tables) != 2 || f.Tables[0].Entries != 20000 || f.Size != int64(len(dst.Bytes("f"))) {
		t.Fatalf("file is described as %+v", f)
	}
	r, err := stf.Open(dst, f)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, g := range []state.Range{all, {Lo: 0, Hi: 1}, {Lo: 17, Hi: 40}, {Lo: 127, Hi: 128}} {
		for _, uid := range []string{"a", "b"} {
			it := r.Iter(stf.IDOf(uid, 1), g)
			n, want := 0, 0
			for i := range 20000 {
				if !g.Contains(state.KeyGroup(i * 128 / 20000)) {
					continue
				}
				want++
				if !it.Next() {
					t.Fatalf("%s %v ends after %d rows: %v", uid, g, n, it.Err())
				}
				n++
				if key := fmt.Sprintf("key-%06d", i); string(it.Key()) != key || it.Deleted() != (i%5 == 0) || !it.Deleted() && it.Stamp() != int64(i%3) {
					t.Fatalf("%s row %d is %q %v %d, expected %q", uid, i, it.Key(), it.Deleted(), it.Stamp(), key)
				}
			}
			if it.Next() || it.Err() != nil || n != want {
				t.Fatalf("%s %v: %d rows, expected %d, err %v", uid, g, n, want, it.Err())
			}
		}
	}
	if it := r.Iter(stf.IDOf("c", 1), all); it.Next() || it.Err() != nil {
		t.Fatal("an unknown table has rows")
	}
}

func TestEveryFlippedBitIsDetected(t *testing.T) {
	dst := &memstate.Files{}
	f := build(t, dst, "f", 6000)
	good := dst.Bytes("f")
	rnd := rand.New(rand.NewPCG(7, 7))
	for i := range 1000 {
		bad := bytes.Clone(good)
		at := rnd.IntN(len(bad))
		if i < 256 {
			at = len(bad) - 1 - i // footer and index for sure
		}
		bad[at] ^= 1 << rnd.IntN(8)
		dst.Put("f", bad)
		if err := verify(dst, f); err == nil {
			t.Fatalf("a flipped bit at %d of %d is not detected", at, len(bad))
		}
		// Without the manifest's checksum, the file's own checks have to find it too.
		r, err := stf.Open(dst, f)
		if err == nil {
			for _, uid := range []string{"a", "b"} {
				it := r.Iter(stf.IDOf(uid, 1), all)
				for it.Next() {
				}
				err = errors.Join(err, it.Err())
			}
			r.Close()
		}
		if err == nil {
			t.Fatalf("a flipped bit at %d of %d is only detected by the manifest", at, len(bad))
		}
		if !errors.Is(err, stf.ErrCorrupt) && !errors.Is(err, stf.ErrVersion) {
			t.Fatalf("a flipped bit at %d gives %v", at, err)
		}
	}
}

func TestEveryTruncationIsDetected(t *testing.T) {
	dst := &memstate.Files{}
	f := build(t, dst, "f", 6000)
	good := dst.Bytes("f")
	rnd := rand.New(rand.NewPCG(7, 7))
	for i := range 1000 {
		n := rnd.IntN(len(good))
		if i < 500 {
			n = len(good) - 1 - i
		}
		dst.Put("f", good[:n])
		if err := verify(dst, f); !errors.Is(err, stf.ErrCorrupt) {
			t.Fatalf("a file cut to %d of %d bytes gives %v", n, len(good), err)
		}
		short := f
		short.Size = int64(n)
		if err := verify(dst, short); err == nil {
			t.Fatalf("a file cut to %d of %d bytes is only detected by its length", n, len(good))
		}
	}
	dst.Put("f", append(bytes.Clone(good), 0))
	if err := verify(dst, f); !errors.Is(err, stf.ErrCorrupt) {
		t.Fatalf("a longer file gives %v", err)
	}
}

func TestSwappedFileIsRefused(t *testing.T) {
	dst := &memstate.Files{}
	f := build(t, dst, "f", 1000)
	g := build(t, dst, "g", 1001)
	dst.Put("f", dst.Bytes("g"))
	if err := verify(dst, f); !errors.Is(err, stf.ErrCorrupt) || !strings.Contains(err.Error(), "file f:") {
		t.Fatal(err)
	}
	f.Size, f.Entries = g.Size, g.Entries
	if err := verify(dst, f); !errors.Is(err, stf.ErrCorrupt) {
		t.Fatal(err)
	}
}

func TestWriterRefusesDisorder(t *testing.T) {
	dst := &memstate.Files{}
	fw, _ := dst.Create("x")
	w := stf.NewWriter(fw, stf.Meta{Name: "x", Kind: stf.Delta, Range: state.Range{Lo: 4, Hi: 8}})
	if w.Put(4, []byte("k"), nil, 0) == nil {
		t.Error("a row before a table is accepted")
	}
	if err := w.Table("a", "t", 0); err != nil {
		t.Fatal(err)
	}
	if err := w.Put(5, []byte("k"), []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		g   state.KeyGroup
		key string
	}{{5, "k"}, {5, "j"}, {4, "z"}, {8, "a"}} {
		if w.Put(c.g, []byte(c.key), []byte("v"), 0) == nil {
			t.Errorf("group %d key %q after group 5 key k is accepted", c.g, c.key)
		}
	}
	if w.Table("a", "t", 0) == nil {
		t.Error("the same table twice is accepted")
	}
}

func TestHugeValuesGoThrough(t *testing.T) {
	dst := &memstate.Files{}
	fw, _ := dst.Create("x")
	w := stf.NewWriter(fw, stf.Meta{Name: "x", Kind: stf.Full, Range: all})
	w.Table("a", "t", 0)
	big := bytes.Repeat([]byte("0123456789abcdef"), 300000)
	for i := range 4 {
		if err := w.Put(state.KeyGroup(i), []byte("k"), big[:len(big)-i], 0); err != nil {
			t.Fatal(err)
		}
	}
	f, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(dst, f); err != nil {
		t.Fatal(err)
	}
}

// rows writes a small file; a value "" is a deletion.
func rows(t *testing.T, dst *memstate.Files, name, kind string, g state.Range, e state.Epoch, kv map[int]string) state.File {
	t.Helper()
	fw, err := dst.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := stf.NewWriter(fw, stf.Meta{Name: name, Kind: kind, Range: g, MinEpoch: e, MaxEpoch: e})
	if err := w.Table("a", "t", 0); err != nil {
		t.Fatal(err)
	}
	for i := range 128 {
		v, ok := kv[i]
		switch {
		case !ok:
		case v == "":
			err = w.Delete(state.KeyGroup(i), []byte("k"))
		default:
			err = w.Put(state.KeyGroup(i), []byte("k"), []byte(v), 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, dst *memstate.Files, fs []state.File, g state.Range) string {
	t.Helper()
	m, err := stf.OpenMerge(dst, fs, g)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var s []string
	it := m.Iter(stf.IDOf("a", 0), g)
	for it.Next() {
		s = append(s, fmt.Sprintf("%d=%s", it.Group(), it.Value()))
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return strings.Join(s, " ")
}

func TestMergeTakesTheNewestAndMasksDeletions(t *testing.T) {
	dst := &memstate.Files{}
	half := state.Range{Lo: 0, Hi: 64}
	fs := []state.File{
		rows(t, dst, "1", stf.Delta, all, 1, map[int]string{1: "old", 2: "old", 3: "old", 70: "old", 71: "old"}),
		rows(t, dst, "2", stf.Delta, all, 2, map[int]string{2: "", 70: "two"}),
		rows(t, dst, "3", stf.Full, half, 2, map[int]string{1: "full", 4: "full"}), // hides 3=old, not 71=old
		rows(t, dst, "4", stf.Delta, half, 3, map[int]string{4: "", 5: "new"}),
	}
	want := "1=full 5=new 70=two 71=old"
	for range 20 {
		rand.Shuffle(len(fs), func(i, j int) { fs[i], fs[j] = fs[j], fs[i] })
		if got := read(t, dst, fs, all); got != want {
			t.Fatalf("got %s, expected %s", got, want)
		}
	}
	if got := read(t, dst, fs, state.Range{Lo: 2, Hi: 71}); got != "5=new 70=two" {
		t.Fatal(got)
	}
	full, err := stf.Compact(t.Context(), dst, fs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if full.Kind != stf.Full || full.MinEpoch != 1 || full.MaxEpoch != 3 || full.KeyHi != 128 {
		t.Fatalf("compacted to %+v", full)
	}
	if got := read(t, dst, []state.File{full}, all); got != want {
		t.Fatalf("compacted to %s, expected %s", got, want)
	}
	if got := read(t, dst, append(fs, full), all); got != want {
		t.Fatalf("old files beside the full one give %s", got)
	}
	none, err := stf.Compact(t.Context(), dst, fs, func(string, uint8) bool { return false })
	if err != nil || none.Entries != 0 {
		t.Fatalf("dropping the table leaves %d entries, err %v", none.Entries, err)
	}
}

func TestPlanRollsUpSetsThatShareKeyGroups(t *testing.T) {
	f := func(name, kind string, lo, hi uint16, size int64) state.File {
		return state.File{Name: name, Kind: kind, KeyLo: lo, KeyHi: hi, Size: size}
	}
	few := []state.File{f("a", stf.Full, 0, 64, 1000), f("b", stf.Delta, 0, 64, 100), f("c", stf.Delta, 64, 128, 9999)}
	if got := stf.Plan(few, stf.DefaultPolicy); len(got) != 0 {
		t.Fatalf("nothing is due, but %v", got)
	}
	if got := stf.Sets(few); len(got) != 2 || len(got[0]) != 2 || len(got[1]) != 1 {
		t.Fatalf("two sets, but %v", got)
	}
	large := append(few, f("d", stf.Delta, 0, 64, 401))
	got := stf.Plan(large, stf.DefaultPolicy)
	if len(got) != 1 || len(got[0]) != 3 {
		t.Fatalf("the left half is due, got %v", got)
	}
	rescaled := append(large, f("e", stf.Delta, 0, 128, 1))
	if got = stf.Plan(rescaled, stf.DefaultPolicy); len(got) != 1 || len(got[0]) != 5 {
		t.Fatalf("all share key groups, got %v", got)
	}
}

func TestCompactStopsWithItsContext(t *testing.T) {
	dst := &memstate.Files{}
	f := build(t, dst, "f", 6000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := stf.Compact(ctx, dst, []state.File{f}, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := dst.Names(); len(n) != 1 {
		t.Fatalf("files left: %v", n)
	}
}

func FuzzReader(f *testing.F) {
	dst := &memstate.Files{}
	build(f, dst, "f", 50)
	f.Add(dst.Bytes("f"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		dst := &memstate.Files{}
		dst.Put("f", b)
		src, err := dst.Open("f")
		if err != nil {
			t.Fatal(err)
		}
		r, err := stf.NewReader(src, "f")
		if err != nil {
			return
		}
		if r.Verify(t.Context(), r.File()) == nil && len(b) == 0 {
			t.Fatal("an empty file is fine?")
		}
		for _, tab := range r.Tables() {
			it := r.Iter(stf.IDOf(tab.UID, tab.ID), all)
			for it.Next() {
				_, _, _ = it.Group(), it.Key(), it.Value()
			}
		}
	})
}
