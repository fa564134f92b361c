// Package feed owns the way of generated events into a Kafka topic or a file: in order, at a
// rate, and so that a run that was cut short goes on exactly where it stopped. The command
// line imports it.
//
// Event s of a topic with P partitions is record s/P of partition s%P. So the end offsets of
// the partitions alone say which events are there, and nothing else has to be remembered:
// running the same command again adds what is missing and no event twice.
package feed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/topics"
	"github.com/sqlstream/sqlstream/connectors/kafka"
	"github.com/sqlstream/sqlstream/exec"
)

// Generator appends event s, one line without its end, to dst. It is a pure function.
type Generator func(dst []byte, s int64) []byte

// Config says what to write.
type Config struct {
	Events int64   // events 0 to Events-1; 0: without end
	Rate   float64 // events per second; 0: as fast as possible
	Make   Generator
}

// Progress is how far a feed is; it may be read while the feed runs.
type Progress struct {
	Found   atomic.Int64 // events that were there before
	Written atomic.Int64 // and those written since
}

// Topic writes the events into a topic that exists. props are client properties. It returns
// the context's error when it was cut short.
func Topic(ctx context.Context, cfg Config, topic string, props map[string]string, log *slog.Logger, p *Progress) error {
	next, err := positions(ctx, topic, props, log)
	if err != nil {
		return err
	}
	start := int64(-1)
	for part, n := range next {
		p.Found.Add(n)
		if first := n*int64(len(next)) + int64(part); start < 0 || first < start {
			start = first
		}
	}
	cl, err := kafka.Dial(ctx, props, log, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(50_000))
	if err != nil {
		return err
	}
	defer cl.Close()
	pace := newPacer(cfg.Rate)
	failed := make(chan error, 1)
	var arena []byte
	parts := int64(len(next))
	for s := start; cfg.Events == 0 || s < cfg.Events; s++ {
		if s/parts < next[s%parts] {
			continue // a partition that was ahead when the last run ended
		}
		if err := pace.wait(ctx); err != nil {
			break
		}
		// Records share a large allocation; a record keeps its part of it alive until it is sent.
		if cap(arena)-len(arena) < 4<<10 {
			arena = make([]byte, 0, 256<<10)
		}
		from := len(arena)
		arena = cfg.Make(arena, s)
		cl.Produce(context.WithoutCancel(ctx), &kgo.Record{Partition: int32(s % parts), Value: arena[from:len(arena):len(arena)]}, func(_ *kgo.Record, err error) {
			if err == nil {
				p.Written.Add(1)
				return
			}
			select {
			case failed <- err:
			default:
			}
		})
		if len(failed) > 0 {
			break
		}
	}
	flushErr := cl.Flush(context.WithoutCancel(ctx))
	select {
	case err := <-failed:
		return exec.Externalf("writing to topic %s: %w", topic, err)
	default:
	}
	return errors.Join(flushErr, ctx.Err())
}

// positions returns the end offset of every partition.
func positions(ctx context.Context, topic string, props map[string]string, log *slog.Logger) ([]int64, error) {
	c, err := topics.Dial(ctx, props, log)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	d, err := c.Describe(ctx, topic)
	if err != nil {
		return nil, err
	}
	next := make([]int64, len(d.Partitions))
	for _, p := range d.Partitions {
		if int(p.ID) >= len(next) {
			return nil, exec.Externalf("topic %s has partition %d and %d partitions; its description is incomplete", topic, p.ID, len(next))
		}
		next[p.ID] = p.End
	}
	return next, nil
}

// Writer writes events from..Events-1 as lines.
func Writer(ctx context.Context, cfg Config, from int64, w io.Writer, p *Progress) error {
	p.Found.Store(from)
	out := bufio.NewWriterSize(w, 256<<10)
	pace := newPacer(cfg.Rate)
	var line []byte
	for s := from; cfg.Events == 0 || s < cfg.Events; s++ {
		if pace.wait(ctx) != nil {
			break
		}
		line = append(cfg.Make(line[:0], s), '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
		p.Written.Add(1)
	}
	return errors.Join(out.Flush(), ctx.Err())
}

// File writes the events into a file. Whole lines that are there already are kept; a last
// line that was cut is written again.
func File(ctx context.Context, cfg Config, path string, p *Progress) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	lines, size, err := wholeLines(f)
	if err == nil {
		err = f.Truncate(size)
	}
	if err == nil {
		_, err = f.Seek(size, io.SeekStart)
	}
	if err == nil {
		err = Writer(ctx, cfg, lines, f, p)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("writing events: %w", err)
	}
	return err
}

func wholeLines(r io.Reader) (lines, size int64, err error) {
	buf := make([]byte, 256<<10)
	read := int64(0)
	for {
		n, err := r.Read(buf)
		lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			size = read + int64(i) + 1
		}
		read += int64(n)
		if err == io.EOF {
			return lines, size, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
}

// pacer holds a loop back to a rate, some events at a time.
type pacer struct {
	rate  float64
	start time.Time
	n     int64
	step  int64 // events between two looks at the clock
}

// paceTick is how long a pacer lets events through before it waits again.
const paceTick = 5 * time.Millisecond

func newPacer(rate float64) *pacer {
	return &pacer{rate: rate, start: time.Now(), step: max(1, int64(rate*paceTick.Seconds()))}
}

// wait returns when the next event is due, or the context's error.
func (p *pacer) wait(ctx context.Context) error {
	n := p.n
	p.n++
	if n%p.step != 0 {
		return nil
	}
	if p.rate <= 0 {
		if n%1024 == 0 {
			return ctx.Err()
		}
		return nil
	}
	due := p.start.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	d := time.Until(due)
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
