package checkpoint

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/sqlstream/sqlstream/state"
)

// NewPlace makes a place of a file system whose root is the place's directory, which the first
// Create makes. It takes f over.
func NewPlace(f FS, location string) Place {
	return &fsPlace{durable{fs: f, what: "directory", location: location, failPoint: func(string) {}}}
}

// fsPlace is a Place in an FS that can be asked for a directory that does not exist.
type fsPlace struct{ durable }

func (p *fsPlace) Create(name string) (state.FileWriter, error) {
	if err := CheckPlaceName(name); err != nil {
		return nil, p.wrap(err)
	}
	if err := p.fs.Mkdir("."); err != nil {
		return nil, p.wrap(err)
	}
	return p.create(name, "")
}

func (p *fsPlace) Open(name string) (state.FileReader, error) {
	if err := CheckPlaceName(name); err != nil {
		return nil, p.wrap(err)
	}
	r, err := p.fs.Open(name)
	return r, p.wrap(err)
}

func (p *fsPlace) Remove(name string) error {
	if err := CheckPlaceName(name); err != nil {
		return p.wrap(err)
	}
	return p.remove(name)
}

func (p *fsPlace) Names() ([]string, error) {
	names, err := p.fs.List(".")
	if err != nil {
		return nil, missing(p.wrap(err))
	}
	out := names[:0]
	for _, n := range names {
		if !strings.HasSuffix(n, tmp) {
			out = append(out, n)
		}
	}
	return out, nil
}

// Delete removes the files, those that were being written included, and the directory when
// nothing else is in it.
func (p *fsPlace) Delete() error {
	names, err := p.fs.List(".")
	if err != nil {
		return missing(p.wrap(err))
	}
	left := false
	for _, n := range names {
		if CheckPlaceName(strings.TrimSuffix(n, tmp)) != nil {
			left = true
			continue
		}
		r, err := p.fs.Open(n)
		if err != nil { // no regular file
			left = left || !errors.Is(err, fs.ErrNotExist)
			continue
		}
		if err := errors.Join(r.Close(), p.remove(n)); err != nil {
			return err
		}
	}
	if left {
		return nil
	}
	return p.remove(".")
}

func (p *fsPlace) Location() string { return p.location }
func (p *fsPlace) Close() error     { return p.fs.Close() }
