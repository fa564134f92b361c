package checkpoint

import (
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/state"
)

// Start is what a start that names a snapshot (run -s) does with it.
type Start struct {
	// Use: begin with the snapshot. Otherwise the job goes on from its own newest checkpoint, if
	// Refuse is empty: it began from this snapshot before.
	Use      bool
	SetAside []state.Epoch // own checkpoints that must never be used again
	Refuse   []string
}

// DecideStart says whether a job begins with a snapshot that its user named. The same command
// must be right at its first start and at every one after a crash, so a job that began with this
// snapshot goes on from what it has itself. own says that the snapshot is one of the job's own
// retained checkpoints.
func DecideStart(f *Facts, snap *Manifest, own bool) Start {
	newest := f.newest()
	newer := func(than state.Epoch) []state.Epoch {
		var out []state.Epoch
		for _, c := range f.Found {
			if c.SetAside == "" && !c.incomplete() && c.Epoch > than {
				out = append(out, c.Epoch)
			}
		}
		return out
	}
	switch {
	case f.Start && own:
		return Start{Use: true, SetAside: newer(snap.Epoch)}
	case f.Start:
		return Start{Use: true, SetAside: newer(0)}
	case newest == nil && f.Job.Published:
		return Start{Refuse: []string{
			"the job has written checkpoints of its own, but none of them can be used",
			"bring them back and start without -s, or begin again from the snapshot with --fresh -s (output may be repeated)",
		}}
	case newest == nil:
		return Start{Use: true}
	case newest.Begun.is(snap), own && newest.Epoch == snap.Epoch:
		return Start{}
	case snap.JobID == f.Job.ID && newest.Epoch <= snap.Epoch:
		return Start{Use: true} // stopped with it: nothing was done since
	}
	return Start{Refuse: []string{
		fmt.Sprintf("the job in this directory has gone on by itself: its newest checkpoint is %d%s, the snapshot is %s %d of job %s",
			newest.Epoch, newest.Begun.clause(), snap.Kind, snap.Epoch, snap.JobID),
		"start without -s to go on from there, with --fresh -s to go back to the snapshot, or give another --dir to begin a second job from it",
	}}
}

// JudgeStart judges what the participants of the two-phase commit answered before a job begins
// with a snapshot: f.Answers about the job itself, adopted about what another job's checkpoint
// decided. It returns why the job cannot begin, and what output will be repeated.
func JudgeStart(f *Facts, snap *Manifest, adopted []Answer) (refuse, repeats []string) {
	for _, a := range slices.Concat(adopted, f.Answers) {
		switch {
		case a.Outcome == OutcomeAborted:
			return []string{fmt.Sprintf("%s: the output of checkpoint %d was aborted from outside and never happened%s", a.Name, snap.Epoch, detail(a)),
				"begin from the checkpoint before it, or from a savepoint"}, nil
		case a.Outcome == OutcomeUnknown && !f.Repeat:
			return []string{fmt.Sprintf("%s: it cannot be found out whether the output of checkpoint %d was committed%s", a.Name, snap.Epoch, detail(a)),
				"look at the output first: if it is there, start with --allow-duplicates; if not, begin from the checkpoint before"}, nil
		case a.Ledger > snap.Epoch:
			seen := fmt.Sprintf("%s: the output of the %d checkpoints after %d up to %d is visible already and would be repeated", a.Name, a.Ledger-snap.Epoch, snap.Epoch, a.Ledger)
			if !f.Repeat {
				return []string{seen, "start with --allow-duplicates to repeat it"}, nil
			}
			repeats = append(repeats, seen)
		}
	}
	return nil, repeats
}

// newest is the manifest of the newest checkpoint that can be used, nil when there is none.
func (f *Facts) newest() *Manifest {
	for i := range f.Found {
		if f.Found[i].usable() {
			return f.Found[i].Manifest
		}
	}
	return nil
}

// BeganFrom reports whether the job began from the snapshot that lay at path, and has a checkpoint of
// its own: the snapshot may be gone since, claimed or moved.
func (f *Facts) BeganFrom(path string) bool {
	m := f.newest()
	return m != nil && m.Begun != nil && m.Begun.Path == path && !f.Start
}

// BegunWith describes a snapshot as the one that a job begins with.
func BegunWith(path string, m *Manifest, claimed bool) *Begun {
	return &Begun{Path: path, JobID: m.JobID, Epoch: m.Epoch, Kind: m.Kind, Claimed: claimed}
}

// is reports whether b names the snapshot, wherever it lies now.
func (b *Begun) is(m *Manifest) bool {
	return b != nil && b.JobID == m.JobID && b.Epoch == m.Epoch && b.Kind == m.Kind
}

func (b *Begun) clause() string {
	if b == nil {
		return ""
	}
	return fmt.Sprintf(" (it began from %s %d of job %s)", b.Kind, b.Epoch, b.JobID)
}
