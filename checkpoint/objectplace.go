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

// key checks that a name is a base name.
func (p *objectPlace) key(name string) (string, error) {
	if name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("%s: %.80q is no name of a file in it", p.location, name)
	}
	return name, nil
}

func (p *objectPlace) Create(name string) (state.FileWriter, error) {
	key, err := p.key(name)
	if err != nil {
		return nil, err
	}
	w, err := p.objects.Create(key)
	if err != nil {
		return nil, err
	}
	return &objectFile{w: w, name: p.location + "/" + key, failPoint: func(string) {}}, nil
}

func (p *objectPlace) Open(name string) (state.FileReader, error) {
	key, err := p.key(name)
	if err != nil {
		return nil, err
	}
	return p.objects.Open(key)
}

func (p *objectPlace) Remove(name string) error {
	key, err := p.key(name)
	if err != nil {
		return err
	}
	return p.objects.Remove(key)
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
		if err := p.objects.Remove(n); err != nil {
			return err
		}
	}
	return p.objects.AbortUploads("")
}

func (p *objectPlace) Location() string { return p.location }
func (p *objectPlace) Close() error     { return p.objects.Close() }
