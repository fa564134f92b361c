package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/minio/minio-go/v7"

	"github.com/sqlstream/sqlstream/state"
)

const (
	// The window is read at once: small at first, for who reads an index, large for who reads on.
	firstWindow = 64 << 10
	lastWindow  = 4 << 20
	// readTries is how often a body that ends too early is asked for again.
	readTries = 6
)

// Open opens an object for reading.
func (c *Client) Open(key string) (state.FileReader, error) {
	info, err := c.stat(key)
	if err != nil {
		return nil, err
	}
	return &reader{c: c, key: key, size: info.Size, window: firstWindow}, nil
}

// reader reads ranges, and ahead where somebody reads front to back.
type reader struct {
	c    *Client
	key  string
	size int64

	mu     sync.Mutex
	off    int64 // of buf
	buf    []byte
	window int
}

func (r *reader) Size() int64  { return r.size }
func (r *reader) Close() error { return nil }

func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, r.c.wrap("GET", r.key, fmt.Errorf("negative offset %d", off))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= r.size {
			return n, io.EOF
		}
		if at < r.off || at >= r.off+int64(len(r.buf)) {
			if err := r.fill(at, len(p)-n); err != nil {
				return n, err
			}
		}
		n += copy(p[n:], r.buf[at-r.off:])
	}
	return n, nil
}

// fill reads the window that begins at a place; need is how much is wanted at least.
func (r *reader) fill(at int64, need int) error {
	if at == r.off+int64(len(r.buf)) && at > 0 {
		r.window = min(4*r.window, lastWindow)
	} else {
		r.window = firstWindow
	}
	n := int(min(int64(max(r.window, min(need, lastWindow))), r.size-at))
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	r.buf, r.off = r.buf[:n], at
	for got, try := 0, 0; ; try++ {
		k, err := r.get(r.buf[got:], at+int64(got))
		if got += k; got == n {
			return nil
		}
		if try == readTries-1 || r.c.ctx.Err() != nil || !errors.Is(err, errCut) {
			r.buf = r.buf[:0]
			return err
		}
	}
}

// errCut is of a body that ended before its end: worth asking for the rest.
var errCut = errors.New("the answer was cut")

// get asks for one range.
func (r *reader) get(p []byte, off int64) (int, error) {
	ctx, cancel := context.WithTimeout(r.c.ctx, dataLimit)
	defer cancel()
	var o minio.GetObjectOptions
	if err := o.SetRange(off, off+int64(len(p))-1); err != nil {
		return 0, r.c.wrap("GET", r.key, err)
	}
	body, _, _, err := r.c.api.GetObject(ctx, r.c.at.bucket, r.c.at.prefix+r.key, o)
	if err != nil {
		return 0, r.c.wrap("GET", r.key, err)
	}
	defer body.Close()
	n, err := io.ReadFull(body, p)
	if err != nil {
		return n, r.c.wrap("GET", r.key, fmt.Errorf("%w after %d of %d bytes at %d: %w", errCut, n, len(p), off, err))
	}
	return n, nil
}
