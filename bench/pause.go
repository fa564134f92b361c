package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/exec/job"
)

// grouped keeps a count and a sum for each of a million keys, and changes them all the time.
const grouped = `
SET 'execution.checkpointing.interval' = '10 min';
CREATE TABLE numbers (k BIGINT, v BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000000000',
  'fields.k.min' = '0', 'fields.k.max' = '999999');
CREATE TABLE results (k BIGINT, n BIGINT, total BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole');
INSERT INTO results SELECT k, COUNT(*), SUM(v) FROM numbers GROUP BY k;
`

// rowsBetween checkpoints change more than 99 % of the groups.
const rowsBetween = 6_000_000

// pause measures how long a task stands still for the barrier of a checkpoint when a million
// groups have changed since the last one.
func (b *bench) pause(ctx context.Context, w io.Writer) error {
	cmd, dir, stop, err := b.job(ctx, grouped)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer stop()
	cl, err := dial(ctx, dir)
	if err != nil {
		return err
	}
	defer cl.Close()
	var pauses, took []time.Duration
	var bytes []int64
	seen := int64(0)
	for range max(b.runs, 1) {
		s, err := status(ctx, cl, func(s job.Status) bool { return s.RowsIn >= seen+rowsBetween })
		if err != nil {
			return err
		}
		seen = s.RowsIn
		if _, err := cl.Checkpoint(ctx, s.ID, control.CheckpointRequest{}); err != nil {
			return err
		}
		if s, err = status(ctx, cl, func(job.Status) bool { return true }); err != nil {
			return err
		}
		c := s.Checkpoints
		pauses, took, bytes = append(pauses, c.LastPause), append(took, c.LastTook), append(bytes, c.LastBytes)
	}
	fmt.Fprintf(w, "barrier with 1,000,000 changed groups: %.2f ms pause (most %.2f), checkpoint complete after %d ms, %d MB written (medians of %d)\n",
		ms(median(pauses)), ms(slices.Max(pauses)), median(took).Milliseconds(), median(bytes)/1e6, len(pauses))
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// dial waits for the job's control socket.
func dial(ctx context.Context, dir string) (*control.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		cl, err := control.Dial(ctx, dir)
		if err == nil || ctx.Err() != nil {
			return cl, err
		}
		if err := rest(ctx); err != nil {
			return nil, err
		}
	}
}

// status asks until the answer is what is waited for.
func status(ctx context.Context, cl *control.Client, ok func(job.Status) bool) (job.Status, error) {
	for {
		list, err := cl.Jobs(ctx)
		if err != nil {
			return job.Status{}, err
		}
		if len(list) == 1 && ok(list[0]) {
			return list[0], nil
		}
		if err := rest(ctx); err != nil {
			return job.Status{}, err
		}
	}
}

func rest(ctx context.Context) error {
	select {
	case <-time.After(20 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
