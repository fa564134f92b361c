package control

import (
	"context"
	"errors"
	"github.com/sqlstream/sqlstream/exec"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/sqlstream/sqlstream/exec/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fakeJob struct {
	status    job.Status
	cancelled atomic.Bool
	err       error
}

func (f *fakeJob) Status() job.Status { return f.status }
func (f *fakeJob) Cancel()            { f.cancelled.Store(true) }
func (f *fakeJob) Checkpoint(_ context.Context, full bool) (uint64, error) {
	if full {
		return 8, f.err
	}
	return 7, f.err
}
func (f *fakeJob) NewSavepoint(r job.SavepointRequest) (*job.Savepoint, error) {
	return nil, exec.Userf("no savepoint in '%s' (%s)", r.Dir, r.Layout)
}
func (f *fakeJob) Stop(_ context.Context, drain bool) (uint64, error) {
	if drain {
		return 9, f.err
	}
	return 10, f.err
}

func serve(t *testing.T, dir string, j Job) {
	t.Helper()
	s, err := Serve(dir, "v1.2.3", j, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(filepath.Join(dir, SocketName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket is still there after Close: %v", err)
		}
	})
}

func connect(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestClientAndServer(t *testing.T) {
	dir := t.TempDir()
	j := &fakeJob{status: job.Status{ID: "abc", Name: "etl", State: job.Running, RowsIn: 5, Operators: []job.OperatorStatus{{UID: "u", RowsIn: 5}}}}
	serve(t, dir, j)
	info, err := os.Stat(filepath.Join(dir, SocketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode %v, %v; want 0600", info.Mode(), err)
	}
	c := connect(t, dir)
	ctx := t.Context()
	if list, err := c.Jobs(ctx); err != nil || len(list) != 1 || list[0].Name != "etl" || list[0].RowsIn != 5 {
		t.Errorf("Jobs: %+v, %v", list, err)
	}
	if s, err := c.Job(ctx, "abc"); err != nil || s.State != job.Running {
		t.Errorf("Job: %+v, %v", s, err)
	}
	if id, err := c.Checkpoint(ctx, "abc", CheckpointRequest{Full: true}); err != nil || id != 8 {
		t.Errorf("full checkpoint: %d, %v", id, err)
	}
	if r, err := c.Stop(ctx, "abc", StopRequest{Drain: true}); err != nil || r.Checkpoint != 9 {
		t.Errorf("drain: %+v, %v", r, err)
	}
	if r, err := c.Stop(ctx, "abc", StopRequest{}); err != nil || r.Checkpoint != 10 {
		t.Errorf("stop: %+v, %v", r, err)
	}
	for what, err := range map[string]error{
		"savepoint": func() error {
			_, err := c.Savepoint(ctx, "abc", SavepointRequest{SavepointRequest: job.SavepointRequest{Dir: "d", Layout: "native"}})
			return err
		}(),
		"stop": func() error {
			_, err := c.Stop(ctx, "abc", StopRequest{Savepoint: &job.SavepointRequest{Dir: "d", Layout: "native"}})
			return err
		}(),
	} {
		if e, ok := err.(*Error); !ok || e.Code != CodeRequest || e.Message != "no savepoint in 'd' (native)" {
			t.Errorf("%s that cannot be: %v", what, err)
		}
	}
	if ops, err := c.Metrics(ctx, "abc"); err != nil || len(ops) != 1 || ops[0].UID != "u" {
		t.Errorf("Metrics: %+v, %v", ops, err)
	}
	if id, err := c.Checkpoint(ctx, "abc", CheckpointRequest{}); err != nil || id != 7 {
		t.Errorf("Checkpoint: %d, %v", id, err)
	}
	if _, err := c.Cancel(ctx, "abc"); err != nil || !j.cancelled.Load() {
		t.Errorf("Cancel: %v, cancelled %v", err, j.cancelled.Load())
	}
}

func TestFailuresHaveCodes(t *testing.T) {
	dir := t.TempDir()
	serve(t, dir, &fakeJob{status: job.Status{ID: "abc", Name: "etl", State: job.Restarting}})
	c := connect(t, dir)
	for _, tt := range []struct {
		name string
		do   func() error
		code Code
		text string
	}{
		{"another job", func() error { _, err := c.Job(t.Context(), "xyz"); return err }, CodeNotFound, "no job xyz here, this is job abc"},
		{"checkpoint of a job that restarts", func() error { _, err := c.Checkpoint(t.Context(), "abc", CheckpointRequest{}); return err }, CodeConflict, "job etl is RESTARTING"},
		{"a later version", func() error { return c.send(t.Context(), "GET", "/v9/jobs", nil, nil) }, CodeVersion, "API version v9"},
		{"no such path", func() error { return c.send(t.Context(), "GET", "/v1/cheese", nil, nil) }, CodeNotFound, "GET /v1/cheese"},
		{"another method", func() error { return c.send(t.Context(), "DELETE", "/v1/cheese", nil, nil) }, CodeMethod, "DELETE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do()
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != tt.code || !strings.Contains(e.Message, tt.text) {
				t.Errorf("got %v, want %s with %q", err, tt.code, tt.text)
			}
		})
	}
}

func TestRequestsOfWebPagesAreRefused(t *testing.T) {
	dir := t.TempDir()
	j := &fakeJob{status: job.Status{ID: "abc", State: job.Running}}
	serve(t, dir, j)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) }}}
	for _, tt := range []struct {
		name, host, header, value, body string
		want                            int
	}{
		{"form post", hostName, "", "", "", http.StatusForbidden},
		{"foreign host", "evil.example", requestHeader, "1", "", http.StatusForbidden},
		{"origin", hostName, "Origin", "http://evil.example", "", http.StatusForbidden},
		{"no JSON", hostName, requestHeader, "1", "x=1", http.StatusUnsupportedMediaType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+tt.host+"/v1/jobs/abc/cancel", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.header != "" {
				req.Header.Set(tt.header, tt.value)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.want || j.cancelled.Load() {
				t.Errorf("status %d, want %d; cancelled %v", resp.StatusCode, tt.want, j.cancelled.Load())
			}
		})
	}
}

func TestBodiesAreBounded(t *testing.T) {
	dir := t.TempDir()
	j := &fakeJob{status: job.Status{ID: "abc", State: job.Running}}
	serve(t, dir, j)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) }}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+hostName+"/v1/jobs/abc/cancel", strings.NewReader(strings.Repeat("x", maxBody+1)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(requestHeader, "1")
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge || j.cancelled.Load() {
		t.Errorf("status %d, want 413; cancelled %v", resp.StatusCode, j.cancelled.Load())
	}
}

func TestNobodyServesTheSocket(t *testing.T) {
	dir := t.TempDir()
	if _, err := Dial(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no socket: %v, want NotRunningError", err)
	}
	// A process that was killed leaves its socket behind.
	ln, err := listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, err := os.Lstat(filepath.Join(dir, SocketName)); err != nil {
		t.Fatalf("the test needs a stale socket: %v", err)
	}
	if _, err := Dial(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stale socket: %v, want NotRunningError", err)
	}
	serve(t, dir, &fakeJob{status: job.Status{ID: "abc"}})
	connect(t, dir)
}

func TestAFileInTheSocketsPlaceIsKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, SocketName)
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(dir, "", &fakeJob{}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Serve: %v, want an error that names %s", err, path)
	}
}

func TestLongPathsWork(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	serve(t, dir, &fakeJob{status: job.Status{ID: "abc"}})
	if list, err := connect(t, dir).Jobs(t.Context()); err != nil || list[0].ID != "abc" {
		t.Errorf("Jobs: %v, %v", list, err)
	}
}

func TestScan(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, filepath.Join(root, "b"), &fakeJob{status: job.Status{ID: "1", Name: "b"}})
	serve(t, filepath.Join(root, "c"), &fakeJob{status: job.Status{ID: "2", Name: "c"}})
	found, err := Scan(t.Context(), root)
	if err != nil || len(found) != 3 {
		t.Fatalf("found %v, %v", found, err)
	}
	for i, running := range []bool{false, true, true} {
		if found[i].Running != running || found[i].Err != nil {
			t.Errorf("%s: running %v, err %v; want running %v", found[i].Dir, found[i].Running, found[i].Err, running)
		}
	}
	if found[2].Jobs[0].ID != "2" {
		t.Errorf("jobs of c: %+v", found[2].Jobs)
	}
	if none, err := Scan(t.Context(), filepath.Join(root, "no")); none != nil || err != nil {
		t.Errorf("a root that does not exist: %v, %v", none, err)
	}
}
