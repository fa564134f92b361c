package savepoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// Open opens the state of a savepoint of either layout. Files are checked as they are read:
// the walk over a table ends with an error if the file's length, checksum, order or number of
// rows is not what the manifest says.
func Open(place checkpoint.Place, m *checkpoint.Manifest) (checkpoint.Content, error) {
	if m.Layout == checkpoint.Native {
		return checkpoint.OpenFiles(place, m.Files, m.MaxParallelism)
	}
	return &content{place: place, m: m}, nil
}

// content is a Content of canonical files.
type content struct {
	place checkpoint.Place
	m     *checkpoint.Manifest
	open  *rows
}

func (c *content) Table(uid string, id uint8) (checkpoint.Records, error) {
	for _, f := range c.m.Rows {
		if f.UID == uid && f.Table == id {
			if err := c.Close(); err != nil {
				return nil, err
			}
			r, err := openRows(c.place, c.m, f)
			if err != nil {
				return nil, err
			}
			c.open = r
			return r, nil
		}
	}
	return nil, nil
}

func (c *content) Close() error {
	if c.open == nil {
		return nil
	}
	r := c.open
	c.open = nil
	return r.close()
}

// rows walks the entries of a canonical file.
type rows struct {
	f    checkpoint.RowFile
	m    *checkpoint.Manifest
	file state.FileReader
	r    *ipc.Reader
	d    decoder

	frames   *frames
	messages *messages

	n, at int   // rows of the record at hand, the next of them
	count int64 // rows so far

	group      state.KeyGroup
	key, value []byte
	stamp      int64
	last       []byte // the key before
	err        error
	ended      bool
}

func openRows(place checkpoint.Place, m *checkpoint.Manifest, f checkpoint.RowFile) (*rows, error) {
	t := m.Table(f.UID, f.Table)
	if t == nil {
		return nil, fmt.Errorf("%s: %w: the plan has no table %d of operator %s", f.Name, checkpoint.ErrCorrupt, f.Table, f.UID)
	}
	file, err := place.Open(f.Name)
	if err != nil {
		return nil, err
	}
	r := &rows{f: f, m: m, file: file}
	if err := r.start(t); err != nil {
		return nil, errors.Join(fmt.Errorf("savepoint in %s: %w", place.Location(), err), file.Close())
	}
	return r, nil
}

func (r *rows) start(t *checkpoint.Table) (err error) {
	if r.frames, err = newFrames(r.file, r.f); err != nil {
		return err
	}
	r.messages = &messages{f: r.frames}
	if r.r, err = ipc.NewReaderFromMessageReader(r.messages); err != nil {
		if r.messages.err == io.EOF {
			return r.frames.bad("it has no schema")
		}
		return r.wrap(err)
	}
	got := r.r.Schema()
	var w wide
	for _, f := range got.Fields() {
		switch f.Name {
		case stampColumn:
			w.stamp = true
		case rawKeyColumn:
			w.rawKey = true
		case rawValColumn:
			w.rawValue = true
		}
	}
	s, err := newShape(r.m, r.m.Operator(r.f.UID), t, w)
	if err != nil {
		return r.frames.bad("%v", err)
	}
	if err := r.checkSchema(got, s.schema); err != nil {
		return err
	}
	r.d, r.frames.parts = decoder{s: s}, batchParts{}
	for _, f := range s.schema.Fields() {
		p := partsOf(f.Type)
		r.frames.parts.nodes += p.nodes
		r.frames.parts.buffers += p.buffers
	}
	return nil
}

// checkSchema compares names and types. Metadata are for people.
func (r *rows) checkSchema(got, want *arrow.Schema) error {
	if got.NumFields() != want.NumFields() {
		return r.frames.bad("it has %d columns, the table in the manifest makes %d", got.NumFields(), want.NumFields())
	}
	for i, w := range want.Fields() {
		if g := got.Field(i); g.Name != w.Name || !arrow.TypeEqual(g.Type, w.Type) {
			return r.frames.bad("its column %d is %q of type %s, the table in the manifest makes %q of type %s", i, g.Name, g.Type, w.Name, w.Type)
		}
	}
	return nil
}

// wrap tells errors of reading the file from those of making sense of it.
func (r *rows) wrap(err error) error {
	if r.messages.err != nil {
		return r.messages.err
	}
	return r.frames.bad("after row %d: %v", r.count, err)
}

func (r *rows) close() error {
	if r.r != nil {
		r.r.Release()
		r.r = nil
	}
	return r.file.Close()
}

func (r *rows) Group() state.KeyGroup { return r.group }
func (r *rows) Key() []byte           { return r.key }
func (r *rows) Value() []byte         { return r.value }
func (r *rows) Stamp() int64          { return r.stamp }
func (r *rows) Err() error            { return r.err }

func (r *rows) Next() (ok bool) {
	if r.err != nil || r.ended {
		return false
	}
	defer func() {
		// Arrays of a damaged record may point outside of their buffers.
		if p := recover(); p != nil {
			r.err, ok = r.frames.bad("row %d makes no sense: %v", r.count, p), false
		}
	}()
	for r.at == r.n {
		if !r.load() {
			return false
		}
	}
	if r.err = r.decode(); r.err != nil {
		return false
	}
	r.at++
	r.count++
	return true
}

// load reads the next record batch.
func (r *rows) load() bool {
	rec, err := r.r.Read()
	switch {
	case errors.Is(err, io.EOF):
		r.ended = true
		if r.count != r.f.Rows {
			r.err = r.frames.bad("it has %d rows, the manifest says %d", r.count, r.f.Rows)
		}
		return false
	case err != nil:
		r.err = r.wrap(err)
		return false
	}
	r.n, r.at = int(rec.NumRows()), 0
	for i, c := range rec.Columns() {
		if c.Len() != r.n {
			r.err = r.frames.bad("column %d of a record batch has %d rows, expected %d", i, c.Len(), r.n)
			return false
		}
	}
	r.d.load(rec)
	return true
}

func (r *rows) decode() error {
	first := r.count == 0
	last := r.group
	r.last = append(r.last[:0], r.key...)
	var err error
	if r.group, r.key, r.value, r.stamp, err = r.d.row(r.at); err != nil {
		return fmt.Errorf("%s: %w", r.f.Name, err)
	}
	if int(r.group) >= r.m.MaxParallelism {
		return r.frames.bad("row %d has key group %d of %d", r.count, r.group, r.m.MaxParallelism)
	}
	if !first && (r.group < last || r.group == last && bytes.Compare(r.key, r.last) <= 0) {
		return r.frames.bad("row %d is not behind the row before it in the order of key group, then key", r.count)
	}
	return nil
}
