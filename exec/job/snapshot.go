package job

import (
	"sort"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/state"
)

// snapshot is a checkpoint that all tasks have answered.
type snapshot struct {
	Epoch   state.Epoch
	Started time.Time
	Full    bool       // everything is to be written anew, not only what changed
	Drained bool       // the input ended before, because it did or because the user said so
	Acks    []flow.Ack // by task
	Files   []state.File
	// Channels are the files of rows in flight. They are of this checkpoint alone.
	Channels []checkpoint.Channel
	Tokens   map[string]exec.Token   // by committer name; committers without output are absent
	initial  map[string][]splitState // of the checkpoint before any row: sources by UID
}

// sources groups the splits of a snapshot by source UID, sorted by split id.
func (s *snapshot) sources() map[string][]splitState {
	if s.initial != nil {
		return s.initial
	}
	out := map[string][]splitState{}
	for _, a := range s.Acks {
		if a.SourceUID == "" {
			continue
		}
		out[a.SourceUID] = out[a.SourceUID] // known, though it may have no splits yet
		for i, sp := range a.Splits {
			out[a.SourceUID] = append(out[a.SourceUID], splitState{sp, a.Watermarks[i]})
		}
	}
	for _, l := range out {
		sort.Slice(l, func(i, j int) bool { return l[i].ID < l[j].ID })
	}
	return out
}

type splitState struct {
	exec.Split
	Watermark exec.Watermark
}
