package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
	"github.com/sqlstream/sqlstream/state/stf"
)

// stateFile writes a file of table 0 of operator u; value "" is a deletion.
func stateFile(t *testing.T, dst state.Files, kind string, e state.Epoch, g state.Range, rows ...string) state.File {
	t.Helper()
	name := stf.NewName(e, g)
	fw, err := dst.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := stf.NewWriter(fw, stf.Meta{Name: name, Kind: kind, Range: g, MinEpoch: e, MaxEpoch: e})
	err = w.Table("u", "groups", 0)
	for i := 0; i < len(rows) && err == nil; i += 2 {
		if rows[i+1] == "" {
			err = w.Delete(g.Lo, []byte(rows[i]))
		} else {
			err = w.Put(g.Lo, []byte(rows[i]), []byte(rows[i+1]), int64(e))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestContentOfStateFilesIsWhatTheyHoldTogether(t *testing.T) {
	dst := &memstate.Files{}
	lo, hi := state.Range{Lo: 0, Hi: 64}, state.Range{Lo: 64, Hi: 128}
	list := []state.File{
		stateFile(t, dst, stf.Delta, 3, lo, "a", "3", "c", "3"),
		stateFile(t, dst, stf.Full, 2, lo, "a", "2", "b", "2", "c", "2"),
		stateFile(t, dst, stf.Delta, 1, lo, "hidden", "1"),
		stateFile(t, dst, stf.Delta, 4, lo, "c", ""),
		stateFile(t, dst, stf.Delta, 4, hi, "a", "4"),
	}
	c, err := OpenFiles(dst, list, 128)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Table("u", 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r.Next() {
		got = append(got, fmt.Sprintf("%d %s=%s@%d", r.Group(), r.Key(), r.Value(), r.Stamp()))
	}
	if want := []string{"0 a=3@3", "0 b=2@2", "64 a=4@4"}; r.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, r.Err(), want)
	}
	for _, id := range []uint8{1, 255} {
		if r, err := c.Table("u", id); r != nil || err != nil {
			t.Errorf("table %d, which no file has: %v, %v", id, r, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestATableOfDeletionsOnlyHasNoEntries(t *testing.T) {
	dst := &memstate.Files{}
	c, err := OpenFiles(dst, []state.File{stateFile(t, dst, stf.Delta, 1, state.Range{Hi: 8}, "a", "")}, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r, err := c.Table("u", 0); r != nil || err != nil {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestDamagedStateFilesAreErrors(t *testing.T) {
	dst := &memstate.Files{}
	f := stateFile(t, dst, stf.Full, 1, state.Range{Hi: 8}, "a", "1", "b", "2")
	good := dst.Bytes(f.Name)
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 0x10
		dst.Put(f.Name, bad)
		c, err := OpenFiles(dst, []state.File{f}, 8)
		if err == nil {
			var r Records
			if r, err = c.Table("u", 0); r != nil {
				n := 0
				for r.Next() {
					n++
				}
				if err = r.Err(); err == nil && n != 2 {
					t.Errorf("byte %d: %d entries and no error", i, n)
				}
			}
			c.Close()
		}
		if err != nil && !errors.Is(err, stf.ErrCorrupt) && !errors.Is(err, stf.ErrVersion) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	if _, err := OpenFiles(dst, nil, 0); err == nil {
		t.Error("no key groups are accepted")
	}
}
