package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// defaultTimeout is used when the broker does not tell its maximum; it is Kafka's default.
const defaultTimeout = 15 * time.Minute

// connect makes the control client and fixes the transaction timeout, once.
func (c *committer) connect(ctx context.Context) error {
	if c.ctl != nil {
		return nil
	}
	ctl, err := newControl(ctx, c.cluster, c.log)
	if err != nil {
		return err
	}
	if c.timeout, err = transactionTimeout(c.props.txnTimeout, ctl.maxTimeout(ctx), c.every); err != nil {
		ctl.close()
		return fmt.Errorf("kafka %s: %w", c.cluster.bootstrap(), err)
	}
	c.ctl = ctl
	return nil
}

// transactionTimeout is what the table says, else the broker's maximum up to 15 minutes. It
// counts from the first row of an epoch, so an epoch and a restart have to fit well inside.
func transactionTimeout(wanted, limit, interval time.Duration) (time.Duration, error) {
	t := wanted
	if t == 0 {
		if t = defaultTimeout; limit > 0 {
			t = min(t, limit)
		}
	}
	if limit > 0 && t > limit {
		return 0, exec.Userf("option 'properties.transaction.timeout.ms' = %d: the broker allows at most %d (transaction.max.timeout.ms); lower the option or raise the broker's limit", t.Milliseconds(), limit.Milliseconds())
	}
	if interval > t/3 {
		return 0, exec.Userf("the checkpoint interval of %s is more than a third of the transaction timeout of %s: the broker would abort transactions while checkpoints or restarts take their time; shorten 'execution.checkpointing.interval' or raise 'properties.transaction.timeout.ms'%s", interval, t, limitText(limit))
	}
	return t, nil
}

func limitText(limit time.Duration) string {
	if limit == 0 {
		return ""
	}
	return fmt.Sprintf(" (the broker allows at most %s)", limit)
}

// Recover finishes the restored checkpoint's transaction and then ends what else earlier
// incarnations left open. It can be repeated at any point.
func (c *committer) Recover(ctx context.Context, e state.Epoch, tok exec.Token) (exec.Recovery, error) {
	if err := c.connect(ctx); err != nil {
		return exec.Recovery{}, err
	}
	c.mu.Lock()
	c.restored = e
	c.mu.Unlock()
	if tok == nil {
		return c.recoverNothing(ctx, e)
	}
	t, err := c.decidedToken(tok)
	if err != nil {
		return exec.Recovery{}, err
	}
	if bugNoResume {
		return exec.Recovery{Outcome: exec.OutcomeCommitted, Ledger: e}, c.abortAll(ctx, union(c.ids(), t.Slots))
	}
	c.point("rec_before_commit")
	// Only this transaction is touched before its outcome is certain.
	_, rec, err := c.settle(ctx, t, e, true)
	if err != nil {
		return exec.Recovery{}, err
	}
	c.point("rec_after_commit")
	if bugLogAndGoOn && rec.Outcome == exec.OutcomeAborted {
		rec.Outcome, rec.Ledger = exec.OutcomeCommitted, e
	}
	if rec.Outcome != exec.OutcomeCommitted {
		return rec, nil
	}
	return rec, c.abortAll(ctx, union(c.ids(), t.Slots))
}

// Adopt implements exec.Committer. The other job's ids are not aborted: only the decided
// transaction, which nobody may do anything else with than commit it, is ended.
func (c *committer) Adopt(ctx context.Context, e state.Epoch, tok exec.Token) (exec.Recovery, error) {
	if err := c.connect(ctx); err != nil {
		return exec.Recovery{}, err
	}
	t, err := c.decidedToken(tok)
	if err != nil {
		return exec.Recovery{}, err
	}
	_, rec, err := c.settle(ctx, t, e, false)
	return rec, err
}

// decidedToken reads the token of a checkpoint's transaction and checks that it can be one of this
// cluster.
func (c *committer) decidedToken(tok exec.Token) (token, error) {
	t, err := parseToken(tok)
	if err != nil {
		return token{}, err
	}
	if t.ClusterID != "" && c.ctl.cluster != "" && t.ClusterID != c.ctl.cluster {
		return token{}, exec.Userf("kafka %s: the checkpoint's %s belongs to the cluster %s, this one is %s; correct 'properties.bootstrap.servers', or restore a savepoint taken with a drained sink", c.cluster.bootstrap(), t, t.ClusterID, c.ctl.cluster)
	}
	if !slices.Contains(t.Slots, t.ID) {
		return token{}, exec.Userf("kafka %s: the checkpoint's %s is not of the job's own pool %v; the checkpoint is damaged", c.cluster.bootstrap(), t, t.Slots)
	}
	return t, nil
}

// recoverNothing: the checkpoint has no transaction. Whatever is open has no manifest.
func (c *committer) recoverNothing(ctx context.Context, e state.Epoch) (exec.Recovery, error) {
	if err := c.abortAll(ctx, c.ids()); err != nil {
		return exec.Recovery{}, err
	}
	led, err := c.ctl.stableLedger(ctx, c.ledger(), hangingAfter)
	if err != nil {
		return exec.Recovery{}, ledgerError(c.ledger(), err)
	}
	rec := exec.Recovery{Outcome: exec.OutcomeNone, Ledger: led.epoch}
	if led.missing {
		rec.Detail = fmt.Sprintf("group %s has no ledger yet", c.ledger().Group)
	} else if led.epoch > e {
		rec.Detail = fmt.Sprintf("the output up to epoch %d is already visible", led.epoch)
	}
	return rec, nil
}

func (c *committer) abortAll(ctx context.Context, ids []string) error {
	if bugNoAbort {
		return nil
	}
	for _, id := range ids {
		c.point("rec_mid_abort")
		if err := c.ctl.abortOpen(ctx, id); err != nil {
			return fmt.Errorf("kafka %s: %w", c.cluster.bootstrap(), err)
		}
	}
	return nil
}

// Begin fences earlier incarnations on every slot and makes sure that the ledger exists.
func (c *committer) Begin(ctx context.Context) error {
	if c.ctl == nil {
		return fmt.Errorf("kafka: internal error: Begin before Recover")
	}
	pool := make([]*slot, slots)
	errs := make(chan error, slots)
	for i, id := range c.ids() {
		pool[i] = &slot{id: id}
		c.work.Go(func() { errs <- c.start(ctx, pool[i]) })
	}
	var first error
	for range pool {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	c.mu.Lock()
	for _, s := range pool {
		s.free = s.cl != nil
	}
	c.slots = pool
	c.mu.Unlock()
	if first != nil {
		return first
	}
	led, err := c.ctl.stableLedger(ctx, c.ledger(), hangingAfter)
	if err != nil {
		return ledgerError(c.ledger(), err)
	}
	if led.missing {
		if err := c.ctl.baseLedger(ctx, c.ledger(), c.restored); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.decided, c.written = c.restored, c.clock.Now()
	c.broadcast()
	return nil
}
