// Package hdfs is checkpoint.FS over HDFS: plain and HA name services, the user's name, Kerberos.
// It is the only importer of the HDFS client. Only package stores, which chooses by the scheme
// of an address, and tests import it.
//
// A file is written to a temporary name, closed, which every data node of the pipeline has to
// acknowledge, and renamed, which is atomic on the name node. As with Flink, what the data nodes
// acknowledged is in their memory, unless dfs.datanode.synconclose makes them sync.
package hdfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	client "github.com/colinmarc/hdfs/v2"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
)

// FS is a directory of HDFS. It implements checkpoint.SharedFS.
type FS struct {
	c   *cluster
	dir string
}

var _ checkpoint.SharedFS = (*FS)(nil)

// Open connects to the directory that an address names; it need not exist. Who only looks does
// not wait for a name node that restarts.
func Open(ctx context.Context, uri string, opts map[string]string, looks bool) (*FS, error) {
	if looks {
		return open(ctx, uri, opts, short)
	}
	return open(ctx, uri, opts, usual)
}

func open(ctx context.Context, uri string, opts map[string]string, l limits) (*FS, error) {
	conf, err := loadConf(opts)
	if err != nil {
		return nil, err
	}
	t, err := parseURI(uri, conf)
	if err != nil {
		return nil, err
	}
	o, err := clientOptions(t, conf, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	o.NamenodeDialFunc, o.DatanodeDialFunc = dialer(l.dial, l.name), dialer(l.dial, l.data)
	c := &cluster{at: t, patience: l.patience, opts: o}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, c.cancel)
	f := &FS{c: c, dir: t.dir}
	// A call, because a name node in standby accepts connections.
	_, err = f.stat(".")
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, c.close())
	}
	return f, nil
}

// Location is the directory as a URL.
func (f *FS) Location() string { return f.c.at.String() }

// Close ends the use.
func (f *FS) Close() error { return f.c.close() }

func (f *FS) path(name string) string { return path.Join(f.dir, name) }

func (f *FS) stat(name string) (info fs.FileInfo, err error) {
	err = f.c.do("stat", f.path(name), func(cl *client.Client, _ bool) error {
		info, err = cl.Stat(f.path(name))
		return err
	})
	return info, err
}

// Mkdir makes a directory and those above it.
func (f *FS) Mkdir(name string) error {
	return f.c.do("mkdir", f.path(name), func(cl *client.Client, _ bool) error { return cl.MkdirAll(f.path(name), 0o700) })
}

// Create makes a file that must not exist.
func (f *FS) Create(name string) (checkpoint.SyncFile, error) {
	p := f.path(name)
	var w *client.FileWriter
	err := f.c.do("create", p, func(cl *client.Client, lost bool) error {
		d, err := cl.ServerDefaults()
		if err != nil {
			return err
		}
		if w, err = cl.CreateFile(p, d.Replication, d.BlockSize, 0o600); lost && errors.Is(err, fs.ErrExist) {
			// It is of the try before: temporary names have one writer.
			if err = cl.Remove(p); err == nil {
				w, err = cl.CreateFile(p, d.Replication, d.BlockSize, 0o600)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &file{f: f, path: p, w: w}, nil
}

// file is a file being written.
type file struct {
	f    *FS
	path string
	w    *client.FileWriter
}

func (w *file) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	return n, w.f.c.wrap("write", w.path, err)
}

// Sync sends what is left; that the data nodes have it is known when Close returns.
func (w *file) Sync() error { return w.f.c.wrap("flush", w.path, w.w.Flush()) }

// closeTries is how often Close asks whether the data nodes have reported to the name node.
const closeTries = 100

// Close ends the file. Until a data node has reported the last block, the name node says that it
// replicates.
func (w *file) Close() error {
	for try := 1; ; try++ {
		err := w.w.Close()
		if err == nil || !errors.Is(err, client.ErrReplicating) || try == closeTries || !w.f.c.wait() {
			return w.f.c.wrap("close", w.path, err)
		}
	}
}

// Open opens a regular file.
func (f *FS) Open(name string) (state.FileReader, error) {
	p := f.path(name)
	r := &reader{f: f, path: p}
	err := f.c.do("open", p, func(cl *client.Client, _ bool) error {
		file, err := cl.Open(p)
		if err != nil {
			return err
		}
		if !file.Stat().Mode().IsRegular() {
			return &fs.PathError{Op: "open", Path: p, Err: fmt.Errorf("it is no regular file: %w", fs.ErrInvalid)}
		}
		r.file, r.size = file, file.Stat().Size()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// List names what is in a directory.
func (f *FS) List(name string) (names []string, err error) {
	err = f.c.do("list", f.path(name), func(cl *client.Client, _ bool) error {
		infos, err := cl.ReadDir(f.path(name))
		names = names[:0]
		for _, i := range infos {
			names = append(names, i.Name())
		}
		return err
	})
	return names, err
}

// Rename moves a file, over one that exists.
func (f *FS) Rename(from, to string) error {
	return f.c.do("rename", f.path(from), func(cl *client.Client, lost bool) error {
		err := cl.Rename(f.path(from), f.path(to))
		if lost && errors.Is(err, fs.ErrNotExist) {
			// The try before did it, if the target is there: names of files have one writer.
			if _, statErr := cl.Stat(f.path(to)); statErr == nil {
				return nil
			}
		}
		return err
	})
}

// RenameDir moves a directory. The name node refuses to rename a directory over one that has
// something in it, and does so atomically; over a file it does not rename a directory either.
func (f *FS) RenameDir(from, to string) error {
	unsure := false
	err := f.c.do("rename", f.path(from), func(cl *client.Client, lost bool) error {
		unsure = lost
		err := cl.Rename(f.path(from), f.path(to))
		switch {
		case err == nil || again(err):
			unsure = unsure || outcomeUnknown(err)
			return err
		case lost:
			return err
		}
		if there, listErr := cl.ReadDir(f.path(to)); listErr == nil && len(there) > 0 {
			return fmt.Errorf("%w: %w", fs.ErrExist, err)
		}
		return err
	})
	if err != nil && unsure {
		// A try of which nothing was heard may have done it.
		return fmt.Errorf("%w: %w", checkpoint.ErrUndecided, err)
	}
	return err
}

// Remove deletes a file or an empty directory.
func (f *FS) Remove(name string) error {
	return f.c.do("remove", f.path(name), func(cl *client.Client, lost bool) error {
		err := cl.Remove(f.path(name))
		if lost && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// SyncDir does nothing: the name node writes its log before it answers.
func (f *FS) SyncDir(string) error { return nil }
