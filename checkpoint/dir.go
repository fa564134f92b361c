package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/state"
)

const (
	shared   = "shared"
	tmp      = ".tmp"
	manifest = "MANIFEST"
	setAside = "SET-ASIDE"
	chk      = "chk-"
)

// Dir is a Storage in a directory (local disk, NFS and what else is mounted).
type Dir struct{ durable }

var _ Storage = (*Dir)(nil)

// DirOptions configure OpenDir.
type DirOptions struct {
	// Owner: the caller holds the job's lock. Leftovers of crashed writers are deleted.
	Owner bool
	// FailPoint, nil outside of tests, is called at Points.
	FailPoint func(name string)
}

// OpenDir opens <dir>/<job id>, and makes it when the caller is the owner or it is missing.
func OpenDir(dir, jobID string, o DirOptions) (*Dir, error) {
	if !validID(jobID) {
		return nil, fmt.Errorf("job id %.80q is not 32 hexadecimal digits", jobID)
	}
	location := path.Join(dir, jobID)
	f, err := OSFS(location)
	if err != nil {
		return nil, err
	}
	d, err := NewDir(f, location, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return d, nil
}

// NewDir makes a storage of a file system whose root is the job's directory. It takes f over
// unless it fails.
func NewDir(f FS, location string, o DirOptions) (*Dir, error) {
	d := &Dir{durable{fs: f, what: "checkpoint directory", location: location, failPoint: o.FailPoint}}
	if d.failPoint == nil {
		d.failPoint = func(string) {}
	}
	if !o.Owner {
		return d, nil
	}
	if err := f.Mkdir(shared); err != nil {
		return nil, d.wrap(err)
	}
	if err := f.SyncDir("."); err != nil {
		return nil, d.wrap(err)
	}
	return d, d.clean()
}

// clean deletes what crashed writers left.
func (d *Dir) clean() error {
	names, err := d.fs.List(shared)
	if err != nil {
		return d.wrap(err)
	}
	for _, n := range names {
		if base, ok := strings.CutSuffix(n, tmp); ok && fileName.MatchString(base) {
			if err := d.fs.Remove(path.Join(shared, n)); err != nil {
				return d.wrap(err)
			}
		}
	}
	epochs, err := d.Epochs()
	if err != nil {
		return err
	}
	for _, e := range epochs {
		for _, n := range []string{manifest + tmp, setAside + tmp} {
			if err := d.remove(path.Join(chkName(e), n)); err != nil {
				return err
			}
		}
	}
	return d.cleanUnpublished()
}

// Location is the directory's path.
func (d *Dir) Location() string { return d.location }

// Close ends the use.
func (d *Dir) Close() error { return d.fs.Close() }

// Create starts a state file.
func (d *Dir) Create(name string) (state.FileWriter, error) {
	if !fileName.MatchString(name) {
		return nil, d.wrap(fmt.Errorf("%.80q is no name of a state file", name))
	}
	return d.create(path.Join(shared, name), "mid_state_write")
}

// Open opens a state file.
func (d *Dir) Open(name string) (state.FileReader, error) {
	if !fileName.MatchString(name) {
		return nil, d.wrap(fmt.Errorf("%.80q is no name of a state file", name))
	}
	r, err := d.fs.Open(path.Join(shared, name))
	return r, d.wrap(err)
}

// Remove deletes a state file.
func (d *Dir) Remove(name string) error {
	if !fileName.MatchString(name) {
		return d.wrap(fmt.Errorf("%.80q is no name of a state file", name))
	}
	return d.remove(path.Join(shared, name))
}

// Names lists the state files.
func (d *Dir) Names() ([]string, error) {
	names, err := d.fs.List(shared)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(names, func(n string) bool { return !fileName.MatchString(n) }), d.wrap(err)
}

func chkName(e state.Epoch) string { return chk + strconv.FormatUint(uint64(e), 10) }

func manifestName(e state.Epoch) string { return path.Join(chkName(e), manifest) }

func setAsideName(e state.Epoch) string { return path.Join(chkName(e), setAside) }

// maxReason bounds the file that says why a checkpoint is set aside.
const maxReason = 1 << 16

// Epochs lists the directories of checkpoints, newest first.
func (d *Dir) Epochs() ([]state.Epoch, error) {
	names, err := d.fs.List(".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, d.wrap(err)
	}
	return epochsOf(names), nil
}

// epochsOf picks the names of checkpoints, newest first.
func epochsOf(names []string) []state.Epoch {
	var out []state.Epoch
	for _, n := range names {
		digits, ok := strings.CutPrefix(n, chk)
		v, err := strconv.ParseUint(digits, 10, 64)
		if ok && err == nil && v > 0 && chkName(state.Epoch(v)) == n {
			out = append(out, state.Epoch(v))
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

// Put makes a manifest durable.
func (d *Dir) Put(e state.Epoch, b []byte) error {
	if f, ok := d.fs.(SharedFS); ok {
		return d.publish(f, e, b)
	}
	return d.put(e, manifest, b)
}

func (d *Dir) put(e state.Epoch, name string, b []byte) error {
	if err := d.fs.Mkdir(chkName(e)); err != nil {
		return d.wrap(err)
	}
	if err := d.fs.SyncDir("."); err != nil {
		return d.wrap(err)
	}
	w, err := d.create(path.Join(chkName(e), name), "")
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(b); err != nil {
		return err
	}
	return w.Commit()
}

// Get reads a manifest.
func (d *Dir) Get(e state.Epoch) ([]byte, error) { return d.get(manifestName(e), MaxManifest) }

func (d *Dir) get(name string, limit int64) ([]byte, error) {
	r, err := d.fs.Open(name)
	if err != nil {
		return nil, d.wrap(err)
	}
	defer r.Close()
	b, err := readWhole(r, name, limit)
	return b, d.wrap(err)
}

// readWhole reads a small file of at most limit bytes; name is for messages.
func readWhole(r state.FileReader, name string, limit int64) ([]byte, error) {
	if r.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, the limit is %d", name, r.Size(), limit)
	}
	b := make([]byte, r.Size())
	if n, err := r.ReadAt(b, 0); n < len(b) && err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// Delete removes a checkpoint, its manifest first.
func (d *Dir) Delete(e state.Epoch) error {
	if err := d.remove(manifestName(e)); err != nil {
		return err
	}
	dir := chkName(e)
	if err := d.fs.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d.wrap(err)
	}
	for _, n := range []string{setAside, manifest + tmp, setAside + tmp} {
		if err := d.remove(path.Join(dir, n)); err != nil {
			return err
		}
	}
	return d.remove(dir)
}

// SetAside marks a checkpoint.
func (d *Dir) SetAside(e state.Epoch, reason string) error {
	if old, err := d.Reason(e); old != "" || err != nil {
		return err
	}
	return d.put(e, setAside, []byte(reason+"\n"))
}

// Reason tells why a checkpoint is set aside.
func (d *Dir) Reason(e state.Epoch) (string, error) {
	return reasonOf(d.get(setAsideName(e), maxReason))
}

// reasonOf is the content of a SET-ASIDE file, "" when there is none.
func reasonOf(b []byte, err error) (string, error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case len(b) == 0:
		return "no reason is given", nil
	}
	return strings.TrimSuffix(string(b), "\n"), nil
}
