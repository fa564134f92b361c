// Package sqltest runs whole SQL scripts through the engine in one process and virtual time:
// a source whose lines a test releases one by one, a transactional sink that remembers what
// was committed, and a driver that runs a case straight, killed and restored, and rescaled.
// Only tests use it.
package sqltest

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/connectors/format/csv"
	"github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/connectors/format/raw"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// feed is a connector called 'filesystem' whose files are lines that a driver releases.
type feed struct {
	formats format.Set
	dir     string // ${DIR}

	mu    sync.Mutex
	files map[string]*file
}

// file is one input: its lines and how many of them may be read.
type file struct {
	name     string
	lines    [][]byte
	released int
	ended    bool // no more will be released: the end may be told
	wake     chan struct{}
}

func newFeed(formats format.Set, dir string) *feed {
	return &feed{formats: formats, dir: dir, files: map[string]*file{}}
}

// open loads the file of a table once.
func (f *feed) open(path string) (*file, error) {
	name := filepath.Base(path)
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.files[name]; x != nil {
		return x, nil
	}
	b, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		return nil, err
	}
	x := &file{name: name, wake: make(chan struct{})}
	for line := range strings.Lines(string(b)) {
		x.lines = append(x.lines, []byte(strings.TrimSuffix(line, "\n")))
	}
	f.files[name] = x
	return x, nil
}

// release lets one more line of a file through; false when there is none.
func (f *feed) release(name string, n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.files[name]
	if x == nil || x.released == len(x.lines) {
		return false
	}
	x.released = min(x.released+n, len(x.lines))
	close(x.wake)
	x.wake = make(chan struct{})
	return true
}

// end lets the end of a file be seen.
func (f *feed) end(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.files[name]; x != nil {
		x.released, x.ended = len(x.lines), true
		close(x.wake)
		x.wake = make(chan struct{})
	}
}

func (f *feed) Name() string { return "filesystem" }
func (f *feed) Doc() string  { return "lines that a test releases" }

func (f *feed) Options(connectors.Table) []connectors.OptionDef {
	defs := []connectors.OptionDef{{Key: "connector", Type: "String"}, {Key: "path", Type: "String", Required: true}, {Key: "format", Type: "String"},
		{Key: "changes", Type: "String"}, {Key: "source.monitor-interval", Type: "Duration"}}
	for _, x := range f.formats {
		defs = append(defs, format.Options("", x)...)
	}
	return defs
}

func (f *feed) SourceInfo(t connectors.Table) (connectors.SourceInfo, error) {
	if _, err := f.formats.Lookup("format", t.Options["format"]); err != nil {
		return connectors.SourceInfo{}, err
	}
	return connectors.SourceInfo{Bounded: true, Identity: "feed:" + filepath.Base(t.Options["path"])}, nil
}

func (f *feed) SinkInfo(connectors.Table) (connectors.SinkInfo, error) {
	return connectors.SinkInfo{}, errors.New("write to 'golden'")
}

func (f *feed) Sink(context.Context, connectors.Table, connectors.Env) (exec.Sink, error) {
	return nil, errors.New("write to 'golden'")
}

func (f *feed) Source(_ context.Context, t connectors.Table, projection []int, env connectors.Env) (exec.Source, error) {
	x, err := f.open(t.Options["path"])
	if err != nil {
		return nil, err
	}
	fm, err := f.formats.Lookup("format", t.Options["format"])
	if err != nil {
		return nil, err
	}
	return &feedSource{feed: f, file: x, mk: func() (format.Decoder, error) {
		return fm.NewDecoder(t.Physical, projection, t.Options.Under(t.Options["format"]+"."), env)
	}}, nil
}

type feedSource struct {
	feed *feed
	file *file
	mk   func() (format.Decoder, error)
}

func (s *feedSource) Enumerate(context.Context) ([]exec.Split, error) {
	return []exec.Split{{ID: s.file.name, Position: []byte("0")}}, nil
}
func (s *feedSource) Discovered(sp exec.Split) exec.Split { return sp }
func (s *feedSource) DiscoverEvery() time.Duration        { return 0 }
func (s *feedSource) Bounded() bool                       { return true }
func (s *feedSource) Close() error                        { return nil }

func (s *feedSource) Reader(context.Context, int, exec.ConnEnv) (exec.Reader, error) {
	d, err := s.mk()
	return &feedReader{source: s, decoder: d}, err
}

type feedReader struct {
	source  *feedSource
	decoder format.Decoder
	mine    bool
	next    int
}

func (r *feedReader) Assign(splits []exec.Split) error {
	for _, s := range splits {
		n, err := strconv.Atoi(string(s.Position))
		if err != nil {
			return err
		}
		r.mine, r.next = true, n
	}
	return nil
}

// Read returns one line at a time, as soon as it is released.
func (r *feedReader) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	b.Reset()
	if !r.mine {
		return exec.ReadEnd, nil
	}
	f, x := r.source.feed, r.source.file
	f.mu.Lock()
	released, ended, wake := x.released, x.ended, x.wake
	f.mu.Unlock()
	if r.next < released {
		line := x.lines[r.next]
		r.next++
		switch err := r.decoder.Decode(line, b.Cols); {
		case errors.Is(err, format.ErrIgnored), errors.Is(err, format.ErrNoRow):
			return exec.ReadRows, nil
		case err != nil:
			return 0, exec.Userf("%s line %d: %w", x.name, r.next, err)
		}
		for len(b.Cols) > 0 && b.N < b.Cols[0].N {
			b.AddKind(vec.Insert)
		}
		if len(b.Cols) == 0 {
			b.AddKind(vec.Insert)
		}
		return exec.ReadRows, nil
	}
	if ended {
		return exec.ReadEnd, nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-wake:
	case <-t.C:
	case <-ctx.Done():
	}
	return exec.ReadIdle, nil
}

func (r *feedReader) Positions() ([]exec.Split, error) {
	if !r.mine {
		return nil, nil
	}
	return []exec.Split{{ID: r.source.file.name, Position: []byte(strconv.Itoa(r.next))}}, nil
}

func (r *feedReader) Ended(int) bool {
	r.source.feed.mu.Lock()
	defer r.source.feed.mu.Unlock()
	return r.source.file.ended && r.next == len(r.source.file.lines)
}

func (r *feedReader) Committed(state.Epoch, []exec.Split) {}
func (r *feedReader) Lag() int64                          { return int64(len(r.source.file.lines) - r.next) }
func (r *feedReader) Close() error                        { return nil }

// Feed is the connector 'filesystem' of this package for tests that drive jobs themselves. It outlives
// them, so that a restored job goes on in its files.
type Feed struct{ *feed }

// NewFeed makes one whose files lie in dir.
func NewFeed(dir string) Feed {
	return Feed{newFeed(format.Set{json.New(), csv.New(), raw.New()}, dir)}
}

// Release lets up to n more lines of a file through that a table has opened.
func (f Feed) Release(name string, n int) { f.release(name, n) }

// End lets all lines and the end of every opened file be seen.
func (f Feed) End() {
	f.mu.Lock()
	names := slices.Sorted(maps.Keys(f.files))
	f.mu.Unlock()
	for _, n := range names {
		f.end(n)
	}
}
