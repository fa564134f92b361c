package job

import (
	"os"
	"sync"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/planner/plan"
)

// meters are the counters of all operators. They outlive incarnations, so that rates do not
// jump when a job restarts.
type meters struct {
	plan *plan.Job

	mu   sync.Mutex
	list map[int][]*exec.Metrics // by node, by subtask
}

func newMeters(p *plan.Job) *meters { return &meters{plan: p, list: map[int][]*exec.Metrics{}} }

// of returns the counters of a node's subtask.
func (m *meters) of(n *plan.Node, subtask int) *exec.Metrics {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.list[n.ID]) <= subtask {
		x := &exec.Metrics{}
		x.Watermark.Store(exec.MinWatermark)
		m.list[n.ID] = append(m.list[n.ID], x)
	}
	return m.list[n.ID][subtask]
}

// operators sums the counters over subtasks, in plan order.
func (m *meters) operators() []OperatorStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]OperatorStatus, 0, len(m.plan.Nodes))
	for _, n := range m.plan.Nodes {
		o := OperatorStatus{UID: n.UID, Name: n.Name, Kind: n.Op.Kind(), Watermark: exec.MinWatermark}
		for i, x := range m.list[n.ID] {
			o.RowsIn += x.RowsIn.Load()
			o.RowsOut += x.RowsOut.Load()
			o.BytesIn += x.BytesIn.Load()
			o.BytesOut += x.BytesOut.Load()
			o.LateRows += x.LateRows.Load()
			o.BadRows += x.BadRows.Load()
			o.StateRows += x.StateRows.Load()
			if lag := x.Lag.Load(); lag < 0 || o.Lag < 0 {
				o.Lag = -1
			} else {
				o.Lag += lag
			}
			if w := x.Watermark.Load(); i == 0 || w < o.Watermark {
				o.Watermark = w
			}
		}
		out = append(out, o)
	}
	return out
}

// Status describes the job as it is now.
func (h *Handle) Status() Status {
	ops := h.meters.operators()
	h.mu.Lock()
	s := Status{
		ID: h.id, Name: h.plan.Name, State: h.state, Dir: h.cfg.Dir, PID: os.Getpid(), Started: h.started,
		Incarnation: h.incarnation, Restarts: h.restarts, RestoredFrom: h.restoredFrom,
		Operators: ops, Checkpoints: h.ckpt.get(), Watermark: exec.MinWatermark,
	}
	if h.lastErr != nil {
		s.LastError = h.lastErr.Error()
	}
	home, sp := h.home, h.savepoint
	h.mu.Unlock()
	if home != nil {
		s.BegunFrom = home.beganFrom()
	}
	if sp != nil {
		st := sp.Status()
		s.Savepoint = &st
	}
	first := true
	for _, o := range ops {
		s.LateRows += o.LateRows
		s.BadRows += o.BadRows
		s.StateRows += o.StateRows
		switch o.Kind {
		case "Source":
			s.RowsIn += o.RowsIn
			if o.Lag < 0 || s.Lag < 0 {
				s.Lag = -1
			} else {
				s.Lag += o.Lag
			}
			if first || o.Watermark < s.Watermark {
				s.Watermark, first = o.Watermark, false
			}
		case "Sink":
			s.RowsOut += o.RowsOut
		}
	}
	return s
}
