// Package windowop owns time windows: the window aggregate (GROUP BY window_start,
// window_end and keys over TUMBLE and HOP) and the plain table function. exec/build makes
// its operators; it imports exec, exec/agg, exec/rowkey, exec/vec, sql/expr, sql/types and
// state.
//
// # Time
//
// Windows are cut in "local" milliseconds: of the fields of a TIMESTAMP, or, for
// TIMESTAMP_LTZ and processing time, of the session's zone. A window [start, end) has fired
// when the watermark (or processing time) has reached end - 1. A row whose last window has
// fired is late: dropped and counted. Results are +I only, in order of window end; the order
// within a window means nothing.
//
// # State
//
// A record is keyed by the window's end, big endian with its sign bit flipped, and the key
// columns. HOP keeps panes of one slide and merges them when a window fires, newest first
// as Flink does, unless an aggregate keeps values of its own (DISTINCT, MIN and MAX over rows
// that are taken away) or depends on the order of rows; then each row goes into every window.
//
// How far windows have fired is part of the state (table "progress"), so that a row late
// before a failure is late after it, whatever the watermarks do meanwhile.
package windowop

import (
	"fmt"
	"math"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Window is a time window of a plan.
type Window struct {
	Size   time.Duration
	Slide  time.Duration // of HOP; 0 or Size: TUMBLE
	Offset time.Duration
	Time   int // column of the input with the row's time; not used in processing time
	// Processing: rows belong to the window in which they are processed.
	Processing bool
	// Zone: windows are cut in this zone's local time. Nil: time has no zone.
	Zone *time.Location
	// Attached: the input has its window's bounds in the columns Start and End.
	Attached   bool
	Start, End int
}

// span is a Window in milliseconds.
type span struct {
	Window
	size, slide, offset int64
	zone                zone
	name                string // of the time column
	unit                int64  // units per millisecond of the time column (TIMESTAMP(p > 3))
	endUnit             int64
}

func (w Window) span(in types.Schema) (span, error) {
	s := span{Window: w, size: w.Size.Milliseconds(), slide: w.Slide.Milliseconds(), offset: w.Offset.Milliseconds(), zone: newZone(w.Zone), unit: 1, endUnit: 1}
	if s.slide == 0 {
		s.slide = s.size
	}
	if s.size <= 0 || s.slide <= 0 {
		return s, fmt.Errorf("a window of size %s and slide %s: both must be at least a millisecond", w.Size, w.Slide)
	}
	column := func(what string, i int) (int64, error) {
		if i < 0 || i >= len(in) || !in[i].Type.IsTimestamp() {
			return 0, fmt.Errorf("a window's %s must be a timestamp column of %s, found number %d", what, in, i)
		}
		return in[i].Type.UnitsPerSecond() / 1000, nil
	}
	var err error
	if w.Attached {
		s.slide = s.size
		s.endUnit, err = column("end", w.End)
	} else if !w.Processing {
		s.unit, err = column("time", w.Time)
	}
	if err != nil {
		return s, err
	}
	switch {
	case w.Attached:
		s.name = in[w.End].Name
	case !w.Processing:
		s.name = in[w.Time].Name
	}
	return s, nil
}

// start returns the start of the stretch of length size that contains local time ms.
func (s *span) start(ms, size int64) int64 { return ms - mod(ms-s.offset, size) }

// windows is how many windows a row is in.
func (s *span) windows() int64 { return s.size / s.slide }

// trigger is the time that must be reached for the window ending at end to fire.
func (s *span) trigger(end int64) int64 { return s.zone.trigger(end - 1) }

// locals fills out with the local time in ms of every row. It reports the first row (as an
// index of rows) whose time is NULL, or -1.
func (s *span) locals(b *vec.Batch, rows []int32, out []int64) int {
	v := &b.Cols[s.Time]
	x := vec.Values[int64](v)
	for i, r := range rows {
		if v.IsNull(int(r)) {
			return i
		}
		ms := x[r]
		if s.unit > 1 {
			ms = floorDiv(ms, s.unit)
		}
		out[i] = s.zone.local(ms)
	}
	return -1
}

// ends fills out with the end of the pane (of one slide) of every row.
func (s *span) ends(b *vec.Batch, rows []int32, now int64, out []int64) error {
	switch {
	case s.Attached:
		v := &b.Cols[s.End]
		x := vec.Values[int64](v)
		for i, r := range rows {
			if v.IsNull(int(r)) {
				return s.nullTime()
			}
			out[i] = floorDiv(x[r], s.endUnit)
		}
	case s.Processing:
		end := s.start(s.zone.local(now), s.slide) + s.slide
		for i := range out {
			out[i] = end
		}
	default:
		if s.locals(b, rows, out) >= 0 {
			return s.nullTime()
		}
		lo, hi := int64(math.MaxInt64), int64(math.MinInt64) // the pane of the row before
		for i, ms := range out {
			if ms < lo || ms >= hi {
				lo = s.start(ms, s.slide)
				hi = lo + s.slide
			}
			out[i] = hi
		}
	}
	return nil
}

func (s *span) nullTime() error {
	return exec.Userf("a window over column %q: a row has NULL there, expected a time; leave such rows out with WHERE %s IS NOT NULL, or give them a time", s.name, types.QuoteIdent(s.name))
}

func floorDiv(a, b int64) int64 { return (a - mod(a, b)) / b }
