package flow

import (
	"context"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Route fills dst with the consumer subtask of each selected row of b and returns it.
type Route func(b *vec.Batch, dst []int32) ([]int32, error)

// output is the producing end of an exchange in one subtask: it copies rows into batches of
// its own, one open batch per consumer, and sends them when they are full or flushed. All
// signals go to all consumers, after the rows before them.
type output struct {
	ctx     context.Context
	urgent  *urgency // of the task
	route   Route    // nil: everything to the one target
	targets []target
	pool    *batchPool
	pending bool // rows wait in open batches

	dest []int32
	rows [][]int32 // per target: rows of the batch at hand
	all  []int32
}

type target struct {
	gate  *gate
	queue int
	open  *vec.Batch
}

func newOutput(ctx context.Context, u *urgency, schema types.Schema, route Route, targets []target) *output {
	return &output{
		ctx: ctx, urgent: u, route: route, targets: targets, rows: make([][]int32, len(targets)),
		pool: &batchPool{mk: func() *vec.Batch { return vec.NewBatch(schema) }},
	}
}

// Emit implements exec.Collector.
func (o *output) Emit(b *vec.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	sel := b.Rows(&o.all)
	if o.route == nil {
		return o.add(&o.targets[0], b, sel)
	}
	var err error
	if o.dest, err = o.route(b, o.dest[:0]); err != nil {
		return err
	}
	for t := range o.rows {
		o.rows[t] = o.rows[t][:0]
	}
	for i, t := range o.dest {
		o.rows[t] = append(o.rows[t], sel[i])
	}
	for t := range o.rows {
		if err := o.add(&o.targets[t], b, o.rows[t]); err != nil {
			return err
		}
	}
	return nil
}

func (o *output) add(t *target, b *vec.Batch, rows []int32) error {
	for len(rows) > 0 {
		if t.open == nil {
			t.open = o.pool.get()
		}
		n := min(len(rows), vec.MaxRows-t.open.N)
		t.open.AppendBatch(b, rows[:n])
		rows = rows[n:]
		o.pending = true
		if t.open.N == vec.MaxRows {
			if err := o.send(t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *output) send(t *target) error {
	b := t.open
	t.open = nil
	return t.gate.put(o.ctx, t.queue, elem{kind: elemBatch, batch: b, pool: o.pool}, o.urgent)
}

func (o *output) flush() error {
	if !o.pending {
		return nil
	}
	for i := range o.targets {
		if t := &o.targets[i]; t.open != nil {
			if err := o.send(t); err != nil {
				return err
			}
		}
	}
	o.pending = false
	return nil
}

func (o *output) signal(e elem) error {
	if err := o.flush(); err != nil {
		return err
	}
	for i := range o.targets {
		if err := o.targets[i].gate.put(o.ctx, o.targets[i].queue, e, o.urgent); err != nil {
			return err
		}
	}
	return nil
}

func (o *output) watermark(w exec.Watermark) error {
	return o.signal(elem{kind: elemWatermark, time: w})
}
func (o *output) barrier(b Barrier) error { return o.signal(elem{kind: elemBarrier, barrier: b}) }
func (o *output) idle() error             { return o.signal(elem{kind: elemIdle}) }
func (o *output) end() error              { return o.signal(elem{kind: elemEnd}) }
