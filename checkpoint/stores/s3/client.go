// Package s3 is checkpoint.Objects over S3: AWS, MinIO, Ceph RGW and whatever else refuses to
// create an object twice (If-None-Match), which it probes. It is the only importer of the S3
// client. Only package stores, which chooses by the scheme of an address, and tests import it.
//
// A small object is one PUT, a large one a multipart upload. Manifests are create-only PUTs that
// carry a token of their writer, so that a PUT whose answer got lost is told from that of another
// incarnation.
package s3

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/sqlstream/sqlstream/checkpoint"
)

const (
	// usualTries is how often a call is made that the server cannot serve, with pauses of up to a
	// second or two in between.
	usualTries = 10
	// callLimit bounds a call without much data, all its retries included.
	callLimit = time.Minute
	// dataLimit is for one that moves a part or has many pages.
	dataLimit = 5 * time.Minute
)

// Client is a prefix of a bucket. It implements checkpoint.Objects.
type Client struct {
	at     address
	server string
	api    minio.Core
	// once does not try again: for PUTs that must know what became of each try.
	once        minio.Core
	tries       int
	conditional bool
	transport   *http.Transport
	ctx         context.Context
	cancel      context.CancelFunc
}

var _ checkpoint.Objects = (*Client)(nil)

// Open connects to the prefix of an address, and makes sure that bucket and credentials are right.
// Whoever writes manifests there calls Probe next.
func Open(ctx context.Context, uri string, opts map[string]string) (*Client, error) {
	return open(ctx, uri, opts, usualTries)
}

func open(ctx context.Context, uri string, opts map[string]string, tries int) (*Client, error) {
	at, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	cfg, err := readOptions(opts)
	if err != nil {
		return nil, err
	}
	if err := cfg.checkCredentials(); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	c := &Client{at: at, server: cfg.endpoint(), tries: tries, conditional: cfg.conditional}
	if c.transport, err = transport(); err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	for tries, core := range map[int]*minio.Core{tries: &c.api, 1: &c.once} {
		made, err := minio.NewCore(cfg.host, &minio.Options{
			Creds: cfg.creds, Secure: cfg.secure, Region: cfg.region, BucketLookup: cfg.lookup, Transport: c.transport, MaxRetries: tries,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		*core = *made
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	// While opening, the end of ctx ends the calls.
	stop := context.AfterFunc(ctx, c.cancel)
	err = c.list("", func(string) bool { return false })
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close ends the use. Calls that are under way fail.
func (c *Client) Close() error {
	c.cancel()
	c.transport.CloseIdleConnections()
	return nil
}

// Location is the prefix as a URL.
func (c *Client) Location() string { return c.at.String() }

func (c *Client) call(limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.ctx, limit)
}

// wrap says which call on which key failed, and makes the errors of this module of S3's.
func (c *Client) wrap(op, key string, err error) error {
	if err == nil {
		return nil
	}
	var r minio.ErrorResponse
	var u *url.Error
	switch {
	case errors.As(err, &r):
		err = fmt.Errorf("%s (%s, HTTP %d)", strings.TrimSuffix(r.Message, "."), r.Code, r.StatusCode)
		switch {
		case r.Code == minio.NoSuchBucket:
			err = fmt.Errorf("%w; the bucket is not made by itself", err)
		case r.StatusCode == http.StatusNotFound:
			err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		case r.StatusCode == http.StatusForbidden:
			err = fmt.Errorf("%w: %w", fs.ErrPermission, err)
		case r.StatusCode >= 500, r.StatusCode == http.StatusTooManyRequests, r.StatusCode == http.StatusRequestTimeout:
			err = fmt.Errorf("%w: %w", checkpoint.ErrUnavailable, err)
		}
	case errors.As(err, &u):
		// Without the URL, which says the same again. The client replaces io.EOF by a text.
		if err = u.Err; strings.HasPrefix(err.Error(), "Connection closed") {
			err = io.ErrUnexpectedEOF
		}
		err = fmt.Errorf("%w: %w", checkpoint.ErrUnavailable, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errCut):
		err = fmt.Errorf("%w: %w", checkpoint.ErrUnavailable, err)
	}
	return fmt.Errorf("%s on %s: %s: %w", "s3://"+c.at.bucket+"/"+c.at.prefix+key, c.server, op, err)
}

// list calls f with what is directly beneath a prefix, until f returns false.
func (c *Client) list(prefix string, f func(name string) bool) error {
	ctx, cancel := c.call(dataLimit)
	defer cancel()
	full := c.at.prefix + prefix
	for o := range c.api.ListObjectsIter(ctx, c.at.bucket, minio.ListObjectsOptions{Prefix: full}) {
		if o.Err != nil {
			return c.wrap("LIST", prefix, o.Err)
		}
		if name := strings.TrimPrefix(o.Key, full); name != "" && !f(name) {
			break
		}
	}
	return nil
}

// List names what is directly beneath a prefix.
func (c *Client) List(prefix string) ([]string, error) {
	var out []string
	err := c.list(prefix, func(name string) bool {
		out = append(out, name)
		return true
	})
	return out, err
}

// Remove deletes an object.
func (c *Client) Remove(key string) error {
	ctx, cancel := c.call(callLimit)
	defer cancel()
	err := c.wrap("DELETE", key, c.api.RemoveObject(ctx, c.at.bucket, c.at.prefix+key, minio.RemoveObjectOptions{}))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// AbortUploads drops multipart uploads that were never completed: they cost money and are seen in
// no listing. Not every server lists them and not every account may; then they stay until a
// lifecycle rule ends them.
func (c *Client) AbortUploads(prefix string) error {
	key, id := "", ""
	for {
		ctx, cancel := c.call(callLimit)
		r, err := c.api.ListMultipartUploads(ctx, c.at.bucket, c.at.prefix+prefix, key, id, "", 1000)
		cancel()
		if err = c.wrap("LIST of uploads", prefix, err); unlisted(err) {
			return nil
		} else if err != nil {
			return err
		}
		for _, u := range r.Uploads {
			if !strings.HasPrefix(u.Key, c.at.prefix+prefix) {
				continue
			}
			if err := c.abort(u.Key, u.UploadID); err != nil {
				return err
			}
		}
		if !r.IsTruncated || r.NextKeyMarker == "" {
			return nil
		}
		key, id = r.NextKeyMarker, r.NextUploadIDMarker
	}
}

// unlisted reports whether a server or its rules keep uploads to themselves.
func unlisted(err error) bool {
	if err == nil {
		return false
	}
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "HTTP 501") || strings.Contains(err.Error(), "HTTP 405")
}

// abort drops one upload; fullKey is with the prefix.
func (c *Client) abort(fullKey, id string) error {
	ctx, cancel := c.call(callLimit)
	defer cancel()
	err := c.wrap("abort of an upload", strings.TrimPrefix(fullKey, c.at.prefix), c.api.AbortMultipartUpload(ctx, c.at.bucket, fullKey, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// newToken is random: whose an object is.
func newToken() string {
	var b [12]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}
