package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// maxSocketPath is the longest path a unix socket address holds everywhere (macOS: 104).
const maxSocketPath = 100

// reach calls do with a path of dir's socket that fits into a socket address. Longer paths go
// through the directory's file descriptor, where the system has such paths.
func reach(dir string, do func(path string) error) error {
	path := filepath.Join(dir, SocketName)
	if len(path) <= maxSocketPath {
		return do(path)
	}
	if runtime.GOOS != "linux" {
		return fmt.Errorf("control socket %s: the path has %d bytes, at most %d work; use a shorter job directory", path, len(path), maxSocketPath)
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return do(filepath.Join("/proc/self/fd", strconv.Itoa(int(d.Fd())), SocketName))
}

// listen opens the socket of dir. A socket file that is there already is from a process that
// died: the caller holds the directory's lock.
func listen(dir string) (net.Listener, error) {
	path := filepath.Join(dir, SocketName)
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&fs.ModeSocket == 0 {
			return nil, fmt.Errorf("control socket %s: a file of another kind is there; remove it", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("removing a stale control socket: %w", err)
		}
	}
	var ln *net.UnixListener
	err := reach(dir, func(p string) (err error) {
		ln, err = net.ListenUnix("unix", &net.UnixAddr{Name: p, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening control socket %s: %w", path, err)
	}
	ln.SetUnlinkOnClose(false) // the path listened on may be one of a closed descriptor
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return ln, nil
}

// dial connects to the socket of dir.
func dial(ctx context.Context, dir string) (net.Conn, error) {
	var conn net.Conn
	err := reach(dir, func(p string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", p)
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, &NotRunningError{Dir: dir}
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("control socket %s: permission denied; it belongs to the user who runs the job: %w", filepath.Join(dir, SocketName), err)
	}
	return conn, err
}
