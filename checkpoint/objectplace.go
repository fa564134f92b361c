package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/state"
)

// objectPlace is a Place in an object store.
type objectPlace struct {
	objects  Objects
	location string
}

// NewObjectPlace makes a place of objects whose prefix is the place's.
func NewObjectPlace(o Objects, location string) Place { return &objectPlace{o, location} }

func (p *objectPlace) check(name string) error {
	if err := CheckPlaceName(name); err != nil {
		return fmt.Errorf("%s: %w", p.location, err)
	}
	return nil
}

func (p *objectPlace) Create(name string) (state.FileWriter, error) {
	if err := p.check(name); err != nil {
		return nil, err
	}
	w, err := p.objects.Create(name)
	if err != nil {
		return nil, err
	}
	return &objectFile{w: w, name: p.location + "/" + name, failPoint: func(string) {}}, nil
}

func (p *objectPlace) Open(name string) (state.FileReader, error) {
	if err := p.check(name); err != nil {
		return nil, err
	}
	return p.objects.Open(name)
}

func (p *objectPlace) Remove(name string) error {
	if err := p.check(name); err != nil {
		return err
	}
	return p.objects.Remove(name)
}

func (p *objectPlace) Names() ([]string, error) {
	names, err := p.objects.List("")
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, "/") }), err
}

// Delete removes the objects; a prefix is gone with its last one.
func (p *objectPlace) Delete() error {
	names, err := p.Names()
	if err != nil {
		return err
	}
	for _, n := range names {
		if CheckPlaceName(n) != nil {
			continue // of somebody else
		}
		if err := p.objects.Remove(n); err != nil {
			return err
		}
	}
	return p.objects.AbortUploads("")
}

func (p *objectPlace) Location() string { return p.location }
func (p *objectPlace) Close() error     { return p.objects.Close() }
