package job

import (
	"context"
	"errors"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// rewrite makes full files of all files of a checkpoint that is not to share any with another
// one (execution.checkpointing.incremental = false, or a full one that was asked for).
func (m *home) rewrite(ctx context.Context, files []state.File) ([]state.File, error) {
	var out []state.File
	for _, set := range stf.Sets(files) {
		f, err := stf.Compact(ctx, m.storage, set, m.plan.hasTable)
		if err != nil {
			m.remove(out)
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// unlisted deletes what the rewriting left over: the changes when the checkpoint is there, the
// full files when it is not, and neither when that is not known.
func (m *home) unlisted(err error, changes, full []state.File) {
	switch {
	case err == nil:
		m.remove(changes)
	case !errors.Is(err, checkpoint.ErrUndecided):
		m.remove(full)
	}
}

// remove deletes files that no manifest lists. What cannot be deleted is deleted by the next start.
func (m *home) remove(files []state.File) {
	for _, f := range files {
		if err := m.storage.Remove(f.Name); err != nil {
			m.h.cfg.Log.Warn("a state file that nobody needs stays until the next start", "err", err)
		}
	}
}
