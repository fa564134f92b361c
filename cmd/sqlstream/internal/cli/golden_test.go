package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/devbroker"
)

var rewrite = flag.Bool("rewrite", false, "write what the commands print into the golden files")

// asProgram makes the test binary behave as sqlstream: the tests run real processes.
const asProgram = "SQLSTREAM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main(os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	os.Exit(m.Run())
}

// TestGolden runs the commands of testdata/*.txt, one process each, in a directory of the
// file's own. A file is cases with blank lines between:
//
//	# a comment
//	$ sqlstream -e 'SELECT 1'     the command; $TMP and $BROKER are replaced
//	< text                        standard input
//	1| text                       standard output
//	2| text                       standard error
//	? 65                          the exit code, unless it is 0
//
// Other files of testdata are there under their names. What differs from run to run (times,
// ids, sizes) is masked, see masks.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := newGolden(t, string(b))
			got := g.run(string(b))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(b) {
				t.Errorf("%s differs; -rewrite accepts it\n%s", file, diff(string(b), got))
			}
		})
	}
}

type golden struct {
	t       *testing.T
	tmp     string
	replace *strings.Replacer // variables to values
	restore *strings.Replacer // and back
}

func newGolden(t *testing.T, text string) *golden {
	tmp := t.TempDir()
	pairs := []string{"$TMP", tmp}
	if strings.Contains(text, "$BROKER") {
		b, err := devbroker.Start(devbroker.Config{Dir: filepath.Join(t.TempDir(), "broker"), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		pairs = append(pairs, "$BROKER", b.Addr())
	}
	g := &golden{t: t, tmp: tmp, replace: strings.NewReplacer(pairs...)}
	for i := 0; i < len(pairs); i += 2 {
		pairs[i], pairs[i+1] = pairs[i+1], pairs[i]
	}
	g.restore = strings.NewReplacer(pairs...)
	g.copyFiles()
	return g
}

// copyFiles puts the SQL files of testdata into the directory, variables replaced.
func (g *golden) copyFiles() {
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".txt" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(g.tmp, d.Name()), []byte(g.replace.Replace(string(b))), 0o600)
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// run carries out the cases and returns the file as it should be.
func (g *golden) run(text string) string {
	var out strings.Builder
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		command, ok := strings.CutPrefix(lines[i], "$ ")
		if !ok {
			out.WriteString(lines[i] + "\n")
			continue
		}
		out.WriteString(lines[i] + "\n")
		var stdin strings.Builder
		for i+1 < len(lines) && lines[i+1] != "" && !strings.HasPrefix(lines[i+1], "$ ") {
			i++
			if in, ok := strings.CutPrefix(lines[i], "<"); ok {
				out.WriteString(lines[i] + "\n")
				stdin.WriteString(strings.TrimPrefix(in, " ") + "\n")
			}
		}
		out.WriteString(g.command(command, stdin.String()))
	}
	return out.String()
}

// commandTimeout bounds one command; it is never reached by a test that passes.
const commandTimeout = time.Minute

func (g *golden) command(line, stdin string) string {
	argv := words(g.replace.Replace(line))
	if argv[0] != "sqlstream" {
		g.t.Fatalf("command %q: only sqlstream is run", line)
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], argv[1:]...)
	cmd.Dir = g.tmp
	cmd.Env = []string{asProgram + "=1", "SQLSTREAM_HOME=" + filepath.Join(g.tmp, "home"), "TZ=UTC"}
	cmd.Stdin = strings.NewReader(g.replace.Replace(stdin))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	code := 0
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || ctx.Err() != nil {
			g.t.Fatalf("%s: %v\n%s", line, err, stderr.String())
		}
		code = exit.ExitCode()
	}
	var out strings.Builder
	for i, s := range []string{stdout.String(), stderr.String()} {
		if s == "" {
			continue
		}
		for _, l := range strings.Split(strings.TrimSuffix(mask(g.restore.Replace(s)), "\n"), "\n") {
			out.WriteString(strings.TrimRight(fmt.Sprintf("%d| %s", i+1, l), " ") + "\n")
		}
	}
	if code != 0 {
		fmt.Fprintf(&out, "? %d\n", code)
	}
	return out.String()
}

// masks are what differs from run to run.
var masks = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`time=\S+`), "time=T"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b`), "JOBID"},
	{regexp.MustCompile(`\b[0-9a-f]{8}\b`), "ID"},
	{regexp.MustCompile(`(duration|after|checkpoint_took)=("[^"]*"|\S+)`), "$1=D"},
	{regexp.MustCompile(`\bin \d+(\.\d+)? (µs|ms|s) \([^)]*/s\)`), "in D (R/s)"},
	{regexp.MustCompile(`process \d+ on \S+`), "process N on HOST"},
	{regexp.MustCompile(`go1\.\S+, \S+/\S+`), "GO, PLATFORM"},
}

func mask(s string) string {
	for _, m := range masks {
		s = m.re.ReplaceAllString(s, m.to)
	}
	return s
}

// words splits a command line at blanks outside of single and double quotes.
func words(line string) []string {
	var list []string
	var word strings.Builder
	quote, inside := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inside = r, true
		case quote == 0 && r == ' ':
			if inside {
				list = append(list, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if inside {
		list = append(list, word.String())
	}
	return list
}

// diff shows the lines around the first difference.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	show := func(l []string) string { return strings.Join(l[max(0, i-6):min(len(l), i+12)], "\n") }
	return fmt.Sprintf("from line %d\n--- want\n%s\n--- got\n%s", i+1, show(w), show(g))
}
