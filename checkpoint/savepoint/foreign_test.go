package savepoint

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files")

// python returns a Python that has pyarrow and DuckDB: an environment of its own in the cache
// directory, made from PyPI when it is not there yet. It skips, with the reason, where that
// cannot be.
func python(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("foreign readers need packages from PyPI, which -short does not fetch; run without -short")
	}
	python3, err := exec.LookPath("python3")
	if err != nil {
		t.Skipf("foreign readers need python3: %v", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("no directory for a Python environment: %v", err)
	}
	venv := filepath.Join(cache, "sqlstream-test", "pyarrow-duckdb")
	bin := filepath.Join(venv, "bin", "python")
	works := func(path string) bool { return exec.Command(path, "-c", "import pyarrow, duckdb").Run() == nil }
	if works(bin) {
		return bin
	}
	// Made under another name: several tests may be at it.
	if err := os.MkdirAll(filepath.Dir(venv), 0o700); err != nil {
		t.Skipf("no directory for a Python environment: %v", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(venv), "new-")
	if err != nil {
		t.Skipf("no directory for a Python environment: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, args := range [][]string{
		{python3, "-m", "venv", tmp},
		{filepath.Join(tmp, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "pyarrow", "duckdb"},
	} {
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			os.RemoveAll(tmp)
			t.Skipf("no pyarrow from PyPI: %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	if err := os.Rename(tmp, venv); err != nil && !errors.Is(err, fs.ErrExist) && !works(bin) {
		t.Skipf("no pyarrow: %v", err)
	}
	if !works(bin) {
		t.Skipf("foreign readers need pyarrow and duckdb: they are installed in %s, but %s cannot import them", venv, bin)
	}
	return bin
}

// TestForeignReaders: pyarrow and DuckDB read a canonical savepoint without anything of ours.
func TestForeignReaders(t *testing.T) {
	py := python(t)
	p, _ := writeExample(t, checkpoint.Canonical)
	out, err := exec.Command(py, "testdata/read.py", p.Location(), "duckdb").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	golden(t, "testdata/read.golden", string(out))
}

// TestForeignReadersReadEveryType: pyarrow validates, and DuckDB reads, files of every type, and what
// is exported of them.
func TestForeignReadersReadEveryType(t *testing.T) {
	py := python(t)
	r := random(7)
	r.sane = true
	m, c := randomState(r, 60)
	p := place(t)
	m, err := Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: checkpoint.Canonical, Now: day})
	if err != nil {
		t.Fatal(err)
	}
	exported := t.TempDir()
	for _, f := range m.Rows {
		for _, format := range Formats {
			out, err := os.Create(filepath.Join(exported, f.Name+"."+format))
			if err != nil {
				t.Fatal(err)
			}
			err = exportPlace(t.Context(), p, m, f.UID, m.Table(f.UID, f.Table).Name, format, out)
			if err := errors.Join(err, out.Close()); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	}
	out, err := exec.Command(py, "testdata/readall.py", p.Location(), exported).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := fmt.Sprintf("%d files are read\n", len(m.Rows)); string(out) != want {
		t.Errorf("%s, want %s", out, want)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s differs (%v); -rewrite accepts it\n got %s\nwant %s", path, err, got, want)
	}
}

// fences are the blocks of code in a document, with their language.
var fences = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// TestExamplesOfTheDocumentation runs the Python in the documentation of the format. What a block
// prints stands in the next block of text.
func TestExamplesOfTheDocumentation(t *testing.T) {
	py := python(t)
	p, _ := writeExample(t, checkpoint.Canonical)
	dir := t.TempDir()
	if err := os.Rename(p.Location(), filepath.Join(dir, "savepoint-5f2a91-0c8be11d7a34")); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/savepoint-format.md")
	if err != nil {
		t.Fatal(err)
	}
	ran, got := 0, ""
	for _, block := range fences.FindAllStringSubmatch(string(doc), -1) {
		switch lang, text := block[1], block[2]; {
		case lang == "python":
			cmd := exec.Command(py, "-c", text)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, text, out)
			}
			ran, got = ran+1, string(out)
		case lang == "text" && got != "":
			if text != got {
				t.Errorf("the example prints\n%s\nthe documentation says\n%s", got, text)
			}
			got = ""
		}
	}
	if ran != 2 || got != "" {
		t.Errorf("%d examples ran, and %q is not in the documentation", ran, got)
	}
}
