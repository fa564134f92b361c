package savepoint

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// The frame of an Arrow IPC file; see https://arrow.apache.org/docs/format/Columnar.html.
const (
	arrowMagic = "ARROW1"
	arrowStart = arrowMagic + "\x00\x00"
	maxMessage = 64 << 20 // metadata of one message
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
	// parts are those of the schema, set when it is known; without, no record batch is read.
	parts batchParts
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
	size, problem := checkMessage(meta, f.left, f.parts)
	if problem != "" {
		return nil, nil, f.bad("a message, %d bytes before its end, %s", f.left, problem)
	}
	body = make([]byte, size)
	return meta, body, f.read(body)
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
