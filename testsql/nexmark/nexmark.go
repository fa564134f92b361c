// Package nexmark runs the Nexmark queries through the engine, from files on disk, in one
// process, for comparison with what Flink returned for the same 20,000 events
// (testsql/testdata/nexmark). Only tests use it.
package nexmark

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/engine"
	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/all"
	"github.com/sqlstream/sqlstream/connectors/filesystem"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/testsql/sqltest"
)

// Data is the folder of the golden data.
const Data = "../testdata/nexmark"

// Run is one way to run a query.
type Run struct {
	Parallelism int
	// Restart: a checkpoint is taken in the middle of the input, more rows are read, and the
	// job is cancelled and started again from the checkpoint.
	Restart bool
	// MiniBatch: aggregates gather rows.
	MiniBatch bool
}

// Outcome is what a run gave: the changes of the SELECT, committed, and how many rows were
// read before and after the restart.
type Outcome struct {
	Header        string
	Changes       []string
	Before, After int
}

// Unpack puts the input files into dir.
func Unpack(dir string) error {
	events, err := readGzip(filepath.Join(Data, "events.jsonl.gz"))
	if err != nil {
		return err
	}
	side, err := os.ReadFile(filepath.Join(Data, "side_input.csv"))
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "events.jsonl"), events, 0o600), os.WriteFile(filepath.Join(dir, "side_input.csv"), side, 0o600))
}

func readGzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return io.ReadAll(z)
}

// Golden is what Flink returned for a query: the header and the sorted rows.
func Golden(query string) (header string, rows []string, err error) {
	b, err := readGzip(filepath.Join(Data, "results", query+".jsonl.gz"))
	if err != nil {
		return "", nil, err
	}
	lines := strings.Split(string(bytes.TrimRight(b, "\n")), "\n")
	return lines[0], lines[1:], nil
}

// Query is the text of a query of the golden data.
func Query(name string) (string, error) {
	b, err := os.ReadFile(filepath.Join(Data, "queries", name+".sql"))
	return string(b), err
}

// Plan compiles a query over the tables in dir.
func Plan(query, dir string, r Run, lookup engine.Lookup) (*plan.Job, error) {
	ddl, err := Query("ddl")
	if err != nil {
		return nil, err
	}
	s := engine.NewSession(lookup)
	set := fmt.Sprintf("SET 'parallelism.default' = '%d'; SET 'execution.checkpointing.interval' = '1 h'; SET 'restart-strategy.type' = 'fixed-delay';\n", r.Parallelism)
	if r.MiniBatch {
		set += "SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '1 s'; SET 'table.exec.mini-batch.size' = '1000';\n"
	}
	if _, err := s.Execute("ddl.sql", set+strings.ReplaceAll(ddl, "${DIR}", dir)); err != nil {
		return nil, err
	}
	results, err := s.Execute("query.sql", query)
	if err != nil {
		return nil, err
	}
	for _, r := range results {
		if r.Job != nil {
			return r.Job, nil
		}
	}
	return nil, errors.New("the text has no query")
}

// half is where a run with a restart takes its checkpoint, late where it is cancelled.
const (
	half = 8_000
	late = 14_000
)

// Do runs a query over the tables in dir; jobDir is for the job.
func Do(ctx context.Context, query, dir, jobDir string, r Run) (*Outcome, error) {
	golden, gate := sqltest.NewGolden(), newGate(filesystem.New(all.Formats()))
	lookup := func(name string) (connectors.Connector, error) {
		switch name {
		case "filesystem":
			return gate, nil
		case "golden":
			return golden, nil
		}
		return nil, fmt.Errorf("connector '%s': there are filesystem and golden", name)
	}
	out := &Outcome{}
	start := func() (*job.Handle, error) {
		p, err := Plan(query, dir, r, lookup)
		if err != nil {
			return nil, err
		}
		out.Header = sqltest.Collect(p)
		return job.Run(ctx, p, job.Config{Dir: jobDir, Connectors: lookup, Version: "test"})
	}
	if r.Restart {
		gate.limit(half)
	}
	h, err := start()
	if err != nil {
		return nil, err
	}
	if r.Restart {
		if out.Before, err = interrupt(ctx, h, gate); err != nil {
			return nil, err
		}
		gate.limit(0)
		if h, err = start(); err != nil {
			return nil, err
		}
	}
	if err := h.Wait(); err != nil {
		return nil, err
	}
	out.After = gate.rows() - out.Before
	out.Changes = golden.Rows("result")
	return out, nil
}

// interrupt lets a job read half of the input, takes a checkpoint, lets it read on, and ends
// it.
func interrupt(ctx context.Context, h *job.Handle, g *gate) (rows int, err error) {
	if err := g.wait(h); err != nil {
		return 0, err
	}
	if _, err := h.Checkpoint(ctx, false); err != nil {
		return 0, err
	}
	g.limit(late)
	if err := g.wait(h); err != nil {
		return 0, err
	}
	h.Cancel()
	if err := h.Wait(); !errors.Is(err, job.ErrCancelled) {
		return 0, fmt.Errorf("the job ended with %w before it was cancelled", err)
	}
	return g.rows(), nil
}
