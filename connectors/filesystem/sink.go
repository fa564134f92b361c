package filesystem

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// sink writes parts. A part is one file: hidden while rows are added, sealed by a barrier,
// and renamed to its name by the committer when the checkpoint is complete. So a folder
// never shows a row that a restored job will write again.
type sink struct {
	*config
	env       connectors.Env
	committer *committer
}

func newSink(cfg *config, env connectors.Env) (*sink, error) {
	if env.Committers == nil {
		return nil, fmt.Errorf("table %s: internal error: no committers to take part in checkpoints", cfg.table.Name)
	}
	c, err := env.Committers(committerName(cfg.path), func() (exec.Committer, error) {
		return newCommitter(cfg.path, env), nil
	})
	if err != nil {
		return nil, err
	}
	own, ok := c.(*committer)
	if !ok {
		return nil, fmt.Errorf("table %s: internal error: committer '%s' is of another kind, %T", cfg.table.Name, committerName(cfg.path), c)
	}
	return &sink{config: cfg, env: env, committer: own}, nil
}

// Writer implements exec.Sink.
func (s *sink) Writer(_ context.Context, subtask int, env exec.ConnEnv) (exec.Writer, error) {
	connEnv := s.env
	connEnv.ConnEnv = env
	e, err := s.format.NewEncoder(s.table.Physical, s.options, connEnv)
	if err != nil {
		return nil, err
	}
	root, err := s.committer.dir()
	if err != nil {
		return nil, err
	}
	var unique [6]byte
	if _, err := rand.Read(unique[:]); err != nil {
		return nil, err
	}
	return &writer{
		sink: s, root: root, encoder: e, metrics: env.Metrics,
		name: fmt.Sprintf("%s%s-%d-", s.committer.partPrefix(), hex.EncodeToString(unique[:]), subtask),
	}, nil
}

func (s *sink) Close() error { return nil }

// writer adds rows to the part in progress.
type writer struct {
	*sink
	root    *os.Root
	encoder format.Encoder
	metrics *exec.Metrics
	name    string // of parts, up to their number
	parts   int

	file *os.File // in progress; nil: none
	part string
	out  *bufio.Writer
	size int64
	full []string // ended before the barrier by their size
	buf  []byte
}

// Write implements exec.Writer.
func (w *writer) Write(_ context.Context, b *vec.Batch) error {
	var written int64
	for i := range b.Len() {
		row := b.Row(i)
		if k := b.Kind(row); k != vec.Insert && k != vec.UpdateAfter {
			return fmt.Errorf("table %s: internal error: a file cannot take a row of kind %s", w.table.Name, vec.KindText(k))
		}
		var err error
		if w.buf, err = w.encoder.Encode(w.buf[:0], b, row); err != nil {
			return err
		}
		w.buf = append(w.buf, '\n')
		if err := w.open(); err != nil {
			return err
		}
		if _, err := w.out.Write(w.buf); err != nil {
			return w.failed("writing", err)
		}
		w.size += int64(len(w.buf))
		written += int64(len(w.buf))
		if w.size >= w.maxSize {
			if err := w.end(); err != nil {
				return err
			}
		}
	}
	if w.metrics != nil {
		w.metrics.BytesOut.Add(written)
	}
	return nil
}

// open makes the part in progress unless there is one.
func (w *writer) open() error {
	if w.file != nil {
		return nil
	}
	w.part = fmt.Sprintf("%s%d", w.name, w.parts)
	f, err := w.root.OpenFile(inProgress(w.part), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return w.failed("creating", err)
	}
	w.parts++
	w.file, w.size = f, 0
	if w.out == nil {
		w.out = bufio.NewWriterSize(f, bufferSize)
	} else {
		w.out.Reset(f)
	}
	return nil
}

// end makes the part in progress durable and closes it.
func (w *writer) end() error {
	if w.file == nil {
		return nil
	}
	if err := w.out.Flush(); err != nil {
		return w.failed("writing", err)
	}
	if err := w.file.Sync(); err != nil {
		return w.failed("syncing", err)
	}
	err := w.file.Close()
	w.file = nil
	if err != nil {
		return w.failed("closing", err)
	}
	w.full = append(w.full, w.part)
	return nil
}

func (w *writer) failed(doing string, err error) error {
	return exec.Externalf("table %s: %s '%s' in '%s': %w", w.table.Name, doing, inProgress(w.part), w.path, err)
}

// Barrier implements exec.Writer. Rows after it go to a new part, so nothing has to be kept
// back: a part of a failed checkpoint is committed with the next one.
func (w *writer) Barrier(_ context.Context, e state.Epoch) error {
	if err := w.end(); err != nil {
		return err
	}
	if len(w.full) > 0 {
		if err := syncDir(w.root); err != nil {
			return w.failed("syncing the folder of", err)
		}
		w.committer.seal(e, w.full)
		w.full = nil
	}
	return nil
}

// Close implements exec.Writer. Rows without a barrier will be written again after a restore;
// their files go, or the next recovery removes them.
func (w *writer) Close() error {
	var first error
	if w.file != nil {
		first = w.file.Close()
		w.full = append(w.full, w.part)
		w.file = nil
	}
	for _, part := range w.full {
		if err := w.root.Remove(inProgress(part)); err != nil && first == nil && !os.IsNotExist(err) {
			first = err
		}
	}
	w.full = nil
	return first
}

// syncDir makes renames and new files in the folder durable.
func syncDir(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	err = d.Sync()
	if err2 := d.Close(); err == nil {
		err = err2
	}
	return err
}

// exists reports whether the folder has a file called name.
func exists(root *os.Root, name string) (bool, error) {
	_, err := root.Lstat(name)
	if err == nil {
		return true, nil
	}
	if os.IsNotExist(err) {
		return false, nil
	}
	return false, &fs.PathError{Op: "stat", Path: name, Err: err}
}
