package savepoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// dataName is what names of files of state look like in a savepoint.
var dataName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*\.(arrow|stf)$`)

// Source is what a savepoint is made of: a manifest, whose output is committed (a savepoint
// holds no transactions, so that it can be restored any time later, by another job), and its
// keyed state.
type Source struct {
	Manifest *checkpoint.Manifest
	// Content is the state. It stays the caller's, who closes it.
	Content checkpoint.Content
	// Files, where Content is nil, is where the state files lie that the manifest lists.
	Files state.Files
}

// Options say how a savepoint is written.
type Options struct {
	Layout string // checkpoint.Canonical or checkpoint.Native
	Now    time.Time
	// Keep, when not nil, says which tables go into the savepoint. A table that no operator
	// of the manifest has never does.
	Keep func(uid string, table uint8) bool
	// FailPoint, nil outside of tests, is called at Points.
	FailPoint func(name string)
	// Progress, when not nil, is called now and then with the rows and bytes written so far.
	Progress func(rows, bytes int64)
}

// The fail points of Write, in the order in which it passes them. The first comes in the middle
// of a file, if a file is that long.
const (
	PointMidFile        = "mid_savepoint_file"
	PointAfterFile      = "after_savepoint_file"
	PointBeforeManifest = "before_savepoint_manifest"
	PointAfterManifest  = "after_savepoint_manifest"
)

// Points are the names of the fail points of Write.
var Points = []string{PointMidFile, PointAfterFile, PointBeforeManifest, PointAfterManifest}

// Write writes a savepoint into an empty place and returns its manifest, which is durable then.
// After an error, or the end of ctx, there is no savepoint, and what was written is deleted as
// far as that is possible.
func Write(ctx context.Context, src Source, dst checkpoint.Place, opt Options) (*checkpoint.Manifest, error) {
	if err := wantEmpty(dst); err != nil {
		return nil, err
	}
	w := &writer{dst: dst, opt: opt, taken: map[string]bool{}}
	m, err := w.write(ctx, src)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("savepoint in %s: %w", dst.Location(), err), w.undo())
	}
	return m, nil
}

// wantEmpty refuses a place that holds anything.
func wantEmpty(p checkpoint.Place) error {
	names, err := p.Names()
	if err == nil && len(names) > 0 {
		slices.Sort(names)
		err = &fs.PathError{Op: "write a savepoint to", Path: p.Location(), Err: fmt.Errorf("it is not empty, it holds %s; a savepoint needs a directory of its own", names[0])}
	}
	return err
}

// writer writes one savepoint.
type writer struct {
	dst     checkpoint.Place
	opt     Options
	m       *checkpoint.Manifest
	created []string
	taken   map[string]bool // names of files, in lower case
	nrows   int64
	nbytes  int64 // of files that are complete
}

func (w *writer) failPoint(name string) {
	if w.opt.FailPoint != nil {
		w.opt.FailPoint(name)
	}
}

// progress tells of rows more, and of how much of the file at hand is written.
func (w *writer) progress(rows, bytes int64) {
	w.nrows += rows
	if w.opt.Progress != nil {
		w.opt.Progress(w.nrows, w.nbytes+bytes)
	}
}

func (w *writer) create(name string) (state.FileWriter, error) {
	fw, err := w.dst.Create(name)
	if err == nil {
		w.created = append(w.created, name)
	}
	return fw, err
}

func (w *writer) write(ctx context.Context, src Source) (*checkpoint.Manifest, error) {
	if rows, _ := src.Manifest.InFlight(); rows > 0 {
		return nil, fmt.Errorf("checkpoint %d has %d rows in flight, which a savepoint cannot hold: take one of the running job, "+
			"or run it once with 'execution.checkpointing.unaligned.enabled' = 'false'", src.Manifest.Epoch, rows)
	}
	m := *src.Manifest
	m.Kind, m.Layout, m.Created, m.Previous = checkpoint.Savepoint, w.opt.Layout, w.opt.Now.UTC(), 0
	m.Transactions, m.Files, m.Rows, m.Channels = nil, nil, nil, nil
	w.m = &m
	content := src.Content
	if content == nil {
		var err error
		if content, err = checkpoint.OpenFiles(src.Files, src.Manifest.Files, m.MaxParallelism); err != nil {
			return nil, err
		}
		defer content.Close()
	}
	var err error
	switch w.opt.Layout {
	case checkpoint.Canonical:
		err = w.canonical(ctx, content)
	case checkpoint.Native:
		err = w.native(ctx, content)
	default:
		err = fmt.Errorf("layout %.40q, expected %s or %s", w.opt.Layout, checkpoint.Canonical, checkpoint.Native)
	}
	if err != nil {
		return nil, err
	}
	return &m, w.publish(ctx)
}

// publish writes the manifest: from then on there is a savepoint.
func (w *writer) publish(ctx context.Context) error {
	b, err := checkpoint.EncodeSavepoint(w.m)
	if err != nil {
		return err
	}
	w.failPoint(PointBeforeManifest)
	if err := ctx.Err(); err != nil {
		return err
	}
	fw, err := w.create(ManifestName)
	if err != nil {
		return err
	}
	defer fw.Abort()
	if _, err := fw.Write(b); err != nil {
		return err
	}
	if err := fw.Commit(); err != nil {
		return err
	}
	w.failPoint(PointAfterManifest)
	return nil
}

// undo deletes what was written, the manifest first: it may be there even though its writer
// reported an error.
func (w *writer) undo() error {
	slices.Reverse(w.created)
	for _, n := range w.created {
		if err := w.dst.Remove(n); err != nil {
			return fmt.Errorf("delete what was written: %w", err)
		}
	}
	if names, err := w.dst.Names(); err != nil || len(names) > 0 {
		return err
	}
	return w.dst.Delete()
}

// tables calls fn for every table that is to be written and has entries.
func (w *writer) tables(content checkpoint.Content, list []tableRef, fn func(t tableRef, r checkpoint.Records) error) error {
	for _, t := range list {
		if w.opt.Keep != nil && !w.opt.Keep(t.op.UID, t.table.ID) {
			continue
		}
		r, err := content.Table(t.op.UID, t.table.ID)
		if err == nil && r != nil {
			err = fn(t, r)
		}
		if err != nil {
			return fmt.Errorf("operator %s (%s), table %q: %w", t.op.UID, t.op.Name, t.table.Name, err)
		}
	}
	return nil
}

type tableRef struct {
	op    *checkpoint.Operator
	table *checkpoint.Table
}

func (w *writer) list() []tableRef {
	var out []tableRef
	for i := range w.m.Operators {
		o := &w.m.Operators[i]
		for k := range o.Tables {
			out = append(out, tableRef{o, &o.Tables[k]})
		}
	}
	return out
}

func (w *writer) canonical(ctx context.Context, content checkpoint.Content) error {
	return w.tables(content, w.list(), func(t tableRef, r checkpoint.Records) error {
		name := w.fileName(t)
		var have wide
		for {
			s, err := newShape(w.m, t.op, t.table, have)
			if err != nil {
				return err
			}
			f, err := w.writeRows(ctx, name, t.op.UID, s, r)
			if wider, ok := errors.AsType[errWider](err); ok {
				// Rare, and known only now: begin again with the columns that are missing.
				have = wider.need
				if r, err = content.Table(t.op.UID, t.table.ID); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			if f.Rows == 0 {
				return w.dst.Remove(name)
			}
			w.nbytes += f.Size
			w.progress(0, 0)
			w.m.Rows = append(w.m.Rows, f)
			w.failPoint(PointAfterFile)
			return nil
		}
	})
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9]+`)

// fileName names the file of a table after its operator and table, for people, differently from
// all others, also where case does not count.
func (w *writer) fileName(t tableRef) string {
	fit := func(s string, n int) string {
		s = strings.Trim(unfit.ReplaceAllString(s, "-"), "-")
		return s[:min(n, len(s))]
	}
	base := strings.TrimLeft(fit(t.op.UID, 60)+"."+fit(t.table.Name, 60), ".")
	for n := 1; ; n++ {
		name := base
		if n > 1 || base == "" {
			name = fmt.Sprintf("%s-%d", fit(base, 120), n)
			name = strings.TrimLeft(name, "-")
		}
		if low := strings.ToLower(name); !w.taken[low] {
			w.taken[low] = true
			return name + ".arrow"
		}
	}
}

// native writes one full state file.
func (w *writer) native(ctx context.Context, content checkpoint.Content) error {
	list := w.list()
	slices.SortFunc(list, func(a, b tableRef) int {
		x, y := stf.IDOf(a.op.UID, a.table.ID), stf.IDOf(b.op.UID, b.table.ID)
		return bytes.Compare(x[:], y[:])
	})
	groups := state.Range{Hi: state.KeyGroup(w.m.MaxParallelism)}
	name := stf.NewName(w.m.Epoch, groups)
	fw, err := w.create(name)
	if err != nil {
		return err
	}
	defer fw.Abort()
	out := &countingWriter{FileWriter: fw}
	sw := stf.NewWriter(out, stf.Meta{Name: name, Kind: stf.Full, Range: groups, MinEpoch: w.m.Epoch, MaxEpoch: w.m.Epoch})
	any := false
	err = w.tables(content, list, func(t tableRef, r checkpoint.Records) error {
		any = true
		if err := sw.Table(t.op.UID, t.table.Name, t.table.ID); err != nil {
			return err
		}
		n := int64(0)
		for r.Next() {
			if err := sw.Put(r.Group(), r.Key(), r.Value(), r.Stamp()); err != nil {
				return err
			}
			if n++; n%batchRows == 0 {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				w.progress(batchRows, out.n)
				w.failPoint(PointMidFile)
			}
		}
		w.progress(n%batchRows, out.n)
		return r.Err()
	})
	if err != nil || !any {
		return err
	}
	f, err := sw.Finish()
	if err != nil {
		return err
	}
	w.nbytes += f.Size
	w.progress(0, 0)
	w.m.Files = append(w.m.Files, f)
	w.failPoint(PointAfterFile)
	return nil
}

// countingWriter counts what is written.
type countingWriter struct {
	state.FileWriter
	n int64
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.FileWriter.Write(b)
	w.n += int64(n)
	return n, err
}
