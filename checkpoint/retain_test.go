package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/sqlstream/sqlstream/state"
)

// discardAll deletes everything of a job that is over.
func discardAll(s Storage) error {
	g, err := Everything(s, testJob)
	if err != nil {
		return err
	}
	return g.Delete(s)
}

// Whatever operation the process dies at, a repetition deletes the rest, and no manifest is ever
// there without its files.
func TestAJobThatIsOverIsDeletedInWhateverStepsItTakes(t *testing.T) {
	for n := 0; ; n++ {
		f := newCrashFS()
		d := openTest(t, f)
		var m *Manifest
		var err error
		for e := state.Epoch(1); e <= 3; e++ {
			if m, err = take(d, e, m); err != nil {
				t.Fatal(err)
			}
		}
		g, err := Everything(d, testJob)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Epochs) != 3 || !slices.IsSorted(g.Epochs) || len(g.Files) == 0 {
			t.Fatalf("%+v", g)
		}
		steps := len(g.Epochs) + len(g.Files)
		if n > steps {
			return
		}
		cut := Garbage{Epochs: g.Epochs[:min(n, len(g.Epochs))], Files: g.Files[:max(n-len(g.Epochs), 0)]}
		if err := cut.Delete(d); err != nil {
			t.Fatal(err)
		}
		epochs, err := d.Epochs()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range epochs {
			r, err := Verify(t.Context(), d, e, testJob)
			if err != nil || r.Problem() != nil {
				t.Errorf("after %d steps: checkpoint %d: %v, %v", n, e, err, r.Problem())
			}
		}
		if err := discardAll(d); err != nil {
			t.Fatal(err)
		}
		epochs, err = d.Epochs()
		names, nerr := d.Names()
		if len(epochs)+len(names) != 0 || err != nil || nerr != nil {
			t.Errorf("after %d steps and again: checkpoints %v, files %v, %v, %v", n, epochs, names, err, nerr)
		}
	}
}

func TestWhatIsThereForPeopleStaysWhenAJobIsOver(t *testing.T) {
	d, ms := three(t)
	if err := d.SetAside(2, "never happened"); err != nil {
		t.Fatal(err)
	}
	if err := discardAll(d); err != nil {
		t.Fatal(err)
	}
	epochs, _ := d.Epochs()
	if !slices.Equal(epochs, []state.Epoch{2}) {
		t.Errorf("checkpoints %v", epochs)
	}
	for _, f := range ms[1].Files {
		r, err := d.Open(f.Name)
		if err != nil {
			t.Errorf("file %s of the one set aside: %v", f.Name, err)
			continue
		}
		r.Close()
	}

	d, ms = three(t)
	damage(t, d, manifestName(2), func(b []byte) []byte { return b[:100] })
	if err := discardAll(d); err != nil {
		t.Fatal(err)
	}
	epochs, _ = d.Epochs()
	names, _ := d.Names()
	if !slices.Equal(epochs, []state.Epoch{2}) || len(names) < len(ms[2].Files) {
		t.Errorf("checkpoints %v, files %v", epochs, names)
	}
}

// A file that a savepoint and checkpoints share goes with the last of them, whichever it is.
func TestASharedFileGoesWithItsLastUser(t *testing.T) {
	d, ms := three(t)
	common := ms[0].Files[0].Name
	own := manifestOf(9, 3, ms[0].Files[0])
	own.Kind = Savepoint
	b, err := Encode(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(9, b); err != nil {
		t.Fatal(err)
	}
	there := func(want bool, when string) {
		t.Helper()
		r, err := d.Open(common)
		if err == nil {
			r.Close()
		}
		if (err == nil) != want || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: opening the file: %v", when, err)
		}
	}
	drop := Retain([]*Manifest{own, manifestOf(10, 3), ms[2], ms[1], ms[0]}, 1, 10)
	if fmt.Sprint(drop.Epochs) != "[1 2 3]" || slices.Contains(drop.Files, common) {
		t.Fatalf("%+v", drop)
	}
	if err := drop.Delete(d); err != nil {
		t.Fatal(err)
	}
	there(true, "the savepoint has it")
	own.Kind = Checkpoint // the engine's again, as after a claim
	drop = Retain([]*Manifest{manifestOf(10, 3), own}, 1, 10)
	if err := drop.Delete(d); err != nil {
		t.Fatal(err)
	}
	there(false, "nobody has it")
}
