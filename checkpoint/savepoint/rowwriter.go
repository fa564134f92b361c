package savepoint

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/apache/arrow/go/v17/arrow/ipc"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// A record batch is closed when it has this many rows, or this many bytes of keys and values.
const (
	batchRows  = 4096
	batchBytes = 4 << 20
)

// endOfStream ends the messages of a file. Arrow's Go writer leaves it out; with it a file can
// be read from front to back, which is how this package checks its checksum in one pass.
var endOfStream = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errWider ends the writing of a file that needs more columns than it has.
type errWider struct{ need wide }

func (errWider) Error() string { return "the file needs other columns" }

// counter counts and sums what is written; Seek only tells the position, which is all that
// the Arrow writer asks.
type counter struct {
	w   io.Writer
	n   int64
	crc uint32
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.crc = crc32.Update(c.crc, castagnoli, b[:n])
	return n, err
}

func (c *counter) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errors.New("seek in a file that is written front to back")
	}
	return c.n, nil
}

// writeRows writes the entries of r as a file of a shape and returns its description. The file
// is durable then, or not there.
func (w *writer) writeRows(ctx context.Context, name, uid string, s *shape, r checkpoint.Records) (checkpoint.RowFile, error) {
	fw, err := w.create(name)
	if err != nil {
		return checkpoint.RowFile{}, err
	}
	defer fw.Abort()
	f, err := w.rows(ctx, fw, s, r)
	if err == nil {
		err = fw.Commit()
	}
	if err != nil {
		return checkpoint.RowFile{}, err
	}
	f.Name, f.UID, f.Table = name, uid, s.table.ID
	return f, nil
}

func (w *writer) rows(ctx context.Context, fw state.FileWriter, s *shape, r checkpoint.Records) (checkpoint.RowFile, error) {
	buf := bufio.NewWriterSize(fw, 1<<20)
	out := &counter{w: buf}
	aw, err := ipc.NewFileWriter(out, ipc.WithSchema(s.schema))
	if err != nil {
		return checkpoint.RowFile{}, err
	}
	e := newEncoder(s)
	defer e.release()
	var f checkpoint.RowFile
	flush := func() error {
		n := int64(e.rows)
		rec := e.take()
		defer rec.Release()
		if err := aw.Write(rec); err != nil {
			return err
		}
		f.Rows += n
		w.progress(n, out.n)
		return ctx.Err()
	}
	for r.Next() {
		if need := e.add(r); need != s.wide {
			return f, errWider{need}
		}
		if e.rows == batchRows || e.bytes >= batchBytes {
			if err := flush(); err != nil {
				return f, err
			}
			w.failPoint(PointMidFile)
		}
	}
	if err := r.Err(); err != nil {
		return f, err
	}
	if e.rows > 0 {
		if err := flush(); err != nil {
			return f, err
		}
	}
	if _, err := out.Write(endOfStream); err != nil {
		return f, err
	}
	if err := aw.Close(); err != nil {
		return f, fmt.Errorf("end of the file: %w", err)
	}
	if err := buf.Flush(); err != nil {
		return f, err
	}
	f.Size, f.CRC32C = out.n, out.crc
	return f, nil
}
