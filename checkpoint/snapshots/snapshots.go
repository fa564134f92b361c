// Package snapshots owns the snapshots that people name: a path becomes a savepoint or a
// retained checkpoint, open for reading. The runtime and the command line import it; it stands
// on checkpoint, checkpoint/savepoint and checkpoint/stores.
package snapshots

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/savepoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/state"
)

// Snapshot is a checkpoint or a savepoint, open for reading.
type Snapshot struct {
	*checkpoint.Manifest
	Path string // of its directory

	place   checkpoint.Place   // of a savepoint
	storage checkpoint.Storage // of a checkpoint
}

// The files that say what a snapshot is; their paths name it as well as its directory's.
const (
	savepointFile  = savepoint.ManifestName
	checkpointFile = "MANIFEST"
)

var (
	chkName = regexp.MustCompile(`^chk-([0-9]{1,19})$`)
	jobName = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// Open opens the snapshot at a path or an address of a store: the directory of a savepoint or of
// a checkpoint (chk-12), or the file in it that describes it. opts are session options, of which
// the stores read theirs.
func Open(ctx context.Context, name string, opts map[string]string) (*Snapshot, error) {
	if name == "" {
		return nil, errors.New("the path of the snapshot is empty")
	}
	dir := Path(name)
	above, base := cut(dir)
	if _, job := cut(above); chkName.MatchString(base) && jobName.MatchString(job) {
		m := chkName.FindStringSubmatch(base)
		e, err := strconv.ParseUint(m[1], 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return openCheckpoint(ctx, dir, state.Epoch(e), opts)
	}
	p, err := stores.Place(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	m, err := savepoint.Read(p)
	if err != nil {
		if errors.Is(err, savepoint.ErrNone) {
			err = fmt.Errorf("%w; a checkpoint is named by its own directory, .../<job id>/chk-12", err)
		}
		return nil, errors.Join(err, p.Close())
	}
	return &Snapshot{Manifest: m, Path: dir, place: p}, nil
}

// Path is the directory that a name of a snapshot means, absolute.
func Path(name string) string {
	dir := strings.TrimPrefix(name, "file://")
	if above, base := cut(dir); base == savepointFile || base == checkpointFile {
		dir = above
	}
	return absolute(dir)
}

// cut splits off the last name of a path or address.
func cut(p string) (above, base string) {
	p = strings.TrimRight(p, "/")
	i := strings.LastIndexByte(p, '/')
	if i < 0 {
		return ".", p
	}
	return p[:max(i, 1)], p[i+1:]
}

func openCheckpoint(ctx context.Context, dir string, e state.Epoch, opts map[string]string) (*Snapshot, error) {
	root, id := cut(dir)
	root, id = cut(root)
	s, err := stores.Open(ctx, root, id, checkpoint.DirOptions{}, opts)
	if err != nil {
		return nil, err
	}
	m, err := checkpoint.Read(s, e, id)
	if err == nil {
		var reason string
		if reason, err = s.Reason(e); err == nil && reason != "" {
			err = fmt.Errorf("checkpoint %s is set aside and must not be used: %s", dir, reason)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Snapshot{Manifest: m, Path: dir, storage: s}, nil
}

// LiesIn reports whether the snapshot is a checkpoint in a job's storage.
func (s *Snapshot) LiesIn(st checkpoint.Storage) bool {
	return s.storage != nil && absolute(s.storage.Location()) == absolute(st.Location())
}

func absolute(location string) string {
	if abs, err := filepath.Abs(location); err == nil && !strings.Contains(location, "://") {
		return abs
	}
	return location
}

// Content opens the keyed state.
func (s *Snapshot) Content() (checkpoint.Content, error) {
	if s.storage != nil {
		return checkpoint.OpenFiles(s.storage, s.Files, s.MaxParallelism)
	}
	return savepoint.Open(s.place, s.Manifest)
}

// CopyChannels copies the rows in flight of a checkpoint into another job's storage.
func (s *Snapshot) CopyChannels(dst state.Files) ([]checkpoint.Channel, error) {
	var out []checkpoint.Channel
	for _, c := range s.Channels {
		data, err := checkpoint.ReadChannel(s.storage, c)
		if err == nil {
			c, err = checkpoint.WriteChannel(dst, s.Epoch, c, data)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Delete deletes the snapshot. Of a checkpoint what no other checkpoint of its job lists goes.
func (s *Snapshot) Delete() error {
	if s.place != nil {
		return savepoint.Dispose(s.place)
	}
	epochs, err := s.storage.Epochs()
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, e := range epochs {
		if e == s.Epoch {
			continue
		}
		m, err := checkpoint.Read(s.storage, e, s.JobID)
		switch {
		case err == nil:
			for _, name := range m.FileNames() {
				used[name] = true
			}
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("what checkpoint %d shares with it is not known: %w", e, err)
		}
	}
	g := checkpoint.Garbage{Epochs: []state.Epoch{s.Epoch}}
	for _, name := range s.FileNames() {
		if !used[name] {
			g.Files = append(g.Files, name)
		}
	}
	return g.Delete(s.storage)
}

// Close ends the use.
func (s *Snapshot) Close() error {
	if s.place != nil {
		return s.place.Close()
	}
	return s.storage.Close()
}

// DeleteClaimed deletes the snapshot that a job began from and owns, if it is still there and
// still the same.
func DeleteClaimed(ctx context.Context, b *checkpoint.Begun, opts map[string]string) error {
	s, err := Open(ctx, b.Path, opts)
	switch {
	case errors.Is(err, savepoint.ErrNone):
		return deleteRest(ctx, b.Path, opts)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	if s.JobID == b.JobID && s.Epoch == b.Epoch && s.Kind == b.Kind {
		err = s.Delete()
	}
	return errors.Join(err, s.Close())
}

// deleteRest deletes what is left of a savepoint whose deletion was cut off: the manifest goes
// first.
func deleteRest(ctx context.Context, name string, opts map[string]string) error {
	p, err := stores.Place(ctx, Path(name), opts)
	if err != nil {
		return err
	}
	if err = savepoint.Dispose(p); errors.Is(err, savepoint.ErrNone) {
		err = p.Delete() // all files are gone, perhaps not the directory
	}
	return errors.Join(err, p.Close())
}
