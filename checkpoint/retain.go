package checkpoint

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/state"
)

// Garbage is what may be deleted: first the checkpoints, then the files.
type Garbage struct {
	Epochs []state.Epoch
	Files  []string
}

// Retain says what may go after the output of checkpoint confirmed became visible. Manifests are
// newest first. The newest numRetained (at least one) of the confirmed checkpoints stay, and
// all that are newer than confirmed: until its output is confirmed, the checkpoint before may be
// needed to fall back to. Files of a deleted checkpoint go when none that stays lists them.
func Retain(manifests []*Manifest, numRetained int, confirmed state.Epoch) Garbage {
	var keep, drop []*Manifest
	n := 0
	for _, m := range manifests {
		switch {
		case m.Kind == Savepoint, m.Epoch > confirmed:
			keep = append(keep, m)
		case n < max(numRetained, 1):
			n++
			keep = append(keep, m)
		default:
			drop = append(drop, m)
		}
	}
	used := listed(keep)
	var g Garbage
	for i := len(drop) - 1; i >= 0; i-- { // oldest first: what is left is always a suffix
		g.Epochs = append(g.Epochs, drop[i].Epoch)
		for _, name := range drop[i].FileNames() {
			if !used[name] {
				used[name] = true
				g.Files = append(g.Files, name)
			}
		}
	}
	return g
}

func listed(ms []*Manifest) map[string]bool {
	used := map[string]bool{}
	for _, m := range ms {
		for _, name := range m.FileNames() {
			used[name] = true
		}
	}
	return used
}

// Collect says what may go after the output of checkpoint confirmed became visible, by Retain and
// with the remains of checkpoints before it that were never complete. Damaged ones and those
// set aside stay for people to look at.
func Collect(s Storage, jobID string, numRetained int, confirmed state.Epoch) (Garbage, error) {
	epochs, err := s.Epochs()
	if err != nil {
		return Garbage{}, err
	}
	var manifests []*Manifest
	var remains []state.Epoch
	for _, e := range epochs {
		reason, err := s.Reason(e)
		if err != nil {
			return Garbage{}, err
		}
		m, err := Read(s, e, jobID)
		switch {
		case reason != "":
		case errors.Is(err, fs.ErrNotExist) && e < confirmed:
			remains = append(remains, e)
		case err == nil:
			manifests = append(manifests, m)
		}
	}
	g := Retain(manifests, numRetained, confirmed)
	g.Epochs = append(g.Epochs, remains...)
	return g, nil
}

// Everything says what may go when the job is over: all complete checkpoints, the remains of
// others, and the files that none lists which stays. Damaged checkpoints and those set aside stay
// for people to look at; next to a damaged one all files do.
func Everything(s Storage, jobID string) (Garbage, error) {
	epochs, err := s.Epochs()
	if err != nil {
		return Garbage{}, err
	}
	var g Garbage
	var keep []*Manifest
	damaged := false
	for _, e := range slices.Backward(epochs) { // oldest first, as Retain
		reason, err := s.Reason(e)
		if err != nil {
			return Garbage{}, err
		}
		m, err := Read(s, e, jobID)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			damaged = true
		case reason != "" && err == nil:
			keep = append(keep, m)
		default:
			g.Epochs = append(g.Epochs, e)
		}
	}
	if damaged {
		return g, nil
	}
	names, err := s.Names()
	if err != nil {
		return Garbage{}, err
	}
	used := listed(keep)
	for _, n := range names {
		if !used[n] {
			g.Files = append(g.Files, n)
		}
	}
	return g, nil
}

// Orphans says which state files no checkpoint lists. It is only right at a start, before anything
// is written.
func Orphans(names []string, found []Found) []string {
	used := map[string]bool{}
	for _, f := range found {
		switch {
		case f.Manifest != nil:
			for _, name := range f.Manifest.FileNames() {
				used[name] = true
			}
		case !f.incomplete():
			return nil // what the damaged one lists is not known
		}
	}
	var out []string
	for _, n := range names {
		if !used[n] {
			out = append(out, n)
		}
	}
	return out
}

// Delete removes garbage; an error ends it, and the next call goes on.
func (g Garbage) Delete(s Storage) error {
	for _, e := range g.Epochs {
		if err := s.Delete(e); err != nil {
			return err
		}
	}
	for _, n := range g.Files {
		if err := s.Remove(n); err != nil {
			return err
		}
	}
	return nil
}

// epochOf is the epoch in the name of a state file (stf.NewName), 0 when there is none.
func epochOf(name string) state.Epoch {
	digits, _, _ := strings.Cut(name, "-")
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return state.Epoch(v)
}
