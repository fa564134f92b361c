package doccheck

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// pages are the documents of the repository.
func pages(t *testing.T) []*Page {
	t.Helper()
	var list []*Page
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			name, err := filepath.Rel(root, f)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Parse(f, filepath.ToSlash(name))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
	}
	if len(list) < 10 {
		t.Fatalf("only %d pages: is this test still looking at the right places?", len(list))
	}
	return list
}

// Every command and every statement in the documentation does what the page says.
func TestPages(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to carry out the commands of the documentation with")
	}
	program := filepath.Join(t.TempDir(), "sqlstream")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/sqlstream").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, p := range pages(t) {
		if len(p.Steps) == 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			runPage(t, p, bash, program)
		})
	}
}

func runPage(t *testing.T, p *Page, bash, program string) {
	s, err := NewShell(bash, program, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	run := func(step Step) {
		t.Helper()
		if err := s.Run(t.Context(), step); err != nil {
			t.Fatalf("%s:%d: %s\n%v", p.Name, step.Line, step.Command, err)
		}
	}
	if p.Broker {
		run(Step{Command: "sqlstream dev-broker &"})
	}
	etl, err := os.ReadFile(filepath.Join(root, "examples", "etl.sql"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteFile("examples/etl.sql", string(etl)); err != nil {
		t.Fatal(err)
	}
	session := "" // the blocks of SQL so far
	for _, step := range p.Steps {
		switch {
		case step.NotRun != "":
		case step.Command != "":
			run(step)
		case step.File != "":
			if err := s.WriteFile(step.File, step.SQL); err != nil {
				t.Fatal(err)
			}
			plan(t, s, p, step, "")
		default:
			plan(t, s, p, step, session)
			session += step.SQL
		}
	}
}

// plan has the program plan a block of SQL. Statements without a plan are carried out, so a
// SELECT is added for those that have none at all.
func plan(t *testing.T, s *Shell, p *Page, step Step, session string) {
	t.Helper()
	if err := s.WriteFile(".block.sql", session+step.SQL+"\nSELECT 1;\n"); err != nil {
		t.Fatal(err)
	}
	if out, code, err := s.eval(t.Context(), "sqlstream explain .block.sql"); err != nil || code != "0" {
		t.Errorf("%s:%d: the block of SQL is not sound: %s %v\n%s\n%s", p.Name, step.Line, code, err, out, session+step.SQL)
	}
}

// Every relative link leads to a file, and to a heading in it if it names one.
func TestLinks(t *testing.T) {
	list := pages(t)
	for _, p := range list {
		for _, l := range p.Links {
			to := p.Name
			if l.Target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(p.Name), l.Target))
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s:%d: the link %s leads nowhere", p.Name, l.Line, l.Target)
				continue
			}
			if l.Anchor == "" {
				continue
			}
			i := slices.IndexFunc(list, func(q *Page) bool { return q.Name == to })
			if i < 0 || !list[i].Anchors[l.Anchor] {
				t.Errorf("%s:%d: %s has no heading #%s", p.Name, l.Line, to, l.Anchor)
			}
		}
	}
}

// What is shown and not run is little, and said here with its reasons.
func TestNotRun(t *testing.T) {
	var list []string
	for _, p := range pages(t) {
		for _, s := range p.Steps {
			if s.NotRun != "" {
				list = append(list, fmt.Sprintf("%s:%d: %s%s: %s", p.Name, s.Line, s.Command, s.SQL, s.NotRun))
			}
		}
	}
	t.Logf("%d steps are not run:\n%s", len(list), strings.Join(list, "\n"))
	if len(list) > 40 {
		t.Error("more than 40 steps are not run: what does this test still check?")
	}
}
