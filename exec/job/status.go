package job

import (
	"slices"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// State is where a job is in its life.
type State string

// The states of a job, Flink's names.
const (
	Created    State = "CREATED"
	Running    State = "RUNNING"
	Restarting State = "RESTARTING"
	Cancelling State = "CANCELLING"
	Cancelled  State = "CANCELED"
	Failed     State = "FAILED"
	Finished   State = "FINISHED"
)

// Status is what a person wants to know of a job at a moment.
type Status struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	State        State     `json:"state"`
	Dir          string    `json:"dir,omitempty"`
	PID          int       `json:"pid"`
	Started      time.Time `json:"started"`
	Incarnation  uint64    `json:"incarnation"`
	Restarts     int       `json:"restarts"`
	RestoredFrom uint64    `json:"restoredFrom,omitempty"` // checkpoint of the job that this incarnation started from
	BegunFrom    string    `json:"begunFrom,omitempty"`    // path of the snapshot that the job began from

	RowsIn    int64            `json:"rowsIn"`
	RowsOut   int64            `json:"rowsOut"`
	LateRows  int64            `json:"lateRows"`
	BadRows   int64            `json:"badRows"`
	StateRows int64            `json:"stateRows"`
	Lag       int64            `json:"lag"`       // rows, -1 unknown
	Watermark exec.Watermark   `json:"watermark"` // the smallest of the sources, ms; exec.MinWatermark: none
	Operators []OperatorStatus `json:"operators"`

	Checkpoints CheckpointStatus `json:"checkpoints"`
	Savepoint   *SavepointStatus `json:"savepoint,omitempty"` // the newest of this process
	LastError   string           `json:"lastError,omitempty"`
}

// OperatorStatus sums one plan node over its subtasks.
type OperatorStatus struct {
	UID       string         `json:"uid"`
	Name      string         `json:"name"`
	Kind      string         `json:"kind"`
	RowsIn    int64          `json:"rowsIn"`
	RowsOut   int64          `json:"rowsOut"`
	BytesIn   int64          `json:"bytesIn,omitempty"`
	BytesOut  int64          `json:"bytesOut,omitempty"`
	LateRows  int64          `json:"lateRows,omitempty"`
	BadRows   int64          `json:"badRows,omitempty"`
	StateRows int64          `json:"stateRows,omitempty"`
	Lag       int64          `json:"lag"`
	Watermark exec.Watermark `json:"watermark"`
}

// CheckpointStatus is the history of checkpoints of this process.
type CheckpointStatus struct {
	Completed int           `json:"completed"`
	Failed    int           `json:"failed"`
	LastID    uint64        `json:"lastId,omitempty"`
	LastAt    time.Time     `json:"lastAt,omitzero"`
	LastTook  time.Duration `json:"lastDurationNanos,omitempty"`
	LastPause time.Duration `json:"lastPauseNanos,omitempty"` // the longest pause of a task
	LastBytes int64         `json:"lastBytes,omitempty"`      // state files written by it
	// LastInFlight is how many rows its barrier overtook.
	LastInFlight int64  `json:"lastRowsInFlight,omitempty"`
	InProgress   uint64 `json:"inProgress,omitempty"`
	LastError    string `json:"lastError,omitempty"`
}

// checkpointStatus is CheckpointStatus behind a lock.
type checkpointStatus struct {
	mu      sync.Mutex
	s       CheckpointStatus
	running []state.Epoch
}

func (c *checkpointStatus) get() CheckpointStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.s
}

func (c *checkpointStatus) started(e state.Epoch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = append(c.running, e)
	c.s.InProgress = uint64(c.running[0])
}

// ended: the oldest one that is left is shown in progress.
func (c *checkpointStatus) ended(e state.Epoch) {
	c.running = slices.DeleteFunc(c.running, func(r state.Epoch) bool { return r == e })
	c.s.InProgress = 0
	if len(c.running) > 0 {
		c.s.InProgress = uint64(c.running[0])
	}
}

func (c *checkpointStatus) failed(e state.Epoch, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended(e)
	c.s.Failed++
	c.s.LastError = err.Error()
}

// abandoned: the job's tasks ended before the checkpoint did.
func (c *checkpointStatus) abandoned(e state.Epoch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended(e)
}

func (c *checkpointStatus) completed(s *snapshot, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended(s.Epoch)
	c.s.Completed++
	c.s.LastID, c.s.LastAt, c.s.LastTook = uint64(s.Epoch), now, now.Sub(s.Started)
	c.s.LastBytes, c.s.LastPause, c.s.LastError = 0, 0, ""
	for _, f := range s.Files {
		c.s.LastBytes += f.Size
	}
	c.s.LastInFlight = 0
	for _, ch := range s.Channels {
		c.s.LastBytes += ch.Size
		c.s.LastInFlight += ch.Rows
	}
	for _, a := range s.Acks {
		c.s.LastPause = max(c.s.LastPause, a.Pause)
	}
}
