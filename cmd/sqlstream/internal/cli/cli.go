// Package cli owns the commands of sqlstream: their flags, their help, how their errors are
// shown. What they do is in the packages beside it. Package main imports it and nobody else.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/home"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/humanlog"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/interrupt"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/result"
)

// Streams are what a process is born with.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs the command line args (without the program's name) and returns the exit code.
func Main(args []string, s Streams) int {
	a := &app{Streams: s}
	root := a.root()
	root.SetArgs(flinkArgs(args))
	err := root.ExecuteContext(context.Background())
	if err != nil {
		a.report(err)
	}
	return exitcode.Of(err)
}

// app is one run of the program: the streams and the global flags.
type app struct {
	Streams
	homeFlag  string
	settings  []string
	output    string
	logLevel  string
	logFormat string
}

// report prints an error for a person. Ctrl-C is no news.
func (a *app) report(err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, errSilent) {
		return
	}
	text := strings.TrimRight(err.Error(), "\n")
	fmt.Fprintf(a.Err, "sqlstream: %s\n", text)
	if exitcode.Of(err) == exitcode.Internal {
		fmt.Fprintln(a.Err, "This is a bug of sqlstream. Please report it with the output of 'sqlstream version' and what you did.")
	}
}

// errSilent ends a command whose errors are printed already.
var errSilent = errors.New("")

// usageError is an error in the command line itself.
func usageError(cmd *cobra.Command, err error) error {
	return exitcode.With(exitcode.Usage, fmt.Errorf("%w\nTry '%s --help'.", err, cmd.CommandPath()))
}

// args wraps a check of arguments so that it fails with the code for usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, a []string) error {
		if err := check(cmd, a); err != nil {
			return usageError(cmd, err)
		}
		return nil
	}
}

// exactly checks for the arguments of the command's usage line.
func exactly(names ...string) cobra.PositionalArgs {
	return args(func(cmd *cobra.Command, a []string) error {
		switch {
		case len(a) < len(names):
			return fmt.Errorf("%s is missing", strings.Join(names[len(a):], " "))
		case len(a) > len(names):
			return fmt.Errorf("unexpected argument '%s'", a[len(names)])
		}
		return nil
	})
}

// log makes the logger of the flags, writing to stderr.
func (a *app) log(cmd *cobra.Command) (*slog.Logger, error) {
	var level slog.Level
	switch a.logLevel {
	case "debug", "info", "warn", "error":
		if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
			return nil, usageError(cmd, err)
		}
	default:
		return nil, usageError(cmd, fmt.Errorf("--log-level '%s': expected debug, info, warn or error", a.logLevel))
	}
	opts := &slog.HandlerOptions{Level: level}
	_, screen := a.Err.(*progress.Screen)
	switch a.logFormat {
	case "auto":
		if screen || isTerminal(a.Err) {
			return slog.New(humanlog.New(a.Err, level)), nil
		}
		return slog.New(slog.NewTextHandler(a.Err, opts)), nil
	case "text":
		return slog.New(slog.NewTextHandler(a.Err, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(a.Err, opts)), nil
	}
	return nil, usageError(cmd, fmt.Errorf("--log-format '%s': expected auto, text or json", a.logFormat))
}

func (a *app) home() (home.Home, error) {
	h, err := home.Locate(a.homeFlag)
	return h, exitcode.With(exitcode.Config, err)
}

// printer makes the printer of --output.
func (a *app) printer(cmd *cobra.Command) (*result.Printer, error) {
	f, err := result.ParseFormat(a.output)
	if err != nil {
		return nil, usageError(cmd, fmt.Errorf("--output %w", err))
	}
	p := result.NewPrinter(a.Out, f)
	if w, ok := terminalWidth(a.Out); ok {
		p.Layout = result.Layout{Width: w}
	}
	return p, nil
}

// interruptible is a context that Ctrl-C ends.
func (a *app) interruptible(cmd *cobra.Command) (context.Context, func()) {
	return interrupt.Context(cmd.Context(), func(os.Signal) {})
}

// terminalWidth returns the width of w when it is a terminal.
func terminalWidth(w io.Writer) (int, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil && width > 0
}

// isTerminal reports whether s is a terminal.
func isTerminal(s any) bool {
	f, ok := s.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
