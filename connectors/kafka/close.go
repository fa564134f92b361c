package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// abortTimeout bounds how long the end of a job waits for a broker to abort its open
// transaction; the next start does it otherwise.
const abortTimeout = 5 * time.Second

// Close ends the use of the committer. What is prepared stays as it is: it may be decided, and
// the next Recover knows. What is open and not prepared has no manifest and never will, so
// it is aborted here: left open it would hold back the readers of everything behind it until
// its timeout.
func (c *committer) Close() error {
	c.cancel()
	c.mu.Lock()
	t := c.undecided()
	if c.broken == nil {
		c.broken = context.Canceled
	}
	c.broadcast()
	list := c.slots
	c.mu.Unlock()
	c.work.Wait()
	if t != nil {
		c.abort(t)
	}
	for _, s := range list {
		if s.cl != nil {
			s.cl.Close()
		}
	}
	if c.ctl != nil {
		c.ctl.close()
		c.ctl = nil
	}
	return nil
}

// undecided returns the open transaction if it is whole and no manifest can refer to it.
func (c *committer) undecided() *transaction {
	if c.broken != nil || c.open == nil || c.open == c.prepared || c.open.err() != nil {
		return nil
	}
	return c.open
}

// abort ends a transaction through its own client, whose producer epoch is refused when
// another incarnation has the id by now.
func (c *committer) abort(t *transaction) {
	ctx, cancel := context.WithTimeout(context.Background(), abortTimeout)
	defer cancel()
	err := t.cl.AbortBufferedRecords(ctx)
	if err == nil {
		err = t.cl.EndTransaction(ctx, kgo.TryAbort)
	}
	if err != nil && c.log != nil {
		c.log.Debug("kafka: an open transaction stays until the next start or its timeout", "id", t.id, "error", err)
	}
}
