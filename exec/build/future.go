package build

import (
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/types"
)

// future drops rows whose event time is too far ahead of the clock ('scan.watermark.max-future'): one of
// them would move the watermark past every window that is open. They are counted as bad rows.
type future struct {
	column int
	typ    types.Type
	ahead  time.Duration
	clock  exec.Clock
	zone   *time.Location
	m      *exec.Metrics

	view vec.Batch // the batch of the last transform with all its rows but those dropped
	keep []int32   // of the selection
	real []int32   // of all rows
}

func (b *builder) future(w *plan.Watermark, t types.Type, m *exec.Metrics) *future {
	return &future{column: w.Column, typ: t, ahead: w.MaxFuture, clock: b.Clock, zone: b.Zone, m: m}
}

// limit is the latest event time that counts, in the units of the column. A TIMESTAMP is
// compared with the clock's reading in the session's zone.
func (f *future) limit() int64 {
	t := f.clock.Now().Add(f.ahead)
	if f.typ.Kind == types.Timestamp && f.zone != nil {
		_, offset := t.In(f.zone).Zone()
		t = t.Add(time.Duration(offset) * time.Second)
	}
	per := f.typ.UnitsPerSecond()
	return t.Unix()*per + int64(t.Nanosecond())/(1_000_000_000/per)
}

// transform takes the rows out of the selection that inner left.
func (f *future) transform(inner func(*vec.Batch) (*vec.Batch, error)) func(*vec.Batch) (*vec.Batch, error) {
	return func(in *vec.Batch) (*vec.Batch, error) {
		out, err := inner(in)
		if err != nil {
			return nil, err
		}
		col := &out.Cols[f.column]
		times, limit := vec.Values[int64](col), f.limit()
		far := func(row int) bool { return !col.IsNull(row) && times[row] > limit }
		f.real = f.real[:0]
		for row := range out.N {
			if !far(row) {
				f.real = append(f.real, int32(row))
			}
		}
		if len(f.real) == out.N {
			return out, nil
		}
		f.m.BadRows.Add(int64(out.N - len(f.real)))
		f.keep = f.keep[:0]
		for i := range out.Len() {
			if row := out.Row(i); !far(row) {
				f.keep = append(f.keep, int32(row))
			}
		}
		out.Sel = f.keep
		return out, nil
	}
}

// eventTime lets inner see the rows that transform did not drop.
func (f *future) eventTime(inner func(*vec.Batch) (exec.Watermark, bool, error)) func(*vec.Batch) (exec.Watermark, bool, error) {
	return func(b *vec.Batch) (exec.Watermark, bool, error) {
		if len(f.real) == b.N {
			return inner(b)
		}
		f.view = vec.Batch{N: len(f.real)}
		for i := range b.Cols {
			c := vec.New(b.Cols[i].Type)
			c.AppendRows(&b.Cols[i], f.real)
			f.view.Cols = append(f.view.Cols, c)
		}
		return inner(&f.view)
	}
}
