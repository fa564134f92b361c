package windowop

import (
	"encoding/binary"
	"fmt"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/state"
)

// floor is how far windows have fired by key group, where that differs: a checkpoint whose barriers
// were not aligned has subtasks with different watermarks, and at another parallelism one subtask
// gets key groups of several. The operator then goes on from the one that was least far, as rows
// of it may still come, and windows that have fired for the other groups do not fire for them again.
type floor struct {
	groups []exec.Watermark // from first on
	first  state.KeyGroup
	high   exec.Watermark
}

// highest is the farthest of all.
func (f *floor) highest() exec.Watermark {
	if f == nil {
		return exec.MinWatermark
	}
	return f.high
}

// of is how far a key group is.
func (f *floor) of(g state.KeyGroup) exec.Watermark {
	if f == nil {
		return exec.MinWatermark
	}
	return f.groups[g-f.first]
}

// fired reports whether windows triggered at a time had fired for the group of a record.
func (f *floor) fired(at int64, t state.Table, r state.Ref) bool {
	return f != nil && at <= f.of(t.Group(r))
}

// restoreProgress reads how far windows have fired.
func (o *Operator) restoreProgress() error {
	f := &floor{first: o.ctx.Groups.Lo, high: exec.MinWatermark}
	f.groups = make([]exec.Watermark, o.ctx.Groups.Hi-o.ctx.Groups.Lo)
	for i := range f.groups {
		f.groups[i] = exec.MinWatermark
	}
	err := o.marks.Each(func(r state.Ref) error {
		v := o.marks.Get(r)
		if len(v) != 8 {
			return fmt.Errorf("state table %q: a record has %d bytes, 8 expected; the state is damaged", layout.ProgressName, len(v))
		}
		w := int64(binary.LittleEndian.Uint64(v))
		f.groups[o.marks.Group(r)-f.first] = w
		f.high = max(f.high, w)
		return nil
	})
	if err != nil || len(f.groups) == 0 {
		return err
	}
	o.progress = f.high
	for _, w := range f.groups {
		o.progress = min(o.progress, w)
	}
	if o.progress < f.high {
		o.floor = f
	}
	return nil
}
