package flow

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a model one of whose stages takes 100 rows a second.
func slow(t *testing.T, stage int) *model {
	m := newModel(t, 1)
	m.entry, m.end, m.read = []int{0, 0}, 40_000, 4096
	m.stages[stage].perRow = 10 * time.Millisecond
	return m
}

func TestABarrierOvertakesWhatWaits(t *testing.T) {
	for _, c := range []struct {
		name    string
		seed    uint64
		stage   int
		rows    int64
		aligned time.Duration
	}{
		{"in the queues of exchanges", 1, 1, 20_000, 3 * time.Minute},
		{"in the batch that a source has just read", 0, 0, 500, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := slow(t, c.stage)
				m.rng = rand.New(rand.NewPCG(c.seed, 4)) // says whether the first stage is in the task of the source
				r := m.begin(m.start(), 2)
				time.Sleep(10 * time.Second) // virtual; the queues are full
				begin := time.Now()
				s := r.snapshot(1, 0)
				if took := time.Since(begin); took > 500*time.Millisecond {
					t.Errorf("the barrier that overtakes took %s", took)
				}
				if s.overtaken < c.rows {
					t.Errorf("%d rows were overtaken", s.overtaken)
				}
				begin = time.Now()
				r.snapshot(2, -1)
				if took := time.Since(begin); took < c.aligned {
					t.Errorf("the aligned one took %s only; the test does not show anything", took)
				}
				r.stop()
				// Not all of what is restored is gone at the next checkpoint.
				for i, par := range []int{1, 4, 3, 1} {
					r := m.begin(s, par)
					time.Sleep(time.Second) // virtual
					begin := time.Now()
					s = r.snapshot(3, 0)
					if took := time.Since(begin); took > 500*time.Millisecond {
						t.Errorf("restart %d: took %s", i, took)
					}
					r.stop()
				}
				m.stages[c.stage].perRow = 0
				m.begin(s, 2).finish()
			})
		})
	}
}

func TestABarrierOvertakesWhenAlignmentTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := slow(t, 1)
		r := m.begin(m.start(), 2)
		time.Sleep(10 * time.Second) // virtual
		begin := time.Now()
		s := r.snapshot(1, 5*time.Second)
		if took := time.Since(begin); took < 5*time.Second || took > 5500*time.Millisecond {
			t.Errorf("took %s", took)
		}
		r.stop()
		m.stages[1].perRow = 0
		m.begin(s, 3).finish()
	})
}
