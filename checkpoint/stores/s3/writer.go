package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/minio/minio-go/v7"

	"github.com/sqlstream/sqlstream/checkpoint"
)

const (
	partSize = 8 << 20
	// maxParts is S3's. Parts get larger so that a file of terabytes fits: twice as large every
	// growEvery parts.
	maxParts  = 10_000
	growEvery = 1_500
)

// Create starts an object. At most two parts are in memory: one is filled while one is sent.
func (c *Client) Create(key string) (checkpoint.ObjectWriter, error) {
	if _, err := c.stat(key); err == nil {
		return nil, c.exists(key)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	w := &writer{c: c, key: key}
	w.ctx, w.cancel = context.WithCancel(c.ctx)
	return w, nil
}

type writer struct {
	c      *Client
	key    string
	ctx    context.Context
	cancel context.CancelFunc
	buf    []byte
	spare  []byte
	upload string // id of the multipart upload; "": none yet
	parts  []minio.CompletePart
	size   int64
	// sending is the part under way, nil: none.
	sending chan sent
	err     error
	done    bool
}

type sent struct {
	part minio.CompletePart
	buf  []byte
	err  error
}

func (w *writer) partSize() int { return partSize << (len(w.parts) / growEvery) }

func (w *writer) Write(b []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n := 0
	for n < len(b) {
		k := min(len(b)-n, w.partSize()-len(w.buf))
		w.buf = append(w.buf, b[n:n+k]...)
		n += k
		if len(w.buf) == w.partSize() {
			if w.err = w.send(); w.err != nil {
				return n, w.err
			}
		}
	}
	w.size += int64(n)
	return n, nil
}

// send starts to send the buffer as a part; the part before has arrived then.
func (w *writer) send() error {
	if w.upload == "" {
		ctx, cancel := context.WithTimeout(w.ctx, callLimit)
		defer cancel()
		id, err := w.c.api.NewMultipartUpload(ctx, w.c.at.bucket, w.c.at.prefix+w.key, minio.PutObjectOptions{ContentType: "application/octet-stream"})
		if err != nil {
			return w.c.wrap("start of an upload", w.key, err)
		}
		w.upload = id
	}
	if err := w.arrived(); err != nil {
		return err
	}
	number := len(w.parts) + 1
	if number > maxParts {
		return w.c.wrap("upload", w.key, fmt.Errorf("it has more than %d parts", maxParts))
	}
	buf := w.buf
	w.buf, w.spare = w.spare[:0], nil
	w.sending = make(chan sent, 1)
	go func() {
		part, err := w.sendPart(number, buf)
		w.sending <- sent{part, buf, err}
	}()
	return nil
}

func (w *writer) sendPart(number int, b []byte) (minio.CompletePart, error) {
	ctx, cancel := context.WithTimeout(w.ctx, dataLimit)
	defer cancel()
	sum := sha256.Sum256(b)
	p, err := w.c.api.PutObjectPart(ctx, w.c.at.bucket, w.c.at.prefix+w.key, w.upload, number, bytes.NewReader(b), int64(len(b)),
		minio.PutObjectPartOptions{DisableContentSha256: true, Sha256Hex: hex.EncodeToString(sum[:])})
	return minio.CompletePart{PartNumber: number, ETag: p.ETag}, w.c.wrap(fmt.Sprintf("part %d", number), w.key, err)
}

// arrived waits for the part under way.
func (w *writer) arrived() error {
	if w.sending == nil {
		return nil
	}
	s := <-w.sending
	w.sending, w.spare = nil, s.buf
	if s.err != nil {
		return s.err
	}
	w.parts = append(w.parts, s.part)
	return nil
}

// Flush sends the rest of a large object; a small one is sent by Commit.
func (w *writer) Flush() error {
	if w.err != nil || w.upload == "" {
		return w.err
	}
	if len(w.buf) > 0 {
		w.err = w.send()
	}
	if w.err == nil {
		w.err = w.arrived()
	}
	return w.err
}

// Commit makes the object visible.
func (w *writer) Commit() error {
	if w.err != nil || w.done {
		return errors.Join(w.err, w.c.wrap("commit", w.key, fs.ErrClosed))
	}
	if w.upload == "" {
		w.err = w.c.Put(w.key, w.buf)
	} else {
		w.err = w.complete()
	}
	if w.err == nil {
		w.done = true
		w.cancel()
	}
	return w.err
}

// complete ends the upload. When the answer got lost, the next try finds no upload any more; then
// the object tells.
func (w *writer) complete() error {
	ctx, cancel := context.WithTimeout(w.ctx, dataLimit)
	defer cancel()
	_, err := w.c.api.CompleteMultipartUpload(ctx, w.c.at.bucket, w.c.at.prefix+w.key, w.upload, w.parts, minio.PutObjectOptions{})
	if err == nil {
		return nil
	}
	info, statErr := w.c.stat(w.key)
	if statErr == nil && info.Size == w.size {
		return nil
	}
	return w.c.wrap("end of the upload", w.key, err)
}

// Abort drops what was written.
func (w *writer) Abort() {
	if w.done {
		return
	}
	w.done = true
	w.cancel()
	if w.sending != nil {
		<-w.sending
	}
	if w.upload != "" {
		// Best effort: what is left is dropped by the next owner.
		_ = w.c.abort(w.c.at.prefix+w.key, w.upload)
	}
}
