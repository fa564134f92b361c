// Package shell owns the interactive shell: reading statements line by line, backslash
// commands, history, completion. What statements do is in package runner. The command line
// imports it.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/runner"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// ErrInterrupted is returned by Reader.Read when the user pressed Ctrl-C: what was typed is
// dropped.
var ErrInterrupted = errors.New("interrupted")

// Reader reads what the user types.
type Reader interface {
	// Read returns the next complete input: a backslash command, or text that ends with the
	// ';' of a statement. It returns io.EOF at the end.
	Read() (string, error)
}

// Shell is one interactive session.
type Shell struct {
	Runner *runner.Runner
	Reader Reader
	Out    io.Writer
	Err    io.Writer

	timing bool
	done   bool
}

// Run reads and carries out input until the user leaves. Jobs that were started are ended
// cleanly then.
func (s *Shell) Run(ctx context.Context) error {
	for !s.done {
		text, err := s.Reader.Read()
		switch {
		case errors.Is(err, io.EOF):
			s.done = true
			continue
		case errors.Is(err, ErrInterrupted):
			continue
		case err != nil:
			return fmt.Errorf("reading from the terminal: %w", err)
		}
		s.Input(ctx, text)
	}
	return s.leave(ctx)
}

// leave ends the jobs of the session.
func (s *Shell) leave(ctx context.Context) error {
	running := 0
	for _, st := range s.Runner.Statuses() {
		if st.State == job.Running || st.State == job.Restarting {
			running++
		}
	}
	if running > 0 {
		noun := "jobs"
		if running == 1 {
			noun = "job"
		}
		fmt.Fprintf(s.Err, "Ending %d %s of this session; run the same statement again to go on from there.\n", running, noun)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel() // Wait stops what runs
	return s.Runner.Wait(ctx)
}

// Input carries out one input and prints what went wrong.
func (s *Shell) Input(ctx context.Context, text string) {
	trimmed := strings.TrimSpace(text)
	switch word := strings.ToLower(strings.TrimRight(trimmed, "; ")); {
	case trimmed == "":
		return
	case word == "quit" || word == "exit":
		s.done = true
		return
	case word == "help" || word == "?":
		s.help()
		return
	case strings.HasPrefix(trimmed, `\`):
		s.command(ctx, trimmed)
		return
	}
	s.statements(ctx, text)
}

// statements runs SQL; Ctrl-C ends the query and not the shell.
func (s *Shell) statements(ctx context.Context, text string) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	s.Runner.MaxRows = int64(s.Runner.Session.Settings.Int(settings.MaxRows))
	start := time.Now()
	err := s.Runner.Execute(ctx, "", text)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(s.Err, "Query stopped.")
	case err != nil:
		s.fail(err)
	}
	if s.timing {
		fmt.Fprintf(s.Out, "Time: %s\n", progress.Duration(time.Since(start)))
	}
}

// fail prints an error with the place in the text it is about.
func (s *Shell) fail(err error) {
	if e, ok := errors.AsType[*ast.Error](err); ok {
		fmt.Fprintln(s.Err, e.Render())
		return
	}
	fmt.Fprintln(s.Err, "Error:", err)
}

// meta is a backslash command.
type meta struct {
	name, args, doc string
	run             func(s *Shell, ctx context.Context, arg string)
}

// metas are the backslash commands in the order of the help.
func metas() []meta {
	return []meta{
		{`\?`, "", "this list", func(s *Shell, _ context.Context, _ string) { s.help() }},
		{`\d`, "[TABLE]", "list tables and views, or describe one", (*Shell).describe},
		{`\i`, "FILE", "carry out the statements of a file", (*Shell).include},
		{`\jobs`, "", "list jobs", func(s *Shell, ctx context.Context, _ string) { s.statements(ctx, "SHOW JOBS;") }},
		{`\q`, "", "leave; Ctrl-D does the same", func(s *Shell, _ context.Context, _ string) { s.done = true }},
		{`\timing`, "", "show how long statements take, or stop showing", (*Shell).toggleTiming},
		{`\x`, "", "print one column a line, or one row a line again", (*Shell).toggleExpanded},
	}
}

func (s *Shell) command(ctx context.Context, text string) {
	name, arg, _ := strings.Cut(strings.TrimRight(text, "; \n"), " ")
	names := make([]string, len(metas()))
	for i, c := range metas() {
		if c.name == name {
			c.run(s, ctx, strings.TrimSpace(arg))
			return
		}
		names[i] = c.name
	}
	hint := suggest.Hint(name, names)
	if hint == "" {
		hint = `; \? lists them`
	}
	fmt.Fprintf(s.Err, "Error: unknown command %s%s\n", name, hint)
}

func (s *Shell) describe(ctx context.Context, arg string) {
	if arg == "" {
		s.statements(ctx, "SHOW TABLES;")
		return
	}
	s.statements(ctx, "DESCRIBE "+arg+";")
}

func (s *Shell) include(ctx context.Context, file string) {
	if file == "" {
		fmt.Fprintln(s.Err, `Error: \i FILE: the file is missing`)
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		s.fail(err)
		return
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if err := s.Runner.Execute(ctx, file, string(text)); err != nil && !errors.Is(err, context.Canceled) {
		s.fail(err)
	}
}

func (s *Shell) toggleTiming(context.Context, string) {
	s.timing = !s.timing
	fmt.Fprintf(s.Out, "Timing is %s.\n", onOff(s.timing))
}

func (s *Shell) toggleExpanded(context.Context, string) {
	l := &s.Runner.Printer.Layout
	l.Expanded = !l.Expanded
	fmt.Fprintf(s.Out, "Expanded display is %s.\n", onOff(l.Expanded))
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func (s *Shell) help() {
	fmt.Fprint(s.Out, `Statements end with ';' and may take several lines. Ctrl-C stops a query, or drops
what you typed; Ctrl-D leaves.

  CREATE TABLE t (..) WITH ('connector' = 'kafka', ..);   name a topic
  SELECT .. FROM t;                                       watch its rows or changes
  INSERT INTO t2 SELECT .. FROM t;                        start a job
  EXPLAIN SELECT ..;   SHOW TABLES;   DESCRIBE t;   SET 'key' = 'value';   SET;

`)
	for _, c := range metas() {
		fmt.Fprintf(s.Out, "  %-14s %s\n", strings.TrimSpace(c.name+" "+c.args), c.doc)
	}
}
