package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// partition is one split while it is read.
type partition struct {
	pos   position
	end   int64 // known end of the log, -1 unknown
	ended bool
}

// reader reads the partitions of one subtask.
type reader struct {
	cfg   *tableConfig
	env   exec.ConnEnv
	cols  *columns
	fetch fetcher
	watch *watcher
	bad   *badRecords

	parts   []partition
	index   map[string]map[int32]int // topic, partition -> parts
	pending []run                    // fetched, not yet returned; the first one from record at on
	at      int
}

func (s *source) Reader(ctx context.Context, subtask int, env exec.ConnEnv) (exec.Reader, error) {
	cenv := s.env
	cenv.ConnEnv = env
	cols, err := newColumns(s.cfg, s.projection, cenv)
	if err != nil {
		return nil, err
	}
	fetch, err := newClientFetcher(ctx, s.cfg, env.Log)
	if err != nil {
		return nil, err
	}
	r := &reader{cfg: s.cfg, env: env, cols: cols, fetch: fetch, index: map[string]map[int32]int{}}
	r.watch = newWatcher(s.cfg, env, fetch.cl)
	r.bad = newBadRecords(s.cfg, cenv, subtask)
	return r, nil
}

// Assign checks that the positions still mean what they meant when they were recorded.
func (r *reader) Assign(splits []exec.Split) error {
	parts := make([]position, len(splits))
	for i, s := range splits {
		p, err := parsePosition(s)
		if err != nil {
			return err
		}
		parts[i] = p
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if err := r.watch.check(ctx, parts); err != nil {
		return err
	}
	var read []position
	for _, p := range parts {
		if p.Next == nextMissing {
			return exec.Userf("kafka %s: group %s has committed no offset for it, and 'scan.startup.mode' is 'group-offsets'; set 'properties.auto.offset.reset' to earliest or latest, or another startup mode", p, r.cfg.props.groupID)
		}
		if r.index[p.Topic] == nil {
			r.index[p.Topic] = map[int32]int{}
		}
		r.index[p.Topic][p.Partition] = len(r.parts)
		done := p.Stop != noStop && p.Next >= p.Stop
		r.parts = append(r.parts, partition{pos: p, end: -1, ended: done})
		if !done {
			read = append(read, p)
		}
	}
	if len(read) > 0 {
		r.fetch.assign(read)
	}
	return nil
}

func (r *reader) Ended(split int) bool { return r.parts[split].ended }

// finished reports whether every split is read to its end and there are some, or there can
// never be any.
func (r *reader) finished() bool {
	for i := range r.parts {
		if !r.parts[i].ended {
			return false
		}
	}
	return r.cfg.stop.mode != stopNever
}

func (r *reader) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	b.Reset()
	if len(r.pending) == 0 {
		if r.finished() {
			return exec.ReadEnd, r.bad.finish(ctx)
		}
		if err := r.poll(ctx, wait); err != nil {
			return 0, err
		}
		if len(r.pending) == 0 {
			return exec.ReadIdle, ctx.Err()
		}
	}
	return r.fill(b)
}

func (r *reader) poll(ctx context.Context, wait time.Duration) error {
	if err := r.watch.err(); err != nil {
		return err
	}
	pctx, cancel := context.WithTimeout(ctx, max(wait, time.Millisecond))
	runs, err := r.fetch.poll(pctx)
	cancel()
	if err != nil {
		return err
	}
	r.pending, r.at = runs, 0
	return nil
}

// fill takes rows of the first pending run until the batch is full or the run is used up.
func (r *reader) fill(b *vec.Batch) (exec.ReadStatus, error) {
	cur := &r.pending[0]
	i, ok := r.index[cur.topic][cur.partition]
	if !ok {
		r.next()
		return exec.ReadRows, nil
	}
	p := &r.parts[i]
	b.Split = i
	if cur.end >= 0 {
		p.end = cur.end
	}
	r.cols.lend(b)
	err := r.rows(p, cur, b)
	r.cols.giveBack(b)
	if err != nil {
		return 0, err
	}
	if r.at < len(cur.records) && !p.ended {
		return exec.ReadRows, nil
	}
	if cur.err != nil && !p.ended {
		return 0, r.explain(p, cur.err)
	}
	if p.ended {
		r.fetch.drop(cur.topic, cur.partition)
	}
	r.next()
	return exec.ReadRows, nil
}

// next leaves the first pending run.
func (r *reader) next() {
	r.fetch.release(r.pending[0])
	r.pending, r.at = r.pending[1:], 0
}

// rows is the loop over records: what it spends per record is what a row costs.
func (r *reader) rows(p *partition, cur *run, b *vec.Batch) error {
	var bytes int64
	defer func() {
		if r.env.Metrics != nil {
			r.env.Metrics.BytesIn.Add(bytes)
		}
	}()
	for r.at < len(cur.records) && b.N < vec.MaxRows {
		rec := cur.records[r.at]
		if p.pos.Stop != noStop && rec.Offset >= p.pos.Stop {
			p.ended = true
			return nil
		}
		if !rec.Attrs.IsControl() && rec.Offset >= p.pos.Next {
			bytes += int64(len(rec.Key) + len(rec.Value))
			if err := r.cols.add(rec, b, b.N); err != nil {
				if err := r.refused(rec, err); err != nil {
					return err
				}
			}
		}
		r.at++
		p.pos.Next, p.pos.LeaderEpoch = rec.Offset+1, rec.LeaderEpoch
		if p.pos.Stop != noStop && p.pos.Next >= p.pos.Stop {
			p.ended = true
			return nil
		}
	}
	return nil
}

// refused handles a record that gave no row.
func (r *reader) refused(rec *kgo.Record, err error) error {
	switch {
	case errors.Is(err, format.ErrNoRow):
		return nil
	case errors.Is(err, format.ErrIgnored):
		r.bad.count()
		return nil
	}
	var bad *format.BadRecord
	if !errors.As(err, &bad) {
		return fmt.Errorf("kafka topic %s partition %d offset %d: %w", rec.Topic, rec.Partition, rec.Offset, err)
	}
	return r.bad.handle(rec, bad)
}

// explain says what a partition's error means. Errors here are final: the client repeats
// those that heal by itself.
func (r *reader) explain(p *partition, err error) error {
	var loss *kgo.ErrDataLoss
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout/3)
		defer cancel()
		return r.watch.outOfRange(ctx, p.pos)
	case errors.As(err, &loss):
		return exec.Userf("kafka %s: the log was truncated: wanted offset %d (leader epoch %d), but the broker's log of that epoch ends at %d. Records this job has read were lost by the cluster (unclean leader election?); restore an older checkpoint or start afresh", p.pos, p.pos.Next, p.pos.LeaderEpoch, loss.ResetTo)
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.InconsistentTopicID):
		return exec.Userf("kafka %s: wanted offset %d, but the topic was deleted or created again: %w", p.pos, p.pos.Next, err)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return exec.Deniedf("kafka %s: the user may not read it (ACL Read on the topic is missing): %w", p.pos, err)
	}
	return exec.Externalf("kafka %s: reading at offset %d: %w", p.pos, p.pos.Next, err)
}

// Positions is called at barriers only; undecodable records written until here belong to
// the epoch that the barrier ends.
func (r *reader) Positions() ([]exec.Split, error) {
	if err := r.bad.barrier(); err != nil {
		return nil, err
	}
	out := make([]exec.Split, len(r.parts))
	for i := range r.parts {
		pos := r.parts[i].pos
		if bugOffsetPlus && pos.Next > 0 {
			pos.Next++
		}
		out[i] = pos.split()
	}
	r.watch.observe(r.parts)
	return out, nil
}

// Committed hands the offsets to the group, for lag tools; they are never read back.
func (r *reader) Committed(_ state.Epoch, splits []exec.Split) { r.watch.commit(splits) }

func (r *reader) Lag() int64 {
	r.watch.update(r.parts)
	var lag int64
	for i := range r.parts {
		p := &r.parts[i]
		end := p.end
		if p.pos.Stop != noStop {
			end = p.pos.Stop
		}
		if end < 0 {
			return -1
		}
		lag += max(end-p.pos.Next, 0)
	}
	return lag
}

func (r *reader) Close() error {
	r.watch.close() // uses the fetcher's client
	r.fetch.close()
	return r.bad.close()
}
