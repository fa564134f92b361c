// Package exec owns the vocabulary of execution: Operator, Collector, Watermark, Reader,
// Writer, Committer, Clock and Error. It imports sql/types, exec/vec and state only.
// Operator families (exec/<family>op), connectors and the runtime (exec/flow) meet here and
// nowhere else.
package exec

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// Watermark says that no row with a smaller event time is expected: milliseconds since
// 1970-01-01 (for TIMESTAMP without zone, of its own fields read as UTC). A row whose time
// is at most the watermark is not late by itself; operators decide (a window has fired when
// watermark >= window end - 1).
type Watermark = int64

// The two ends of watermarks: before the first, and after the last row of a bounded input.
const (
	MinWatermark Watermark = math.MinInt64
	MaxWatermark Watermark = math.MaxInt64
)

// Collector receives what an operator puts out. Emit borrows the batch until it returns
// (see vec.Batch). It runs everything downstream in the same task before it returns.
type Collector interface {
	Emit(b *vec.Batch) error
}

// Context is what the runtime gives an operator when it opens it; it is valid until Close.
type Context struct {
	UID         string
	Subtask     int
	Parallelism int
	MaxParallel int
	Groups      state.Range  // the key groups of this subtask
	Out         Collector    // downstream; a no-op for sinks
	State       state.Store  // nil for operators whose plan node declares no state
	Clock       Clock        // the only source of time
	Log         *slog.Logger // carries uid and subtask
	Metrics     *Metrics     // counters of this operator
	// WakeAt asks the runtime to call OnTimer (see TimerOperator) at processing time t (ms)
	// or soon after; the earliest request wins and is used up by the call.
	WakeAt func(t int64)
}

// Operator transforms batches. The runtime calls it from one goroutine:
//
//	Open, then any of Process, Watermark, Barrier in stream order, Finish at most once, Close.
//
// Only the runtime aligns, merges and forwards watermarks and barriers. An operator that
// returns an error is closed; its job fails over to the last checkpoint.
type Operator interface {
	// Open prepares the operator: declares tables (their restored content is there when
	// Store.Table returns), compiles expressions.
	Open(ctx *Context) error

	// Process handles a batch of input port (0 unless the node has several inputs).
	Process(port int, b *vec.Batch) error

	// Watermark is called when the merged event-time watermark of the inputs advanced to w.
	// What it returns is forwarded (return w unless rows are held back); results that w
	// completes are emitted before.
	Watermark(w Watermark) (Watermark, error)

	// Barrier is called before the state is sealed for epoch e. An operator that buffers
	// rows emits them or puts them into its tables here.
	Barrier(e state.Epoch) error

	// Finish is called when all inputs ended, after Watermark(MaxWatermark): emit what is
	// left.
	Finish() error

	// Close frees everything; it is called exactly once, also after errors and when Open was
	// not called because another operator's failed, and is the last call.
	Close() error
}

// TimerOperator is an Operator that acts on processing time.
type TimerOperator interface {
	Operator
	// OnTimer is called on the task goroutine at or after the time asked for by WakeAt; now
	// is processing time in ms.
	OnTimer(now int64) error
}

// Clock is the engine's only source of time, so that tests run in virtual time.
type Clock interface {
	Now() time.Time
	// NewTimer is time.NewTimer.
	NewTimer(d time.Duration) *time.Timer
}

// SystemClock is the real time (and, inside testing/synctest, the virtual one).
type SystemClock struct{}

// Now is time.Now.
func (SystemClock) Now() time.Time { return time.Now() }

// NewTimer is time.NewTimer.
func (SystemClock) NewTimer(d time.Duration) *time.Timer { return time.NewTimer(d) }

// Split is one independently readable part of a source: a Kafka partition, a file.
type Split struct {
	ID string // stable over restarts and unique in the source: "topic-3", a path
	// Position is where to read from: the connector's own JSON, opaque to everybody else. In
	// a split just enumerated it says where to start; in a checkpoint, the next row.
	Position []byte
}

// ReadStatus tells what a Read found.
type ReadStatus uint8

// The statuses of a Read.
const (
	ReadRows ReadStatus = iota // rows were returned (perhaps none: a control record); call again
	ReadIdle                   // nothing is there now; the call waited up to its limit
	ReadEnd                    // all assigned splits are read to their end and no more can come
)

// Reader reads the splits assigned to one subtask. The task goroutine pulls it, so rows,
// positions and barriers cannot race. Methods are called from that goroutine only.
type Reader interface {
	// Assign adds splits to read. It is called before the first Read and again when the
	// source discovers splits while running.
	Assign(splits []Split) error

	// Read empties b and fills it with rows of one split (b.Split = the index of the split
	// in the order of assignment), at most vec.MaxRows. It waits at most wait for a first
	// row, and returns early when ctx ends. Bad records are handled inside (fail, skip, dlq).
	Read(ctx context.Context, wait time.Duration, b *vec.Batch) (ReadStatus, error)

	// Positions returns the positions of all assigned splits, covering exactly the rows that
	// Read returned so far.
	Positions() ([]Split, error)

	// Ended reports, per split in order of assignment, whether it is read to its end.
	Ended(split int) bool

	// Committed tells that the checkpoint that recorded these positions is complete and its
	// output committed (Kafka: group offsets are committed for lag tools). It must not block.
	Committed(e state.Epoch, splits []Split)

	// Lag returns how many rows are known to be unread over all splits, or -1.
	Lag() int64

	Close() error
}

// Source makes readers; one value per source node of a job.
type Source interface {
	// Enumerate lists the splits there are now, each with its start position by the table's
	// startup options. The runtime calls it at a fresh start, on restore (splits that the
	// checkpoint does not know are new: they are read from Discovered's position), and every
	// DiscoverEvery.
	Enumerate(ctx context.Context) ([]Split, error)
	// Discovered returns the start position of a split that appeared after the job started:
	// from its very beginning.
	Discovered(s Split) Split
	// DiscoverEvery is the interval of looking for new splits, 0 for never (bounded).
	DiscoverEvery() time.Duration
	// Bounded reports whether the source comes to an end.
	Bounded() bool
	// Reader makes the reader of one subtask.
	Reader(ctx context.Context, subtask int, env ConnEnv) (Reader, error)
	Close() error
}

// Writer takes the rows of one sink node in one subtask, on the task goroutine.
type Writer interface {
	// Write encodes and hands over the selected rows. It blocks for back-pressure.
	Write(ctx context.Context, b *vec.Batch) error
	// Barrier ends epoch e for this writer: everything written before is in the external
	// system's hands and acknowledged (transactional sinks: inside the open transaction)
	// when it returns nil. Rows written after it belong to the next epoch; a transactional
	// sink keeps them in a bounded buffer until the Committer is told how e was decided. With
	// several checkpoints under way the next Barrier may come before that: it waits for the
	// decision when there are rows in the buffer, which have no transaction to go to yet.
	Barrier(ctx context.Context, e state.Epoch) error
	Close() error
}

// Sink makes writers; one value per sink node of a job.
type Sink interface {
	Writer(ctx context.Context, subtask int, env ConnEnv) (Writer, error)
	Close() error
}

// ConnEnv is what readers and writers get besides their table's options.
type ConnEnv struct {
	JobID       string
	JobName     string
	UID         string
	Parallelism int
	Clock       Clock
	Log         *slog.Logger
	Metrics     *Metrics
	// DeadLetter takes a record that cannot be decoded, when the table says so; nil otherwise.
	DeadLetter func(DeadRecord) error
}

// DeadRecord is an undecodable input record with where it came from.
type DeadRecord struct {
	Source     string // topic or path
	Partition  int32
	Offset     int64
	TimeMs     int64
	Key, Value []byte
	Err        error
}

// Token is what a Committer needs to finish a prepared transaction, stored in the manifest.
type Token []byte

// Outcome is the final word on a decided transaction.
type Outcome uint8

// The outcomes of Committer.Recover.
const (
	OutcomeNone      Outcome = iota // the checkpoint holds no transaction of this committer
	OutcomeCommitted                // it is committed, now or long ago
	OutcomeAborted                  // the external system aborted it: its output never happened
	OutcomeUnknown                  // cannot be found out: stop and ask
)

// Recovery is what a Committer found out about a restored checkpoint.
type Recovery struct {
	Outcome Outcome
	// Ledger is the newest epoch known to be committed in the external system, 0 when it
	// keeps none; LedgerMissing: one was written once but is gone.
	Ledger        state.Epoch
	LedgerMissing bool
	Detail        string // for people
}

// Committer is one external system that takes part in the two-phase commit of checkpoints:
// one per Kafka cluster, or file system, with exactly-once sinks in the job. The writers of
// its sinks share its one transaction per epoch. Called by the checkpoint coordinator.
//
// Per epoch e, in this order:
//
//	all writers' Barrier(e)  →  Prepare(e)  →  manifest  →  Decided(e, true)  →  Commit(e)
//	                                          no manifest →  Decided(e, false)
//
// The manifest of e+1 is not written, and Prepare(e+1) not called, before Commit(e) returned nil
// or e was decided as failed.
type Committer interface {
	// Name is unique in the job and stable: the token's key in the manifest.
	Name() string

	// Recover is called once before any writer is opened. tokens are those of the restored
	// checkpoint (epoch e, 0 and nil for a fresh start). It commits what was decided, then,
	// unless the outcome is Unknown or Aborted, aborts everything else that earlier
	// incarnations left open. It is idempotent: a crash in it is followed by another Recover.
	Recover(ctx context.Context, e state.Epoch, token Token) (Recovery, error)

	// Adopt is called before Recover when the job begins from the checkpoint e of another job
	// (run -s): it commits what that checkpoint decided and touches nothing else, for the other
	// job may be running. It is idempotent. Its Ledger is the other job's and means nothing here.
	Adopt(ctx context.Context, e state.Epoch, token Token) (Recovery, error)

	// Begin readies the committer for the first epoch of this incarnation.
	Begin(ctx context.Context) error

	// Prepare makes the transaction of epoch e ready to commit whatever happens, writes the
	// ledger record, and returns the token (nil: nothing was written since the last one).
	Prepare(ctx context.Context, e state.Epoch) (Token, error)

	// Decided tells whether the manifest of e is durable. True: rows kept by the writers
	// since their Barrier(e) go into the next transaction. False: they, and those before, stay in
	// the same one.
	Decided(e state.Epoch, ok bool) error

	// Commit makes the transaction visible and returns nil when that is certain. It retries
	// for as long as ctx allows; an error that is not ctx's is final.
	Commit(ctx context.Context, e state.Epoch, token Token) error

	Close() error
}
