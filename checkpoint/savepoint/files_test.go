package savepoint

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// asCheckpoint writes a content as the state files of a checkpoint: a full one with older values
// and a delta with the rest, with changes and with deletions.
func asCheckpoint(t *testing.T, m *checkpoint.Manifest, c mapContent) checkpoint.Place {
	t.Helper()
	p := place(t)
	var list []tableRef
	for i := range m.Operators {
		for k := range m.Operators[i].Tables {
			list = append(list, tableRef{&m.Operators[i], &m.Operators[i].Tables[k]})
		}
	}
	slices.SortFunc(list, func(a, b tableRef) int {
		x, y := stf.IDOf(a.op.UID, a.table.ID), stf.IDOf(b.op.UID, b.table.ID)
		return bytes.Compare(x[:], y[:])
	})
	write := func(kind string, e state.Epoch, rows func(w *stf.Writer, list []entry) error) {
		meta := stf.Meta{Name: kind + ".stf", Kind: kind, Range: state.Range{Hi: 128}, MinEpoch: e, MaxEpoch: e}
		fw, err := p.Create(meta.Name)
		if err != nil {
			t.Fatal(err)
		}
		w := stf.NewWriter(fw, meta)
		for _, x := range list {
			if err := errors.Join(w.Table(x.op.UID, x.table.Name, x.table.ID), rows(w, c[tableKey(x.op.UID, x.table.ID)])); err != nil {
				t.Fatal(err)
			}
		}
		f, err := w.Finish()
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, f)
	}
	write(stf.Full, 40, func(w *stf.Writer, list []entry) error {
		for i, e := range list {
			if i%2 == 0 {
				if err := w.Put(e.group, e.key, []byte("old"), 0); err != nil {
					return err
				}
			}
		}
		return w.Put(127, []byte("\xffgone"), []byte("old"), 0)
	})
	write(stf.Delta, 41, func(w *stf.Writer, list []entry) error {
		for _, e := range list {
			if err := w.Put(e.group, e.key, e.value, e.stamp); err != nil {
				return err
			}
		}
		return w.Delete(127, []byte("\xffgone"))
	})
	return p
}

// TestASavepointNeedsNothingOfTheCheckpoint: it is made of a checkpoint's files, which then go; it is
// moved, and copied in both layouts.
func TestASavepointNeedsNothingOfTheCheckpoint(t *testing.T) {
	for _, layout := range []string{checkpoint.Canonical, checkpoint.Native} {
		m, c := example()
		files := asCheckpoint(t, m, c)
		var rows, size int64
		p := place(t)
		sp, err := Write(t.Context(), Source{Manifest: m, Files: files}, p, Options{Layout: layout, Now: day, Progress: func(r, n int64) { rows, size = r, n }})
		if err != nil {
			t.Fatal(err)
		}
		if err := files.Delete(); err != nil {
			t.Fatal(err)
		}
		if sp.Kind != checkpoint.Savepoint || sp.Layout != layout || sp.Previous != 0 || sp.Epoch != 41 || rows != 10 || size != sp.Bytes() || string(sp.Sources[0].Splits[0].Position) != `{"offset":1042}` {
			t.Fatalf("%d rows, %d bytes, %+v", rows, size, sp)
		}
		moved := filepath.Join(t.TempDir(), "elsewhere")
		if err := os.Rename(p.Location(), moved); err != nil {
			t.Fatal(err)
		}
		p, err = checkpoint.OpenPlace(moved)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		copied := place(t)
		if _, err := Copy(t.Context(), p, copied, nil); err != nil {
			t.Fatal(err)
		}
		for _, p := range []checkpoint.Place{p, copied} {
			r, err := Verify(t.Context(), p)
			if err != nil || r.Problem() != nil || len(r.Others) > 0 {
				t.Fatal(err, r.Problem(), r.Others)
			}
			back, err := Open(p, r.Manifest)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.equal(read(t, back, r.Manifest)); err != nil {
				t.Fatal(err)
			}
			if err := back.Close(); err != nil {
				t.Fatal(err)
			}
		}
		// What was copied is the same, byte for byte, and so is its manifest.
		names, err := p.Names()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			a, err := os.ReadFile(filepath.Join(p.Location(), n))
			b, err2 := os.ReadFile(filepath.Join(copied.Location(), n))
			if err != nil || err2 != nil || !bytes.Equal(a, b) {
				t.Errorf("%s differs: %v, %v", n, err, err2)
			}
			if bytes.Contains(a, []byte(p.Location())) || bytes.Contains(a, []byte(os.TempDir())) {
				t.Errorf("%s says where it lies", n)
			}
		}
		if err := Dispose(copied); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(copied.Location()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("what was disposed of is there: %v", err)
		}
	}
}

func TestOfACheckpointWithRowsInFlightNoSavepointIsMade(t *testing.T) {
	m, c := example()
	m.Channels = []checkpoint.Channel{{UID: m.Operators[0].UID, Parallelism: 1, Name: "0000000001-aa.flt", Size: 1, Rows: 7}}
	p := place(t)
	if _, err := Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: checkpoint.Canonical, Now: day}); err == nil || !strings.Contains(err.Error(), "has 7 rows in flight") {
		t.Error(err)
	}
}

func TestKeepSaysWhichTablesGoIn(t *testing.T) {
	m, c := example()
	p := place(t)
	sp, err := Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: checkpoint.Canonical, Now: day, Keep: func(uid string, id uint8) bool { return id == 255 }})
	if err != nil || len(sp.Rows) != 1 || sp.Rows[0].Table != 255 {
		t.Fatalf("%+v, %v", sp, err)
	}
	back, err := Open(p, sp)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if r, err := back.Table(m.Operators[0].UID, 0); r != nil || err != nil {
		t.Errorf("%v, %v", r, err)
	}
}

func TestFileNamesAreDifferentWhereCaseDoesNotCount(t *testing.T) {
	w := &writer{taken: map[string]bool{}}
	name := func(uid, table string) string {
		return w.fileName(tableRef{&checkpoint.Operator{UID: uid}, &checkpoint.Table{Name: table}})
	}
	for _, c := range [][3]string{
		{"abc", "groups", "abc.groups.arrow"},
		{"ABC", "Groups", "ABC-Groups-2.arrow"},
		{"my operator: ü", "values of `x`", "my-operator.values-of-x.arrow"},
		{"ü", "groups", "groups.arrow"},
		{"ü", "ö", "1.arrow"},
		{"ö", "ü", "2.arrow"},
		{strings.Repeat("a", 100), strings.Repeat("b", 100), strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + ".arrow"},
	} {
		if got := name(c[0], c[1]); got != c[2] || checkpoint.CheckPlaceName(got) != nil || !dataName.MatchString(got) {
			t.Errorf("%q, %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestExport(t *testing.T) {
	p, m := writeExample(t, checkpoint.Native)
	var all strings.Builder
	for i := range m.Operators {
		o := &m.Operators[i]
		for _, tab := range o.Tables {
			for _, format := range []string{CSV, JSONL} {
				all.WriteString("# " + o.Kind + ", " + tab.Name + ", " + format + "\n")
				if err := exportPlace(t.Context(), p, m, o.UID, tab.Name, format, &all); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	golden(t, "testdata/export.golden", all.String())
}

func TestExportOfWhatIsNotThere(t *testing.T) {
	p, m := writeExample(t, checkpoint.Canonical)
	for _, c := range []struct{ uid, table, want string }{
		{"", "", "say which: there are "},
		{"", "groups", "say which: there are "},
		{"nobody", "", `operator "nobody", table ""; there are hgzkfh7x5s3mhqwi2yqe "groups", `},
	} {
		if err := exportPlace(t.Context(), p, m, c.uid, c.table, CSV, io.Discard); !errors.Is(err, ErrNoTable) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: %v, want %q", c.uid, c.table, err, c.want)
		}
	}
	if err := exportPlace(t.Context(), p, m, "", "progress", "xml", io.Discard); err == nil || !strings.Contains(err.Error(), "expected one of csv, jsonl, parquet") {
		t.Error(err)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	m, c := example()
	for i, name := range []string{"savepoint-a", "savepoint-b"} {
		p, err := checkpoint.OpenPlace(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: []string{checkpoint.Canonical, checkpoint.Native}[i], Now: day.Add(time.Duration(i) * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		p.Close()
	}
	for path, content := range map[string]string{"half/x.groups.arrow": "", "other/notes.txt": "", "bad/" + ManifestName: "{}"} {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	lines, err := List(".", day.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := WriteList(&b, lines); err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join(here, "testdata/list.golden"), strings.ReplaceAll(b.String(), dir, "$DIR"))
	one, err := List(filepath.Join(dir, "savepoint-a"), day)
	if err != nil || len(one) != 1 || one[0].JobName != "totals" {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := List(filepath.Join(dir, "nothing"), day); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// exportPlace exports a table of the savepoint in a place.
func exportPlace(ctx context.Context, place checkpoint.Place, m *checkpoint.Manifest, uid, table, format string, w io.Writer) error {
	c, err := Open(place, m)
	if err != nil {
		return err
	}
	return errors.Join(Export(ctx, c, m, uid, table, format, w), c.Close())
}
