package checkpoint

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/sqlstream/sqlstream/state"
)

// crashFS is a file system in memory that forgets what was not made durable: content that was
// not fsynced is cut at random, directory entries that were not synced are there or not.
type crashFS struct {
	mu      sync.Mutex
	names   map[string]*inode // what the process sees; nil: a directory
	durable map[string]*inode
	pending []dirOp // directory changes not yet synced, in order
	ops     int
	failAt  int // the operation that fails, counted from 1; 0: none
	failed  string
	crashed bool // after failAt everything fails: the machine is gone
	dead    bool
}

type inode struct {
	data   []byte
	synced []byte
}

type dirOp struct {
	dirs  []string
	apply func(names map[string]*inode)
}

var (
	errInjected = errors.New("input/output error (injected)")
	errDead     = errors.New("the machine is gone")
)

func newCrashFS() *crashFS {
	return &crashFS{names: map[string]*inode{".": nil}, durable: map[string]*inode{".": nil}}
}

// op counts an operation, and fails it when its turn has come. mu is held.
func (f *crashFS) op(what string) error {
	if f.dead {
		return errDead
	}
	f.ops++
	if f.ops == f.failAt {
		f.failed = what
		f.dead = f.crashed
		return errInjected
	}
	return nil
}

func (f *crashFS) change(dirs []string, apply func(map[string]*inode)) {
	apply(f.names)
	f.pending = append(f.pending, dirOp{dirs, apply})
}

func (f *crashFS) Mkdir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op("mkdir " + name); err != nil {
		return err
	}
	if _, ok := f.names[name]; ok {
		return nil
	}
	f.change([]string{path.Dir(name)}, func(m map[string]*inode) { m[name] = nil })
	return nil
}

func (f *crashFS) Create(name string) (SyncFile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op("create " + name); err != nil {
		return nil, err
	}
	if _, ok := f.names[name]; ok {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	n := &inode{}
	f.change([]string{path.Dir(name)}, func(m map[string]*inode) { m[name] = n })
	return &crashFile{f, n, name}, nil
}

func (f *crashFS) Open(name string) (state.FileReader, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, errDead
	}
	n, ok := f.names[name]
	if !ok || n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return memFile{bytes.NewReader(n.data)}, nil
}

type memFile struct{ *bytes.Reader }

func (memFile) Close() error { return nil }

func (f *crashFS) List(name string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return nil, errDead
	}
	if n, ok := f.names[name]; !ok || n != nil {
		return nil, &fs.PathError{Op: "list", Path: name, Err: fs.ErrNotExist}
	}
	var out []string
	for n := range f.names {
		if n != "." && path.Dir(n) == name {
			out = append(out, path.Base(n))
		}
	}
	return out, nil
}

func (f *crashFS) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op("rename " + from); err != nil {
		return err
	}
	n, ok := f.names[from]
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	f.change([]string{path.Dir(to)}, func(m map[string]*inode) {
		delete(m, from)
		m[to] = n
	})
	return nil
}

func (f *crashFS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.names[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if err := f.op("remove " + name); err != nil {
		return err
	}
	f.change([]string{path.Dir(name)}, func(m map[string]*inode) { delete(m, name) })
	return nil
}

func (f *crashFS) SyncDir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.op("syncdir " + name); err != nil {
		return err
	}
	f.pending = slices.DeleteFunc(f.pending, func(o dirOp) bool {
		if slices.Contains(o.dirs, name) {
			o.apply(f.durable)
			return true
		}
		return false
	})
	return nil
}

func (f *crashFS) Close() error { return nil }

// crash returns what a restart finds.
func (f *crashFS) crash(rnd *rand.Rand) *crashFS {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = true
	names := maps.Clone(f.durable)
	chance := []int{0, 50, 100}[rnd.IntN(3)] // per cent of what was not synced that survives
	for _, o := range f.pending {
		if rnd.IntN(100) < chance {
			o.apply(names)
		}
	}
	g := newCrashFS()
	for name, n := range names {
		if strings.Contains(name, "/") {
			if _, ok := names[path.Dir(name)]; !ok {
				continue // its directory did not survive
			}
		}
		if n == nil {
			g.names[name] = nil
			continue
		}
		data := n.synced
		if !bytes.Equal(n.synced, n.data) && rnd.IntN(100) < chance {
			data = bytes.Clone(n.data[:rnd.IntN(len(n.data)+1)])
			if len(data) > 0 && rnd.IntN(3) == 0 {
				clear(data[rnd.IntN(len(data)):]) // allocated, but never written
			}
		}
		g.names[name] = &inode{data: data, synced: data}
	}
	g.durable = maps.Clone(g.names)
	return g
}

type crashFile struct {
	fs   *crashFS
	node *inode
	name string
}

func (c *crashFile) Write(b []byte) (int, error) {
	c.fs.mu.Lock()
	defer c.fs.mu.Unlock()
	if err := c.fs.op("write " + c.name); err != nil {
		return 0, err
	}
	c.node.data = append(c.node.data, b...)
	return len(b), nil
}

func (c *crashFile) Sync() error {
	c.fs.mu.Lock()
	defer c.fs.mu.Unlock()
	if err := c.fs.op("fsync " + c.name); err != nil {
		return err
	}
	c.node.synced = bytes.Clone(c.node.data)
	return nil
}

func (c *crashFile) Close() error {
	c.fs.mu.Lock()
	defer c.fs.mu.Unlock()
	if c.fs.dead {
		return errDead
	}
	return nil
}
