package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/state"
)

func file(name string) state.File {
	return state.File{Name: name, Kind: "delta", KeyHi: 128, MinEpoch: 5, MaxEpoch: 5, Size: 200, Entries: 1, Tables: []state.FileTable{{UID: "u1", Name: "groups", Entries: 1, Bytes: 9}}}
}

// sum puts the right checksum under a text.
func sum(body string) []byte {
	return fmt.Appendf(nil, "%s%s%08x\n", body, trailer, crc32.Checksum([]byte(body), castagnoli))
}

func TestManifestReadsBackEqual(t *testing.T) {
	m := manifestOf(5, 4, file("a.stf"), file("b.stf"))
	b, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b, "chk-5/MANIFEST", testJob)
	if err != nil {
		t.Fatal(err)
	}
	m.Format = Format
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("got %+v\nexpected %+v", got, m)
	}
	if string(got.Token("kafka:broker")) != `{"id":"etl-0","pid":7}` || got.Token("other") != nil {
		t.Fatal("tokens are not what was written")
	}
}

func TestDecodeSaysWhatIsWrongAndWhere(t *testing.T) {
	edit := func(f func(m *Manifest)) []byte {
		m := manifestOf(5, 4, file("a.stf"))
		m.Format = Format
		f(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return sum(string(b) + "\n")
	}
	whole, err := Encode(manifestOf(5, 4, file("a.stf")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		b    []byte
		is   error
		want string
	}{
		{"empty", nil, ErrCorrupt, "the file is empty"},
		{"cut", whole[:len(whole)/2], ErrCorrupt, "its last line is no checksum"},
		{"last byte missing", whole[:len(whole)-1], ErrCorrupt, `its last line is "#crc32c`},
		{"something appended", append(append([]byte{}, whole...), '\n'), ErrCorrupt, "its last line is no checksum"},
		{"JSON of another product", []byte("{\"version\": 3}\n"), ErrCorrupt, "no manifest of sqlstream"},
		{"changed by hand", []byte(strings.Replace(string(whole), `"etl"`, `"elt"`, 1)), ErrCorrupt, "its content has"},
		{"newer format", sum(`{"format": 2, "engine": "1.4.0", "new": 1}` + "\n"), ErrVersion, "it was written by sqlstream 1.4.0 in manifest format 2; this program reads format 1"},
		{"no format", sum("{}\n"), ErrVersion, "manifest format 0"},
		{"no JSON", sum("hello\n"), ErrCorrupt, "invalid character"},
		{"unknown field", sum(strings.Replace(string(whole[:len(whole)-17]), `"format"`, `"x": 1, "format"`, 1)), ErrCorrupt, "unknown field"},
		{"two objects", sum("{\"format\":1}\n{}\n"), ErrCorrupt, "after top-level value"},
		{"other job", edit(func(m *Manifest) { m.JobID = strings.Repeat("f", 32) }), ErrForeign, "it is of job ffffffffffffffffffffffffffffffff"},
		{"no job", edit(func(m *Manifest) { m.JobID = "../x" }), ErrCorrupt, "is not 32 hexadecimal digits"},
		{"path out of the directory", edit(func(m *Manifest) { m.Files[0].Name = "../../etc/passwd" }), ErrCorrupt, `file name "../../etc/passwd" is not a plain name`},
		{"absolute path", edit(func(m *Manifest) { m.Files[0].Name = "/etc/x.stf" }), ErrCorrupt, "is not a plain name"},
		{"hidden name", edit(func(m *Manifest) { m.Files[0].Name = ".x.stf" }), ErrCorrupt, "is not a plain name"},
		{"the same file twice", edit(func(m *Manifest) { m.Files = append(m.Files, m.Files[0]) }), ErrCorrupt, `file "a.stf" is listed twice`},
		{"the same operator twice", edit(func(m *Manifest) { m.Operators = append(m.Operators, m.Operators[0]) }), ErrCorrupt, `operator "u1" is listed twice`},
		{"the same split twice", edit(func(m *Manifest) { m.Sources[0].Splits[1].ID = "bids-0" }), ErrCorrupt, `split "bids-0" is listed twice`},
		{"the same table twice", edit(func(m *Manifest) { o := &m.Operators[0]; o.Tables = append(o.Tables, o.Tables[0]) }), ErrCorrupt, "table 0 twice"},
		{"empty key groups", edit(func(m *Manifest) { m.Files[0].KeyHi = 0 }), ErrCorrupt, "key groups [0, 0) of 128"},
		{"too many key groups", edit(func(m *Manifest) { m.Files[0].KeyHi = 129 }), ErrCorrupt, "key groups [0, 129) of 128"},
		{"file of the future", edit(func(m *Manifest) { m.Files[0].MaxEpoch = 6 }), ErrCorrupt, "epochs 5 to 6 in checkpoint 5"},
		{"a slot outside its record", edit(func(m *Manifest) { m.Operators[0].Tables[0].Slots[1].Offset = 16 }), ErrCorrupt, "24 bytes at 16 of 32"},
		{"a field outside its slot", edit(func(m *Manifest) { m.Operators[0].Tables[0].Slots[1].Fields[1].Offset = 24 }), ErrCorrupt, "a field at 24"},
		{"a negative prefix", edit(func(m *Manifest) { m.Operators[0].Tables[0].Prefix = -1 }), ErrCorrupt, "a prefix of -1"},
		{"counts that overflow", edit(func(m *Manifest) { m.Files[0].Tables[0].Entries = 1<<62 + 1 }), ErrCorrupt, "fewer than its tables"},
		{"negative size", edit(func(m *Manifest) { m.Files[0].Size = -1 }), ErrCorrupt, "-1 bytes"},
		{"size beyond 64 bits", sum(strings.Replace(string(whole[:len(whole)-17]), `"size": 200`, `"size": 99999999999999999999`, 1)), ErrCorrupt, "cannot unmarshal"},
		{"epoch 0", edit(func(m *Manifest) { m.Epoch, m.Previous = 0, 0 }), ErrCorrupt, "epoch 0 is none"},
		{"previous one is later", edit(func(m *Manifest) { m.Previous = 5 }), ErrCorrupt, "previous checkpoint 5 is not before 5"},
		{"max parallelism", edit(func(m *Manifest) { m.MaxParallelism = 1 << 20 }), ErrCorrupt, "max parallelism 1048576"},
		{"kind", edit(func(m *Manifest) { m.Kind = "backup" }), ErrCorrupt, `kind "backup"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(c.b, "dir/chk-5/MANIFEST", testJob)
			if !errors.Is(err, c.is) || !strings.HasPrefix(err.Error(), "dir/chk-5/MANIFEST: ") || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v\nexpected dir/chk-5/MANIFEST: %v .. %s", err, c.is, c.want)
			}
		})
	}
}

func TestEncodeRefusesWhatDecodeWould(t *testing.T) {
	m := manifestOf(5, 4)
	m.Transactions[0].Token = []byte("not json")
	if _, err := Encode(m); err == nil || !strings.Contains(err.Error(), "the token of transaction kafka:broker is not JSON") {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	b, err := Encode(manifestOf(5, 4, file("a.stf")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b[:len(b)-17]))
	f.Add(`{"format":1}` + "\n")
	f.Fuzz(func(t *testing.T, body string) {
		m, err := Decode(sum(body), "x", "")
		if err != nil {
			return
		}
		b, err := Encode(m)
		if err != nil {
			t.Fatalf("decoded but cannot be encoded: %v", err)
		}
		again, err := Decode(b, "x", "")
		if err != nil || again.Epoch != m.Epoch || len(again.Files) != len(m.Files) {
			t.Fatal(err)
		}
	})
}
