package build

import (
	"slices"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/types"
)

// fixedClock stands still.
type fixedClock struct {
	exec.SystemClock
	now time.Time
}

func (c fixedClock) Now() time.Time { return c.now }

func TestRowsFarAheadOfTheClockAreDroppedAndDoNotMoveTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		typ  types.Type
		at   time.Time // of the clock, as the column writes it
	}{
		{"TIMESTAMP_LTZ is an instant", types.TimestampLTZT(3), now},
		{"TIMESTAMP is the session zone's reading", types.TimestampT(3), now.Add(2 * time.Hour)},
		{"microseconds", types.TimestampLTZT(6), now},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &exec.Metrics{}
			b := &builder{Parts: &Parts{Clock: fixedClock{now: now}, Zone: berlin}}
			f := b.future(&plan.Watermark{Column: 0, MaxFuture: time.Minute}, c.typ, m)
			perMilli := c.typ.UnitsPerSecond() / 1000
			batch := vec.NewBatch(types.Schema{{Name: "ts", Type: c.typ}})
			for _, ahead := range []time.Duration{0, time.Hour, time.Minute, time.Minute + time.Millisecond} {
				vec.Append(&batch.Cols[0], c.at.Add(ahead).UnixMilli()*perMilli)
				batch.AddKind(vec.Insert)
			}
			batch.Cols[0].AppendNull()
			batch.AddKind(vec.Insert)
			batch.Sel = []int32{1, 2, 3, 4} // a filter took the first row out
			pass := f.transform(func(in *vec.Batch) (*vec.Batch, error) { return in, nil })
			high := f.eventTime(func(b *vec.Batch) (exec.Watermark, bool, error) {
				w := exec.MinWatermark
				for i, v := range vec.Values[int64](&b.Cols[0]) {
					if !b.Cols[0].IsNull(i) {
						w = max(w, v/perMilli)
					}
				}
				return w, true, nil
			})
			out, err := pass(batch)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(out.Sel, []int32{2, 4}) || m.BadRows.Load() != 2 {
				t.Errorf("rows %v stay, %d are counted", out.Sel, m.BadRows.Load())
			}
			if w, _, err := high(out); err != nil || w != c.at.Add(time.Minute).UnixMilli() {
				t.Errorf("watermark %s, %v", time.UnixMilli(w).UTC(), err)
			}
		})
	}
}
