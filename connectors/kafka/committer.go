package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// slots is the size of the pool of transactional ids: one open, one decided and being
// committed, one whose client is made anew. It only ever grows between versions, so that
// recovery knows every id there may be.
const slots = 3

// ledgerEvery is how often an idle job writes its ledger again: brokers forget offsets of
// groups without commits after seven days.
const ledgerEvery = 24 * time.Hour

// committer is the one transaction per epoch that all exactly-once writers of a job on one
// cluster share. Writers call current and decision; the checkpoint coordinator the methods
// of exec.Committer.
type committer struct {
	cluster *cluster
	props   *properties
	job     string
	clock   exec.Clock
	log     *slog.Logger
	hook    func(string) // fail points; nil outside of tests
	every   time.Duration

	ctx    context.Context // of background work
	cancel context.CancelFunc
	work   sync.WaitGroup

	ctl *control // made by the first Recover

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change of what is below
	topics   []string      // of all sinks, sorted
	prefixes []string
	timeout  time.Duration // of transactions
	slots    []*slot
	open     *transaction // takes records; nil until the first one after a decision
	prepared *transaction // open, sealed, waiting for the decision
	deciding *transaction // decided, being committed
	decided  state.Epoch  // newest epoch with a decision
	count    int64        // of decisions
	broken   error        // nothing can be written any more
	restored state.Epoch
	written  time.Time // of the ledger
}

// transaction is one epoch's output while it is not certainly committed.
type transaction struct {
	*stream
	slot   *slot
	opened time.Time
}

func newCommitter(cfg *tableConfig, env connectors.Env) *committer {
	c := &committer{
		cluster: cfg.cluster, props: cfg.props, job: env.JobID, clock: env.Clock, log: env.Log,
		hook: env.FailPoint, every: env.CheckpointInterval, changed: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// join adds a sink. All sinks of a job and cluster share connection and transactions.
func (c *committer) join(cfg *tableConfig) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cfg.cluster.security != c.cluster.security {
		return exec.Userf("table %s: the exactly-once sinks of one job on kafka %s share a transaction and need the same security options", cfg.table.Name, c.cluster.bootstrap())
	}
	if a, b := cfg.props.txnTimeout, c.props.txnTimeout; a != b {
		return exec.Userf("table %s: the exactly-once sinks of one job on kafka %s share a transaction and need the same 'properties.transaction.timeout.ms'", cfg.table.Name, c.cluster.bootstrap())
	}
	c.topics = append(c.topics, cfg.topics...)
	slices.Sort(c.topics)
	c.topics = slices.Compact(c.topics)
	if cfg.prefix != "" {
		c.prefixes = append(c.prefixes, cfg.prefix)
		slices.Sort(c.prefixes)
	}
	return nil
}

func (c *committer) Name() string { return c.cluster.committerName() }

// prefix: Flink wants a different one for every sink; the pool needs one, always the same.
func (c *committer) prefix() string {
	if len(c.prefixes) > 0 {
		return c.prefixes[0]
	}
	return defaultPrefix
}

func (c *committer) ids() []string {
	ids := make([]string, slots)
	for i := range ids {
		ids[i] = slotID(c.prefix(), c.job, i)
	}
	return ids
}

// ledger names the ledger for tokens of this incarnation. A ledger vanishes with its topic;
// the token tells a later incarnation where it was.
func (c *committer) ledger() ledger {
	return ledger{Group: ledgerGroup(c.prefix(), c.job), Topic: c.topics[0]}
}

// point is a named step of the protocol at which tests end the process.
func (c *committer) point(name string) {
	if c.hook != nil {
		c.hook(name)
	}
}

func (c *committer) broadcast() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// decision returns how a writer learns that epoch e was decided.
func (c *committer) decision(e state.Epoch) decided {
	return func() (bool, <-chan struct{}) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.decided >= e || c.broken != nil, c.changed
	}
}

// nextDecision is decision for a barrier whose epoch is not told: the next one there is.
func (c *committer) nextDecision() decided {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.count
	return func() (bool, <-chan struct{}) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.count > was || c.broken != nil, c.changed
	}
}

// current returns the open transaction, opening one when there is none. It waits while no
// slot is free: the job is held back rather than an id invented that recovery cannot know.
func (c *committer) current(ctx context.Context) (*stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if c.broken != nil {
			return nil, c.broken
		}
		if c.open != nil {
			if c.open.sealed.Load() {
				return nil, fmt.Errorf("kafka: internal error: a record after the barrier would go into the prepared transaction %s", c.open.id)
			}
			return c.open.stream, nil
		}
		if s := c.freeSlot(); s != nil {
			if err := c.begin(s); err != nil {
				return nil, err
			}
			continue
		}
		changed := c.changed
		c.mu.Unlock()
		var err error
		select {
		case <-changed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		c.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
}

func (c *committer) freeSlot() *slot {
	for _, s := range c.slots {
		if s.free {
			return s
		}
	}
	return nil
}

// begin opens a transaction on a free slot. The slot's producer id is loaded, so this sends
// nothing.
func (c *committer) begin(s *slot) error {
	if err := s.cl.BeginTransaction(); err != nil {
		return classify(fmt.Errorf("kafka %s: opening transaction %s: %w", c.cluster.bootstrap(), s.id, err))
	}
	st := newStream(s.cl)
	st.txn, st.id = true, s.id
	st.onFirst = func() { c.point("first_ack") }
	s.free = false
	c.open = &transaction{stream: st, slot: s, opened: c.clock.Now()}
	c.point("open_txn")
	return nil
}

// Prepare seals the open transaction and writes the ledger into it.
func (c *committer) Prepare(ctx context.Context, e state.Epoch) (exec.Token, error) {
	// There is one ledger: the record of e must not lie pending in it while the commit of the
	// epoch before waits for it to be stable.
	if err := c.lastSettled(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	t, idle := c.open, c.clock.Now().Sub(c.written) >= ledgerEvery
	c.mu.Unlock()
	if t == nil {
		if !idle {
			return nil, nil
		}
		if _, err := c.current(ctx); err != nil {
			return nil, err
		}
		c.mu.Lock()
		t = c.open
		c.mu.Unlock()
	}
	t.sealed.Store(true)
	if err := t.err(); err != nil {
		return nil, err
	}
	if sent, acked := t.sent.Load(), t.acked.Load(); sent != acked && !bugIgnorePromise && !bugNoEpochGuard {
		return nil, fmt.Errorf("kafka: internal error: transaction %s has %d records of which %d are acknowledged after all barriers", t.id, sent, acked)
	}
	age := c.clock.Now().Sub(t.opened)
	if age > c.timeout*8/10 {
		return nil, exec.Externalf("kafka: transaction %s is open for %s, too near to its timeout of %s to be committed safely; the job restarts from its last checkpoint. Make checkpoints faster or raise 'properties.transaction.timeout.ms'", t.id, age.Round(time.Millisecond), c.timeout)
	}
	tok, err := c.tokenOf(ctx, t)
	if err != nil {
		return nil, err
	}
	c.point("before_ledger")
	if err := c.ctl.writeLedger(ctx, tok, e); err != nil {
		return nil, err
	}
	c.point("after_ledger")
	c.mu.Lock()
	c.prepared, c.written = t, c.clock.Now()
	c.mu.Unlock()
	return tok.encode()
}

// lastSettled waits until no decided transaction is being committed.
func (c *committer) lastSettled(ctx context.Context) error {
	for {
		c.mu.Lock()
		done, changed := c.deciding == nil, c.changed
		c.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *committer) tokenOf(ctx context.Context, t *transaction) (token, error) {
	pid, epoch := t.pid, t.epoch
	if !t.known { // no record: only the ledger is refreshed
		var err error
		if pid, epoch, err = t.cl.ProducerID(ctx); err != nil {
			return token{}, classify(err)
		}
	}
	return token{
		ClusterID: c.ctl.cluster, ID: t.id, PID: pid, Epoch: epoch, Version: c.ctl.version, Ledger: c.ledger(), Slots: c.ids(),
		Parts: t.touched(), Records: t.acked.Load(), OpenedMs: t.opened.UnixMilli(),
	}, nil
}

// Decided releases the rows that writers kept since their barriers: into a new transaction,
// or, when there is no manifest, into the same one: two transactions under one manifest
// could be committed by halves.
func (c *committer) Decided(e state.Epoch, ok bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e <= c.decided {
		return fmt.Errorf("kafka: internal error: epoch %d is decided after epoch %d", e, c.decided)
	}
	switch {
	case ok:
		c.deciding = c.prepared
		if c.prepared != nil {
			c.open = nil
		}
	case c.open != nil && bugNoHeld:
		c.open = nil
	case c.open != nil:
		c.open.sealed.Store(false)
	}
	c.prepared = nil
	c.decided = e
	c.count++
	c.broadcast()
	return nil
}

// Commit makes the decided transaction visible. A refusal is final: the job restarts and
// Recover finds out what it means.
func (c *committer) Commit(ctx context.Context, e state.Epoch, tok exec.Token) error {
	c.mu.Lock()
	t := c.deciding
	c.mu.Unlock()
	if tok == nil {
		return nil
	}
	k, err := parseToken(tok)
	if err != nil {
		return err
	}
	if t == nil || t.id != k.ID {
		return fmt.Errorf("kafka: internal error: committing %s of epoch %d, which is not the decided one", k, e)
	}
	c.point("before_endtxn")
	unclear, rec, err := c.settle(ctx, k, e, false)
	if err != nil {
		return err
	}
	c.point("after_endtxn")
	switch {
	case rec.Outcome == exec.OutcomeAborted && !bugLogAndGoOn:
		return exec.Externalf("kafka %s: %s of epoch %d: %s; the job restarts from the checkpoint before", c.cluster.bootstrap(), k, e, rec.Detail)
	case rec.Outcome == exec.OutcomeUnknown:
		return exec.Userf("kafka %s: %s of epoch %d: %s", c.cluster.bootstrap(), k, e, rec.Detail)
	}
	c.mu.Lock()
	c.deciding = nil
	c.broadcast()
	c.mu.Unlock()
	c.renew(t.slot, unclear == 0 && t.known)
	return nil
}
