// Package stores owns where checkpoints and savepoints may lie: it chooses by the scheme of an
// address between the local disk (and what is mounted), S3 and HDFS, whose clients are in its
// sub-packages. It imports checkpoint and them; runtime and command line import it.
package stores

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores/hdfs"
	"github.com/sqlstream/sqlstream/checkpoint/stores/s3"
)

// Keys are the session options that Open and Place read.
var Keys = []string{
	s3.Endpoint, s3.PathStyle, s3.AccessKey, s3.SecretKey, s3.Region, s3.ConditionalPut, s3.EntropyKey, s3.EntropyLength,
	hdfs.ConfDir, hdfs.User, hdfs.Keytab, hdfs.Principal, hdfs.TicketCache, hdfs.Krb5Conf,
}

// Open opens the checkpoints of a job beneath an address: a path, file://, s3:// or hdfs://. opts
// are session options as they are in a plan; those of Keys are read. Cancelling ctx ends the
// opening, not the use.
func Open(ctx context.Context, uri, jobID string, o checkpoint.DirOptions, opts map[string]string) (checkpoint.Storage, error) {
	scheme, dir, err := split(uri)
	if err != nil {
		return nil, err
	}
	if scheme == "" {
		return checkpoint.OpenDir(dir, jobID, o)
	}
	if !checkpoint.ValidJobID(jobID) {
		return nil, fmt.Errorf("job id %.80q is not 32 hexadecimal digits", jobID)
	}
	uri = strings.TrimRight(uri, "/") + "/" + jobID
	if slices.Contains(s3.Schemes, scheme) {
		return openS3(ctx, uri, o, opts)
	}
	f, err := hdfs.Open(ctx, uri, opts, !o.Owner)
	if err != nil {
		return nil, err
	}
	d, err := checkpoint.NewDir(f, f.Location(), o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return d, nil
}

func openS3(ctx context.Context, uri string, o checkpoint.DirOptions, opts map[string]string) (checkpoint.Storage, error) {
	c, err := s3.Open(ctx, uri, opts)
	if err != nil {
		return nil, err
	}
	if o.Owner {
		if err := c.Probe(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	s, err := checkpoint.NewObjectStore(c, c.Location(), o)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

// Place opens a directory or prefix as a place for a savepoint, which need not exist.
func Place(ctx context.Context, uri string, opts map[string]string) (checkpoint.Place, error) {
	scheme, dir, err := split(uri)
	switch {
	case err != nil:
		return nil, err
	case scheme == "":
		return checkpoint.OpenPlace(dir)
	case slices.Contains(s3.Schemes, scheme):
		c, err := s3.Open(ctx, uri, opts)
		if err != nil {
			return nil, err
		}
		return checkpoint.NewObjectPlace(c, c.Location()), nil
	}
	f, err := hdfs.Open(ctx, uri, opts, false)
	if err != nil {
		return nil, err
	}
	return checkpoint.NewPlace(f, f.Location()), nil
}

// Names lists what is directly beneath an address in S3 or HDFS, prefixes without a slash. A
// missing one has none.
func Names(ctx context.Context, uri string, opts map[string]string) ([]string, error) {
	scheme, _, err := split(uri)
	switch {
	case err != nil:
		return nil, err
	case slices.Contains(s3.Schemes, scheme):
		c, err := s3.Open(ctx, uri, opts)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		names, err := c.List("")
		for i := range names {
			names[i] = strings.TrimSuffix(names[i], "/")
		}
		return names, err
	case scheme == "":
		return nil, fmt.Errorf("internal error: %s is a local path", uri)
	}
	f, err := hdfs.Open(ctx, uri, opts, true)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.List(".")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// Remote reports whether an address is no path, nor file://. It may still be one that Open refuses.
func Remote(uri string) bool {
	scheme, _, err := split(uri)
	return err != nil || scheme != ""
}

// Join appends names to an address.
func Join(uri string, names ...string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return path.Join(append([]string{uri}, names...)...)
	}
	return scheme + "://" + strings.TrimRight(rest, "/") + "/" + path.Join(names...)
}

// split returns the scheme of an address that is in a store, or the path of one that is not.
func split(uri string) (scheme, dir string, err error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	switch {
	case !ok || strings.ContainsAny(scheme, "/\\.") || len(scheme) == 1: // C:\ is a drive
		return "", uri, nil
	case slices.Contains(s3.Schemes, scheme) || slices.Contains(hdfs.Schemes, scheme):
		if !strings.HasPrefix(rest, "//") {
			return "", "", fmt.Errorf("%s: expected %s:// and a path", uri, scheme)
		}
		return scheme, "", nil
	case scheme == "file":
		dir, err = filePath(uri)
		return "", dir, err
	case !strings.HasPrefix(rest, "/"):
		return "", uri, nil // a name with a colon in it
	}
	return "", "", fmt.Errorf("no store is known for %s://; checkpoints and savepoints can be at a path, file://, %s://, or %s://",
		scheme, strings.Join(s3.Schemes, "://, "), strings.Join(hdfs.Schemes, "://, "))
}

// filePath is the path of a file:// address, which is of this machine and absolute.
func filePath(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Opaque != "" || u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%s: a directory of this machine is file:///absolute/path, or the path alone", uri)
	}
	return u.Path, nil
}
