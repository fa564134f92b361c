package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/testsql/doccheck"
)

const repository = "../../../.."

// Every sqlstream command in the documentation has a name, flags and arguments that exist,
// and every make target is one; testsql/doccheck carries out those that can be.
func TestDocumentedCommandsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, file := range append(files, filepath.Join(repository, "README.md"), filepath.Join(repository, "CONTRIBUTING.md")) {
		page, err := doccheck.Parse(file, filepath.Base(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range page.Steps {
			line, _, _ := strings.Cut(step.Command, "  #")
			if targets, ok := strings.CutPrefix(line, "make "); ok {
				for _, target := range strings.Fields(targets) {
					if !strings.Contains(target, "=") && !bytes.Contains(makefile, []byte("\n"+target+":")) {
						t.Errorf("%s:%d: %s: there is no target %s", page.Name, step.Line, line, target)
					}
				}
				continue
			}
			for _, part := range strings.FieldsFunc(line, func(r rune) bool { return r == '|' || r == ';' }) {
				rest, ok := strings.CutPrefix(strings.TrimSpace(part), "sqlstream ")
				if !ok || strings.ContainsAny(rest, `"'`) {
					continue // what is quoted may have any of these characters; such commands are run
				}
				rest, _, _ = strings.Cut(rest, " >")
				rest, _, _ = strings.Cut(rest, " &")
				checkCommand(t, page.Name, line, strings.TrimSpace(rest))
				checked++
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
	cmd, argv, err := root.Find(flinkArgs(words(rest)))
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
