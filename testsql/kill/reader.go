package kill

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// reader reads what is visible to read_committed readers, from the beginning.
type reader struct {
	client *kgo.Client
	topics topics
	done   chan struct{}

	mu   sync.Mutex
	out  output
	seen map[string][]entry // by topic and partition
	at   map[string]int64   // the next offset
	err  error
}

// entry is a record as far as two readers can compare it.
type entry struct {
	offset int64
	hash   uint64
}

func newReader(b *broker, t topics) (*reader, error) {
	// Control records are kept, and passed over, so that the reader knows when it is at the end.
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.seeds()...), kgo.ConsumeTopics(t.outs()...), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.MetadataMinAge(50*time.Millisecond), kgo.AlwaysRetryEOF())
	if err != nil {
		return nil, err
	}
	r := &reader{client: cl, topics: t, done: make(chan struct{}), seen: map[string][]entry{}, at: map[string]int64{}}
	go r.run()
	return r, nil
}

func (r *reader) close() {
	r.client.Close()
	<-r.done
}

func (r *reader) run() {
	defer close(r.done)
	for {
		f := r.client.PollFetches(context.Background())
		if f.IsClientClosed() {
			return
		}
		r.mu.Lock()
		f.EachError(func(topic string, p int32, err error) { r.fail(fmt.Errorf("reading %s-%d: %w", topic, p, err)) })
		f.EachRecord(r.add)
		r.mu.Unlock()
	}
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) add(rec *kgo.Record) {
	key := partitionName(rec.Topic, rec.Partition)
	r.at[key] = rec.Offset + 1
	if rec.Attrs.IsControl() {
		return
	}
	h := fnv.New64a()
	h.Write(rec.Key)
	h.Write([]byte{0})
	h.Write(rec.Value)
	r.seen[key] = append(r.seen[key], entry{rec.Offset, h.Sum64()})
	if err := r.out.add(r.topics, rec.Topic, rec.Value); err != nil {
		r.fail(err)
	}
}

func partitionName(topic string, p int32) string { return fmt.Sprintf("%s-%d", topic, p) }

// complete reports whether everything is there that n input rows give.
func (r *reader) complete(n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts, windows := 0, 0
	for _, c := range r.out.counts {
		if c.K != flushKey {
			counts++
		}
	}
	for _, w := range r.out.windows {
		if w.K != flushKey {
			windows++
		}
	}
	letters := expectedLetters(n)
	return len(r.out.rows) >= expectedRows(n) && windows >= len(expectedWindows(n)) && counts >= int(n)-letters && len(r.out.letters) >= letters
}

// records is how many there are so far.
func (r *reader) records() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, l := range r.seen {
		n += len(l)
	}
	return n
}

// flushes is the highest count of the key that is fed at the end.
func (r *reader) flushes() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var n int64
	for _, c := range r.out.counts {
		if c.K == flushKey {
			n = max(n, c.N)
		}
	}
	return n
}

// toEnd waits until the reader is at the last stable offsets of now.
func (r *reader) toEnd(ctx context.Context, b *broker) error {
	ends, err := b.admin.ListCommittedOffsets(ctx, r.topics.outs()...)
	if err != nil {
		return err
	}
	for {
		left := ""
		r.mu.Lock()
		for topic, ps := range ends {
			for p, e := range ps {
				if at := r.at[partitionName(topic, p)]; at < e.Offset {
					left = fmt.Sprintf("%s-%d is read to %d of %d", topic, p, at, e.Offset)
				}
			}
		}
		err := r.err
		r.mu.Unlock()
		if err != nil || left == "" {
			return err
		}
		if sleep(ctx, 10*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("a reader does not come to the end: %s", left)
		}
	}
}

// differences compares two readers that are both at the end (O4).
func (r *reader) differences(o *reader) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for _, topic := range r.topics.outs() {
		for p := range int32(partitions) {
			key := partitionName(topic, p)
			a, b := r.seen[key], o.seen[key]
			if len(a) != len(b) {
				out = append(out, fmt.Sprintf("%s: the reader that ran all the time saw %d records, a later one %d", key, len(a), len(b)))
				continue
			}
			for i := range a {
				if a[i] != b[i] {
					out = append(out, fmt.Sprintf("%s: record %d is at offset %d for the one reader and at %d for the other, or differs", key, i, a[i].offset, b[i].offset))
					break
				}
			}
		}
	}
	return out
}
