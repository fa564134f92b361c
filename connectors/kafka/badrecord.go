package kafka

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
)

// badRecords is what happens to records that the format cannot decode.
type badRecords struct {
	cfg     *tableConfig
	env     connectors.Env
	subtask int
	ctx     context.Context // ends when the reader is closed: writing may have to wait
	cancel  context.CancelFunc

	out   *outlet // dead letters; made at the first one
	plain *stream // its own producer, when the job has no committer for the cluster
	until decided // of the last barrier, while there is no outlet
}

func newBadRecords(cfg *tableConfig, env connectors.Env, subtask int) *badRecords {
	b := &badRecords{cfg: cfg, env: env, subtask: subtask}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

func (b *badRecords) count() {
	if m := b.env.Metrics; m != nil {
		m.BadRows.Add(1)
	}
}

func (b *badRecords) handle(r *kgo.Record, bad *format.BadRecord) error {
	switch b.cfg.badRecords {
	case badSkip:
		b.count()
		return nil
	case badDLQ:
		if err := b.letter(r, bad); err != nil {
			// Neither lost nor skipped: the job stops.
			return fmt.Errorf("kafka topic %s partition %d offset %d: the record cannot be decoded (%w), and it cannot be written to the dead letter topic %s: %w", r.Topic, r.Partition, r.Offset, bad, b.cfg.dlqTopic, err)
		}
		b.count()
		return nil
	}
	return &exec.Error{Class: exec.User, Err: fmt.Errorf("kafka topic %s partition %d offset %d: the record cannot be decoded: %w; correct the table, or set 'bad-records' to skip or dlq", r.Topic, r.Partition, r.Offset, bad)}
}

// open finds the way for dead letters: the job's exactly-once transaction when there is
// one on this cluster, else a producer of their own that barriers wait for.
func (b *badRecords) open() error {
	if err := checkTopic(b.ctx, b.cfg, b.cfg.dlqTopic, b.env); err != nil {
		return err
	}
	if group := b.committer(); group != nil {
		b.out = newOutlet(b.cfg.dlqTopic, b.subtask, nil, group, b.cfg.holdBytes)
		b.out.until = b.until
		return nil
	}
	plain, err := newPlain(b.ctx, b.cfg, b.env)
	if err != nil {
		return err
	}
	b.plain = plain
	b.out = newOutlet(b.cfg.dlqTopic, b.subtask, plain, nil, b.cfg.holdBytes)
	return nil
}

// committer returns the job's committer for the source's cluster, nil when it has none.
func (b *badRecords) committer() *committer {
	if b.env.Committers == nil {
		return nil
	}
	c, err := b.env.Committers(b.cfg.cluster.committerName(), func() (exec.Committer, error) { return nil, errNoCommitter })
	if err != nil {
		return nil
	}
	group, _ := c.(*committer)
	return group
}

var errNoCommitter = fmt.Errorf("the job has no exactly-once sink on this cluster")

// letter writes the record's own bytes, with headers that say where they came from.
func (b *badRecords) letter(r *kgo.Record, bad *format.BadRecord) error {
	if b.out == nil {
		if err := b.open(); err != nil {
			return err
		}
	}
	if err := b.out.release(b.ctx); err != nil {
		return err
	}
	s, err := b.out.slot(b.ctx)
	if err != nil {
		return err
	}
	out := kgo.Record{Timestamp: r.Timestamp, Headers: append(append([]kgo.RecordHeader(nil), r.Headers...), provenance(r, bad, b.env.JobName)...)}
	for i := range r.Headers {
		out.Headers[i].Value = append([]byte(nil), r.Headers[i].Value...)
	}
	start := len(s.buf)
	s.buf = append(append(s.buf, r.Key...), r.Value...)
	mid := start + len(r.Key)
	if r.Key != nil {
		out.Key = s.buf[start:mid:mid]
		out.Partition = keyHash(out.Key)
	} else {
		out.Partition = r.Partition
	}
	if r.Value != nil {
		out.Value = s.buf[mid:len(s.buf):len(s.buf)]
	}
	b.out.commit(s, out)
	if b.plain != nil {
		return b.out.pass(b.ctx) // there may never be a barrier
	}
	return nil
}

func provenance(r *kgo.Record, bad *format.BadRecord, job string) []kgo.RecordHeader {
	num := func(n int64) []byte { return strconv.AppendInt(nil, n, 10) }
	return []kgo.RecordHeader{
		{Key: "__src_topic", Value: []byte(r.Topic)},
		{Key: "__src_partition", Value: num(int64(r.Partition))},
		{Key: "__src_offset", Value: num(r.Offset)},
		{Key: "__src_ts", Value: num(r.Timestamp.UnixMilli())},
		{Key: "__err_code", Value: []byte("BAD_RECORD")},
		{Key: "__err_msg", Value: []byte(bad.Error())},
		{Key: "__pipeline", Value: []byte(job)},
	}
}

// barrier ends the epoch of the dead letters written so far. The reader is not told its
// number: it is the next one to be decided.
func (b *badRecords) barrier() error {
	if b.cfg.badRecords != badDLQ {
		return nil
	}
	if b.out != nil {
		return b.out.barrier(b.ctx, func() decided { return b.out.group.nextDecision() })
	}
	if group := b.committer(); group != nil {
		b.until = group.nextDecision()
	}
	return nil
}

// finish waits until the dead letters are written that no transaction carries: at the end of
// the input there may be no barrier any more.
func (b *badRecords) finish(ctx context.Context) error {
	if b.plain == nil {
		return nil
	}
	return b.out.flush(ctx)
}

// close gives up what is not written yet: nobody was told that it was read.
func (b *badRecords) close() error {
	b.cancel()
	if b.plain == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := b.out.wait(ctx)
	b.plain.cl.Close()
	return err
}
