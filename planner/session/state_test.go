package session_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/build"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
)

// noReader and noWriter stand for systems outside, which nothing here touches.
type (
	noReader struct{ exec.Reader }
	noWriter struct{ exec.Writer }
)

func (noReader) Close() error { return nil }
func (noWriter) Close() error { return nil }

// checkState makes the operators of a plan and opens those with state: exec/build compares
// what they lay out and open with what the plan declares.
func checkState(j *plan.Job) error {
	tasks, err := build.Tasks(&build.Parts{
		Job: j, Zone: time.UTC, Clock: exec.SystemClock{}, Log: slog.New(slog.DiscardHandler), WriterContext: context.Background(),
		Metrics: func(*plan.Node, int) *exec.Metrics { return &exec.Metrics{} },
		Reader: func(*plan.Node, int) (exec.Reader, []exec.Split, []exec.Watermark, error) {
			return noReader{}, nil, nil, nil
		},
		Writer: func(*plan.Node, int) (exec.Writer, error) { return noWriter{}, nil },
		Store: func(*build.Chain, int) (state.Store, error) {
			return memstate.Open(memstate.Options{Range: state.Range{Hi: state.KeyGroup(j.MaxParallel)}, MaxParallelism: j.MaxParallel, Now: time.Now})
		},
	})
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if t.Store == nil {
			continue
		}
		outs := []flow.Edge{{Op: t.Root}}
		if t.Source != nil {
			outs = t.Source.Outs
		}
		if err := open(outs, t.Store, stateful(j)); err != nil {
			return err
		}
		s, err := t.Store.Seal(1)
		if err != nil {
			return err
		}
		s.Release()
	}
	return checkDeclared(j)
}

func stateful(j *plan.Job) map[string]bool {
	m := map[string]bool{}
	for _, n := range j.Nodes {
		m[n.UID] = len(n.State) > 0
	}
	return m
}

func open(edges []flow.Edge, s state.Store, stateful map[string]bool) error {
	for _, e := range edges {
		if e.Op == nil {
			continue
		}
		if e.Op.Ctx.State = s; stateful[e.Op.Ctx.UID] {
			e.Op.Ctx.WakeAt = func(int64) {}
			if err := e.Op.Operator.Open(e.Op.Ctx); err != nil {
				return fmt.Errorf("%s: %w", e.Op.Name, err)
			}
		}
		if err := open(e.Op.Outs, s, stateful); err != nil {
			return err
		}
	}
	return nil
}

// checkDeclared reports where a declaration does not account for every byte of a record: each
// slot begins where the one before it ends.
func checkDeclared(j *plan.Job) error {
	for _, n := range j.Nodes {
		for i, t := range n.State {
			if i > 0 && t.ID <= n.State[i-1].ID {
				return fmt.Errorf("%s: table %d after %d", n.Name, t.ID, n.State[i-1].ID)
			}
			if last := t.ID == layout.Progress; t.ID != uint8(i) && !last {
				return fmt.Errorf("%s: table %d has place %d", n.Name, t.ID, i)
			}
			at, bits := 0, 0
			for _, s := range t.Slots {
				if s.Kind == plan.SlotSeen {
					if s.Off != bits/8 || s.Bit != bits%8 {
						return fmt.Errorf("%s, table %q: bit %q at %d.%d, expected at %d", n.Name, t.Name, s.Name, s.Off, s.Bit, bits)
					}
					bits++
					at = (bits + 7) / 8
					continue
				}
				if s.Off != at {
					return fmt.Errorf("%s, table %q: slot %q at %d, expected at %d", n.Name, t.Name, s.Name, s.Off, at)
				}
				at += s.Size
			}
			if at != t.Size {
				return fmt.Errorf("%s, table %q: slots of %d bytes in a record of %d", n.Name, t.Name, at, t.Size)
			}
		}
	}
	return nil
}

// TestPlanAndOperatorsKeepTheSameState covers what the goldens do not: keys of every kind, and
// all that the aggregates of one GROUP BY can share.
func TestPlanAndOperatorsKeepTheSameState(t *testing.T) {
	tables := `CREATE TABLE t (k STRING, r ROW<a INT, b ROW<c STRING, d DECIMAL(20, 2)>>, l ARRAY<INT>, m MAP<STRING, INT>, i INT, b BIGINT, f FLOAT, d DECIMAL(10, 2), s STRING, ok BOOLEAN,
		dt DATE, ts TIMESTAMP(3), z TIMESTAMP_LTZ(3), x BYTES, pt AS PROCTIME(), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
	CREATE TABLE c (id BIGINT, v BIGINT, s STRING, ok BOOLEAN, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'cdc', 'topic' = 'c');
	`
	aggs := `COUNT(*), COUNT(s), COUNT(DISTINCT s), COUNT(DISTINCT s) FILTER (WHERE ok), MIN(s), MAX(s) FILTER (WHERE ok)`
	for _, query := range []string{
		`SELECT r, COUNT(*) FROM t GROUP BY r`,
		`SELECT r.b, r.a, COUNT(DISTINCT r.b.c) FROM t GROUP BY r.b, r.a`,
		`SELECT l, COUNT(*) FROM t GROUP BY l`,
		`SELECT dt, z, x, f, COUNT(*) FROM t GROUP BY dt, z, x, f`,
		`SELECT DISTINCT k, r FROM t`,
		`SELECT ` + aggs + `, SUM(i), AVG(f), SUM(d), AVG(DISTINCT d), MAX(dt), MIN(ok), FIRST_VALUE(s), LAST_VALUE(b), MAX(f), SUM(DISTINCT i) FILTER (WHERE b > 3), SUM(DISTINCT i) FROM t`,
		`SELECT ` + aggs + `, SUM(v), MAX(v), COUNT(DISTINCT v), COUNT(DISTINCT v) FILTER (WHERE ok), SUM(DISTINCT v) FILTER (WHERE s = 'x') FROM c GROUP BY id`,
		`SELECT DISTINCT s FROM c`,
		`SELECT k, window_end, ` + aggs + ` FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end`,
		`SELECT r, window_end, COUNT(*), SUM(d), MAX(s) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)) GROUP BY r, window_start, window_end`,
		`SELECT window_end, LAST_VALUE(s) FROM TABLE(HOP(TABLE t, DESCRIPTOR(pt), INTERVAL '1' MINUTE, INTERVAL '5' MINUTE)) GROUP BY window_start, window_end`,
		`SELECT window_end, MAX(n), COUNT(DISTINCT n) FROM (SELECT k, window_start, window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end) GROUP BY window_start, window_end`,
		`SELECT s, window_end, ` + aggs + `, MIN(v) FROM TABLE(TUMBLE(TABLE c, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY s, window_start, window_end`,
	} {
		for _, set := range []string{"", "SET 'parallelism.default' = '3';", "SET 'table.exec.state.ttl' = '1 h';"} {
			results, err := newSession().Execute("", tables+set+query)
			if err != nil {
				t.Errorf("%s\n%v", query, err)
				continue
			}
			if err := checkState(results[len(results)-1].Job); err != nil {
				t.Errorf("%s\n%v", query, err)
			}
		}
	}
}
