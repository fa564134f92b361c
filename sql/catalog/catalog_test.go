package catalog

import (
	"errors"
	"slices"
	"testing"

	"github.com/sqlstream/sqlstream/sql/types"
)

func path(name string) Path { return Path{DefaultCatalog, DefaultDatabase, name} }

func filled(t *testing.T) *Catalog {
	t.Helper()
	c := New()
	for _, o := range []Object{
		&Table{Path: path("orders")}, &Table{Path: path("items")},
		&View{Path: path("big"), Uses: []Path{path("orders")}},
	} {
		if created, err := c.Create(o, false, false); err != nil || !created {
			t.Fatal(created, err)
		}
	}
	return c
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestLookup(t *testing.T) {
	c := filled(t)
	for _, tc := range []struct {
		name string
		want string
	}{
		{"orders", ""},
		{"Orders", "table or view Orders does not exist; did you mean orders?"},
		{"ordres", "table or view ordres does not exist; did you mean orders?"},
		{"zzz", "table or view zzz does not exist"},
	} {
		_, err := c.Lookup(path(tc.name))
		if message(err) != tc.want {
			t.Errorf("Lookup(%s): %v, want %q", tc.name, err, tc.want)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("Lookup(%s): %v is not ErrNotFound", tc.name, err)
		}
	}
	if _, err := c.Lookup(Path{DefaultCatalog, "nowhere", "orders"}); message(err) != "database nowhere does not exist" {
		t.Errorf("an unknown database: %v", err)
	}
}

func TestDrop(t *testing.T) {
	for _, tc := range []struct {
		name, kind          string
		temporary, ifExists bool
		want                string
		dropped             bool
	}{
		{"items", "table", false, false, "", true},
		{"big", "view", false, false, "", true},
		{"orders", "table", false, false, "table orders is read by view big; drop that first", false},
		{"nope", "table", false, true, "", false},
		{"nope", "table", false, false, "table nope does not exist", false},
		{"big", "table", false, false, "big is a view; use DROP VIEW", false},
		{"items", "table", true, false, "temporary table items does not exist", false},
	} {
		dropped, err := filled(t).Drop(path(tc.name), tc.kind, tc.temporary, tc.ifExists)
		if message(err) != tc.want || dropped != tc.dropped {
			t.Errorf("DROP %s %s: %t, %v; want %t, %q", tc.kind, tc.name, dropped, err, tc.dropped, tc.want)
		}
	}
}

func TestTemporaryObjectsHidePermanentOnes(t *testing.T) {
	c := filled(t)
	hiding := &Table{Path: path("items"), Temporary: true, Comment: "hides"}
	if _, err := c.Create(hiding, true, false); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Lookup(path("items")); got != Object(hiding) {
		t.Errorf("found %v", got)
	}
	if got := c.Tables(); !slices.Equal(got, []string{"big", "items", "orders"}) {
		t.Errorf("tables %q", got)
	}
	if _, err := c.Drop(path("items"), "table", false, false); message(err) != "a temporary table items hides the one to drop; DROP TEMPORARY TABLE it first" {
		t.Error(err)
	}
	if dropped, err := c.Drop(path("items"), "table", true, false); err != nil || !dropped {
		t.Error(dropped, err)
	}
	if got, _ := c.Lookup(path("items")); got == Object(hiding) || got == nil {
		t.Errorf("found %v", got)
	}
}

func TestCreateTwice(t *testing.T) {
	c := filled(t)
	if _, err := c.Create(&View{Path: path("orders")}, false, false); message(err) != "table orders exists already; DROP it first or write IF NOT EXISTS" {
		t.Error(err)
	}
	if created, err := c.Create(&Table{Path: path("orders")}, false, true); err != nil || created {
		t.Error(created, err)
	}
}

func TestCloneIsIndependent(t *testing.T) {
	c := filled(t)
	d := c.Clone()
	if _, err := d.Drop(path("items"), "table", false, false); err != nil {
		t.Fatal(err)
	}
	if err := d.CreateDatabase(&Database{Name: "d"}, false); err != nil {
		t.Fatal(err)
	}
	if err := d.Use("d"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lookup(path("items")); err != nil {
		t.Error(err)
	}
	if c.Database() != DefaultDatabase || !slices.Equal(c.Databases(), []string{DefaultDatabase}) {
		t.Errorf("the original is in %s of %q", c.Database(), c.Databases())
	}
}

func TestDropDatabase(t *testing.T) {
	c := New()
	if err := c.CreateDatabase(&Database{Name: "d"}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Create(&Table{Path: Path{DefaultCatalog, "d", "t"}}, false, false); err != nil {
		t.Fatal(err)
	}
	if err := c.DropDatabase("d", false, false); message(err) != "database d is not empty (t); write CASCADE to drop them too" {
		t.Error(err)
	}
	if err := c.DropDatabase("d", false, true); err != nil {
		t.Error(err)
	}
	if err := c.DropDatabase("d", true, false); err != nil {
		t.Error(err)
	}
	if err := c.DropDatabase("d", false, false); message(err) != "database d does not exist" {
		t.Error(err)
	}
}

// TestStored: what a reader fills is the physical columns, then the metadata columns.
func TestStored(t *testing.T) {
	tab := &Table{Path: path("t"), Columns: []Column{
		{Name: "offset", Kind: Metadata, MetaKey: "offset", Virtual: true, Type: types.BigIntT},
		{Name: "a", Type: types.IntT},
		{Name: "c", Kind: Computed, Type: types.IntT},
		{Name: "ts", Kind: Metadata, MetaKey: "timestamp", Type: types.Type{Kind: types.Timestamp, Precision: 3, Attr: types.RowTime}},
		{Name: "b", Type: types.StringT},
	}}
	for what, got := range map[string][2][]string{
		"stored":   {tab.Stored().Names(), {"a", "b", "offset", "ts"}},
		"physical": {tab.PhysicalSchema().Names(), {"a", "b"}},
		"sink":     {tab.SinkSchema().Names(), {"a", "b", "ts"}},
	} {
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%s: %q, want %q", what, got[0], got[1])
		}
	}
	index, written := tab.WrittenColumns()
	if !slices.Equal(index, []int{0, 2, 1}) || !slices.Equal(written.Names(), []string{"a", "ts", "b"}) {
		t.Errorf("written: %v %q", index, written.Names())
	}
	if tab.Stored()[3].Type.Attr != types.NotTime {
		t.Error("a stored column has a time attribute")
	}
}
