// Package print owns the connector 'print': a sink that writes every change as a line of
// text, in the form of Flink's print connector. Only connectors/all and tests import it.
package print

import (
	"context"
	"io"
	"strconv"
	"sync"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

const (
	optIdentifier = "print-identifier"
	optStderr     = "standard-error"
)

// New returns the connector; lines go to stdout, or to stderr when the table says so.
func New(stdout, stderr io.Writer) connectors.Connector {
	return connector{stdout: &locked{w: stdout}, stderr: &locked{w: stderr}}
}

// locked keeps the lines of several writers whole.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

type connector struct{ stdout, stderr io.Writer }

func (connector) Name() string { return "print" }

func (connector) Doc() string { return "Sink that prints every change: +I[1, a], -U[1, a], +U[1, b]." }

func (connector) Options(connectors.Table) []connectors.OptionDef {
	return []connectors.OptionDef{
		{Key: optIdentifier, Type: "String", Doc: "Text in front of every line, followed by '> '."},
		{Key: optStderr, Type: "Boolean", Default: "false", Doc: "Whether to print to standard error instead of standard output."},
		{Key: "sink.parallelism", Type: "Int", Doc: "Parallelism of the sink."},
	}
}

func (connector) SourceInfo(t connectors.Table) (connectors.SourceInfo, error) {
	return connectors.SourceInfo{}, exec.Userf("table %s: 'print' is a sink and cannot be read", t.Name)
}

func (c connector) SinkInfo(t connectors.Table) (connectors.SinkInfo, error) {
	return connectors.SinkInfo{Accepts: connectors.All, Identity: "print:" + t.Options[optIdentifier]}, connectors.CheckOptions(t, c.Options(t))
}

func (c connector) Source(_ context.Context, t connectors.Table, _ []int, _ connectors.Env) (exec.Source, error) {
	_, err := c.SourceInfo(t)
	return nil, err
}

func (c connector) Sink(_ context.Context, t connectors.Table, _ connectors.Env) (exec.Sink, error) {
	s := &sink{out: c.stdout, identifier: t.Options[optIdentifier]}
	toStderr, err := t.Options.Bool(optStderr, false)
	if toStderr {
		s.out = c.stderr
	}
	for _, f := range t.Physical {
		s.columns = append(s.columns, f.Type)
	}
	return s, err
}

type sink struct {
	out        io.Writer
	identifier string
	columns    []types.Type
}

// Writer implements exec.Sink. With several subtasks lines name theirs, counted from 1.
func (s *sink) Writer(_ context.Context, subtask int, env exec.ConnEnv) (exec.Writer, error) {
	w := &writer{sink: s, prefix: s.identifier}
	if env.Parallelism > 1 {
		if w.prefix != "" {
			w.prefix += ":"
		}
		w.prefix += strconv.Itoa(subtask + 1)
	}
	if w.prefix != "" {
		w.prefix += "> "
	}
	for _, t := range s.columns {
		w.columns = append(w.columns, newColumn(t))
	}
	return w, nil
}

func (s *sink) Close() error { return nil }

type writer struct {
	*sink
	prefix  string
	columns []column
	buf     []byte
}

// Write implements exec.Writer: a batch is printed with one call.
func (w *writer) Write(_ context.Context, b *vec.Batch) error {
	w.buf = w.buf[:0]
	for i := range b.Len() {
		row := b.Row(i)
		w.buf = append(w.buf, w.prefix...)
		w.buf = append(w.buf, vec.KindText(b.Kind(row))...)
		w.buf = append(w.buf, '[')
		for c := range w.columns {
			if c > 0 {
				w.buf = append(w.buf, ", "...)
			}
			w.buf = w.columns[c].append(w.buf, &b.Cols[c], row)
		}
		w.buf = append(w.buf, "]\n"...)
	}
	if _, err := w.out.Write(w.buf); err != nil {
		return exec.Externalf("printing %d rows: %w", b.Len(), err)
	}
	return nil
}

// Barrier implements exec.Writer; what was printed cannot be held back.
func (w *writer) Barrier(context.Context, state.Epoch) error { return nil }

func (w *writer) Close() error { return nil }
