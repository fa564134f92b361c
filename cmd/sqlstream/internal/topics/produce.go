package topics

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors/kafka"
	"github.com/sqlstream/sqlstream/exec"
)

// maxLine bounds one record; Kafka's own default limit is lower.
const maxLine = 64 << 20

// Produce says how lines become records.
type Produce struct {
	Topic        string
	KeySeparator string             // text between key and value; "" = no keys
	Headers      []kgo.RecordHeader // of every record
	Partition    int32              // -1: by key, as Kafka's own producer
	EmptyIsNull  bool               // an empty value is a tombstone
}

// Produce writes one record a line and returns how many the broker has.
func (c *Cluster) Produce(ctx context.Context, p Produce, in io.Reader) (int64, error) {
	opts := []kgo.Opt{kgo.DefaultProduceTopic(p.Topic), kgo.UnknownTopicRetries(3), kgo.ProducerBatchMaxBytes(1 << 20)}
	if p.Partition >= 0 {
		opts = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	cl, err := kafka.Dial(ctx, c.props, c.log, opts...)
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	// The first failure ends the rest: records of one file stay in order.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var done atomic.Int64
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for ctx.Err() == nil && lines.Scan() {
		n++
		r, err := p.record(lines.Bytes(), n)
		if err != nil {
			cancel(err)
			break
		}
		cl.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				cancel(c.produceError(p.Topic, err))
				return
			}
			done.Add(1)
		})
	}
	if err := lines.Err(); err != nil {
		cancel(fmt.Errorf("reading line %d: %w", n+1, err))
	}
	flushErr := cl.Flush(context.WithoutCancel(ctx))
	if cause := context.Cause(ctx); cause != nil {
		return done.Load(), cause
	}
	return done.Load(), flushErr
}

func (p *Produce) record(line []byte, n int) (*kgo.Record, error) {
	r := &kgo.Record{Headers: p.Headers, Partition: max(p.Partition, 0)}
	value := line
	if p.KeySeparator != "" {
		key, rest, ok := bytes.Cut(line, []byte(p.KeySeparator))
		if !ok {
			return nil, exec.Userf("line %d has no key separator %q", n, p.KeySeparator)
		}
		r.Key, value = bytes.Clone(key), rest
	}
	if len(value) > 0 || !p.EmptyIsNull {
		r.Value = append([]byte{}, value...)
	}
	return r, nil
}

func (c *Cluster) produceError(topic string, err error) error {
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return c.unknown(context.Background(), topic)
	case errors.Is(err, kerr.MessageTooLarge):
		return exec.Userf("topic %s: a record is larger than the broker accepts (max.message.bytes): %w", topic, err)
	}
	return explain("producing to "+topic, err)
}
