package hdfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	client "github.com/colinmarc/hdfs/v2"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// limits are how long things may take.
type limits struct {
	dial time.Duration
	// name is for an answer of a name node, data for one of a data node, which syncs disks.
	name, data time.Duration
	// patience is how long a call is tried again when no name node can serve it: long enough for
	// one that restarts and leaves safe mode. The client itself does not try one that failed within
	// the last five seconds.
	patience time.Duration
}

var (
	usual = limits{dial: 10 * time.Second, name: 20 * time.Second, data: time.Minute, patience: 30 * time.Second}
	// short is for who only looks.
	short = limits{dial: 5 * time.Second, name: 10 * time.Second, data: time.Minute, patience: 7 * time.Second}
)

// pause is between two tries.
const pause = 250 * time.Millisecond

// dialer makes connections on which nothing waits for ever.
func dialer(dial, wait time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{Timeout: dial, KeepAlive: 30 * time.Second}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c, limit: wait}, nil
	}
}

// conn gives every read and write its own deadline. After an error the connection is closed: an
// answer that comes late would be taken for that of the next request.
type conn struct {
	net.Conn
	limit time.Duration
}

func (c *conn) Read(b []byte) (int, error) {
	if err := c.Conn.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if err != nil {
		c.Conn.Close()
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		c.Conn.Close()
	}
	return n, err
}

// SetDeadline of the client is not heard: it only ever says that there is none.
func (c *conn) SetDeadline(time.Time) error { return nil }

// cluster is a connection to the name nodes that is tried again.
type cluster struct {
	at       target
	patience time.Duration
	opts     client.ClientOptions

	mu     sync.Mutex
	client *client.Client // nil: not connected yet
	ctx    context.Context
	cancel context.CancelFunc
}

// do runs a call, again while no name node can serve it. lost tells the call that it may have
// happened before: an answer is missing.
func (c *cluster) do(op, name string, call func(cl *client.Client, lost bool) error) error {
	end := time.Now().Add(c.patience)
	for lost := false; ; {
		cl, err := c.connected()
		if err == nil {
			if err = call(cl, lost); err == nil {
				return nil
			}
			lost = lost || outcomeUnknown(err)
		}
		if !again(err) || !time.Now().Before(end) || !c.wait() {
			return c.wrap(op, name, err)
		}
	}
}

func (c *cluster) wait() bool {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}

func (c *cluster) connected() (*client.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.ctx.Err(); err != nil {
		return nil, fs.ErrClosed
	}
	if c.client == nil {
		cl, err := client.NewClient(c.opts)
		if err != nil {
			return nil, err
		}
		// The client keeps them, without a lock: from here on they are only read.
		if _, err := cl.ServerDefaults(); err != nil {
			return nil, errors.Join(err, cl.Close())
		}
		c.client = cl
	}
	return c.client, nil
}

func (c *cluster) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel()
	if c.client == nil {
		return nil
	}
	err := c.client.Close()
	c.client = nil
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// again reports whether an error may be gone next time: no name node answers, or it cannot yet.
func again(err error) bool {
	for _, final := range []error{fs.ErrExist, fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, syscall.ENOTEMPTY} {
		if errors.Is(err, final) {
			return false
		}
	}
	if e, ok := remote(err); ok {
		switch class := e.Exception(); class[strings.LastIndexByte(class, '.')+1:] {
		case "SafeModeException", "RetriableException", "StandbyException", "ServerTooBusyException", "RpcServerException":
			return true
		}
		return false
	}
	return err != nil
}

// outcomeUnknown reports whether a call that failed may have happened: an answer is missing. Where
// no name node could be reached, nothing was sent.
func outcomeUnknown(err error) bool {
	if err == nil {
		return false
	}
	_, answered := remote(err)
	return !answered && again(err) && !strings.Contains(err.Error(), "no available namenodes")
}

func remote(err error) (client.Error, bool) {
	var e client.Error
	return e, errors.As(err, &e)
}

// wrap says what failed where, with the name node's own words.
func (c *cluster) wrap(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := remote(err); ok {
		if line, _, _ := strings.Cut(e.Message(), "\n"); line != "" {
			err = fmt.Errorf("%w: %s", err, line)
		}
	}
	if again(err) {
		err = fmt.Errorf("%w: %w", checkpoint.ErrUnavailable, err)
	}
	return fmt.Errorf("%s on name node %s: %s: %w", "hdfs://"+c.at.authority+name, strings.Join(c.at.nodes, ", "), op, err)
}
