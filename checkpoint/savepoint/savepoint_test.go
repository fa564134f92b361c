package savepoint

import (
	"path/filepath"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
)

func place(t *testing.T) checkpoint.Place {
	t.Helper()
	p, err := checkpoint.OpenPlace(filepath.Join(t.TempDir(), "savepoint"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestBothLayoutsGiveBackWhatWentIn(t *testing.T) {
	r := random(1)
	m, c := randomState(r, 300)
	for _, layout := range []string{checkpoint.Canonical, checkpoint.Native} {
		t.Run(layout, func(t *testing.T) {
			p := place(t)
			if _, err := Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: layout, Now: day}); err != nil {
				t.Fatal(err)
			}
			got, err := Read(p)
			if err != nil {
				t.Fatal(err)
			}
			back, err := Open(p, got)
			if err != nil {
				t.Fatal(err)
			}
			defer back.Close()
			if err := c.equal(read(t, back, got)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestColumnsSayEverything: what the engine writes needs no raw bytes.
func TestColumnsSayEverything(t *testing.T) {
	r := random(3)
	m, c := randomState(r, 50)
	for i := range m.Operators {
		o := &m.Operators[i]
		for k := range o.Tables {
			s, err := newShape(m, o, &o.Tables[k], wide{stamp: true})
			if err != nil {
				t.Fatal(err)
			}
			e := newEncoder(s)
			rs, _ := c.Table(o.UID, o.Tables[k].ID)
			for rs.Next() {
				if need := e.add(rs); need != s.wide {
					t.Fatalf("%s, table %s: entry %x = %x needs %+v", o.Name, o.Tables[k].Name, rs.Key(), rs.Value(), need)
				}
			}
			e.release()
		}
	}
}
