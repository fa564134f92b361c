package cli

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/devbroker"
)

const repository = "../../../.."

// documents are the files whose commands are checked.
func documents(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append(files, filepath.Join(repository, "README.md"), filepath.Join(repository, "CONTRIBUTING.md"))
}

// block is a fenced block of a document.
type block struct {
	language string
	text     string
	file     string // the file a block of SQL is to be put into, by the text before it
}

var fence = regexp.MustCompile("(?s)([^\n]*)\n\n```([a-z]+)\n(.*?)```")
var fileName = regexp.MustCompile("`([a-z]+\\.sql)`")

func blocks(t *testing.T, file string) []block {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []block
	for _, m := range fence.FindAllStringSubmatch(string(b), -1) {
		bl := block{language: m[2], text: m[3]}
		if n := fileName.FindStringSubmatch(m[1]); n != nil {
			bl.file = n[1]
		}
		list = append(list, bl)
	}
	return list
}

// commandLines are the lines of console blocks that begin with "$ ".
func commandLines(bl block) []string {
	var list []string
	for _, l := range strings.Split(bl.text, "\n") {
		if c, ok := strings.CutPrefix(l, "$ "); ok {
			list = append(list, c)
		}
	}
	return list
}

// Every sqlstream command in the documentation has a name, flags and arguments that exist,
// and every make target is one.
func TestDocumentedCommandsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range documents(t) {
		for _, bl := range blocks(t, file) {
			for _, line := range commandLines(bl) {
				if targets, ok := strings.CutPrefix(line, "make "); ok {
					for _, target := range strings.Fields(targets) {
						if !bytes.Contains(makefile, []byte("\n"+target+":")) {
							t.Errorf("%s: %s: there is no target %s", file, line, target)
						}
					}
					continue
				}
				if i := strings.Index(line, "sqlstream "); i >= 0 {
					checkCommand(t, file, line, strings.TrimSuffix(line[i+len("sqlstream "):], " &"))
					checked++
				}
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d commands found: is this test still looking at the right places?", checked)
	}
}

func checkCommand(t *testing.T, file, line, rest string) {
	t.Helper()
	root := (&app{Streams: Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}}).root()
	cmd, argv, err := root.Find(words(rest))
	help := slices.Contains(argv, "--help")
	if err == nil && !help {
		err = cmd.ParseFlags(argv)
	}
	if err == nil && !help && cmd.Args != nil {
		err = cmd.Args(cmd, cmd.Flags().Args())
	}
	if err != nil {
		t.Errorf("%s: %s: %v", file, line, err)
	}
}

// Every command of sqlstream explains itself and has an example whose flags exist.
func TestHelpHasExamples(t *testing.T) {
	root := (&app{}).root()
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.Name() == "help" || sub.Name() == "completion" {
				continue
			}
			if sub.Short == "" || sub.Example == "" {
				t.Errorf("%s has no example or no short text", sub.CommandPath())
			}
			for _, l := range strings.Split(strings.ReplaceAll(sub.Example, "\\\n", " "), "\n") {
				l, _, _ = strings.Cut(l, "   #")
				for _, part := range strings.Split(l, " | ") {
					if rest, ok := strings.CutPrefix(strings.TrimSpace(part), "sqlstream "); ok {
						checkCommand(t, sub.CommandPath(), l, strings.TrimSpace(rest))
					}
				}
			}
			visit(sub)
		}
	}
	visit(root)
}

// The quick start works as it is written, down to the kill -9.
func TestQuickStart(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to run the commands of docs/quickstart.md with")
	}
	t.Parallel()
	tmp := t.TempDir()
	broker, err := devbroker.Start(devbroker.Config{Dir: filepath.Join(tmp, "broker"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(tmp, "sqlstream")); err != nil {
		t.Fatal(err)
	}
	script := "set -eum\ntrap 'kill -9 $(jobs -p) 2>/dev/null || true' EXIT\n"
	for _, bl := range blocks(t, filepath.Join(repository, "docs", "quickstart.md")) {
		if bl.language == "sql" {
			text := strings.ReplaceAll(bl.text, "127.0.0.1:9092", broker.Addr())
			if bl.file == "" {
				t.Fatalf("which file is this SQL in?\n%s", bl.text)
			}
			if err := os.WriteFile(filepath.Join(tmp, bl.file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for _, line := range commandLines(bl) {
			switch {
			case strings.HasPrefix(line, "make "), strings.HasPrefix(line, "export "):
			case line == "sqlstream dev-broker &":
				script += "sleep 1000 &\n" // job %1, as the broker would be; it runs here already
			default:
				script += "echo '$' " + shellQuote(line) + "\n" + line + "\n"
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "-c", script)
	cmd.Dir = tmp
	cmd.Env = []string{asProgram + "=1", "PATH=" + tmp + ":" + os.Getenv("PATH"), "SQLSTREAM_HOME=" + filepath.Join(tmp, "home"), bootstrapVar + "=" + broker.Addr()}
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"| +U | north | 2 | 15.50 |",
		`{"shop":"north"}` + "\t" + `{"shop":"north","n":3,"total":16.5`,
		"ok, manifest and",
		"has ended",
	} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("the output lacks %s", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
