package savepoint

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// oneFile is a place with one file.
type oneFile struct {
	checkpoint.Place
	name string
	data []byte
}

func (p *oneFile) Location() string { return "fuzz" }

func (p *oneFile) Open(name string) (state.FileReader, error) {
	if name != p.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return openFile{bytes.NewReader(p.data)}, nil
}

type openFile struct{ *bytes.Reader }

func (openFile) Close() error { return nil }

// FuzzReadCanonical reads anything as the file of a table, its checksum being right. Whatever it
// is, it is read or refused as damaged, and no more is allocated than there is.
func FuzzReadCanonical(f *testing.F) {
	m, c := example()
	dir := f.TempDir()
	p, err := checkpoint.OpenPlace(filepath.Join(dir, "s"))
	if err != nil {
		f.Fatal(err)
	}
	defer p.Close()
	if m, err = Write(f.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: checkpoint.Canonical, Now: day}); err != nil {
		f.Fatal(err)
	}
	for i, r := range m.Rows {
		b, err := os.ReadFile(filepath.Join(p.Location(), r.Name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b)
		f.Add(uint8(i), b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, n uint8, data []byte) {
		want := m.Rows[int(n)%len(m.Rows)]
		want.Size, want.CRC32C = int64(len(data)), crc32.Checksum(data, castagnoli)
		r, err := openRows(&oneFile{name: want.Name, data: data}, m, want)
		if err == nil {
			for r.Next() {
				if int(r.Group()) >= m.MaxParallelism {
					t.Fatalf("key group %d", r.Group())
				}
			}
			err = errors.Join(r.Err(), r.close())
		}
		if err != nil && !errors.Is(err, checkpoint.ErrCorrupt) {
			t.Fatalf("%v is no error about damage", err)
		}
	})
}
