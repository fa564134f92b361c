package checkpoint

import (
	"errors"
	"io/fs"
	"slices"
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

func (p *fsPlace) Open(name string) (state.FileReader, error) { return p.openIn(name) }

func (p *fsPlace) Remove(name string) error {
	if err := CheckPlaceName(name); err != nil {
		return p.wrap(err)
	}
	return p.remove(name)
}

func (p *fsPlace) Names() ([]string, error) { return p.namesIn() }

func (p *fsPlace) Delete() error {
	left, err := p.empty()
	if left || err != nil {
		return missing(err)
	}
	return p.remove(".")
}

func (p *fsPlace) Location() string { return p.location }
func (p *fsPlace) Close() error     { return p.fs.Close() }

// openIn opens a file of the place that d's file system is the directory of.
func (d *durable) openIn(name string) (state.FileReader, error) {
	if err := CheckPlaceName(name); err != nil {
		return nil, d.wrap(err)
	}
	r, err := d.fs.Open(name)
	return r, d.wrap(err)
}

// namesIn lists its files, without those that are being written.
func (d *durable) namesIn() ([]string, error) {
	names, err := d.fs.List(".")
	if err != nil {
		return nil, missing(d.wrap(err))
	}
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, tmp) }), nil
}

// empty removes its files, those that were being written included, and reports whether anything
// else is left: what cannot be a file of a Place (hidden files, directories) stays.
func (d *durable) empty() (left bool, err error) {
	names, err := d.fs.List(".")
	if err != nil {
		return false, d.wrap(err)
	}
	for _, n := range names {
		if CheckPlaceName(strings.TrimSuffix(n, tmp)) != nil {
			left = true
			continue
		}
		r, err := d.fs.Open(n)
		if err != nil { // no regular file
			left = left || !errors.Is(err, fs.ErrNotExist)
			continue
		}
		if err := errors.Join(r.Close(), d.remove(n)); err != nil {
			return left, err
		}
	}
	return left, nil
}
