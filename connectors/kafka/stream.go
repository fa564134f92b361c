package kafka

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/exec"
)

// stream is where records go: an open transaction, or a plain producer. Many writers share
// one. The client calls promises one after the other on one goroutine.
type stream struct {
	cl     *kgo.Client
	first  sync.Once
	failed chan struct{} // closed with the first error
	cause  error         // set before failed is closed

	// Of transactions only:
	txn    bool
	id     string      // transactional id
	sealed atomic.Bool // prepared: no record may be added any more
	known  bool        // pid and epoch are those of the first acknowledged record
	pid    int64
	epoch  int16
	sent   atomic.Int64
	acked  atomic.Int64
	// onFirst is called when the first record is acknowledged; a fail point.
	onFirst func()

	mu    sync.Mutex
	parts map[string]*bitset // partitions with records, by topic
}

func newStream(cl *kgo.Client) *stream {
	return &stream{cl: cl, failed: make(chan struct{}), parts: map[string]*bitset{}}
}

// errEpochSwitched: the client changed its producer id inside the transaction, which drops
// what was acknowledged under the old one.
var errEpochSwitched = errors.New("the producer id changed inside a transaction; records acknowledged before are lost with it")

func (s *stream) fail(err error) {
	s.first.Do(func() {
		s.cause = err
		close(s.failed)
	})
}

// err returns the first failure of any record. A transaction with one is never committed:
// the client would commit what succeeded.
func (s *stream) err() error {
	select {
	case <-s.failed:
		if bugIgnorePromise {
			return nil
		}
		return produceError(s.cause)
	default:
		return nil
	}
}

// produceError says what a record's failure means.
func produceError(err error) error {
	switch {
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		return exec.Userf("%w; raise the topic's max.message.bytes and 'properties.max.request.size', or write smaller rows", err)
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return exec.Userf("the topic was deleted: %w", err)
	case errors.Is(err, kerr.InvalidRecord):
		return exec.Userf("the broker refuses the record (does a compacted topic need a key?): %w", err)
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.TransactionalIDAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		return classify(fmt.Errorf("the user may not write it: %w", err))
	case fenced(err), errors.Is(err, errEpochSwitched):
		return exec.Externalf("the transaction is lost (its timeout passed, or another instance of this job took it over); the job restarts from its last checkpoint: %w", err)
	}
	return exec.Externalf("writing: %w", err)
}

// acknowledged notes the fate of one record.
func (s *stream) acknowledged(r *kgo.Record, touched *bitset, err error) {
	if err != nil {
		s.fail(fmt.Errorf("topic %s partition %d: %w", r.Topic, r.Partition, err))
		return
	}
	if !s.txn {
		return
	}
	if !s.known {
		s.known, s.pid, s.epoch = true, r.ProducerID, r.ProducerEpoch
		s.onFirst()
	} else if (s.pid != r.ProducerID || s.epoch != r.ProducerEpoch) && !bugNoEpochGuard {
		s.fail(fmt.Errorf("topic %s partition %d: producer %d epoch %d became %d epoch %d: %w", r.Topic, r.Partition, s.pid, s.epoch, r.ProducerID, r.ProducerEpoch, errEpochSwitched))
		return
	}
	touched.set(int(r.Partition))
	s.acked.Add(1)
}

// touch returns the set of a topic's partitions, for the promises of its records.
func (s *stream) touch(topic string) *bitset {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.parts[topic]
	if b == nil {
		b = &bitset{}
		s.parts[topic] = b
	}
	return b
}

// touched lists the partitions that have records. Call it when nothing is in flight.
func (s *stream) touched() map[string][]int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]int32{}
	for topic, b := range s.parts {
		if l := b.list(); len(l) > 0 {
			out[topic] = l
		}
	}
	return out
}

// bitset is a set of small numbers.
type bitset struct{ words []uint64 }

func (b *bitset) set(i int) {
	for i>>6 >= len(b.words) {
		b.words = append(b.words, 0)
	}
	b.words[i>>6] |= 1 << (uint(i) & 63)
}

func (b *bitset) list() []int32 {
	var out []int32
	for w, word := range b.words {
		for i := range 64 {
			if word>>uint(i)&1 != 0 {
				out = append(out, int32(w*64+i))
			}
		}
	}
	return out
}

// hintPartitioner takes the partition from a number that the writer put into the record:
// the hash of its key, or a counter. The client knows how many partitions there are.
type hintPartitioner struct{}

func (hintPartitioner) ForTopic(string) kgo.TopicPartitioner { return hintPartitioner{} }
func (hintPartitioner) RequiresConsistency(*kgo.Record) bool { return true }
func (hintPartitioner) Partition(r *kgo.Record, n int) int   { return int(r.Partition) % n }
