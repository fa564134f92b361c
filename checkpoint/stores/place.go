package stores

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

const tmp = ".tmp"

// place is a checkpoint.Place in a directory of a checkpoint.FS, made with the first file.
type place struct {
	fs       checkpoint.FS
	location string
	rmdir    func() error
}

// openPlace opens a local directory.
func openPlace(dir string) (checkpoint.Place, error) {
	f, err := checkpoint.OSFS(dir)
	if err != nil {
		return nil, err
	}
	return &place{fs: f, location: dir, rmdir: func() error { return os.Remove(dir) }}, nil
}

func (p *place) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", p.location, err)
}

func (p *place) check(name string) error {
	if !base(name) {
		return p.wrap(fmt.Errorf("%.80q is no name of a file in it", name))
	}
	return nil
}

func base(name string) bool {
	return name != "" && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, tmp) && !strings.ContainsAny(name, "/\\")
}

func (p *place) Create(name string) (state.FileWriter, error) {
	if err := p.check(name); err != nil {
		return nil, err
	}
	if err := p.fs.Mkdir("."); err != nil {
		return nil, p.wrap(err)
	}
	if r, err := p.fs.Open(name); err == nil {
		return nil, p.wrap(errors.Join(&fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}, r.Close()))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, p.wrap(err)
	}
	// What a crashed writer left is not written to again.
	if err := p.fs.Remove(name + tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, p.wrap(err)
	}
	f, err := p.fs.Create(name + tmp)
	if err != nil {
		return nil, p.wrap(err)
	}
	return &placeFile{place: p, name: name, file: f}, nil
}

func (p *place) Open(name string) (state.FileReader, error) {
	if err := p.check(name); err != nil {
		return nil, err
	}
	r, err := p.fs.Open(name)
	return r, p.wrap(err)
}

func (p *place) Remove(name string) error {
	if err := p.check(name); err != nil {
		return err
	}
	if err := p.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p.wrap(err)
	}
	return nil
}

func (p *place) list() ([]string, error) {
	names, err := p.fs.List(".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, p.wrap(err)
}

func (p *place) Names() ([]string, error) {
	names, err := p.list()
	var out []string
	for _, n := range names {
		if !base(n) {
			continue
		}
		r, err := p.fs.Open(n)
		if err != nil {
			continue // a directory, or what else is no file
		}
		if err := r.Close(); err != nil {
			return nil, p.wrap(err)
		}
		out = append(out, n)
	}
	return out, err
}

func (p *place) Delete() error {
	files, err := p.Names()
	if err != nil {
		return err
	}
	all, err := p.list()
	if err != nil {
		return err
	}
	for _, n := range all {
		if n, ok := strings.CutSuffix(n, tmp); ok && base(n) {
			files = append(files, n+tmp)
		}
	}
	for _, n := range files {
		if err := p.fs.Remove(n); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return p.wrap(err)
		}
	}
	// Best effort: it stays when something else is in it.
	_ = p.rmdir()
	return nil
}

func (p *place) Location() string { return p.location }
func (p *place) Close() error     { return p.fs.Close() }

// placeFile is a file being written. After any error it is given up.
type placeFile struct {
	place *place
	name  string
	file  checkpoint.SyncFile
	err   error
	done  bool
}

func (w *placeFile) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(b)
	w.err = w.place.wrap(err)
	return n, w.err
}

func (w *placeFile) Commit() error {
	if w.err != nil || w.done {
		return errors.Join(w.err, w.place.wrap(errors.New("commit after the end of "+w.name)))
	}
	err := errors.Join(w.file.Sync(), w.file.Close())
	w.file = nil
	if err == nil {
		err = w.place.fs.Rename(w.name+tmp, w.name)
	}
	if err == nil {
		w.done = true
		err = w.place.fs.SyncDir(".")
	}
	w.err = w.place.wrap(err)
	return w.err
}

func (w *placeFile) Abort() {
	if w.file != nil {
		_ = w.file.Close() // given up anyway
		w.file = nil
	}
	if !w.done {
		w.done = true
		_ = w.place.fs.Remove(w.name + tmp)
	}
}
