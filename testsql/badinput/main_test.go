package badinput

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	rewrite  = flag.Bool("rewrite", false, "write the goldens in testdata instead of comparing with them")
	prebuilt = flag.String("binary", "", "absolute path of the sqlstream to test; by default it is built")
)

// binary is the program under test.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	if *prebuilt != "" {
		binary = *prebuilt
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "badinput-")
	if err == nil {
		binary = filepath.Join(dir, "sqlstream")
		build := exec.Command("go", "build", "-o", binary, "github.com/sqlstream/sqlstream/cmd/sqlstream")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, "building sqlstream:", err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// limit bounds one run of the binary. Everything here is refused or done at once, and a
// broker that is not there is given up on after 30 s.
const limit = 60 * time.Second

// testCase is one bad input.
type testCase struct {
	name  string            // "B04 a column that does not exist"
	sql   string            // carried out with -f case.sql
	args  []string          // instead of sql
	files map[string]string // by path below the working directory
	stdin string
}

// outcome is what a person sees of a run.
type outcome struct {
	stdout, stderr string
	code           int
}

// run runs the binary in dir.
func run(t *testing.T, dir, stdin string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SQLSTREAM_HOME="+filepath.Join(dir, "home"), "TZ=UTC")
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("sqlstream %q did not end within %s; its standard error:\n%s", args, limit, stderr.String())
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	out := outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	out.check(t)
	return out
}

// check holds for every run: no stack trace, no bug of ours, no code outside of sysexits.h.
func (o outcome) check(t *testing.T) {
	t.Helper()
	for _, s := range []string{"goroutine ", "panic:", "runtime error", "internal error", "bug of sqlstream", "%!", "<nil>"} {
		if strings.Contains(o.stdout+o.stderr, s) {
			t.Errorf("the output has %q:\n%s%s", s, o.stdout, o.stderr)
		}
	}
	if strings.Contains(o.stdout+o.stderr, canary) {
		t.Errorf("the password is shown:\n%s%s", o.stdout, o.stderr)
	}
	switch o.code {
	case 0, 64, 65, 73, 74, 75, 77, 78:
	default:
		t.Errorf("exit code %d:\n%s", o.code, o.stderr)
	}
}

// run runs a case in a directory of its own.
func (c *testCase) run(t *testing.T) outcome {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, c.files)
	args := c.args
	if args == nil {
		write(t, dir, map[string]string{"case.sql": c.sql})
		args = []string{"-f", "case.sql"}
	}
	args = append([]string{"--output", "changelog", "--log-level", "error"}, args...)
	return plain(dir, run(t, dir, c.stdin, args...))
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	ports  = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	client = regexp.MustCompile(`127\.0\.0\.1:\d+->`)
	hexIDs = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
	stamps = regexp.MustCompile(`time=\S+ |current time \S+ is after \S+`)
	lookup = regexp.MustCompile(`lookup (\S+) .*`) // says which server was asked
	states = regexp.MustCompile(`\b(\d{10}-\d{5})-[0-9a-f]{12}\.stf`)
	took   = regexp.MustCompile(`\bafter="?[0-9.]+ ?[a-zµ]+"?`)
	sums   = regexp.MustCompile(`#crc32c [0-9a-f]{8}|CRC32C is [0-9a-f]+, the manifest says [0-9a-f]+`)
	uids   = regexp.MustCompile(`\(uid [a-z2-7]{20}\)`)
	// progressLine is there when a run takes long.
	progressLine = regexp.MustCompile(`(?m)^.*msg=progress.*\n`)
	tooBig       = 2000
)

// plain takes out of the output what differs between two runs.
func plain(dir string, o outcome) outcome {
	for _, s := range []*string{&o.stdout, &o.stderr} {
		*s = strings.ReplaceAll(*s, dir, "DIR")
		*s = client.ReplaceAllString(*s, "")
		*s = ports.ReplaceAllString(*s, "BROKER")
		*s = lookup.ReplaceAllString(*s, "lookup $1 ...")
		*s = states.ReplaceAllString(*s, "$1-HASH.stf")
		*s = progressLine.ReplaceAllString(*s, "")
		*s = took.ReplaceAllString(*s, "after=D")
		*s = uids.ReplaceAllString(*s, "(uid UID)")
		*s = sums.ReplaceAllString(*s, "CRC")
		*s = hexIDs.ReplaceAllString(*s, "ID")
		*s = stamps.ReplaceAllString(*s, "")
		if len(*s) > tooBig {
			*s = (*s)[:tooBig] + "... and so on\n"
		}
	}
	return o
}

// String is the outcome in a golden.
func (o outcome) String() string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimRight(o.stdout, "\n"), "\n") {
		if o.stdout != "" {
			fmt.Fprintf(&b, "  | %s\n", line)
		}
	}
	for _, line := range strings.Split(strings.TrimRight(o.stderr, "\n"), "\n") {
		if o.stderr != "" {
			fmt.Fprintf(&b, "  ! %s\n", line)
		}
	}
	fmt.Fprintf(&b, "  exit %d\n", o.code)
	return b.String()
}

// table runs the cases of a group and compares with testdata/<group>.golden.
func table(t *testing.T, group string, cases []testCase) {
	t.Helper()
	g := openGolden(t, group)
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) { g.compare(t, c.name, c.run(t)) })
	}
	g.close(t)
}
