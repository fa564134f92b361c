package flow

import (
	"time"

	"github.com/sqlstream/sqlstream/exec/vec"
)

const (
	// callTime is how long a call of the operators should take at most where barriers may
	// overtake: they are looked for in between.
	callTime = 20 * time.Millisecond
	// fewRows go down in one call unless rows are known to be slow.
	fewRows = 64
	// smallBatch is below which two looks at the clock cost too much for every call: one in
	// sampleEvery is timed.
	smallBatch  = 512
	sampleEvery = 8
)

// pace is how many rows go down in one call, by how long the calls before took. Fast operators get
// whole batches, a sink that takes 10 ms a row gets two rows.
type pace struct {
	rows  int
	calls int // that were small
}

func newPace() pace { return pace{rows: fewRows} }

// untimed reports whether a call with n rows, which are few enough, is not worth to be timed.
func (p *pace) untimed(n int) bool {
	if n >= smallBatch {
		return false
	}
	p.calls++
	return n < fewRows || p.calls%sampleEvery != 0
}

// took learns from a call with n rows.
func (p *pace) took(n int, d time.Duration) {
	switch {
	case d > 2*callTime:
		p.rows = max(1, int(int64(n)*int64(callTime)/int64(d)))
	case d < callTime/2 && n >= p.rows:
		p.rows = min(2*p.rows, vec.MaxRows)
	}
}

// give hands a batch to an operator of the chain. Where barriers may overtake, it does so in calls
// that are short, and answers barriers in between.
func (t *task) give(h hand) error {
	n := h.batch.Len()
	if !t.unaligned || n <= t.pace.rows && t.pace.untimed(n) {
		return t.call(h.node, h.port, h.batch)
	}
	if n <= t.pace.rows {
		return t.timed(h.node, h.port, h.batch, n)
	}
	part, rows := *h.batch, h.batch.Rows(&t.all)
	if h.rows != nil {
		rows = h.rows
	}
	for len(rows) > 0 {
		n := min(len(rows), t.pace.rows)
		part.Sel = rows[:n]
		if err := t.timed(h.node, h.port, &part, n); err != nil {
			return err
		}
		rows = rows[n:]
		if !t.urgent.pressing() {
			continue
		}
		h.rows = rows
		t.hand = h
		err := t.answer()
		t.hand = hand{}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *task) timed(n *node, port int, b *vec.Batch, rows int) error {
	start := t.clock.Now()
	err := t.call(n, port, b)
	t.pace.took(rows, t.clock.Now().Sub(start))
	return err
}

// call is one call of an operator; the rows of a source come from no operator.
func (t *task) call(n *node, port int, b *vec.Batch) error {
	if n == t.head && t.spec.Source != nil {
		return n.Emit(b)
	}
	return n.process(port, b)
}

// answer does what a barrier that overtakes asks for, between two calls of operators. While there
// are barriers to come, the task puts nothing into a full queue: it could not answer while it
// waits for space, or have to put out more than fits.
func (t *task) answer() error {
	for {
		if err := t.commands(); err != nil || t.gate == nil {
			return err
		}
		if err := t.overtake(); err != nil {
			return err
		}
		if !t.urgent.pressing() || !t.full() {
			return nil
		}
		if err := t.gate.await(t.ctx, t.mail.wake, t.clock, fullWait); err != nil {
			return err
		}
	}
}
