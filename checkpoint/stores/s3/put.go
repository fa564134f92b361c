package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// writerToken is the metadata that says whose PUT an object is of.
const writerToken = "sqlstream-writer"

// outcome is what became of one PUT.
type outcome int

const (
	stored  outcome = iota
	exists          // refused: there is one
	refused         // not stored, and it would not be next time
	busy            // not stored; next time it may be
	unknown         // stored, or not, or later
)

// classify says what an error of a PUT means for the object.
func classify(err error) outcome {
	var r minio.ErrorResponse
	var op *net.OpError
	switch {
	case err == nil:
		return stored
	case errors.As(err, &r):
		switch {
		case r.StatusCode == http.StatusPreconditionFailed:
			return exists
		case r.StatusCode == http.StatusConflict, r.StatusCode == http.StatusTooManyRequests, r.StatusCode == http.StatusServiceUnavailable, r.Code == "RequestTimeout":
			return busy
		case r.StatusCode >= 400 && r.StatusCode < 500:
			return refused
		}
	case errors.As(err, &op) && op.Op == "dial":
		return busy
	}
	return unknown
}

// put sends an object once, with the condition when the server knows it.
func (c *Client) put(ctx context.Context, key string, b []byte, token string, conditional bool) error {
	ctx, cancel := context.WithTimeout(ctx, tryLimit+time.Duration(len(b)>>20)*time.Second)
	defer cancel()
	// With the hash of the whole there is no need for a signature of each chunk.
	o := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableContentSha256: true, UserMetadata: map[string]string{writerToken: token}}
	if conditional {
		o.SetMatchETagExcept("*")
	}
	sum := sha256.Sum256(b)
	_, err := c.once.PutObject(ctx, c.at.bucket, c.at.prefix+key, bytes.NewReader(b), int64(len(b)), "", hex.EncodeToString(sum[:]), o)
	return err
}

const (
	tryLimit = 20 * time.Second       // of one, and a second more for each MiB
	putPause = 100 * time.Millisecond // doubled each time
	putLimit = 2 * time.Second
)

// Put stores an object unless there is one. All tries carry one token: an object that a try of
// which nothing was heard had stored after all is known by it.
func (c *Client) Put(key string, b []byte) error {
	ctx, cancel := c.call(callLimit + time.Duration(len(b)>>20)*time.Second)
	defer cancel()
	if !c.conditional {
		// Without the condition, looking first is all that there is.
		if _, err := c.stat(key); err == nil {
			return c.exists(key)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	token := newToken()
	var lost error // of a try of which it is not known what became
	for try := range c.tries {
		err := c.put(ctx, key, b, token, c.conditional)
		switch classify(err) {
		case stored:
			return nil
		case exists:
			return c.settle(key, b, token, lost)
		case refused:
			return undecided(lost, c.wrap("PUT", key, err))
		case unknown:
			lost = c.wrap("PUT", key, err)
		}
		if try == c.tries-1 || !pause(ctx, try) {
			if lost == nil {
				return c.wrap("PUT", key, err)
			}
			break
		}
	}
	return c.settle(key, b, token, lost)
}

// pause waits before the next try; false: there is no time left.
func pause(ctx context.Context, try int) bool {
	d := min(putPause<<try, putLimit)
	t := time.NewTimer(d/2 + rand.N(d/2))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *Client) exists(key string) error {
	return c.wrap("PUT", key, fmt.Errorf("there is an object already: %w", fs.ErrExist))
}

// undecided marks an error when an earlier try may have stored the object, or still may.
func undecided(lost, err error) error {
	if lost == nil {
		return err
	}
	return fmt.Errorf("%w: %w; an earlier try ended with: %w", checkpoint.ErrUndecided, err, lost)
}

// settle says whose the object is that is there.
func (c *Client) settle(key string, b []byte, token string, lost error) error {
	mine, err := c.mine(key, b, token)
	switch {
	case err != nil && lost == nil && errors.Is(err, fs.ErrNotExist):
		return c.exists(key) // it was there a moment ago
	case err != nil:
		return fmt.Errorf("%w: %w", checkpoint.ErrUndecided, errors.Join(lost, err))
	case mine:
		return nil
	}
	return c.exists(key)
}

// mine reports whether the object is of the writer of a token; where a server drops metadata, the
// content decides.
func (c *Client) mine(key string, b []byte, token string) (bool, error) {
	info, err := c.stat(key)
	if err != nil {
		return false, err
	}
	for k, v := range info.UserMetadata {
		if strings.EqualFold(k, writerToken) {
			return v == token, nil
		}
	}
	if info.Size != int64(len(b)) {
		return false, nil
	}
	r, err := c.Open(key)
	if err != nil {
		return false, err
	}
	defer r.Close()
	got := make([]byte, len(b))
	if _, err := r.ReadAt(got, 0); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return bytes.Equal(got, b), nil
}

func (c *Client) stat(key string) (minio.ObjectInfo, error) {
	ctx, cancel := c.call(callLimit)
	defer cancel()
	info, err := c.api.StatObject(ctx, c.at.bucket, c.at.prefix+key, minio.StatObjectOptions{})
	return info, c.wrap("HEAD", key, err)
}

// probe names the objects that Probe makes.
const probe = "probe-"

// Probe makes sure that the server refuses to create an object twice. One that does would let a
// second incarnation of a job replace what the first has decided.
func (c *Client) Probe() error {
	names, err := c.List("")
	if err != nil {
		return err
	}
	for _, n := range names {
		if strings.HasPrefix(n, probe) && !strings.HasSuffix(n, "/") { // of a start that was killed
			if err := c.Remove(n); err != nil {
				return err
			}
		}
	}
	if !c.conditional {
		return nil
	}
	key := probe + newToken()
	if err := c.Put(key, []byte("first")); err != nil {
		return c.unconditional(err)
	}
	err = c.Put(key, []byte("second"))
	if !errors.Is(err, fs.ErrExist) {
		return errors.Join(c.unconditional(err), c.Remove(key))
	}
	return c.Remove(key)
}

// unconditional says what to do with a store that fails the probe.
func (c *Client) unconditional(err error) error {
	if err == nil {
		err = errors.New("it created an object twice")
	} else if !strings.Contains(err.Error(), "HTTP 501") && !strings.Contains(err.Error(), "HTTP 400") {
		return err // nothing to do with the condition
	}
	return fmt.Errorf("%s: the store at %s does not refuse to create an object twice (If-None-Match: *): two starts of a job could overwrite each other's checkpoints (%w); use a store that does, or, if only one machine ever runs the job, set '%s' = 'false'",
		c.at, c.server, err, ConditionalPut)
}
