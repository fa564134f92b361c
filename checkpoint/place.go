package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/sqlstream/sqlstream/state"
)

// placeName is what names of files in a Place look like: base names that need no quoting
// anywhere and are no hidden files.
var placeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// CheckPlaceName refuses what is no name of a file in a Place. Names that end in .tmp are of
// files that are being written.
func CheckPlaceName(name string) error {
	if !placeName.MatchString(name) || len(name) > maxPlaceName || strings.HasSuffix(name, tmp) {
		return fmt.Errorf("%.80q is no file name here; expected up to %d letters, digits, dots, dashes and underscores, a letter or digit first, not .tmp at the end", name, maxPlaceName)
	}
	return nil
}

// maxPlaceName leaves room for .tmp in the 255 bytes of file systems.
const maxPlaceName = 250

// OpenPlace opens a directory of the local file system (or what is mounted there). It need not
// exist: the first Create makes it (0700), and its parents.
func OpenPlace(dir string) (Place, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("directory %s: %w", dir, err)
	}
	p := &localPlace{durable: durable{what: "directory", location: abs, failPoint: func(string) {}}}
	if err := p.open(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return p, nil
}

// localPlace is a Place in a directory. Its methods may be called from several goroutines.
type localPlace struct {
	mu      sync.Mutex // of fs, which is nil until the directory exists
	durable            // what its methods need is there once open or make returned nil
}

// open opens the directory; fs.ErrNotExist when there is none.
func (p *localPlace) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.openLocked()
}

func (p *localPlace) openLocked() error {
	if p.fs != nil {
		return nil
	}
	r, err := os.OpenRoot(p.location)
	if err != nil {
		return p.wrap(err)
	}
	p.fs = osFS{r}
	return nil
}

// make opens the directory and makes it, durably, when it is missing.
func (p *localPlace) make() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.openLocked()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parents := []string{}
	for d := p.location; ; {
		up := filepath.Dir(d)
		parents = append(parents, up)
		if _, err := os.Stat(up); err == nil || up == d {
			break
		}
		d = up
	}
	if err := os.MkdirAll(p.location, 0o700); err != nil {
		return p.wrap(err)
	}
	for _, dir := range parents {
		if err := syncPath(dir); err != nil {
			return p.wrap(err)
		}
	}
	return p.openLocked()
}

func syncPath(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(syncDir(d), d.Close())
}

func (p *localPlace) Create(name string) (state.FileWriter, error) {
	if err := CheckPlaceName(name); err != nil {
		return nil, p.wrap(err)
	}
	if err := p.make(); err != nil {
		return nil, err
	}
	return p.create(name, "")
}

func (p *localPlace) Open(name string) (state.FileReader, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	return p.openIn(name)
}

func (p *localPlace) Remove(name string) error {
	if err := CheckPlaceName(name); err != nil {
		return p.wrap(err)
	}
	if err := p.open(); err != nil {
		return missing(err)
	}
	return p.remove(name)
}

func (p *localPlace) Names() ([]string, error) {
	if err := p.open(); err != nil {
		return nil, missing(err)
	}
	return p.namesIn()
}

// Delete removes the files, those that were being written included, and the directory if nothing
// else is in it.
func (p *localPlace) Delete() error {
	if err := p.open(); err != nil {
		return missing(err)
	}
	left, err := p.empty()
	if err != nil {
		return missing(err)
	}
	if left {
		return p.wrap(p.fs.SyncDir("."))
	}
	if err := p.Close(); err != nil {
		return err
	}
	if err := os.Remove(p.location); err != nil {
		return missing(p.wrap(err))
	}
	return p.wrap(syncPath(filepath.Dir(p.location)))
}

func (p *localPlace) Location() string { return p.location }

// Close ends the use; a later call of another method opens the directory again.
func (p *localPlace) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fs == nil {
		return nil
	}
	err := p.wrap(p.fs.Close())
	p.fs = nil
	return err
}

// missing makes nothing of what is not there.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
