package memstate

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/sqlstream/sqlstream/state"
)

// Files is a state.Files in memory, for tests. The zero value is empty and ready.
type Files struct {
	mu sync.Mutex
	m  map[string][]byte
}

var _ state.Files = (*Files)(nil)

// Create starts a file.
func (f *Files) Create(name string) (state.FileWriter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.m[name]; ok {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	return &writer{files: f, name: name}, nil
}

// Open opens a file.
func (f *Files) Open(name string) (state.FileReader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return reader{bytes.NewReader(b)}, nil
}

// Remove deletes a file.
func (f *Files) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.m, name)
	return nil
}

// Names lists the files, sorted.
func (f *Files) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for n := range f.m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Bytes returns a copy of a file's content, nil when there is none.
func (f *Files) Bytes(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return bytes.Clone(f.m[name])
}

// Put stores a file as it is, for tests that damage one.
func (f *Files) Put(name string, b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.m == nil {
		f.m = map[string][]byte{}
	}
	f.m[name] = bytes.Clone(b)
}

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

type writer struct {
	files *Files
	name  string
	buf   bytes.Buffer
	done  bool
}

func (w *writer) Write(b []byte) (int, error) {
	if w.done {
		return 0, fmt.Errorf("file %s: write after its end", w.name)
	}
	return w.buf.Write(b)
}

func (w *writer) Commit() error {
	if w.done {
		return fmt.Errorf("file %s: commit after its end", w.name)
	}
	w.done = true
	w.files.Put(w.name, w.buf.Bytes())
	return nil
}

func (w *writer) Abort() { w.done = true }
