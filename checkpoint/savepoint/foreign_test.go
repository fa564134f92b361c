package savepoint

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
		t.Skip("foreign readers need packages from PyPI; left out by -short")
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
		t.Skip("no pyarrow: the environment does not work")
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
