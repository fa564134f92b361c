package oracle

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"sort"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
)

var (
	rewrite = flag.Bool("rewrite", false, "write the list of open cases anew")
	verbose = flag.String("show", "", "print the failures of a category (or \"all\")")
	extra   = flag.String("cases", "", "run the cases of this gzipped file instead, without the list of open ones")
)

const (
	casesFile      = "../testdata/oracle/expressions.jsonl.gz"
	exceptionsFile = "../testdata/oracle/exceptions.txt"
	openFile       = "../testdata/oracle/open.txt"
)

// exception is a pattern of "category/id" and the reason why the engine differs there.
type exception struct {
	pattern, reason string
	used            bool
}

func readExceptions(t *testing.T) []exception {
	t.Helper()
	var out []exception
	for _, line := range readLines(t, exceptionsFile) {
		pattern, reason, ok := strings.Cut(line, " ")
		if !ok {
			t.Fatalf("%s: %q has no reason", exceptionsFile, line)
		}
		out = append(out, exception{pattern: pattern, reason: strings.TrimSpace(reason)})
	}
	return out
}

// readLines reads a file without its blank lines and comments.
func readLines(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// TestExpressions runs every golden case. A case fails the test when its result is not
// Flink's and it is neither an exception (a decided difference, with its reason) nor listed
// as open; one that is listed as open and passes has to be taken off the list (-rewrite).
func TestExpressions(t *testing.T) {
	file := casesFile
	open := map[string]bool{}
	if *extra != "" {
		file = *extra
	} else {
		for _, line := range readLines(t, openFile) {
			id, _, _ := strings.Cut(line, " ")
			open[id] = true
		}
	}
	cases, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	exceptions := readExceptions(t)
	r := &Runner{Functions: engine.Functions{}}
	type tally struct{ pass, all, excepted int }
	sums := map[string]*tally{}
	var failed []string
	for _, c := range cases {
		s := sums[c.Category]
		if s == nil {
			s = &tally{}
			sums[c.Category] = s
		}
		s.all++
		res := run(r, c)
		why := Check(c, res)
		switch {
		case why == "":
			s.pass++
			if open[c.ID] && !*rewrite {
				t.Errorf("%s passes now; run with -rewrite to take it off %s", c.ID, openFile)
			}
			continue
		case excepted(exceptions, c) || outOfRange(res.Err) || refusedRegexp(c, res.Err):
			s.excepted++
			continue
		}
		if *verbose == c.Category || *verbose == "all" {
			t.Logf("%s %s %s: %s", c.ID, c.Expr, columns(c), why)
		}
		failed = append(failed, c.ID+" "+c.Expr)
		if !open[c.ID] && !*rewrite {
			t.Errorf("%s %s %s: %s", c.ID, c.Expr, columns(c), why)
		}
	}
	if *rewrite && *extra == "" {
		writeOpen(t, failed)
	}
	for _, e := range exceptions {
		if *extra == "" && !e.used {
			t.Errorf("%s: no case fails that matches %s", exceptionsFile, e.pattern)
		}
	}
	names := make([]string, 0, len(sums))
	for name := range sums {
		names = append(names, name)
	}
	sort.Strings(names)
	var total tally
	for _, name := range names {
		s := sums[name]
		t.Logf("%-22s %5d of %5d, %d exceptions", name, s.pass, s.all, s.excepted)
		total.pass, total.all, total.excepted = total.pass+s.pass, total.all+s.all, total.excepted+s.excepted
	}
	t.Logf("%-22s %5d of %5d, %d exceptions", "all", total.pass, total.all, total.excepted)
}

// run turns a panic into a failed case, so that one bug does not hide the others.
func run(r *Runner, c Case) (res Result) {
	defer func() {
		if p := recover(); p != nil {
			res = Result{Err: fmt.Errorf("PANIC: %v", p), Plan: true}
			if c.Error != nil {
				res = Result{Value: "PANIC"}
			}
		}
	}()
	return r.Run(c)
}

// excepted reports a difference that is decided, and notes that its exception is needed.
func excepted(exceptions []exception, c Case) bool {
	for i := range exceptions {
		if ok, err := path.Match(exceptions[i].pattern, c.Category+"/"+c.ID); err == nil && ok {
			exceptions[i].used = true
			return true
		}
	}
	return false
}

// outOfRange reports a TIMESTAMP(9) outside the years 1677 to 2262.
func outOfRange(err error) bool {
	if err == nil {
		return false
	}
	return errors.Is(err, errRange) || strings.Contains(err.Error(), "out of the range") || strings.Contains(err.Error(), "the years 1677 to 2262")
}

// refusedRegexp reports a pattern that only a backtracking engine can run: refused by name.
func refusedRegexp(c Case, err error) bool {
	return c.RE2 == "differs" && err != nil && strings.Contains(err.Error(), "unsupported regular expression")
}

func columns(c Case) string {
	var b strings.Builder
	for _, col := range c.Cols {
		fmt.Fprintf(&b, "[%s %s = %s]", col.Name, col.Type, col.Value)
	}
	return b.String()
}

func writeOpen(t *testing.T, failed []string) {
	t.Helper()
	text := "# Golden cases that the engine does not answer as Flink does yet: id and expression.\n" +
		"# Written by: go test ./testsql/oracle -run TestExpressions -rewrite\n" + strings.Join(failed, "\n") + "\n"
	if err := os.WriteFile(openFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
