package optest

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/badgerstate"
	"github.com/sqlstream/sqlstream/state/memstate"
)

const maxParallel = 128

// harness is the runtime of one operator.
type harness struct {
	t      testing.TB
	c      Case
	v      variation
	op     exec.Operator
	ctx    *exec.Context
	store  state.Store
	files  *memstate.Files
	sealed []state.File // of the last barrier and those before
	epoch  state.Epoch
	wm     exec.Watermark
	now    time.Time
	wake   int64 // 0: not asked for
	late   int64 // of operators before the last recovery
	shown  []string
	failed error
}

func newHarness(t testing.TB, c Case, v variation) *harness {
	return &harness{t: t, c: c, v: v, files: &memstate.Files{}, wm: exec.MinWatermark, now: time.UnixMilli(0)}
}

// Now and NewTimer make the harness the operator's clock.
func (h *harness) Now() time.Time { return h.now }

// NewTimer is not for operators: they ask for WakeAt.
func (h *harness) NewTimer(d time.Duration) *time.Timer { return time.NewTimer(d) }

func (h *harness) open() error {
	var err error
	all := state.Range{Lo: 0, Hi: maxParallel}
	switch {
	case h.c.Stateless:
	case h.v.engine:
		h.store, err = badgerstate.Open(badgerstate.Options{
			Dir: h.t.TempDir(), Range: all, MaxParallelism: maxParallel, MemoryBudget: 1, Now: h.Now, MinFree: 1,
			Files: h.files, Restore: h.sealed, NextEpoch: h.epoch + 1,
		})
	default:
		h.store, err = memstate.Open(memstate.Options{Range: all, MaxParallelism: maxParallel, Now: h.Now, Files: h.files, Restore: h.sealed})
	}
	if err != nil {
		return err
	}
	if h.op, err = h.c.New(); err != nil {
		return err
	}
	h.wake = 0
	h.ctx = &exec.Context{
		UID: "uid", Parallelism: 1, MaxParallel: maxParallel, Groups: all, Out: h, State: h.store, Clock: h,
		Log: slog.New(slog.DiscardHandler), Metrics: &exec.Metrics{},
		WakeAt: func(at int64) {
			if h.wake == 0 || at < h.wake {
				h.wake = at
			}
		},
	}
	return h.op.Open(h.ctx)
}

func (h *harness) close() {
	if h.op != nil {
		if err := h.op.Close(); err != nil {
			h.t.Errorf("Close: %v", err)
		}
		h.op = nil
	}
	if h.store != nil {
		if err := h.store.Close(); err != nil {
			h.t.Errorf("closing the store: %v", err)
		}
		h.store = nil
	}
}

// Emit shows the rows of a batch, and checks that it is one.
func (h *harness) Emit(b *vec.Batch) error {
	if err := wellFormed(b, h.c.Out); err != nil {
		h.t.Errorf("the operator emitted a malformed batch: %v", err)
	}
	for i := range b.Len() {
		h.shown = append(h.shown, formatRow(b, b.Row(i)))
	}
	return nil
}

func (h *harness) chunk(port int, text string) error {
	rows, err := parseRows(h.c.In[port], text)
	if err != nil {
		return err
	}
	size := h.v.batch
	if size == 0 {
		size = max(1, rows.N)
	}
	for lo := 0; lo < rows.N; lo += size {
		b := cut(rows, h.c.In[port], lo, min(lo+size, rows.N), h.v.junk)
		err := h.op.Process(port, b)
		scramble(b)
		if err == nil {
			err = h.trim()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stream processes rows one by one with watermarks in between.
func (h *harness) stream(d *datadriven.TestData) error {
	var column, text string
	d.ScanArgs(h.t, "time", &column)
	d.ScanArgs(h.t, "delay", &text)
	delay, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	in := h.c.In[0]
	c := in.Index(column)
	for line := range strings.Lines(d.Input) {
		rows, err := parseRows(in, line)
		if err != nil {
			return err
		}
		if err := h.chunk(0, line); err != nil {
			return err
		}
		w := vec.Values[int64](&rows.Cols[c])[0] - delay.Milliseconds()
		if w <= h.wm {
			continue
		}
		if err := h.watermark(w); err != nil {
			return err
		}
	}
	if d.HasArg("end") {
		return h.finish()
	}
	return nil
}

func (h *harness) finish() error {
	if err := h.watermark(exec.MaxWatermark); err != nil {
		return err
	}
	return h.op.Finish()
}

func (h *harness) trim() error {
	if h.store == nil {
		return nil
	}
	return h.store.Trim()
}

func (h *harness) watermark(w exec.Watermark) error {
	if w <= h.wm {
		return fmt.Errorf("watermark %d does not advance", w)
	}
	h.wm = w
	got, err := h.op.Watermark(w)
	if err == nil && got > w {
		err = fmt.Errorf("Watermark(%d) gave %d", w, got)
	}
	if err == nil {
		err = h.trim()
	}
	return err
}

// moveClock moves processing time and calls OnTimer as often as it is asked for.
func (h *harness) moveClock(to int64) error {
	for h.wake != 0 && h.wake <= to {
		at := h.wake
		h.wake = 0
		h.now = time.UnixMilli(at)
		timer, ok := h.op.(exec.TimerOperator)
		if !ok {
			return fmt.Errorf("%T asked for a timer and has no OnTimer", h.op)
		}
		if err := timer.OnTimer(at); err != nil {
			return err
		}
	}
	h.now = time.UnixMilli(to)
	return h.trim()
}

// barrier makes a checkpoint.
func (h *harness) barrier() error {
	h.epoch++
	if err := h.op.Barrier(h.epoch); err != nil {
		return err
	}
	if h.store == nil {
		return nil
	}
	s, err := h.store.Seal(h.epoch)
	if err != nil {
		return err
	}
	defer s.Release()
	files, err := s.Write(h.files)
	if err != nil {
		return err
	}
	h.sealed = append(h.sealed, files...)
	h.store.Confirm(h.epoch)
	return nil
}

// recover throws the operator away and makes it anew from the last barrier. The watermark
// comes again, as the runtime's sources repeat theirs.
func (h *harness) recover() error {
	h.late += h.ctx.Metrics.LateRows.Load()
	h.close()
	if err := h.open(); err != nil {
		return err
	}
	if h.wm == exec.MinWatermark {
		return nil
	}
	n := len(h.shown)
	if _, err := h.op.Watermark(h.wm); err != nil {
		return err
	}
	if len(h.shown) > n {
		return fmt.Errorf("the restored watermark fired again: %s", strings.Join(h.shown[n:], "; "))
	}
	return nil
}
