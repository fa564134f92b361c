package savepoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// TestDamagedBytesAreFound changes one byte after the other, in every file.
func TestDamagedBytesAreFound(t *testing.T) {
	for _, layout := range []string{checkpoint.Canonical, checkpoint.Native} {
		t.Run(layout, func(t *testing.T) {
			p, _ := writeExample(t, layout)
			names, err := p.Names()
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				path := filepath.Join(p.Location(), name)
				whole, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				step := 31 // all kinds of places, in time
				for i := 0; i < len(whole); i += step {
					damaged := bytes.Clone(whole)
					damaged[i] ^= 0x10
					if err := os.WriteFile(path, damaged, 0o600); err != nil {
						t.Fatal(err)
					}
					r, err := Verify(t.Context(), p)
					if err != nil {
						t.Fatal(err)
					}
					if r.Problem() == nil {
						t.Fatalf("%s: a changed byte at %d is not seen", name, i)
					}
				}
				if err := os.WriteFile(path, whole, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if r, err := Verify(t.Context(), p); err != nil || r.Problem() != nil {
				t.Fatal(err, r.Problem())
			}
		})
	}
}

// TestWhatIsWrongIsSaid damages a savepoint in ways that happen.
func TestWhatIsWrongIsSaid(t *testing.T) {
	data := func(p checkpoint.Place, m *checkpoint.Manifest) string {
		return filepath.Join(p.Location(), m.Rows[0].Name)
	}
	for name, c := range map[string]struct {
		damage func(p checkpoint.Place, m *checkpoint.Manifest) error
		is     error
		want   string
	}{
		"no manifest": {func(p checkpoint.Place, m *checkpoint.Manifest) error { return p.Remove(ManifestName) }, ErrNone, "it has files of state but no manifest.json, so it was never completed"},
		"nothing":     {func(p checkpoint.Place, m *checkpoint.Manifest) error { return p.Delete() }, ErrNone, "it is empty or does not exist"},
		"a file is gone": {func(p checkpoint.Place, m *checkpoint.Manifest) error { return p.Remove(m.Rows[0].Name) },
			os.ErrNotExist, "hgzkfh7x5s3mhqwi2yqe.groups.arrow"},
		"a file is cut": {func(p checkpoint.Place, m *checkpoint.Manifest) error {
			return os.Truncate(data(p, m), m.Rows[0].Size-3)
		},
			checkpoint.ErrCorrupt, fmt.Sprintf("bytes, the manifest says ")},
		"a file of another savepoint": {func(p checkpoint.Place, m *checkpoint.Manifest) error {
			b := bytes.Repeat([]byte("x"), int(m.Rows[0].Size))
			return os.WriteFile(data(p, m), b, 0o600)
		}, checkpoint.ErrCorrupt, `it begins with "xxxxxxxx"`},
		"the manifest was edited": {func(p checkpoint.Place, m *checkpoint.Manifest) error {
			path := filepath.Join(p.Location(), ManifestName)
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, bytes.Replace(b, []byte(`"totals"`), []byte(`"totalz"`), 1), 0o600)
		}, checkpoint.ErrCorrupt, `its "crc32c" is`},
		"the manifest is formatted anew": {func(p checkpoint.Place, m *checkpoint.Manifest) error {
			path := filepath.Join(p.Location(), ManifestName)
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, bytes.ReplaceAll(b, []byte("\n"), nil), 0o600)
		}, checkpoint.ErrCorrupt, "was edited"},
		"the manifest is a directory": {func(p checkpoint.Place, m *checkpoint.Manifest) error {
			if err := p.Remove(ManifestName); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(p.Location(), ManifestName), 0o700)
		}, nil, "it is no regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			p, m := writeExample(t, checkpoint.Canonical)
			if err := c.damage(p, m); err != nil {
				t.Fatal(err)
			}
			r, err := Verify(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Problem(); err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// failing is a place in which an operation fails.
type failing struct {
	checkpoint.Place
	left int // writes until one fails
	err  error
}

type failingWriter struct {
	state.FileWriter
	p *failing
}

func (p *failing) Create(name string) (state.FileWriter, error) {
	w, err := p.Place.Create(name)
	return &failingWriter{w, p}, err
}

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.p.left--; w.p.left < 0 {
		return 0, w.p.err
	}
	return w.FileWriter.Write(b)
}

func (w *failingWriter) Commit() error {
	if w.p.left--; w.p.left < 0 {
		return w.p.err
	}
	return w.FileWriter.Commit()
}

// TestAfterAnErrorNothingIsLeft lets every write and every commit fail.
func TestAfterAnErrorNothingIsLeft(t *testing.T) {
	full := errors.New("the disk is full")
	for _, layout := range []string{checkpoint.Canonical, checkpoint.Native} {
		ended := false
		for n := 0; !ended; n++ {
			m, c := example()
			p := &failing{place(t), n, full}
			_, err := Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: layout, Now: day})
			if ended = err == nil; ended {
				break
			}
			if !errors.Is(err, full) {
				t.Fatalf("write %d: %v", n, err)
			}
			if _, err := os.Stat(p.Location()); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s: after write %d failed there is %v", layout, n, err)
			}
			if n > 1000 {
				t.Fatal("it does not end")
			}
		}
	}
}

// TestCancelledAtEveryFailPoint ends the context there.
func TestCancelledAtEveryFailPoint(t *testing.T) {
	var passed []string
	for _, layout := range []string{checkpoint.Canonical, checkpoint.Native} {
		for _, point := range Points {
			ctx, cancel := context.WithCancel(t.Context())
			m, c := example()
			big := make([]entry, 3*batchRows)
			for i := range big {
				big[i] = entry{group: state.KeyGroup(i * 128 / len(big)), key: keyOf(fmt.Sprintf("customer %d", i), int32(i)), value: groupValue(1, 1, "pen", int64(i+1), true, 1)}
			}
			c.put(m.Operators[0].UID, 0, big)
			p := place(t)
			_, err := Write(ctx, Source{Manifest: m, Content: c}, p, Options{Layout: layout, Now: day, FailPoint: func(name string) {
				if name == point {
					passed = append(passed, layout+" "+point)
					cancel()
				}
			}})
			_, there := os.Stat(p.Location())
			if point == PointAfterManifest {
				if err != nil || there != nil {
					t.Errorf("%s, %s: a savepoint that is complete stays: %v, %v", layout, point, err, there)
				}
			} else if !errors.Is(err, context.Canceled) || !errors.Is(there, os.ErrNotExist) {
				t.Errorf("%s, %s: %v, %v", layout, point, err, there)
			}
			cancel()
		}
	}
	if slices.Sort(passed); len(slices.Compact(passed)) != 2*len(Points) {
		t.Errorf("passed only %q", passed)
	}
}

func TestAPlaceWithFilesIsRefused(t *testing.T) {
	p := place(t)
	w, err := p.Create("notes.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	m, c := example()
	_, err = Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: checkpoint.Canonical, Now: day})
	if err == nil || !strings.Contains(err.Error(), "it is not empty, it holds notes.txt") {
		t.Error(err)
	}
	from, _ := writeExample(t, checkpoint.Canonical)
	if _, err := Copy(t.Context(), from, p, nil); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Error(err)
	}
	if err := Dispose(p); err == nil || !strings.Contains(err.Error(), `holds "notes.txt", which is not a savepoint's`) {
		t.Error(err)
	}
	if names, _ := p.Names(); len(names) != 1 {
		t.Errorf("%q are left", names)
	}
}
