package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/sqlstream/sqlstream/state"
)

// FS is the few file system calls that durability hangs on, beneath one directory: a seam
// for tests that crash. Names use slashes and never leave the directory.
type FS interface {
	// Mkdir makes a directory (0700); one that exists is fine.
	Mkdir(name string) error
	// Create makes a file (0600) that must not exist.
	Create(name string) (SyncFile, error)
	// Open opens a regular file: nothing else, not through a link out of the directory.
	Open(name string) (state.FileReader, error)
	// List names what is in a directory, in no order. A missing directory is fs.ErrNotExist.
	List(name string) ([]string, error)
	// Rename moves a file, over one that exists.
	Rename(from, to string) error
	// Remove deletes a file or an empty directory.
	Remove(name string) error
	// SyncDir makes what was made, renamed and removed in a directory durable.
	SyncDir(name string) error
	Close() error
}

// SyncFile is a file being written. After an error of Sync nothing is known about its content;
// it must be given up.
type SyncFile interface {
	io.Writer
	Sync() error
	Close() error
}

// OSFS is the FS of a directory of the operating system, which it makes (0700) when it is missing.
func OSFS(dir string) (FS, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("checkpoint directory: %w", err)
	}
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("checkpoint directory: %w", err)
	}
	return osFS{r}, nil
}

type osFS struct{ root *os.Root }

func (f osFS) Mkdir(name string) error { return f.root.MkdirAll(name, 0o700) }

func (f osFS) Create(name string) (SyncFile, error) {
	return f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (f osFS) Open(name string) (state.FileReader, error) {
	// Lstat first: opening a device or a pipe may block or have effects.
	info, err := f.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("it is no regular file (%s)", info.Mode().Type())}
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	info, err = file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: name, Err: errors.New("it is no regular file")}, err, file.Close())
	}
	return osFile{file, info.Size()}, nil
}

type osFile struct {
	*os.File
	size int64
}

func (f osFile) Size() int64 { return f.size }

func (f osFS) List(name string) ([]string, error) {
	d, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	return names, errors.Join(err, d.Close())
}

func (f osFS) Rename(from, to string) error { return f.root.Rename(from, to) }
func (f osFS) Remove(name string) error     { return f.root.Remove(name) }

func (f osFS) SyncDir(name string) error {
	d, err := f.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(syncDir(d), d.Close())
}

func (f osFS) Close() error { return f.root.Close() }
