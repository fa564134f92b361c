// Package flow owns the running of a job's tasks: it pulls sources, pushes batches through
// chains of operators, moves them between tasks over bounded queues, merges watermarks and
// aligns barriers. Operators never see any of that. It imports exec, exec/vec, exec/inflight,
// sql/types and state; exec/build makes what it runs, exec/job tells it when to checkpoint.
//
// A task is one goroutine: a source or a gate at the top, a tree of operators below it, one
// state store. A Graph is all tasks of a job in one incarnation.
package flow

import (
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

const (
	// queueLimit is the batches that wait in one queue of an exchange. Two hide the hand-over,
	// more only make checkpoints wait.
	queueLimit = 4
	// linger is how long a row may wait in a batch that is not full.
	linger = 5 * time.Millisecond
	// idleWait is how long a task sleeps when nothing happens and nothing waits in it.
	idleWait = 200 * time.Millisecond
)

// Op is one operator of a chain in one subtask.
type Op struct {
	Operator exec.Operator
	Name     string
	// Ctx is what Open gets; the runtime completes it with Out, WakeAt and State.
	Ctx  *exec.Context
	Outs []Edge
}

// Edge leads to an operator of the same chain, or into an exchange.
type Edge struct {
	Op       *Op
	Port     int // of Op
	Exchange *Exchange
}

// Exchange connects a producing chain with an input of a consuming one: every subtask with
// every other, or pairwise.
type Exchange struct {
	Schema               types.Schema
	Producers, Consumers int
	Pairwise             bool
	// NewRoute makes the routing of one producing subtask. Not used when pairwise or with one consumer.
	NewRoute func() Route

	gates []*gate // per consumer
	base  int     // first of the exchange's queues in each gate
}

// Source is the top of a source chain in one subtask.
type Source struct {
	Reader exec.Reader
	Read   types.Schema // what the reader fills
	// Transform turns what was read into the source node's rows; what it returns is borrowed.
	Transform func(in *vec.Batch) (*vec.Batch, error)
	// EventTime returns the largest value of the watermark expression over the rows of a
	// transformed batch, ok false when no row has one. nil: the table has no watermark.
	EventTime func(b *vec.Batch) (w exec.Watermark, ok bool, err error)
	// IdleTimeout after which a split without rows no longer holds back the watermark; 0 never.
	IdleTimeout time.Duration
	// Splits to start with and, parallel, the watermarks they had reached.
	Splits     []exec.Split
	Watermarks []exec.Watermark
	// Ctx as for operators (UID, Metrics, Log); Outs the operators that get the rows.
	Ctx  *exec.Context
	Name string
	Outs []Edge
}

// Task is one chain in one subtask. Either Source is set, or Root and Inputs.
type Task struct {
	Name    string
	Subtask int
	Source  *Source
	Root    *Op
	Inputs  []*Exchange // by port of Root
	Store   state.Store // nil: no keyed state
	// Restored are the rows that were in flight, oldest first. They go down before any others.
	Restored []Restored
}

// Restored are rows that an unaligned checkpoint had in flight, now in the task they belong to.
type Restored struct {
	Op    *Op // whose input they are; nil: of the source
	Port  int // of Op
	Split string
	Batch *vec.Batch
}

// InFlight are rows that a barrier has overtaken on their way into an operator.
type InFlight struct {
	UID         string // of the operator whose input they are, or of the source that had just read them
	Port        int
	Subtask     int
	Parallelism int    // of the operator
	Split       string // of a source: which one they are from
	Rows        int64
	Data        []byte // package inflight
}

// Stop is what a barrier does besides cutting the stream.
type Stop uint8

const (
	// GoOn: nothing.
	GoOn Stop = iota
	// Suspend: a task that has passed the barrier stands still: it reads nothing, emits
	// nothing and calls no timer, until Graph.Resume.
	Suspend
	// Drain: the input of every source ends right before the barrier, for good. So the
	// last watermark has fired what was open, and the operators have finished, before a task
	// takes its part of the checkpoint.
	Drain
)

// Barrier cuts the stream at the same place in all tasks.
type Barrier struct {
	Epoch state.Epoch
	Stop  Stop
}

// Ack is a task's part of a checkpoint.
type Ack struct {
	Task   int
	Epoch  state.Epoch
	Sealed state.Sealed // nil: no keyed state
	// Source tasks: the positions and watermarks of their splits.
	SourceUID  string
	Splits     []exec.Split
	Watermarks []exec.Watermark
	InFlight   []InFlight
	Pause      time.Duration // how long the task stood still
}

// Options are what all tasks of a graph have in common.
type Options struct {
	Clock  exec.Clock
	Events Events
	// AtLeastOnce: inputs are not aligned at barriers. A task with several inputs goes on
	// reading those whose barrier has come, so a slow input does not hold a fast one; after a
	// restore the state may count rows twice that came between the barriers.
	AtLeastOnce bool
	// Unaligned: barriers may be told to overtake (Graph.Overtake).
	Unaligned bool
}

// Events is how tasks report. Methods are called from task goroutines and must not block.
type Events interface {
	Acked(a Ack)
	// Drained: the task has seen the end of all its input and finished its operators. It goes
	// on answering barriers.
	Drained(task int)
	// Failed is called once for the first error of a task; the task has ended.
	Failed(task int, err error)
}
