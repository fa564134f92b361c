package savepoint

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// The frame of an Arrow IPC file; see https://arrow.apache.org/docs/format/Columnar.html.
const (
	arrowMagic   = "ARROW1"
	arrowStart   = arrowMagic + "\x00\x00"
	maxMessage   = 64 << 20 // metadata of one message
	maxBatchRows = 1 << 20

	headerSchema = 1 // of Message.header_type
	headerBatch  = 3
)

// frames reads the messages of an Arrow file from front to back, sums what it reads, and
// checks every length against the file before anything is allocated for it: Arrow's reader
// believes what messages say.
type frames struct {
	name string
	src  *bufio.Reader
	left int64 // bytes of the file that are not yet read
	crc  uint32
	want checkpoint.RowFile
	done bool
}

func newFrames(r state.FileReader, want checkpoint.RowFile) (*frames, error) {
	f := &frames{name: want.Name, want: want, left: want.Size}
	if r.Size() != want.Size {
		return nil, f.bad("it has %d bytes, the manifest says %d", r.Size(), want.Size)
	}
	f.src = bufio.NewReaderSize(io.NewSectionReader(r, 0, want.Size), 256<<10)
	var b [len(arrowStart)]byte
	if err := f.read(b[:]); err != nil {
		return nil, err
	}
	if string(b[:]) != arrowStart {
		return nil, f.bad("it begins with %q, expected %q", b[:], arrowStart)
	}
	return f, nil
}

func (f *frames) bad(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", f.name, checkpoint.ErrCorrupt, fmt.Sprintf(format, args...))
}

func (f *frames) read(b []byte) error {
	if int64(len(b)) > f.left {
		return f.bad("it ends %d bytes into a piece of %d", f.left, len(b))
	}
	if _, err := io.ReadFull(f.src, b); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	f.left -= int64(len(b))
	f.crc = crc32.Update(f.crc, castagnoli, b)
	return nil
}

// next reads a message; io.EOF after the last one, when the rest of the file is checked as well.
func (f *frames) next() (meta, body []byte, err error) {
	defer func() {
		// The tables of a damaged message may point anywhere.
		if p := recover(); p != nil {
			err = f.bad("its message at %d from the end makes no sense: %v", f.left, p)
		}
	}()
	if f.done {
		return nil, nil, io.EOF
	}
	var head [8]byte
	if err := f.read(head[:]); err != nil {
		return nil, nil, err
	}
	if bytes.Equal(head[:], endOfStream) {
		f.done = true
		return nil, nil, f.finish()
	}
	n := int64(binary.LittleEndian.Uint32(head[4:]))
	if binary.LittleEndian.Uint32(head[:]) != 1<<32-1 || n > maxMessage || n > f.left || n < 8 {
		return nil, nil, f.bad("a message begins with %x, %d bytes before its end", head, f.left)
	}
	meta = make([]byte, n)
	if err := f.read(meta); err != nil {
		return nil, nil, err
	}
	size, err := f.checkMessage(meta)
	if err != nil {
		return nil, nil, err
	}
	body = make([]byte, size)
	return meta, body, f.read(body)
}

// checkMessage checks the lengths in a message and returns that of its body. It panics where
// the message points outside of itself.
func (f *frames) checkMessage(meta []byte) (int64, error) {
	msg := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	field := func(t *flatbuffers.Table, slot int) flatbuffers.UOffsetT {
		o := t.Offset(flatbuffers.VOffsetT(4 + 2*slot))
		if o == 0 {
			return 0
		}
		return t.Pos + flatbuffers.UOffsetT(o)
	}
	// Message: version, header_type, header, bodyLength
	kind, size := byte(0), int64(0)
	if at := field(&msg, 1); at != 0 {
		kind = msg.GetByte(at)
	}
	if at := field(&msg, 3); at != 0 {
		size = msg.GetInt64(at)
	}
	if size < 0 || size > f.left {
		return 0, f.bad("a message has a body of %d bytes, %d are left", size, f.left)
	}
	if kind == headerSchema {
		return size, nil
	}
	at := field(&msg, 2)
	if kind != headerBatch || at == 0 {
		return 0, f.bad("a message is of kind %d; expected a schema and record batches", kind)
	}
	// RecordBatch: length, nodes, buffers, compression, variadicBufferCounts
	batch := flatbuffers.Table{Bytes: meta, Pos: at + msg.GetUOffsetT(at)}
	if field(&batch, 3) != 0 {
		return 0, f.bad("it is compressed, which savepoints are not")
	}
	if at := field(&batch, 0); at != 0 {
		if n := batch.GetInt64(at); n < 0 || n > maxBatchRows {
			return 0, f.bad("a record batch has %d rows, the limit is %d", n, maxBatchRows)
		}
	}
	pairs := func(slot int, check func(a, b int64) bool) bool {
		o := batch.Offset(flatbuffers.VOffsetT(4 + 2*slot))
		if o == 0 {
			return true
		}
		start := batch.Vector(flatbuffers.UOffsetT(o))
		n := batch.VectorLen(flatbuffers.UOffsetT(o))
		if n < 0 || n > len(meta)/16 {
			return false
		}
		for i := range n {
			at := start + flatbuffers.UOffsetT(16*i)
			if !check(batch.GetInt64(at), batch.GetInt64(at+8)) {
				return false
			}
		}
		return true
	}
	// A value takes at least a bit of the body, apart from those of type NULL.
	most := 8*size + maxBatchRows
	if !pairs(1, func(n, nulls int64) bool { return n >= 0 && n <= most && nulls >= 0 && nulls <= n }) {
		return 0, f.bad("a record batch has columns longer than its body of %d bytes", size)
	}
	sum := int64(0)
	if !pairs(2, func(off, n int64) bool {
		if off < 0 || n < 0 || off > size || n > size-off {
			return false
		}
		sum += n
		return sum <= size
	}) {
		return 0, f.bad("a record batch has buffers outside of its body of %d bytes", size)
	}
	return size, nil
}

// finish reads what follows the messages (the footer, which repeats where they lie) and checks
// the sum of everything.
func (f *frames) finish() error {
	var tail []byte
	for b := make([]byte, 32<<10); f.left > 0; {
		b = b[:min(int64(cap(b)), f.left)]
		if err := f.read(b); err != nil {
			return err
		}
		tail = append(tail, b...)
		tail = tail[max(0, len(tail)-len(arrowMagic)):]
	}
	if string(tail) != arrowMagic {
		return f.bad("it ends with %q, expected %q", tail, arrowMagic)
	}
	if f.crc != f.want.CRC32C {
		return f.bad("its CRC32C is %08x, the manifest says %08x", f.crc, f.want.CRC32C)
	}
	return io.EOF
}

// messages is an ipc.MessageReader over frames.
type messages struct {
	f   *frames
	msg *ipc.Message
	err error // of the last call; other errors of Arrow's reader are about what a message says
}

func (m *messages) Message() (*ipc.Message, error) {
	m.Release()
	meta, body, err := m.f.next()
	if m.err = err; err != nil {
		return nil, err
	}
	m.msg = ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(body))
	return m.msg, nil
}

func (m *messages) Retain() {}

// Release lets the last message go.
func (m *messages) Release() {
	if m.msg != nil {
		m.msg.Release()
		m.msg = nil
	}
}
