package topics

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors/kafka"
)

// Format is how a consumed record is printed.
type Format string

// The formats: the value alone, key and value with a tab between, or an object with
// everything about the record.
const (
	ValueFormat Format = "value"
	KeyFormat   Format = "key-value"
	JSONFormat  Format = "json"
)

// Consume says what to read and when to stop.
type Consume struct {
	Topic       string
	From        From
	Max         int64         // records; 0 = no limit
	UntilEnd    bool          // stop at the end the topic has now
	Timeout     time.Duration // stop when no record came for so long; 0 = wait forever
	Uncommitted bool          // also records of open and aborted transactions
	Format      Format
}

// Consume writes the records to out, one a line, and returns their number.
func (c *Cluster) Consume(ctx context.Context, spec Consume, out io.Writer) (int64, error) {
	var buf []byte
	return c.Each(ctx, spec, func(rec *kgo.Record) error {
		buf = AppendRecord(buf[:0], rec, spec.Format)
		_, err := out.Write(buf)
		return err
	})
}

// Each calls visit with the records, in order within a partition, and returns their number.
func (c *Cluster) Each(ctx context.Context, spec Consume, visit func(*kgo.Record) error) (int64, error) {
	d, err := c.Describe(ctx, spec.Topic)
	if err != nil {
		return 0, err
	}
	level := kgo.ReadCommitted()
	if spec.Uncommitted {
		level = kgo.ReadUncommitted()
	}
	cl, err := kafka.Dial(ctx, c.props, c.log, kgo.FetchIsolationLevel(level), kgo.ConsumeTopics(spec.Topic), kgo.ConsumeResetOffset(spec.From.offset()),
		kgo.FetchMaxWait(250*time.Millisecond), kgo.KeepControlRecords())
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	left, err := c.unread(ctx, d, spec)
	if err != nil {
		return 0, err
	}
	r := &reading{spec: spec, left: left, visit: visit}
	for {
		if spec.UntilEnd && len(r.left) == 0 || spec.Max > 0 && r.n >= spec.Max {
			return r.n, nil
		}
		fetches, idle := poll(ctx, cl, spec.Timeout)
		if ctx.Err() != nil {
			return r.n, context.Cause(ctx)
		}
		if idle {
			return r.n, nil
		}
		var failed error
		fetches.EachError(func(_ string, _ int32, err error) { failed = errors.Join(failed, err) })
		if errors.Is(failed, kerr.UnknownTopicOrPartition) {
			return r.n, c.unknown(ctx, spec.Topic)
		}
		if failed != nil {
			return r.n, explain("consuming "+spec.Topic, failed)
		}
		if err := r.take(fetches); err != nil {
			return r.n, err
		}
	}
}

// poll waits for records; idle says that none came within timeout.
func poll(ctx context.Context, cl *kgo.Client, timeout time.Duration) (f kgo.Fetches, idle bool) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	f = cl.PollFetches(ctx)
	return f, f.Empty() && errors.Is(ctx.Err(), context.DeadlineExceeded)
}

// unread returns, per partition with something to read, the last offset before the end.
func (c *Cluster) unread(ctx context.Context, d *Description, spec Consume) (map[int32]int64, error) {
	left := map[int32]int64{}
	if !spec.UntilEnd {
		return left, nil
	}
	froms, err := c.starts(ctx, d, spec.From)
	if err != nil {
		return nil, err
	}
	for _, p := range d.Partitions {
		end := p.Stable
		if spec.Uncommitted {
			end = p.End
		}
		if froms[p.ID] < end {
			left[p.ID] = end - 1
		}
	}
	return left, nil
}

// starts returns the offset in each partition that from means.
func (c *Cluster) starts(ctx context.Context, d *Description, from From) (map[int32]int64, error) {
	var listed kadm.ListedOffsets
	if from.kind == fromMilli {
		var err error
		if listed, err = c.adm.ListOffsetsAfterMilli(ctx, from.value, d.Name); err != nil {
			return nil, explain("looking for the time in "+d.Name, err)
		}
	}
	starts := map[int32]int64{}
	for _, p := range d.Partitions {
		switch from.kind {
		case fromEarliest:
			starts[p.ID] = p.Start
		case fromLatest:
			starts[p.ID] = p.End
		case fromOffset:
			starts[p.ID] = max(p.Start, from.value)
		case fromMilli:
			starts[p.ID] = listed[d.Name][p.ID].Offset
		}
	}
	return starts, nil
}

// reading is a Consume under way.
type reading struct {
	spec  Consume
	left  map[int32]int64
	visit func(*kgo.Record) error
	n     int64
}

func (r *reading) take(fetches kgo.Fetches) error {
	for it := fetches.RecordIter(); !it.Done(); {
		rec := it.Next()
		last, bounded := r.left[rec.Partition]
		if r.spec.UntilEnd && (!bounded || rec.Offset > last) {
			continue // arrived after the start
		}
		if rec.Offset == last && bounded {
			delete(r.left, rec.Partition)
		}
		if rec.Attrs.IsControl() || r.spec.Max > 0 && r.n >= r.spec.Max {
			continue
		}
		if err := r.visit(rec); err != nil {
			return err
		}
		r.n++
	}
	return nil
}

// AppendRecord appends one record as a line.
func AppendRecord(dst []byte, rec *kgo.Record, f Format) []byte {
	switch f {
	case JSONFormat:
		return append(appendJSON(dst, rec), '\n')
	case KeyFormat:
		dst = append(append(dst, orNull(rec.Key)...), '\t')
		return append(append(dst, orNull(rec.Value)...), '\n')
	}
	return append(append(dst, rec.Value...), '\n')
}

func orNull(b []byte) []byte {
	if b == nil {
		return []byte("NULL")
	}
	return b
}

func appendJSON(dst []byte, rec *kgo.Record) []byte {
	type header struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
	obj := struct {
		Topic     string   `json:"topic"`
		Partition int32    `json:"partition"`
		Offset    int64    `json:"offset"`
		Timestamp string   `json:"timestamp"`
		Key       any      `json:"key"`
		Value     any      `json:"value"`
		Headers   []header `json:"headers,omitempty"`
	}{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Timestamp: rec.Timestamp.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Key: textOrBytes(rec.Key), Value: textOrBytes(rec.Value)}
	for _, h := range rec.Headers {
		obj.Headers = append(obj.Headers, header{h.Key, textOrBytes(h.Value)})
	}
	b, err := json.Marshal(obj)
	if err != nil { // strings and numbers cannot fail
		return strconv.AppendQuote(dst, err.Error())
	}
	return append(dst, b...)
}

// textOrBytes is what a person can read: text as a string, other bytes as {"base64": ..}.
func textOrBytes(b []byte) any {
	switch {
	case b == nil:
		return nil
	case utf8.Valid(b):
		return string(b)
	}
	return map[string][]byte{"base64": b}
}
