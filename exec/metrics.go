package exec

import "sync/atomic"

// Metrics are the counters of one operator in one subtask. Writers: the task goroutine (and
// connector goroutines); readers: anybody.
type Metrics struct {
	RowsIn    atomic.Int64
	RowsOut   atomic.Int64
	BytesIn   atomic.Int64 // sources
	BytesOut  atomic.Int64 // sinks
	LateRows  atomic.Int64 // dropped because their window had fired
	BadRows   atomic.Int64 // skipped or sent to the dead letters
	Watermark atomic.Int64 // last one forwarded; MinWatermark at first
	Lag       atomic.Int64 // sources; -1 unknown
	StateRows atomic.Int64
	BusyNanos atomic.Int64
}
