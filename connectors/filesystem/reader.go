package filesystem

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

const (
	bufferSize    = 256 << 10
	maxRecordSize = 64 << 20
	// maxBatchBytes bounds the records of a batch.
	maxBatchBytes = 1 << 20
)

func expected(t types.Type, known bool) string {
	if known {
		return ", expected " + t.Nullable().String()
	}
	return ", there are file.path, file.name, file.size and file.modification-time"
}

// metaColumn is a metadata column of the batch.
type metaColumn struct {
	at  int
	key string
}

// reader reads its files one after another.
type reader struct {
	*source
	env      exec.ConnEnv
	decoder  format.Decoder
	physical []int     // columns of the batch that the decoder fills, in its order
	cols     []vec.Vec // those columns while a batch is filled
	meta     []metaColumn
	splits   []progress
	current  int // in splits

	file *os.File // of the current split, nil when it is not open
	info os.FileInfo
	buf  []byte // of the file; buf[from:to] is not decoded yet and begins at the split's offset
	from int
	to   int
}

type progress struct {
	path string
	position
}

// Assign implements exec.Reader.
func (r *reader) Assign(splits []exec.Split) error {
	for _, sp := range splits {
		var p position
		if err := json.Unmarshal(sp.Position, &p); err != nil || p.Offset < 0 {
			return fmt.Errorf("position %q of file '%s': expected an offset and an end", sp.Position, sp.ID)
		}
		r.splits = append(r.splits, progress{sp.ID, p})
	}
	return nil
}

// Read implements exec.Reader.
func (r *reader) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	b.Reset()
	for r.current < len(r.splits) && r.Ended(r.current) {
		r.close()
		r.current++
	}
	if r.current == len(r.splits) {
		if r.Bounded() {
			return exec.ReadEnd, nil
		}
		return exec.ReadIdle, r.sleep(ctx, wait)
	}
	b.Split = r.current
	err := r.fill(b)
	if err == nil {
		r.addMetadata(b)
	}
	return exec.ReadRows, err
}

func (r *reader) sleep(ctx context.Context, d time.Duration) error {
	clock := r.env.Clock
	if clock == nil {
		clock = exec.SystemClock{}
	}
	t := clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fill decodes records of the current file into b.
func (r *reader) fill(b *vec.Batch) error {
	s := &r.splits[r.current]
	if r.file == nil {
		if err := r.open(s); err != nil {
			return err
		}
	}
	r.cols = r.cols[:0]
	for _, i := range r.physical {
		r.cols = append(r.cols, b.Cols[i])
	}
	defer func() {
		for k, i := range r.physical {
			b.Cols[i] = r.cols[k]
		}
	}()
	start := s.Offset
	for b.N < vec.MaxRows && s.Offset-start < maxBatchBytes && s.Offset < s.End {
		n, record, err := r.next(s)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		switch err := r.decoder.Decode(record, r.cols); {
		case err == nil:
			b.N++
		case errors.Is(err, format.ErrNoRow):
		case errors.Is(err, format.ErrIgnored):
			r.bad()
		default:
			if bad, ok := errors.AsType[*format.BadRecord](err); !ok || !r.skipBad {
				if ok {
					return exec.Userf("table %s: file '%s', record at byte %d: %w; to go on without such records set '%s' = 'skip'", r.table.Name, s.path, s.Offset, bad, optBad)
				}
				return fmt.Errorf("table %s: file '%s', record at byte %d: %w", r.table.Name, s.path, s.Offset, err)
			}
			r.bad()
		}
		r.from += n
		s.Offset += int64(n)
	}
	if m := r.env.Metrics; m != nil {
		m.BytesIn.Add(s.Offset - start)
	}
	return nil
}

func (r *reader) bad() {
	if m := r.env.Metrics; m != nil {
		m.BadRows.Add(1)
	}
}

func (r *reader) open(s *progress) error {
	f, err := os.Open(s.path)
	if err != nil {
		return exec.Userf("table %s: %w; the file was there when it was found", r.table.Name, err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() < s.Offset {
		err = exec.Userf("table %s: file '%s' has %d bytes now, the checkpoint wants to read on at %d: it was changed; restore it, or start without the checkpoint", r.table.Name, s.path, info.Size(), s.Offset)
	}
	if err == nil {
		_, err = f.Seek(s.Offset, io.SeekStart)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.End = min(s.End, info.Size())
	r.file, r.info, r.from, r.to = f, info, 0, 0
	if r.buf == nil {
		r.buf = make([]byte, bufferSize)
	}
	if s.Offset == 0 && r.format.Name() != "raw" {
		return r.skipBOM(s)
	}
	return nil
}

// skipBOM leaves out a byte order mark at the start of a text file.
func (r *reader) skipBOM(s *progress) error {
	if err := r.more(s); err != nil {
		return err
	}
	if bytes.HasPrefix(r.buf[:r.to], []byte("\ufeff")) {
		r.from, s.Offset = 3, 3
	}
	return nil
}

// more reads on in the file; it makes room, and grows the buffer when a record fills it.
func (r *reader) more(s *progress) error {
	if r.from > 0 {
		r.to = copy(r.buf, r.buf[r.from:r.to])
		r.from = 0
	}
	if r.to == len(r.buf) {
		if len(r.buf) >= maxRecordSize {
			return exec.Userf("table %s: file '%s', byte %d: no end of the record within %d MiB", r.table.Name, s.path, s.Offset, maxRecordSize>>20)
		}
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	room := min(int64(len(r.buf)-r.to), s.End-s.Offset-int64(r.to))
	n, err := io.ReadFull(r.file, r.buf[r.to:r.to+int(room)])
	r.to += n
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return exec.Userf("table %s: file '%s' became shorter while it was read: %d bytes, expected %d", r.table.Name, s.path, s.Offset+int64(r.to), s.End)
	}
	if err != nil {
		return exec.Externalf("table %s: reading '%s' at byte %d: %w", r.table.Name, s.path, s.Offset+int64(r.to), err)
	}
	return nil
}

// next returns the next record and how many bytes it takes with its terminator.
func (r *reader) next(s *progress) (n int, record []byte, err error) {
	for {
		data := r.buf[r.from:r.to]
		atEOF := s.Offset+int64(len(data)) == s.End
		if n, record = r.split(data, atEOF); n > 0 || atEOF {
			return n, record, nil
		}
		if err := r.more(s); err != nil {
			return 0, nil, err
		}
	}
}

func (r *reader) split(data []byte, atEOF bool) (int, []byte) {
	if sp, ok := r.decoder.(format.Splitter); ok {
		return sp.Split(data, atEOF)
	}
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, bytes.TrimSuffix(data[:i], []byte{'\r'})
	}
	if atEOF {
		return len(data), data
	}
	return 0, nil
}

func (r *reader) addMetadata(b *vec.Batch) {
	path := r.splits[r.current].path
	for _, m := range r.meta {
		v := &b.Cols[m.at]
		for range b.N {
			switch m.key {
			case metaPath:
				v.AppendString(path)
			case metaName:
				v.AppendString(filepath.Base(path))
			case metaSize:
				vec.Append(v, r.info.Size())
			case metaMtime:
				vec.Append(v, r.info.ModTime().UnixMilli())
			}
		}
	}
}

// Positions implements exec.Reader.
func (r *reader) Positions() ([]exec.Split, error) {
	out := make([]exec.Split, len(r.splits))
	for i, s := range r.splits {
		out[i] = exec.Split{ID: s.path, Position: s.position.encode()}
	}
	return out, nil
}

// Ended implements exec.Reader.
func (r *reader) Ended(split int) bool {
	s := r.splits[split]
	return s.Offset >= s.End
}

// Committed implements exec.Reader.
func (r *reader) Committed(state.Epoch, []exec.Split) {}

// Lag implements exec.Reader; rows are not known before they are read.
func (r *reader) Lag() int64 { return -1 }

// Close implements exec.Reader.
func (r *reader) Close() error { return r.close() }

func (r *reader) close() (err error) {
	if r.file != nil {
		err = r.file.Close()
		r.file = nil
	}
	return err
}
