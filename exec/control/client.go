package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/sqlstream/sqlstream/exec/job"
)

// maxAnswer bounds what a client reads of an answer.
const maxAnswer = 16 << 20

// askTimeout bounds the requests that do not wait for anything.
const askTimeout = 5 * time.Second

// Client talks to the job of one directory. It is safe for concurrent use.
type Client struct {
	dir  string
	http *http.Client
}

// Dial connects to the job that runs in dir and checks that both sides speak the same
// version. It returns a *NotRunningError when nobody answers there.
func Dial(ctx context.Context, dir string) (*Client, error) {
	c := &Client{dir: dir, http: &http.Client{Transport: &http.Transport{
		DialContext:  func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) },
		MaxIdleConns: 1,
	}}}
	var v Versions
	if err := c.ask(ctx, http.MethodGet, "/versions", &v); err != nil {
		c.Close()
		return nil, err
	}
	if !slices.Contains(v.API, Version) {
		c.Close()
		return nil, fmt.Errorf("the job in %s is run by sqlstream %s (process %d), which speaks control versions %v; this program speaks %d: use the same version", dir, v.Build, v.PID, v.API, Version)
	}
	return c, nil
}

// Close frees the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Jobs returns the status of the jobs behind the socket.
func (c *Client) Jobs(ctx context.Context) ([]job.Status, error) {
	var list []job.Status
	return list, c.ask(ctx, http.MethodGet, "/v1/jobs", &list)
}

// Job returns the status of one job.
func (c *Client) Job(ctx context.Context, id string) (job.Status, error) {
	var s job.Status
	return s, c.ask(ctx, http.MethodGet, "/v1/jobs/"+id, &s)
}

// Metrics returns the counters of a job's operators.
func (c *Client) Metrics(ctx context.Context, id string) ([]job.OperatorStatus, error) {
	var ops []job.OperatorStatus
	return ops, c.ask(ctx, http.MethodGet, "/v1/jobs/"+id+"/metrics", &ops)
}

// Checkpoint takes a checkpoint and returns its id when it is complete. Like all that take one,
// it waits as long as ctx allows.
func (c *Client) Checkpoint(ctx context.Context, id string, r CheckpointRequest) (uint64, error) {
	var out CheckpointResult
	return out.ID, c.send(ctx, http.MethodPost, "/v1/jobs/"+id+"/checkpoint", r, &out)
}

// Savepoint takes a savepoint.
func (c *Client) Savepoint(ctx context.Context, id string, r SavepointRequest) (job.SavepointStatus, error) {
	var out job.SavepointStatus
	return out, c.send(ctx, http.MethodPost, "/v1/jobs/"+id+"/savepoint", r, &out)
}

// Stop ends the job after a last checkpoint or savepoint. It does not wait for the process.
func (c *Client) Stop(ctx context.Context, id string, r StopRequest) (StopResult, error) {
	var out StopResult
	return out, c.send(ctx, http.MethodPost, "/v1/jobs/"+id+"/stop", r, &out)
}

// Cancel asks the job to end. It does not wait for that.
func (c *Client) Cancel(ctx context.Context, id string) (job.Status, error) {
	var s job.Status
	return s, c.ask(ctx, http.MethodPost, "/v1/jobs/"+id+"/cancel", &s)
}

// ask is send for requests that are answered at once.
func (c *Client) ask(ctx context.Context, method, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return c.send(ctx, method, path, nil, out)
}

// send sends in, nil for nothing, as JSON, and reads the answer into out.
func (c *Client) send(ctx context.Context, method, path string, in, out any) error {
	var content io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+hostName+path, content)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method != http.MethodGet {
		req.Header.Set(requestHeader, "1")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if gone, ok := errors.AsType[*NotRunningError](err); ok {
			return gone
		}
		return fmt.Errorf("control socket of %s: %w", c.dir, err)
	}
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, maxAnswer)
	if resp.StatusCode/100 != 2 {
		var e struct{ Error Error }
		if err := json.NewDecoder(body).Decode(&e); err != nil || e.Error.Message == "" {
			return fmt.Errorf("control socket of %s: answer %s", c.dir, resp.Status)
		}
		return &e.Error
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("control socket of %s: %w", c.dir, err)
	}
	return nil
}
