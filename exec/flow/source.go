package flow

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// sourceHead is the operator at the top of a source chain: rows come from the reader, so it
// only passes signals on.
type sourceHead struct{}

func (sourceHead) Open(*exec.Context) error                           { return nil }
func (sourceHead) Process(int, *vec.Batch) error                      { return nil }
func (sourceHead) Watermark(w exec.Watermark) (exec.Watermark, error) { return w, nil }
func (sourceHead) Barrier(state.Epoch) error                          { return nil }
func (sourceHead) Finish() error                                      { return nil }
func (sourceHead) Close() error                                       { return nil }

// runSource pulls the reader. A checkpoint's positions cover exactly the rows that went
// down before its barrier, because both happen on this goroutine.
func (t *task) runSource(ctx context.Context) error {
	s := t.spec.Source
	in := vec.NewBatch(s.Read)
	if err := t.assign(s.Splits, s.Watermarks); err != nil {
		return err
	}
	for len(t.restored) > 0 {
		// These rows come before the watermarks that the splits had. Commands wait, except for
		// a barrier that does not.
		if t.urgent.pressing() {
			if err := t.commands(); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := t.giveRestored(); err != nil {
			return err
		}
	}
	if err := t.mergeWatermarks(); err != nil {
		return err
	}
	var readCtx context.Context
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !bugLatePositions || t.done || t.suspended {
			if err := t.commands(); err != nil {
				return err
			}
		}
		if t.done || t.suspended {
			if err := t.rest(ctx); err != nil {
				return err
			}
			continue
		}
		readCtx = t.mail.context(ctx, readCtx)
		rctx, wait := readCtx, t.wait()
		if t.barred {
			// Rows get their turn between two barriers, however fast those come.
			t.barred, rctx, wait = false, ctx, min(wait, linger)
		}
		status, err := s.Reader.Read(rctx, wait, in)
		if bugLatePositions {
			if err := t.commands(); err != nil {
				return err
			}
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && rctx.Err() != nil && errors.Is(err, context.Canceled):
			continue // a command came; nothing was read
		case err != nil:
			return t.head.fail(err)
		case status == exec.ReadEnd:
			if err := t.drain(); err != nil {
				return err
			}
			continue
		case in.N > 0:
			if err := t.emit(in); err != nil {
				return err
			}
			if err := t.afterBatch(); err != nil {
				return err
			}
		}
		s.Ctx.Metrics.Lag.Store(s.Reader.Lag())
		if err := t.idleness(t.clock.Now()); err != nil {
			return err
		}
		if status == exec.ReadIdle {
			err = t.quiet()
		} else {
			err = t.flushDue()
		}
		if err != nil {
			return err
		}
	}
}

// emit sends what was read down the chain and moves the split's watermark.
func (t *task) emit(in *vec.Batch) error {
	s := t.spec.Source
	out, err := s.Transform(in)
	if err != nil {
		return t.head.fail(err)
	}
	t.head.m.RowsIn.Add(int64(in.N))
	h := hand{node: t.head, batch: out}
	if in.Split < len(t.splits) {
		h.split = t.splits[in.Split]
	}
	if err := t.give(h); err != nil {
		return err
	}
	return t.eventTime(out, in.Split)
}

// eventTime moves the watermark of a split behind rows of it that went down.
func (t *task) eventTime(b *vec.Batch, split int) error {
	s := t.spec.Source
	if s.EventTime == nil || split < 0 {
		return nil
	}
	w, ok, err := s.EventTime(b)
	if err != nil {
		return t.head.fail(err)
	}
	if !ok {
		return nil
	}
	t.wm.advance(split, w)
	t.seen[split] = t.clock.Now()
	return t.mergeWatermarks()
}

// assign gives the reader more splits; times are the watermarks they had, nil for new ones.
func (t *task) assign(splits []exec.Split, times []exec.Watermark) error {
	if len(splits) == 0 {
		return nil
	}
	if err := t.spec.Source.Reader.Assign(splits); err != nil {
		return t.head.fail(err)
	}
	now := t.clock.Now()
	for i := range splits {
		w := exec.MinWatermark
		if i < len(times) {
			w = times[i]
		}
		t.wm.add(w)
		t.seen, t.splits = append(t.seen, now), append(t.splits, splits[i].ID)
	}
	return nil
}

// idleness takes splits that gave nothing for the idle timeout, or are read to their end,
// out of the watermark. Splits go one after the other in the order in which they fell silent,
// however many one look at the clock finds: the last one still moves the watermark to its own.
func (t *task) idleness(now time.Time) error {
	s := t.spec.Source
	ended := false
	var silent []int
	for i := range t.wm.inputs {
		in := &t.wm.inputs[i]
		if in.ended {
			continue
		}
		if s.Reader.Ended(i) {
			in.ended, ended = true, true
		} else if s.IdleTimeout > 0 && !in.idle && now.Sub(t.seen[i]) >= s.IdleTimeout {
			silent = append(silent, i)
		}
	}
	if ended {
		if err := t.mergeWatermarks(); err != nil {
			return err
		}
	}
	slices.SortFunc(silent, func(a, b int) int {
		return cmp.Or(t.seen[a].Compare(t.seen[b]), cmp.Compare(t.wm.inputs[a].time, t.wm.inputs[b].time))
	})
	for _, i := range silent {
		t.wm.setIdle(i, true)
		if err := t.mergeWatermarks(); err != nil {
			return err
		}
	}
	return nil
}
