// Package arch holds the architecture of the project as tests: which package may import
// which, how long files may be, and that every package says what it owns.
package arch

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sqlstream/sqlstream/"

type pkg struct {
	ImportPath  string
	Dir         string
	GoFiles     []string
	TestGoFiles []string
	Imports     []string
	Standard    bool
}

// packages lists the packages of the module; with deps, everything they link as well.
func packages(t *testing.T, deps bool) []pkg {
	t.Helper()
	args := []string{"list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,Imports,Standard"}
	if deps {
		args = append(args, "-deps")
	}
	cmd := exec.Command("go", append(args, "./...")...)
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var list []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func ours(path string) (string, bool) { return strings.CutPrefix(path, module) }

// under reports whether path is one of the folders or lies in one; "exec!" is the folder alone.
func under(path string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool {
		return path+"!" == d || path == d || strings.HasPrefix(path, d+"/")
	})
}

// arrows says what the packages under a folder may import of ours; the first entry that
// fits a package counts. Folders not listed may import anything but cmd and testsql.
var arrows = []struct {
	from string
	may  []string
}{
	{"sql/types", nil},
	{"sql/ast", []string{"sql/types", "sql/secret"}},
	{"sql/expr", []string{"sql/types"}},
	{"sql", []string{"sql", "planner/plan"}},
	{"planner", []string{"sql", "planner"}},
	{"state", []string{"state"}},
	{"checkpoint/stores/s3", []string{"checkpoint!", "state!"}},
	{"checkpoint/stores/hdfs", []string{"checkpoint!", "state!"}},
	{"checkpoint/stores", []string{"checkpoint!", "checkpoint/stores", "state!"}},
	{"checkpoint", []string{"checkpoint", "state", "sql/types"}},
	{"exec/vec", []string{"sql/types"}},
	{"exec/flow", []string{"exec!", "exec/vec", "exec/inflight", "sql/types", "state!"}},
	{"exec/inflight", []string{"exec/vec", "sql/types"}},
	{"exec/eval", []string{"exec!", "exec/vec", "exec/eval", "sql/types", "sql/expr", "sql/suggest", "sql/settings"}},
	{"exec/job", []string{"exec", "state", "checkpoint", "connectors", "planner", "sql"}},
	{"exec", []string{"exec", "state", "sql/types", "sql/expr", "sql/suggest", "sql/settings", "planner/plan"}},
	{"connectors", []string{"connectors", "exec", "state", "sql/types", "sql/settings", "sql/secret", "sql/suggest"}},
}

// bans are imports that only the named folders may have.
var bans = []struct{ importPath, only string }{
	{"github.com/pingcap/tidb", "sql"},
	{"github.com/dgraph-io/badger", "state/badgerstate"},
	{"github.com/minio/minio-go", "checkpoint/stores/s3"},
	{"github.com/colinmarc/hdfs", "checkpoint/stores/hdfs"},
	{"github.com/jcmturner/gokrb5", "checkpoint/stores/hdfs"},
	{"github.com/twmb/franz-go", "connectors/kafka cmd/sqlstream testsql bench"},
	{"github.com/apache/arrow/go/v17/arrow/compute", ""},
	{"testing", "testsql exec/optest"},
}

func TestImportArrows(t *testing.T) {
	for _, p := range packages(t, false) {
		from, _ := ours(p.ImportPath)
		for _, imp := range p.Imports {
			if to, ok := ours(imp); ok {
				if (under(to, "testsql") || under(to, "cmd")) && !under(from, "testsql", "cmd") {
					t.Errorf("%s imports %s: only tests import testsql, and nothing imports cmd", from, to)
				}
				for _, a := range arrows {
					if under(from, a.from) {
						if !under(to, a.may...) {
							t.Errorf("%s imports %s: %s may import only %s", from, to, a.from, strings.Join(a.may, ", "))
						}
						break
					}
				}
				continue
			}
			for _, b := range bans {
				if (imp == b.importPath || strings.HasPrefix(imp, b.importPath+"/")) && !under(from, strings.Fields(b.only)...) {
					t.Errorf("%s imports %s, which only %q may", from, imp, b.only)
				}
			}
		}
	}
}

func TestFamiliesOfOperatorsDoNotImportEachOther(t *testing.T) {
	for _, p := range packages(t, false) {
		from, _ := ours(p.ImportPath)
		if !strings.HasPrefix(from, "exec/") || !strings.HasSuffix(from, "op") {
			continue
		}
		for _, imp := range p.Imports {
			if to, ok := ours(imp); ok && strings.HasPrefix(to, "exec/") && strings.HasSuffix(to, "op") {
				t.Errorf("%s imports %s", from, to)
			}
		}
	}
}

// TestTheBinaryLinksNoCompute looks at everything the command links, not only at imports.
func TestTheBinaryLinksNoCompute(t *testing.T) {
	for _, p := range packages(t, true) {
		if p.ImportPath == "github.com/apache/arrow/go/v17/arrow/compute" {
			t.Error("arrow/compute is linked: it has wrong results and panics that end the process")
		}
	}
}

const maxLines = 800

func TestFilesAreShort(t *testing.T) {
	for _, p := range packages(t, false) {
		for _, name := range append(slices.Clone(p.GoFiles), p.TestGoFiles...) {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ImportsOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if n := fset.File(f.FileStart).LineCount(); n > maxLines {
				t.Errorf("%s/%s has %d lines, at most %d: what are the two things in it?", p.ImportPath, name, n, maxLines)
			}
		}
	}
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range packages(t, false) {
		if len(p.GoFiles) == 0 {
			continue
		}
		found := false
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			found = found || f.Doc != nil
		}
		if !found {
			t.Errorf("package %s has no package comment", p.ImportPath)
		}
	}
}

func TestNothingRegistersItself(t *testing.T) {
	for _, p := range packages(t, false) {
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s/%s has an init(): make the list explicit", p.ImportPath, name)
				}
			}
		}
	}
}
