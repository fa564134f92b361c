package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/buildinfo"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/failpoint"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/interrupt"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/jobs"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/result"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/runner"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/shell"
	"github.com/sqlstream/sqlstream/connectors/all"
	"github.com/sqlstream/sqlstream/planner/session"
	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/settings"
)

// connectors finds connectors; 'print' prints where the process does.
func (a *app) connectors() engine.Lookup { return all.Connectors(a.Out, a.Err).Lookup }

// newSession makes a session with the options of -D.
func (a *app) newSession(cmd *cobra.Command) (*session.Session, error) {
	s := engine.NewSession(a.connectors())
	for _, d := range a.settings {
		k, v, ok := strings.Cut(d, "=")
		if !ok {
			return nil, usageError(cmd, fmt.Errorf("-D '%s': expected key=value", d))
		}
		notice, err := s.Settings.Set(strings.TrimSpace(k), v)
		if err != nil {
			return nil, usageError(cmd, fmt.Errorf("-D: %w", err))
		}
		if notice != "" {
			fmt.Fprintln(a.Err, notice)
		}
	}
	return s, nil
}

// newRunner makes what carries out statements.
func (a *app) newRunner(cmd *cobra.Command, log *slog.Logger) (*runner.Runner, error) {
	s, err := a.newSession(cmd)
	if err != nil {
		return nil, err
	}
	p, err := a.printer(cmd)
	if err != nil {
		return nil, err
	}
	h, err := a.home()
	if err != nil {
		return nil, err
	}
	r := &runner.Runner{
		Session: s, Printer: p, Log: log, Home: h,
		Launcher: &jobs.Launcher{Lookup: a.connectors(), Log: log, Version: buildinfo.Read().Version, FailPoint: failpoint.Hook()},
		Notice:   func(text string) { fmt.Fprintln(a.Err, text) },
	}
	r.Control = func(ctx context.Context, res *session.Result) error { return a.controlStatement(ctx, r, res) }
	return r, nil
}

// statements is sqlstream without a command: -e, -f, standard input, or the shell.
func (a *app) statements(cmd *cobra.Command, flags *scriptFlags) error {
	list, interactive, err := flags.read(cmd, a)
	if err != nil {
		return err
	}
	if interactive && !cmd.Flags().Changed("log-level") {
		a.logLevel = "warn"
	}
	log, err := a.log(cmd)
	if err != nil {
		return err
	}
	r, err := a.newRunner(cmd, log)
	if err != nil {
		return err
	}
	if interactive {
		return a.shell(cmd, r)
	}
	ctx, stop := interrupt.Context(cmd.Context(), func(os.Signal) {})
	defer stop()
	for _, s := range list {
		if err := r.Execute(ctx, s.name, s.text); err != nil {
			cancelled, cancel := context.WithCancel(ctx)
			cancel()
			return errors.Join(render(err), r.Wait(cancelled))
		}
	}
	return r.Wait(ctx)
}

// render gives an error about a place in the SQL text its line and caret.
func render(err error) error {
	if e, ok := errors.AsType[*ast.Error](err); ok {
		return exitcode.With(exitcode.Data, errors.New(e.Render()))
	}
	return err
}

func (a *app) shell(cmd *cobra.Command, r *runner.Runner) error {
	if err := r.Home.Make(); err != nil {
		return err
	}
	history, err := shell.OpenHistory(r.Home.History())
	if err != nil {
		fmt.Fprintln(a.Err, err)
	}
	r.Printer.Layout = result.Layout{MaxColumn: r.Session.Settings.Int("sql-client.display.max-column-width")}
	if w, ok := terminalWidth(a.Out); ok {
		r.Printer.Layout.Width = w
	}
	var options []string
	for _, o := range settings.Options {
		options = append(options, o.Key)
	}
	names := r.Session.Config.Functions.Names()
	words := func() []string {
		return shell.Words(options, names, r.Session.Catalog.Tables(), r.Session.Catalog.Views())
	}
	fmt.Fprintf(a.Out, "sqlstream %s. Statements end with ';'. \\? helps, Ctrl-D leaves.\n", buildinfo.Read().Short())
	sh := &shell.Shell{Runner: r, Reader: shell.NewTerminal(history, words), Out: a.Out, Err: a.Err}
	return sh.Run(cmd.Context())
}
