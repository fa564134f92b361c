package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/sqlstream/sqlstream/state"
)

// durable writes and deletes files beneath one directory so that a file is whole under its
// name, and stays so after a power cut, or is not there. Dir and the local Place share it.
type durable struct {
	fs        FS
	what      string // what the directory is, for messages
	location  string
	failPoint func(string)
}

func (d *durable) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", d.what, d.location, err)
}

// remove deletes a file; a missing one is fine.
func (d *durable) remove(name string) error {
	if err := d.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d.wrap(err)
	}
	return nil
}

// create starts a file under its .tmp name. first, when not empty, is the fail point after the
// first write.
func (d *durable) create(name, first string) (state.FileWriter, error) {
	if r, err := d.fs.Open(name); err == nil {
		r.Close()
		return nil, d.wrap(&fs.PathError{Op: "create", Path: name, Err: fs.ErrExist})
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, d.wrap(err)
	}
	// A failed attempt may have left its .tmp file: nothing can be said about its content,
	// so it is not written to again.
	if err := d.remove(name + tmp); err != nil {
		return nil, err
	}
	f, err := d.fs.Create(name + tmp)
	if err != nil {
		return nil, d.wrap(err)
	}
	return &writer{dir: d, name: name, first: first, file: f}, nil
}

// writer writes one file. After any error the file is given up.
type writer struct {
	dir   *durable
	name  string
	first string // the fail point of the first write, "" afterwards
	file  SyncFile
	err   error
	done  bool
}

func (w *writer) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.err = w.dir.wrap(err)
		return n, w.err
	}
	if w.first != "" {
		w.dir.failPoint(w.first)
		w.first = ""
	}
	return n, nil
}

// Commit makes the file durable under its name.
func (w *writer) Commit() error {
	if w.err != nil || w.done {
		return errors.Join(w.err, w.dir.wrap(errors.New("commit after the end of "+w.name)))
	}
	w.dir.failPoint("before_fsync")
	err := errors.Join(w.file.Sync(), w.file.Close())
	w.file = nil
	if err == nil {
		w.dir.failPoint("before_rename")
		err = w.dir.fs.Rename(w.name+tmp, w.name)
	}
	if err != nil {
		w.err = w.dir.wrap(err)
		return w.err
	}
	w.done = true
	w.dir.failPoint("after_rename")
	w.dir.failPoint("before_dirsync")
	if err := w.dir.fs.SyncDir(path.Dir(w.name)); err != nil {
		// The name is there but may not survive a power cut.
		w.err = fmt.Errorf("%w: %w", ErrUndecided, w.dir.wrap(err))
		return w.err
	}
	return nil
}

// Abort gives the file up.
func (w *writer) Abort() {
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
	if !w.done {
		w.done = true
		// Best effort: what is left is deleted by the next owner.
		_ = w.dir.fs.Remove(w.name + tmp)
	}
}
