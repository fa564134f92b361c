package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/exec"
)

// slot is one transactional id with the client that writes under it. The client cannot
// change its id nor adopt an epoch, so a slot in an unclear state gets a new one.
type slot struct {
	id   string
	cl   *kgo.Client
	free bool // may open a transaction
}

// producerOptions are those of every client that writes.
func producerOptions(p *properties) []kgo.Opt {
	return []kgo.Opt{
		kgo.ProducerLinger(p.linger),
		kgo.ProducerBatchMaxBytes(p.batchBytes),
		// Cloned: a new client edits the list it is given.
		kgo.ProducerBatchCompression(slices.Clone(p.compression)...),
		kgo.MaxBufferedBytes(p.bufferBytes),
		kgo.MaxBufferedRecords(1 << 20), // bytes are the bound
		kgo.RecordPartitioner(hintPartitioner{}),
		kgo.StopProducerOnDataLossDetected(),
	}
}

// start makes the slot's client and loads its producer id, which fences every older holder
// of the transactional id. It repeats until that works, ctx ends or the broker refuses.
func (c *committer) start(ctx context.Context, s *slot) error {
	opts := append(c.cluster.options(c.log), producerOptions(c.props)...)
	opts = append(opts, kgo.TransactionalID(s.id), kgo.TransactionTimeout(c.timeout))
	if c.ctl.version < 2 {
		// The writer must agree with the control client about the protocol.
		opts = append(opts, kgo.MaxVersions(pins(1)))
	}
	for fails := 1; ; fails++ {
		cl, err := kgo.NewClient(opts...)
		if err != nil {
			return exec.Userf("kafka %s: %w", c.cluster.bootstrap(), err)
		}
		if _, _, err = cl.ProducerID(ctx); err == nil {
			s.cl = cl
			return nil
		}
		cl.Close()
		if refused(err) {
			return slotError(s.id, c.timeout, err)
		}
		if c.log != nil {
			c.log.Debug("kafka: transactional id is not ready", "id", s.id, "error", err)
		}
		if serr := sleep(ctx, retryDelay(fails)); serr != nil {
			return &exec.Error{Class: exec.External, Retry: true, Err: fmt.Errorf("kafka %s: transactional id %s: %w (last answer: %w)", c.cluster.bootstrap(), s.id, serr, err)}
		}
	}
}

// refused: asking again will not help.
func refused(err error) bool {
	for _, e := range []error{kerr.TransactionalIDAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.InvalidTransactionTimeout, kerr.InvalidRequest, kerr.UnsupportedVersion, kerr.SaslAuthenticationFailed} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func slotError(id string, timeout time.Duration, err error) error {
	switch {
	case errors.Is(err, kerr.InvalidTransactionTimeout):
		return exec.Userf("the broker refuses a transaction timeout of %s; lower 'properties.transaction.timeout.ms' to at most the broker's transaction.max.timeout.ms: %w", timeout, err)
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return exec.Deniedf("the user may not use the transactional id %s (ACL Write and Describe on TransactionalId, prefixed by 'sink.transactional-id-prefix'): %w", id, err)
	}
	return exec.Userf("transactional id %s: %w", id, err)
}

// renew readies a slot whose transaction is settled, in the background: the next
// transaction runs on another slot meanwhile.
func (c *committer) renew(s *slot, clean bool) {
	c.work.Go(func() {
		err := c.resync(s, clean)
		c.point("after_resync")
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case err == nil:
			s.free = true
		case c.ctx.Err() == nil && c.broken == nil:
			c.broken = err
		}
		c.broadcast()
	})
}

// resync brings the slot's client past the transaction that a raw request ended. Under
// version 2 committing once more is answered with the new epoch, which the client takes
// over. Under version 1 the epoch must change too, or a late EndTxn would end the next
// transaction, and only a new client does that. So it is after anything unclear.
func (c *committer) resync(s *slot, clean bool) error {
	if clean && (c.ctl.version >= 2 || bugNoReinit) {
		ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
		err := s.cl.EndTransaction(ctx, kgo.TryCommit)
		cancel()
		if err == nil {
			return nil
		}
		if c.log != nil {
			c.log.Debug("kafka: making a new client for the transactional id", "id", s.id, "error", err)
		}
	}
	s.cl.Close()
	return c.start(c.ctx, s)
}
