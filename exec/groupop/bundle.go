package groupop

import (
	"github.com/sqlstream/sqlstream/exec/vec"
)

// bundle is rows of several batches that wait to be worked on together.
type bundle struct {
	rows *vec.Batch
	all  []int32
	due  int64 // processing time in ms at which they go whatever comes
}

// gather puts rows into the bundle, and works on every full one. Rows that fill bundles by
// themselves are not copied.
func (o *Operator) gather(b *vec.Batch, rows []int32) error {
	w := &o.bundle
	for len(rows) > 0 {
		n := min(o.cfg.Bundle-w.rows.N, len(rows))
		if n == o.cfg.Bundle {
			if err := o.process(b, rows[:n]); err != nil {
				return err
			}
			rows = rows[n:]
			continue
		}
		if w.rows.N == 0 {
			w.due = o.ctx.Clock.Now().Add(o.cfg.Latency).UnixMilli()
			o.ctx.WakeAt(w.due)
		}
		w.rows.AppendBatch(b, rows[:n])
		rows = rows[n:]
		if w.rows.N == o.cfg.Bundle {
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush works on what has been gathered.
func (o *Operator) flush() error {
	w := &o.bundle
	if w.rows == nil || w.rows.N == 0 {
		return nil
	}
	err := o.process(w.rows, w.rows.Rows(&w.all))
	w.rows.Reset()
	return err
}

// OnTimer implements exec.TimerOperator. A timer may be that of a bundle that left earlier.
func (o *Operator) OnTimer(now int64) error {
	if o.bundle.rows == nil || o.bundle.rows.N == 0 {
		return nil
	}
	if now < o.bundle.due {
		o.ctx.WakeAt(o.bundle.due)
		return nil
	}
	return o.flush()
}
