package hdfs

import (
	"errors"
	"io"
	"io/fs"
	"sync"

	client "github.com/colinmarc/hdfs/v2"
)

// reader reads a file at random; reading on from where the last read ended costs no new request.
type reader struct {
	f    *FS
	path string
	size int64

	mu     sync.Mutex
	file   *client.FileReader // nil: the last read of it failed
	closed bool
}

func (r *reader) Size() int64 { return r.size }

// ReadAt reads. The client tries the other data nodes of a block itself.
func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, r.f.c.wrap("read", r.path, fs.ErrClosed)
	case off >= r.size:
		return 0, io.EOF
	}
	n := 0
	err := r.f.c.do("read", r.path, func(cl *client.Client, _ bool) error {
		if r.file == nil {
			file, err := cl.Open(r.path)
			if err != nil {
				return err
			}
			r.file = file
		}
		k, err := r.file.ReadAt(p[n:], off+int64(n))
		if n += k; err == nil || errors.Is(err, io.EOF) && off+int64(n) == r.size {
			return nil
		}
		// Anew: where the blocks are may have changed.
		r.file.Close()
		r.file = nil
		return err
	})
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return r.f.c.wrap("close", r.path, err)
}
