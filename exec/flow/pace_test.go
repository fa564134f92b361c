package flow

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec/vec"
)

func TestCallsGetAsManyRowsAsTheyCanTakeInTime(t *testing.T) {
	for _, c := range []struct {
		perRow time.Duration
		min    int
		max    int
	}{
		{0, vec.MaxRows, vec.MaxRows},
		{time.Microsecond, vec.MaxRows, vec.MaxRows},
		{100 * time.Microsecond, 80, 400},
		{10 * time.Millisecond, 1, 4},
		{time.Second, 1, 1},
	} {
		p := newPace()
		for range 20 {
			p.took(p.rows, time.Duration(p.rows)*c.perRow)
		}
		if p.rows < c.min || p.rows > c.max {
			t.Errorf("%s a row: %d rows in a call, want %d to %d", c.perRow, p.rows, c.min, c.max)
		}
	}
	p := newPace()
	for range 20 {
		p.took(p.rows, 0)
	}
	p.took(vec.MaxRows, time.Minute) // it has become slow
	if p.rows > 2 {
		t.Errorf("%d rows in a call", p.rows)
	}
	for range 20 {
		p.took(p.rows, 0) // and is fast again
	}
	if p.rows != vec.MaxRows {
		t.Errorf("%d rows in a call", p.rows)
	}
}

// An operator that becomes slow is noticed also when its batches are small.
func TestSlownessIsNoticedInSmallBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, 1)
		m.stages, m.entry, m.read, m.end = m.stages[:1], []int{0}, 100, 1_000_000
		m.stages[0].perRow = time.Microsecond
		r := m.begin(m.start(), 1)
		time.Sleep(50 * time.Millisecond) // virtual; long enough to find that rows are fast
		m.mu.Lock()
		m.stages[0].perRow = 10 * time.Millisecond
		m.mu.Unlock()
		time.Sleep(time.Minute) // virtual; the call in which it happens is not cut short
		begin := time.Now()
		s := r.snapshot(1, 0)
		if took := time.Since(begin); took > 500*time.Millisecond {
			t.Errorf("took %s", took)
		}
		if s.overtaken == 0 || s.positions["0"] == m.end {
			t.Errorf("%d rows overtaken, read to %d", s.overtaken, s.positions["0"])
		}
		r.stop()
	})
}
