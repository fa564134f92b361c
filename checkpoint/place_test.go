package checkpoint

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func putFile(t *testing.T, p Place, name, content string) {
	t.Helper()
	w, err := p.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestPlaceOfADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	p, err := OpenPlace(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if names, err := p.Names(); err != nil || len(names) != 0 {
		t.Fatalf("a place that does not exist has %q, %v", names, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("to look at a place made it: %v", err)
	}
	if _, err := p.Open("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Open in a place that does not exist: %v", err)
	}
	if err := errors.Join(p.Remove("x"), p.Delete()); err != nil {
		t.Fatal(err)
	}
	putFile(t, p, "x.arrow", "content")
	if runtime.GOOS != "windows" {
		for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, "x.arrow"): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
			}
		}
	}
	if _, err := p.Create("x.arrow"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second Create: %v", err)
	}
	w, err := p.Create("y.arrow")
	if err != nil {
		t.Fatal(err)
	}
	if names, _ := p.Names(); !slices.Equal(names, []string{"x.arrow"}) {
		t.Errorf("files %q, expected only the complete one", names)
	}
	if _, err := w.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	r, err := p.Open("x.arrow")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, r.Size())
	if _, err := r.ReadAt(b, 0); err != nil || string(b) != "content" {
		t.Errorf("%q, %v", b, err)
	}
	r.Close()
	w.Abort()
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("an aborted file left %v", entries)
	}
	if err := p.Delete(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a deleted place is there: %v", err)
	}
	putFile(t, p, "again", "1") // makes it again
}

func TestPlaceDeletesOnlyItsFiles(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"a", "b.tmp", ".hidden"} {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := OpenPlace(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Delete(); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if !slices.Equal(left, []string{".hidden", "sub"}) {
		t.Errorf("left %q", left)
	}
}

func TestPlaceRefusesNames(t *testing.T) {
	p, err := OpenPlace(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, n := range []string{"", ".", "..", "../x", "/x", "a/b", `a\b`, ".x", "-x", "a b", "a\x00", "a\n", "é", "x.tmp", strings.Repeat("a", 251)} {
		_, create := p.Create(n)
		_, open := p.Open(n)
		for what, err := range map[string]error{"Create": create, "Open": open, "Remove": p.Remove(n)} {
			if err == nil || !strings.Contains(err.Error(), "is no file name here") {
				t.Errorf("%s(%q): %v", what, n, err)
			}
		}
	}
}

func TestPlaceThatIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := OpenPlace(path); err == nil {
		t.Errorf("a file is opened as %s", p.Location())
	}
}

// TestAfterACrashAManifestInAPlaceMeansDataThere: files written one after the other survive in that
// order, each whole or not at all, wherever the machine dies.
func TestAfterACrashAManifestInAPlaceMeansDataThere(t *testing.T) {
	at := func(f FS) *localPlace {
		return &localPlace{durable: durable{fs: f, what: "directory", location: "/sp", failPoint: func(string) {}}}
	}
	files := []struct{ name, content string }{{"a.arrow", "data of a"}, {"b.arrow", "data of b"}, {"manifest.json", "manifest"}}
	write := func(p *localPlace) error {
		for _, f := range files {
			w, err := p.Create(f.name)
			if err != nil {
				return err
			}
			defer w.Abort()
			for _, part := range []string{f.content[:4], f.content[4:]} {
				if _, err := w.Write([]byte(part)); err != nil {
					return err
				}
			}
			if err := w.Commit(); err != nil {
				return err
			}
		}
		return nil
	}
	whole := newCrashFS()
	if err := write(at(whole)); err != nil {
		t.Fatal(err)
	}
	there := map[int]int{} // how many files survived, how often
	for op := 1; op <= whole.ops; op++ {
		for seed := range 50 {
			f := newCrashFS()
			f.failAt, f.crashed = op, true
			if err := write(at(f)); err == nil {
				t.Fatal("nothing failed")
			}
			p := at(f.crash(rand.New(rand.NewPCG(uint64(op), uint64(seed)))))
			n := len(files)
			for i, want := range files {
				r, err := p.Open(want.name)
				if errors.Is(err, fs.ErrNotExist) {
					n = min(n, i)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				b := make([]byte, r.Size())
				if _, err := r.ReadAt(b, 0); err != nil && len(b) > 0 || string(b) != want.content {
					t.Fatalf("crash at %d (%s): %s is %q", op, f.failed, want.name, b)
				}
				if i > n {
					t.Fatalf("crash at %d (%s): %s is there, %s is not", op, f.failed, want.name, files[n].name)
				}
			}
			there[n]++
		}
	}
	if len(there) != len(files)+1 {
		t.Errorf("only %v were seen", there)
	}
}
