package savepoint

import (
	"bytes"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// through writes a content as a canonical savepoint and reads it back.
func through(t *testing.T, m *checkpoint.Manifest, c mapContent) (*checkpoint.Manifest, mapContent) {
	t.Helper()
	p := place(t)
	if _, err := Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: checkpoint.Canonical, Now: day}); err != nil {
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
	return got, read(t, back, got)
}

// TestBytesThatNoColumnSaysAreKept changes keys and values at random: whatever they are, they come
// back as they were.
func TestBytesThatNoColumnSaysAreKept(t *testing.T) {
	r := random(8)
	m, c := randomState(r, 40)
	for _, o := range m.Operators {
		for _, tab := range o.Tables {
			list := c[tableKey(o.UID, tab.ID)]
			for i := range list {
				for _, b := range []*[]byte{&list[i].key, &list[i].value} {
					switch x := bytes.Clone(*b); r.IntN(12) {
					case 0:
						if len(x) > 0 {
							x[r.IntN(len(x))] ^= byte(1 << r.IntN(8))
						}
						*b = x
					case 1:
						*b = x[:r.IntN(len(x)+1)]
					case 2:
						*b = append(x, byte(r.IntN(256)))
					}
				}
			}
			c.put(o.UID, tab.ID, list)
		}
	}
	got, back := through(t, m, c)
	if err := c.equal(back); err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != len(c) {
		t.Errorf("%d files, expected %d", len(got.Rows), len(c))
	}
}

// TestOneOddRow: the file of a table begins without raw columns and gets them because of its last
// row; the other rows say NULL there.
func TestOneOddRow(t *testing.T) {
	m, c := example()
	uid := m.Operators[0].UID
	list := c[tableKey(uid, 0)]
	odd := bytes.Clone(list[2].value)
	odd[40] = 2 // there are two present
	list[2].value = odd
	o, tab := &m.Operators[0], &m.Operators[0].Tables[0]
	s, err := neededShape(t.Context(), c, m, o, tab)
	if err != nil || s.wide != (wide{rawValue: true}) {
		t.Fatalf("%+v, %v", s.wide, err)
	}
	if _, back := through(t, m, c); c.equal(back) != nil {
		t.Fatal(c.equal(back))
	}
	e := newEncoder(s)
	defer e.release()
	rs, _ := c.Table(uid, 0)
	for rs.Next() {
		e.add(rs)
	}
	rec := e.take()
	defer rec.Release()
	raw := rec.Column(int(rec.NumCols()) - 1)
	if !raw.IsNull(0) || !raw.IsNull(1) || raw.IsNull(2) || !rec.Column(3).IsNull(2) || rec.Column(1).NullN() != 1 {
		t.Errorf("rows are %v", rec)
	}
}

// TestStampsThatBeginLate: a table that got a time to live while it had entries.
func TestStampsThatBeginLate(t *testing.T) {
	m, c := example()
	list := c[tableKey(m.Operators[0].UID, 0)]
	list[2].stamp = 1_772_323_200_000
	if _, back := through(t, m, c); c.equal(back) != nil {
		t.Fatal(c.equal(back))
	}
}

// TestTablesThatSayNothing: without a description all bytes are raw.
func TestTablesThatSayNothing(t *testing.T) {
	m, c := example()
	m.Operators[0].Tables[0] = checkpoint.Table{Name: "?"}
	if _, back := through(t, m, c); c.equal(back) != nil {
		t.Fatal(c.equal(back))
	}
}

// TestSlotsOfUnknownKind are bytes in a column of their own.
func TestSlotsOfUnknownKind(t *testing.T) {
	m := &checkpoint.Manifest{JobID: testJob, Epoch: 3, Kind: checkpoint.Checkpoint, MaxParallelism: 8, Operators: []checkpoint.Operator{{UID: "u", Parallelism: 1, Tables: []checkpoint.Table{{
		Size: 21, Slots: []checkpoint.Slot{{Name: "sketch", Type: "STRING", Kind: "new", Size: 16}, {Name: "n", Type: "INT", Kind: "new", Offset: 16, Size: 5}},
	}}}}}
	c := mapContent{}
	c.put("u", 0, []entry{{group: 1, value: append(bytes.Repeat([]byte{7}, 16), 1, 2, 3, 4, 0)}})
	s, err := neededShape(t.Context(), c, m, &m.Operators[0], &m.Operators[0].Tables[0])
	if err != nil || s.wide != (wide{}) || s.schema.Field(1).Type.String() != "binary" || s.schema.Field(2).Type.String() != "int32" {
		t.Fatalf("%v, %v", s.schema, err)
	}
	if _, back := through(t, m, c); c.equal(back) != nil {
		t.Fatal(c.equal(back))
	}
}
