package nexmark

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/exec/vec"
)

// gate is a connector whose readers, all together, stop after a number of rows.
type gate struct {
	connectors.Connector
	mu      sync.Mutex
	read    int
	most    int           // 0: no limit
	changed chan struct{} // closed when read or most change
}

func newGate(c connectors.Connector) *gate {
	return &gate{Connector: c, changed: make(chan struct{})}
}

// limit lets readers go on until they have read n rows in total; 0: to the end.
func (g *gate) limit(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.most = n
	g.signal()
}

func (g *gate) signal() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// rows is how many were read.
func (g *gate) rows() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.read
}

// closed reports whether the limit is reached, and what is closed when that may have changed.
func (g *gate) closed() (bool, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.most > 0 && g.read >= g.most, g.changed
}

// wait returns when the limit is reached.
func (g *gate) wait(h *job.Handle) error {
	for {
		ok, changed := g.closed()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-h.Done():
			return fmt.Errorf("the job ended after %d rows: %w", g.rows(), h.Wait())
		}
	}
}

// Source implements connectors.Connector.
func (g *gate) Source(ctx context.Context, t connectors.Table, projection []int, env connectors.Env) (exec.Source, error) {
	s, err := g.Connector.Source(ctx, t, projection, env)
	return gatedSource{s, g}, err
}

type gatedSource struct {
	exec.Source
	gate *gate
}

// Reader implements exec.Source.
func (s gatedSource) Reader(ctx context.Context, subtask int, env exec.ConnEnv) (exec.Reader, error) {
	r, err := s.Source.Reader(ctx, subtask, env)
	return gatedReader{r, s.gate}, err
}

type gatedReader struct {
	exec.Reader
	gate *gate
}

// Read implements exec.Reader.
func (r gatedReader) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	if closed, changed := r.gate.closed(); closed {
		b.Reset()
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-changed:
		case <-t.C:
		case <-ctx.Done():
		}
		return exec.ReadIdle, nil
	}
	status, err := r.Reader.Read(ctx, wait, b)
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	r.gate.read += b.N
	r.gate.signal()
	return status, err
}
