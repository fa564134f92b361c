package job

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/evolve"
	"github.com/sqlstream/sqlstream/exec"
)

// compare says what becomes of a checkpoint's state under the plan.
func (m *home) compare(man *checkpoint.Manifest) *evolve.Report {
	return evolve.Compare(man, Target(m.h.plan), m.h.cfg.Allow)
}

// refusals says why a checkpoint does not fit the plan; none: it does. Names of --drop and --accept that
// are of nothing count only while something has changed: the same command line, run again, finds everything in
// order.
func (m *home) refusals(man *checkpoint.Manifest) []string {
	r := m.compare(man)
	out := r.Reasons()
	if err := r.UnknownError(); err != nil && man.Plan != m.plan.hash {
		return append(out, err.Error())
	}
	if flags, ok := r.Flags(); ok && len(flags) > 0 {
		out = append(out, "to go on all the same add: "+strings.Join(flags, " "))
	}
	return out
}

// take takes from a manifest what the tasks start with, but for the state: positions, under the plan's UIDs. From
// now on the job's manifests list the operators of the report it returns.
func (m *home) take(r *restored, man *checkpoint.Manifest) *evolve.Report {
	report := m.compare(man)
	for _, x := range report.Rows {
		if x.Verdict != evolve.Restore && x.Verdict != evolve.Migrate {
			m.h.cfg.Log.Info("state of the edited query", "verdict", x.Verdict, "uid", x.UID, "what", cmp.Or(x.Slot, x.Operator), "because", x.Because)
		}
	}
	m.plan.operators = report.Operators()
	r.Drained, r.Sources, r.Channels = man.Drained, map[string][]splitState{}, man.Channels
	for _, o := range m.plan.operators {
		if was := report.Source(o.UID); was != "" {
			r.Sources[o.UID] = splitsOf(man.Source(was))
		}
	}
	return report
}

// fit makes a checkpoint of the job what the tasks start with. Where the plan keeps state in another layout, or
// less of it, the files are written anew.
func (m *home) fit(ctx context.Context, r *restored, man *checkpoint.Manifest) error {
	if reasons := m.refusals(man); len(reasons) > 0 {
		return refused(m.h.cfg.Dir, append([]string{fmt.Sprintf("checkpoint %d does not fit the query:", man.Epoch)}, reasons...))
	}
	report := m.take(r, man)
	if r.Files = man.Files; !report.Moves() {
		return nil
	}
	content, err := checkpoint.OpenFiles(m.storage, man.Files, man.MaxParallelism)
	if err != nil {
		return err
	}
	defer content.Close()
	m.h.cfg.Log.Info("migrating the state to the query", "checkpoint", man.Epoch, "verdict", report.Verdict, "entries", entries(man))
	m.h.cfg.FailPoint("rec_before_migrate")
	r.Files, err = report.Rewrite(ctx, content, m.storage, man.Epoch)
	m.h.cfg.FailPoint("rec_after_migrate")
	return err
}

func entries(man *checkpoint.Manifest) int64 {
	var n int64
	for _, f := range man.Files {
		n += f.Entries
	}
	return n
}

// splitsOf is how far a source was read; none where it had nothing to read.
func splitsOf(s *checkpoint.Source) []splitState {
	list := []splitState{}
	if s == nil {
		return list
	}
	for _, sp := range s.Splits {
		w := exec.MinWatermark
		if sp.Watermark != nil {
			w = *sp.Watermark
		}
		list = append(list, splitState{exec.Split{ID: sp.ID, Position: sp.Position}, w})
	}
	return list
}
