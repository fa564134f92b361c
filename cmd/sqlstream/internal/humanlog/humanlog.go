// Package humanlog owns log lines for people at a terminal: the time of day, what happened,
// and the attributes after it. It imports nothing of ours; the command line imports it.
package humanlog

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Handler writes one line a record:
//
//	15:04:05 job started  job=etl start="from checkpoint 7"
//	15:04:09 WARN job failed, restarting from its last checkpoint  job=etl in=1s
type Handler struct {
	level  slog.Leveler
	out    io.Writer
	mu     *sync.Mutex
	prefix string // of groups
	attrs  []slog.Attr
}

// New returns a handler that writes to out what is at least level.
func New(out io.Writer, level slog.Leveler) *Handler {
	return &Handler{level: level, out: out, mu: &sync.Mutex{}}
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// Handle implements slog.Handler.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if !r.Time.IsZero() {
		b.WriteString(r.Time.Format("15:04:05 "))
	}
	if r.Level != slog.LevelInfo {
		b.WriteString(r.Level.String() + " ")
	}
	b.WriteString(r.Message)
	sep := "  "
	write := func(a slog.Attr) bool {
		if !a.Equal(slog.Attr{}) {
			b.WriteString(sep + a.Key + "=" + text(a.Value))
			sep = " "
		}
		return true
	}
	for _, a := range h.attrs {
		write(a)
	}
	r.Attrs(func(a slog.Attr) bool {
		a.Key = h.prefix + a.Key
		return write(a)
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, b.String())
	return err
}

func text(v slog.Value) string {
	s := v.Resolve().String()
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '=' || r == 0x7f }) {
		return strconv.Quote(s)
	}
	return s
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		a.Key = h.prefix + a.Key
		c.attrs = append(c.attrs, a)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.prefix = h.prefix + name + "."
	return &c
}
