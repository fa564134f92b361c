package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"
)

func savepointOf(layout string) *Manifest {
	m := manifestOf(5, 0)
	m.Kind, m.Layout, m.Transactions = Savepoint, layout, nil
	m.Operators = []Operator{{UID: "u1", Name: "GroupAggregate", Kind: "GroupAggregate", Parallelism: 1, Tables: []Table{{Name: "groups"}, {ID: 1, Name: "values"}}}}
	if layout == Canonical {
		m.Files = nil
		m.Rows = []RowFile{{Name: "u1.groups.arrow", UID: "u1", Size: 100, CRC32C: 1, Rows: 3}}
	} else {
		f := file("a.stf")
		f.Kind = "full"
		m.Files = append(m.Files[:0], f)
	}
	return m
}

// sealed puts the right checksum into the JSON of a manifest.
func sealed(text string) []byte {
	body := []byte(strings.TrimSuffix(text, "\n}") + sumComma)
	return fmt.Appendf(body, "%s%08x%s", sumBefore, crc32.Checksum(body, castagnoli), sumAfter)
}

func TestManifestOfASavepointIsJSON(t *testing.T) {
	for _, layout := range []string{Canonical, Native} {
		m := savepointOf(layout)
		b, err := EncodeSavepoint(m)
		if err != nil {
			t.Fatal(err)
		}
		var any map[string]any
		if err := json.Unmarshal(b, &any); err != nil || any["kind"] != "savepoint" || any["layout"] != layout {
			t.Fatalf("%v: %s", err, b)
		}
		// The checksum is of all bytes before its member.
		at := bytes.LastIndex(b, []byte(`"crc32c"`))
		if want := fmt.Sprintf("%08x", crc32.Checksum(b[:at], castagnoli)); any["crc32c"] != want {
			t.Errorf("crc32c is %v, the bytes before it have %s", any["crc32c"], want)
		}
		got, err := DecodeSavepoint(b, "manifest.json")
		if err != nil {
			t.Fatal(err)
		}
		m.Format = Format
		if !reflect.DeepEqual(got, m) {
			t.Errorf("got %+v\nwant %+v", got, m)
		}
	}
}

func TestDecodeSavepointSaysWhatIsWrong(t *testing.T) {
	whole, err := EncodeSavepoint(savepointOf(Canonical))
	if err != nil {
		t.Fatal(err)
	}
	edit := func(layout string, f func(m *Manifest)) []byte {
		m := savepointOf(layout)
		m.Format = Format
		f(m)
		b, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return sealed(string(b))
	}
	row := func(f func(r *RowFile)) []byte {
		return edit(Canonical, func(m *Manifest) { f(&m.Rows[0]) })
	}
	for name, c := range map[string]struct {
		b    []byte
		is   error
		want string
	}{
		"empty":                      {nil, ErrCorrupt, `its last member is no "crc32c"`},
		"cut":                        {whole[:len(whole)/2], ErrCorrupt, `its last member is no "crc32c"`},
		"without its last byte":      {whole[:len(whole)-1], ErrCorrupt, `its last member is no "crc32c"`},
		"changed":                    {bytes.Replace(whole, []byte(`"etl"`), []byte(`"elt"`), 1), ErrCorrupt, `its "crc32c" is "`},
		"a manifest of a checkpoint": {sum("{}\n"), ErrCorrupt, "is no manifest of a savepoint"},
		"another version":            {sealed("{\n  \"format\": 9,\n  \"engine\": \"3.0\"\n}"), ErrVersion, "was written by sqlstream 3.0"},
		"no JSON":                    {sealed("hello\n}"), ErrCorrupt, "invalid character"},
		"an unknown member":          {sealed("{\n  \"format\": 1,\n  \"path\": \"/tmp\"\n}"), ErrCorrupt, "unknown field"},
		"a checkpoint":               {edit(Canonical, func(m *Manifest) { m.Kind = Checkpoint }), ErrCorrupt, `kind "checkpoint", expected savepoint`},
		"no layout":                  {edit(Canonical, func(m *Manifest) { m.Layout = "" }), ErrCorrupt, `layout "", expected canonical or native`},
		"a checkpoint before it":     {edit(Canonical, func(m *Manifest) { m.Previous = 4 }), ErrCorrupt, "a savepoint stands alone"},
		"transactions":               {edit(Native, func(m *Manifest) { m.Transactions = manifestOf(5, 4).Transactions }), ErrCorrupt, "a savepoint stands alone"},
		"rows in flight": {edit(Native, func(m *Manifest) {
			m.Channels = []Channel{{UID: "u1", Parallelism: 1, Name: "0000000001-aa.flt", Size: 1, Rows: 1}}
		}), ErrCorrupt, "a savepoint stands alone"},
		"files of the other layout":   {edit(Native, func(m *Manifest) { m.Layout = Canonical }), ErrCorrupt, "files of the other layout"},
		"a delta":                     {edit(Native, func(m *Manifest) { m.Files[0].Kind = "delta" }), ErrCorrupt, "a savepoint has full files only"},
		"a file twice":                {edit(Canonical, func(m *Manifest) { m.Rows = append(m.Rows, m.Rows[0]); m.Rows[1].Table = 1 }), ErrCorrupt, `file "u1.groups.arrow" is listed twice`},
		"a table twice":               {edit(Canonical, func(m *Manifest) { m.Rows = append(m.Rows, m.Rows[0]); m.Rows[1].Name = "b.arrow" }), ErrCorrupt, "or another file holds"},
		"a table that nobody has":     {row(func(r *RowFile) { r.Table = 7 }), ErrCorrupt, "which the plan does not have"},
		"an operator that nobody has": {row(func(r *RowFile) { r.UID = "u2" }), ErrCorrupt, "which the plan does not have"},
		"no rows":                     {row(func(r *RowFile) { r.Rows = 0 }), ErrCorrupt, "100 bytes and 0 rows"},
		"a path":                      {row(func(r *RowFile) { r.Name = "../u1.arrow" }), ErrCorrupt, "is not a plain name that ends in .arrow"},
		"an absolute path":            {row(func(r *RowFile) { r.Name = "/etc/u1.arrow" }), ErrCorrupt, "is not a plain name that ends in .arrow"},
		"a hidden file":               {row(func(r *RowFile) { r.Name = ".u1.arrow" }), ErrCorrupt, "is not a plain name that ends in .arrow"},
		"a name with a NUL":           {row(func(r *RowFile) { r.Name = "u1\x00.arrow" }), ErrCorrupt, "is not a plain name that ends in .arrow"},
		"the manifest as data":        {row(func(r *RowFile) { r.Name = "manifest.json" }), ErrCorrupt, "is not a plain name that ends in .arrow"},
	} {
		if _, err := DecodeSavepoint(c.b, "x/manifest.json"); !errors.Is(err, c.is) || !strings.Contains(fmt.Sprint(err), c.want) || !strings.HasPrefix(err.Error(), "x/manifest.json: ") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := EncodeSavepoint(manifestOf(5, 4, file("a.stf"))); err == nil {
		t.Error("a checkpoint's manifest is written as a savepoint's")
	}
}

func FuzzDecodeSavepoint(f *testing.F) {
	for _, layout := range []string{Canonical, Native} {
		b, err := EncodeSavepoint(savepointOf(layout))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
		f.Add(b[:len(b)-sumLen-len(sumComma)], true)
	}
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal { // so that more than the checksum is tried
			b = sealed(string(b))
		}
		m, err := DecodeSavepoint(b, "m")
		if err != nil {
			return
		}
		again, err := EncodeSavepoint(m)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if n, err := DecodeSavepoint(again, "m"); err != nil || !reflect.DeepEqual(m, n) {
			t.Fatalf("it reads back as something else: %v", err)
		}
	})
}
