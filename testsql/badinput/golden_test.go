package badinput

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// golden is a file of outcomes by case: "== name" and the lines of the outcome.
type golden struct {
	path string
	want map[string]string
	got  strings.Builder
}

const heading = "== "

func openGolden(t *testing.T, group string) *golden {
	t.Helper()
	g := &golden{path: filepath.Join("testdata", group+".golden"), want: map[string]string{}}
	if *rewrite {
		return g
	}
	b, err := os.ReadFile(g.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(b), "\n"+heading)[1:] {
		name, text, _ := strings.Cut(part, "\n")
		g.want[name] = strings.TrimRight(text, "\n") + "\n"
	}
	return g
}

func (g *golden) compare(t *testing.T, name string, o outcome) {
	t.Helper()
	got := o.String()
	fmt.Fprintf(&g.got, "%s%s\n%s\n", heading, name, got)
	if *rewrite {
		return
	}
	want, ok := g.want[name]
	if !ok {
		t.Fatalf("not in %s (write it with -rewrite):\n%s", g.path, got)
	}
	delete(g.want, name)
	if got != want {
		t.Errorf("%s\n--- got\n%s--- want\n%s", name, got, want)
	}
}

// close writes the golden, or complains about what no case has asked for; not when only some
// cases ran.
func (g *golden) close(t *testing.T) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(g.path, []byte(g.got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if run := testFilter(); strings.Contains(run, "/") {
		return
	}
	for name := range g.want {
		t.Errorf("%s has '%s', but there is no such case", g.path, name)
	}
}

// testFilter is the -run flag of this test run.
func testFilter() string { return flag.Lookup("test.run").Value.String() }
