package checkpoint

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"

	"github.com/sqlstream/sqlstream/state"
)

// SharedFS is an FS that other machines write to as well, so that the lock of a job directory
// may not keep a second incarnation out. There a manifest is published by the rename of its
// directory, which one of two wins.
type SharedFS interface {
	FS
	// RenameDir moves a directory to a name that nothing, or an empty directory, has: fs.ErrExist
	// otherwise. It is atomic, also against other clients. It fails with ErrUndecided when it
	// cannot tell.
	RenameDir(from, to string) error
}

// unpublished is what directories of manifests look like before the rename.
var unpublished = regexp.MustCompile(`^chk-[0-9]+-[0-9a-f]{16}\.tmp$`)

// publish makes a manifest durable on a file system that is shared.
func (d *Dir) publish(f SharedFS, e state.Epoch, b []byte) error {
	var id [8]byte
	rand.Read(id[:]) // never fails (crypto/rand)
	dir := chkName(e) + "-" + hex.EncodeToString(id[:]) + tmp
	err := d.publishFrom(f, dir, e, b)
	if err != nil {
		// Best effort: what is left is deleted by the next owner.
		_ = d.remove(path.Join(dir, manifest))
		_ = d.remove(dir)
	}
	if errors.Is(err, ErrUndecided) {
		return d.settle(e, b, err)
	}
	return err
}

func (d *Dir) publishFrom(f SharedFS, dir string, e state.Epoch, b []byte) error {
	if err := f.Mkdir(dir); err != nil {
		return d.wrap(err)
	}
	file, err := f.Create(path.Join(dir, manifest))
	if err != nil {
		return d.wrap(err)
	}
	if _, err := file.Write(b); err != nil {
		return d.wrap(errors.Join(err, file.Close()))
	}
	d.failPoint("before_fsync")
	if err := errors.Join(file.Sync(), file.Close(), f.SyncDir(dir)); err != nil {
		return d.wrap(err)
	}
	d.failPoint("before_rename")
	if err := f.RenameDir(dir, chkName(e)); err != nil {
		return d.wrap(err)
	}
	d.failPoint("after_rename")
	d.failPoint("before_dirsync")
	if err := f.SyncDir("."); err != nil {
		return fmt.Errorf("%w: %w", ErrUndecided, d.wrap(err))
	}
	return nil
}

// settle decides by reading whose manifest is there after a rename whose outcome is not known.
func (d *Dir) settle(e state.Epoch, b []byte, unknown error) error {
	got, err := d.Get(e)
	switch {
	case err != nil:
		return errors.Join(unknown, err)
	case bytes.Equal(got, b):
		return nil
	}
	return d.wrap(&fs.PathError{Op: "publish", Path: manifestName(e), Err: fs.ErrExist})
}

// cleanUnpublished deletes manifests that crashed writers did not publish.
func (d *Dir) cleanUnpublished() error {
	if _, ok := d.fs.(SharedFS); !ok {
		return nil
	}
	names, err := d.fs.List(".")
	if err != nil {
		return d.wrap(err)
	}
	for _, n := range names {
		if !unpublished.MatchString(n) {
			continue
		}
		if err := d.remove(path.Join(n, manifest)); err != nil {
			return err
		}
		if err := d.remove(n); err != nil {
			return err
		}
	}
	return nil
}
