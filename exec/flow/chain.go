package flow

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
)

// node is one operator inside a chain. Operators of a chain call each other directly: Emit
// runs everything below before it returns.
type node struct {
	op    exec.Operator
	timer exec.TimerOperator // nil: does not act on processing time
	ctx   *exec.Context
	name  string
	m     *exec.Metrics
	outs  []edge
	wake  int64 // processing time asked for, maxWake: none
}

// edge leads to an operator of the same chain or to an exchange.
type edge struct {
	node *node
	port int
	out  *output
}

const maxWake = int64(1<<63 - 1)

// Emit implements exec.Collector for the operator above.
func (n *node) Emit(b *vec.Batch) error {
	rows := b.Len()
	if rows == 0 {
		return nil
	}
	n.m.RowsOut.Add(int64(rows))
	for i := range n.outs {
		var err error
		if e := &n.outs[i]; e.out != nil {
			err = e.out.Emit(b)
		} else {
			err = e.node.process(e.port, b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *node) process(port int, b *vec.Batch) error {
	n.m.RowsIn.Add(int64(b.Len()))
	return n.fail(n.op.Process(port, b))
}

func (n *node) watermark(w exec.Watermark) error {
	fwd, err := n.op.Watermark(w)
	if err != nil {
		return n.fail(err)
	}
	if fwd > n.m.Watermark.Load() {
		n.m.Watermark.Store(fwd)
		return n.below(func(c *node) error { return c.watermark(fwd) }, func(o *output) error { return o.watermark(fwd) })
	}
	return nil
}

func (n *node) barrier(b Barrier) error {
	if err := n.op.Barrier(b.Epoch); err != nil {
		return n.fail(err)
	}
	return n.below(func(c *node) error { return c.barrier(b) }, func(o *output) error { return o.barrier(b) })
}

func (n *node) idle() error {
	return n.below((*node).idle, (*output).idle)
}

func (n *node) finish() error {
	if err := n.op.Finish(); err != nil {
		return n.fail(err)
	}
	return n.below((*node).finish, (*output).end)
}

func (n *node) flush() error { return n.below((*node).flush, (*output).flush) }

func (n *node) below(op func(*node) error, out func(*output) error) error {
	for i := range n.outs {
		var err error
		if e := &n.outs[i]; e.out != nil {
			err = out(e.out)
		} else {
			err = op(e.node)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// timers calls OnTimer where the time has come.
func (n *node) timers(now int64) error {
	if n.timer != nil && n.wake <= now {
		n.wake = maxWake
		if err := n.timer.OnTimer(now); err != nil {
			return n.fail(err)
		}
	}
	return n.below(func(c *node) error { return c.timers(now) }, func(*output) error { return nil })
}

// nextWake returns the earliest processing time that any operator waits for.
func (n *node) nextWake() int64 {
	t := n.wake
	for i := range n.outs {
		if c := n.outs[i].node; c != nil {
			t = min(t, c.nextWake())
		}
	}
	return t
}

// fail marks an error with the operator it came from, unless a deeper one did so already.
func (n *node) fail(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*exec.Error](err); ok && e.UID != "" {
		return err
	}
	return &exec.Error{Class: exec.ClassOf(err), Retry: exec.Retryable(err), UID: n.ctx.UID, Err: fmt.Errorf("%s: %w", n.name, err)}
}

// guard turns a panic of operator code into an internal error: one job fails, not the
// process, and its checkpoints stay good.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = &exec.Error{Class: exec.Internal, Err: fmt.Errorf("internal error: %v\n%s", r, debug.Stack())}
	}
}
