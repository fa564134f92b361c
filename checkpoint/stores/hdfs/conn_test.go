package hdfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nameNode is a server that does something to each connection.
func nameNode(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

func TestANameNodeThatDoesNotServeEndsTheCall(t *testing.T) {
	quick := limits{dial: time.Second, name: 100 * time.Millisecond, data: time.Second, patience: 300 * time.Millisecond}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, addr := range map[string]string{
		"nobody listens":    nobody,
		"it never answers":  nameNode(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c); _ = c.Close() }),
		"it hangs up":       nameNode(t, func(c net.Conn) { _ = c.Close() }),
		"it is no hdfs":     nameNode(t, func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); _ = c.Close() }),
		"it promises a lot": nameNode(t, func(c net.Conn) { _, _ = c.Write([]byte{0, 0, 0, 200, 1}); _, _ = io.Copy(io.Discard, c) }),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := open(t.Context(), "hdfs://"+addr+"/checkpoints", map[string]string{User: "etl"}, quick)
			if err == nil {
				t.Fatal(f.Close(), "it is open")
			}
			if !strings.Contains(err.Error(), "hdfs://"+addr+"/checkpoints on name node "+addr) {
				t.Errorf("the error names no address or no path: %v", err)
			}
		})
	}
	t.Run("the caller gives up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := open(ctx, "hdfs://"+nobody+"/x", map[string]string{User: "etl"}, usual); err == nil {
			t.Fatal("it is open")
		}
	})
}

// said is an answer of a name node.
type said struct{ class, message string }

func (s said) Method() string    { return "mkdirs" }
func (s said) Desc() string      { return "ERROR_APPLICATION" }
func (s said) Exception() string { return s.class }
func (s said) Message() string   { return s.message }
func (s said) Error() string {
	return s.Method() + " call failed with " + s.Desc() + " (" + s.class + ")"
}

func TestWhichErrorsAreTriedAgain(t *testing.T) {
	for _, c := range []struct {
		err            error
		again, unknown bool
	}{
		{nil, false, false},
		{io.EOF, true, true},
		{os.ErrDeadlineExceeded, true, true},
		{errors.New("unexpected sequence number"), true, true},
		{errors.New("no available namenodes: connection refused"), true, false},
		{said{"org.apache.hadoop.hdfs.server.namenode.SafeModeException", ""}, true, false},
		{said{"org.apache.hadoop.ipc.StandbyException", ""}, true, false},
		{said{"org.apache.hadoop.hdfs.protocol.NSQuotaExceededException", ""}, false, false},
		{&fs.PathError{Op: "stat", Path: "/x", Err: fs.ErrNotExist}, false, false},
		{&fs.PathError{Op: "mkdir", Path: "/x", Err: fs.ErrPermission}, false, false},
		{&fs.PathError{Op: "remove", Path: "/x", Err: syscall.ENOTEMPTY}, false, false},
	} {
		if again(c.err) != c.again || outcomeUnknown(c.err) != c.unknown {
			t.Errorf("%v: again %v, unknown %v", c.err, again(c.err), outcomeUnknown(c.err))
		}
	}
}

func TestErrorsHaveTheNameNodesWords(t *testing.T) {
	c := &cluster{at: target{authority: "prod", nodes: []string{"one:8020", "two:8020"}, dir: "/d"}}
	err := c.wrap("create", "/d/x", &fs.PathError{Op: "create", Path: "/d/x", Err: said{"java.io.IOException", "File /d/x could only be written to 0 of the 1 minReplication nodes.\n\tat org.apache"}})
	for _, part := range []string{"hdfs://prod/d/x", "one:8020, two:8020", "0 of the 1 minReplication nodes"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	if strings.Contains(err.Error(), "org.apache\n") || strings.Contains(err.Error(), "\tat ") {
		t.Errorf("the trace is in %v", err)
	}
}
