package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/state"
)

// Objects is an object store beneath one prefix: the few calls that a Storage or a Place there
// hangs on. Keys use slashes. Calls retry what is worth it and end in bounded time; their errors
// name the key. They may be made from several goroutines.
type Objects interface {
	// Create starts an object that must not exist: fs.ErrExist.
	Create(key string) (ObjectWriter, error)
	// Put stores an object unless there is one: fs.ErrExist. It fails with ErrUndecided when it
	// cannot tell what became of it.
	Put(key string, b []byte) error
	// Open opens an object for reading; a missing one is fs.ErrNotExist.
	Open(key string) (state.FileReader, error)
	// List names what is directly beneath a prefix ("" or with a slash at the end), in no order:
	// objects, and further prefixes with a slash at the end.
	List(prefix string) ([]string, error)
	// Remove deletes an object; a missing one is no error.
	Remove(key string) error
	// AbortUploads drops what Create of crashed writers left beneath a prefix.
	AbortUploads(prefix string) error
	Close() error
}

// ObjectWriter writes one object front to back.
type ObjectWriter interface {
	io.Writer
	// Flush sends all that was written; nobody sees it yet.
	Flush() error
	// Commit makes the object durable and visible.
	Commit() error
	// Abort drops what was written. After Commit it does nothing.
	Abort()
}

// ObjectStore is a Storage in an object store. The names of Dir are its keys.
type ObjectStore struct {
	objects   Objects
	location  string
	failPoint func(string)
}

var _ Storage = (*ObjectStore)(nil)

// NewObjectStore makes a storage of objects whose prefix is the job's. It takes o over unless it
// fails.
func NewObjectStore(o Objects, location string, opt DirOptions) (*ObjectStore, error) {
	s := &ObjectStore{objects: o, location: location, failPoint: opt.FailPoint}
	if s.failPoint == nil {
		s.failPoint = func(string) {}
	}
	if opt.Owner {
		return s, o.AbortUploads(shared + "/")
	}
	return s, nil
}

// Location is the URL of the prefix.
func (s *ObjectStore) Location() string { return s.location }

// Close ends the use.
func (s *ObjectStore) Close() error { return s.objects.Close() }

func (s *ObjectStore) fileKey(name string) (string, error) {
	if !fileName.MatchString(name) {
		return "", fmt.Errorf("%s: %.80q is no name of a state file", s.location, name)
	}
	return shared + "/" + name, nil
}

// Create starts a state file.
func (s *ObjectStore) Create(name string) (state.FileWriter, error) {
	key, err := s.fileKey(name)
	if err != nil {
		return nil, err
	}
	w, err := s.objects.Create(key)
	if err != nil {
		return nil, err
	}
	return &objectFile{w: w, name: key, failPoint: s.failPoint}, nil
}

// Open opens a state file.
func (s *ObjectStore) Open(name string) (state.FileReader, error) {
	key, err := s.fileKey(name)
	if err != nil {
		return nil, err
	}
	return s.objects.Open(key)
}

// Remove deletes a state file.
func (s *ObjectStore) Remove(name string) error {
	key, err := s.fileKey(name)
	if err != nil {
		return err
	}
	return s.objects.Remove(key)
}

// Names lists the state files.
func (s *ObjectStore) Names() ([]string, error) {
	names, err := s.objects.List(shared + "/")
	return slices.DeleteFunc(names, func(n string) bool { return !fileName.MatchString(n) }), err
}

// Epochs lists the checkpoints that have an object, newest first.
func (s *ObjectStore) Epochs() ([]state.Epoch, error) {
	names, err := s.objects.List("")
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, n := range names {
		if dir, ok := strings.CutSuffix(n, "/"); ok {
			dirs = append(dirs, dir)
		}
	}
	return epochsOf(dirs), nil
}

// Put makes a manifest durable.
func (s *ObjectStore) Put(e state.Epoch, b []byte) error {
	s.failPoint("before_fsync")
	s.failPoint("before_rename")
	if err := s.objects.Put(manifestName(e), b); err != nil {
		return err
	}
	s.failPoint("after_rename")
	s.failPoint("before_dirsync")
	return nil
}

// Get reads a manifest.
func (s *ObjectStore) Get(e state.Epoch) ([]byte, error) {
	return s.get(manifestName(e), MaxManifest)
}

func (s *ObjectStore) get(key string, limit int64) ([]byte, error) {
	r, err := s.objects.Open(key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readWhole(r, s.location+"/"+key, limit)
}

// Delete removes a checkpoint, its manifest first.
func (s *ObjectStore) Delete(e state.Epoch) error {
	if err := s.objects.Remove(manifestName(e)); err != nil {
		return err
	}
	return s.objects.Remove(setAsideName(e))
}

// SetAside marks a checkpoint. Whoever was first gave the reason.
func (s *ObjectStore) SetAside(e state.Epoch, reason string) error {
	err := s.objects.Put(setAsideName(e), []byte(reason+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// Reason tells why a checkpoint is set aside.
func (s *ObjectStore) Reason(e state.Epoch) (string, error) {
	return reasonOf(s.get(setAsideName(e), maxReason))
}

// objectFile is a state file being written. After any error it is given up.
type objectFile struct {
	w         ObjectWriter
	name      string
	failPoint func(string)
	started   bool
	err       error
	done      bool
}

func (f *objectFile) Write(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.w.Write(b)
	if f.err = err; err == nil && !f.started {
		f.started = true
		f.failPoint("mid_state_write")
	}
	return n, err
}

func (f *objectFile) Commit() error {
	if f.err != nil || f.done {
		return errors.Join(f.err, errors.New("commit after the end of "+f.name))
	}
	f.failPoint("before_fsync")
	f.err = f.w.Flush()
	if f.err == nil {
		f.failPoint("before_rename")
		f.err = f.w.Commit()
	}
	if f.err != nil {
		return f.err
	}
	f.done = true
	f.failPoint("after_rename")
	f.failPoint("before_dirsync")
	return nil
}

func (f *objectFile) Abort() {
	if !f.done {
		f.done = true
		f.w.Abort()
	}
}
