package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// hangingAfter is how long the markers of a committed transaction may take before they
// count as lost. Tests shorten it.
var hangingAfter = 30 * time.Second

// settle commits a decided transaction and returns its outcome once that is certain.
//
// restart: a restart of ours lies between the decision and now. The broker may have been
// killed in between too, and other ids may have open transactions of dead incarnations.
func (c *committer) settle(ctx context.Context, t token, e state.Epoch, restart bool) (unclear int, rec exec.Recovery, err error) {
	unclear, err = c.ctl.end(ctx, t, true)
	switch {
	case err == nil:
		rec, err = c.confirm(ctx, t, e, restart || unclear > 0, restart)
	case fenced(err):
		rec, err = c.judge(ctx, t, e, restart, err)
	case ctx.Err() != nil:
	default:
		err = classify(fmt.Errorf("kafka %s: committing %s of epoch %d, which is decided: everything is kept as it is, and its transaction timeout is running: %w", c.cluster.bootstrap(), t, e, err))
	}
	return unclear, rec, err
}

// judge finds out what a refused commit means. The answer of the broker is the same for
// "aborted by its timeout" and "committed long ago"; the ledger knows.
func (c *committer) judge(ctx context.Context, t token, e state.Epoch, restart bool, refusal error) (exec.Recovery, error) {
	var led ledgerState
	lctx, cancel := context.WithTimeout(ctx, hangingAfter)
	defer cancel()
	_, err := c.ctl.persist(lctx, "reading the ledger", func() (err error) {
		led, err = c.ctl.readLedger(lctx, t.Ledger)
		if errors.Is(err, kerr.UnstableOffsetCommit) && restart {
			// The id moved on, so what is open under it is not this transaction.
			if aerr := c.clearWay(lctx, union(t.Slots, c.ids())); aerr != nil {
				return aerr
			}
		}
		return err
	})
	if err != nil {
		return exec.Recovery{}, err
	}
	switch {
	case led.missing:
		return unknown(t, fmt.Sprintf("the broker refuses the commit (%v)", refusal)), nil
	case led.epoch >= e:
		// It was committed; its markers are looked at like after any restart.
		return c.confirm(ctx, t, e, true, restart)
	}
	return exec.Recovery{Outcome: exec.OutcomeAborted, Ledger: led.epoch,
		Detail: fmt.Sprintf("the broker aborted it (transaction timeout, or somebody's abort): it refuses the commit (%v) and the ledger says that epoch %d is the last committed", refusal, led.epoch)}, nil
}

func unknown(t token, why string) exec.Recovery {
	return exec.Recovery{Outcome: exec.OutcomeUnknown, LedgerMissing: true,
		Detail: fmt.Sprintf("%s and the ledger is gone (offset of group %s for topic %s: was the topic deleted, or did the offset expire?), so nobody can tell whether the output of %s is visible", why, t.Ledger.Group, t.Ledger.Topic, t)}
}

// clearWay aborts open transactions of dead incarnations under ids other than that of a
// decided one. They have no manifest, and a ledger record in one of them keeps the ledger
// unstable until it ends.
func (c *committer) clearWay(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if err := c.ctl.abortOpen(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// confirm waits until a commit that the coordinator accepted has arrived everywhere: the
// ledger reads e, and no partition has an open transaction of ours. The coordinator's word
// is not enough: a broker killed at the wrong moment can forget the markers of a committed
// transaction, whose records then stay hidden, and are destroyed by the next abort under
// this id.
func (c *committer) confirm(ctx context.Context, t token, e state.Epoch, suspicious, restart bool) (exec.Recovery, error) {
	start, repaired, older := time.Now(), false, 0
	for fails := 1; ; fails++ {
		led, err := c.ctl.readLedger(ctx, t.Ledger)
		switch {
		case err != nil && !again(err):
			return exec.Recovery{}, ledgerError(t.Ledger, err)
		case errors.Is(err, kerr.UnstableOffsetCommit) && restart:
			others := slices.DeleteFunc(union(t.Slots, c.ids()), func(id string) bool { return id == t.ID })
			if err := c.clearWay(ctx, others); err != nil {
				return exec.Recovery{}, err
			}
		case errors.Is(err, kerr.UnstableOffsetCommit):
		case err != nil:
			start = time.Now() // nobody answers: that is no time in which markers were not written
		case led.missing:
			return unknown(t, "the commit was accepted"), nil
		case led.epoch < e:
			// Stable and older: its markers said abort. Once may be a coordinator in motion.
			if older++; older >= 3 {
				gone, err := c.atRest(ctx, t)
				if err != nil || gone {
					return exec.Recovery{Outcome: exec.OutcomeAborted, Ledger: led.epoch,
						Detail: fmt.Sprintf("the commit was accepted, yet the ledger says that epoch %d is the last committed: an abort destroyed it before its markers were written", led.epoch)}, err
				}
			}
		case !suspicious:
			return committed(led), nil
		default:
			open, err := c.ctl.openPartitions(ctx, t)
			if err == nil && len(open) == 0 {
				return committed(led), nil
			}
			if errors.Is(err, kerr.TopicAuthorizationFailed) {
				if c.log != nil {
					c.log.Warn("kafka: whether the commit arrived in every partition cannot be checked: ACL Read on the sink topics is missing", "error", err)
				}
				return committed(led), nil
			}
			if err != nil && transient(err) {
				start = time.Now()
			}
		}
		if time.Since(start) > hangingAfter {
			if repaired {
				return exec.Recovery{}, c.hanging(t)
			}
			done, err := c.repair(ctx, t)
			if err != nil {
				return exec.Recovery{}, err
			}
			if repaired = done; done {
				start = time.Now()
			}
		}
		if err := sleep(ctx, retryDelay(fails)); err != nil {
			return exec.Recovery{}, err
		}
	}
}

func committed(l ledgerState) exec.Recovery {
	return exec.Recovery{Outcome: exec.OutcomeCommitted, Ledger: l.epoch}
}

// atRest reports whether the coordinator has nothing more to write for the id.
func (c *committer) atRest(ctx context.Context, t token) (bool, error) {
	states, err := c.ctl.describe(ctx, t.ID)
	if err != nil {
		return false, err
	}
	switch states[t.ID].State {
	case "PrepareCommit", "PrepareAbort", "PrepareEpochFence":
		return false, nil
	}
	return true, nil
}

// repair writes the markers that the coordinator forgot. It reports false while the
// coordinator is still at it, or cannot be reached.
func (c *committer) repair(ctx context.Context, t token) (bool, error) {
	done, err := c.atRest(ctx, t)
	if err != nil || !done {
		return false, err
	}
	if c.log != nil {
		c.log.Warn("kafka: a committed transaction has no markers (KAFKA-20734): its records are hidden; writing the markers", "id", t.ID, "producer", t.PID, "epoch", t.marker())
	}
	if err := c.ctl.writeMarkers(ctx, t); err != nil {
		if transient(err) {
			return false, nil // the broker went away; the markers are looked at again
		}
		return false, fmt.Errorf("%w: %w", c.hanging(t), err)
	}
	return true, nil
}

// hanging is the error that asks for a person, with what to do and what never to do.
func (c *committer) hanging(t token) error {
	return exec.Userf("kafka %s: %s is committed, but some partitions never got its commit markers (KAFKA-20734), so its records stay hidden. Do NOT abort it with kafka-transactions: that destroys them. Give this user ACL ClusterAction on the cluster and start the job again, or write COMMIT markers for producer %d, producer epoch %d to %s and the ledger's partition of __consumer_offsets (group %s) with WriteTxnMarkers",
		c.cluster.bootstrap(), t, t.PID, t.marker(), partsText(t.Parts), t.Ledger.Group)
}

func partsText(parts map[string][]int32) string {
	s := ""
	for _, topic := range sortedKeys(parts) {
		for _, p := range parts[topic] {
			if s != "" {
				s += ", "
			}
			s += splitID(topic, p)
		}
	}
	return s
}

func union(a, b []string) []string {
	out := append([]string(nil), a...)
	for _, x := range b {
		found := false
		for _, y := range a {
			found = found || x == y
		}
		if !found {
			out = append(out, x)
		}
	}
	return out
}

// openPartitions lists the partitions with an open transaction of t's producer.
func (k *control) openPartitions(ctx context.Context, t token) ([]string, error) {
	set := kadm.TopicsSet{}
	for topic, ps := range t.Parts {
		set.Add(topic, ps...)
	}
	if len(set) == 0 {
		return nil, nil
	}
	described, err := k.adm.DescribeProducers(ctx, set)
	if err != nil {
		return nil, err
	}
	var open []string
	seen := 0
	for topic, d := range described {
		for p, producers := range d.Partitions {
			if producers.Err != nil {
				return nil, producers.Err
			}
			seen++
			for _, a := range producers.ActiveProducers {
				// The next transaction under the id has a newer epoch.
				if a.ProducerID == t.PID && a.ProducerEpoch <= t.Epoch && a.CurrentTxnStartOffset >= 0 {
					open = append(open, splitID(topic, p))
				}
			}
		}
	}
	want := 0
	for _, ps := range t.Parts {
		want += len(ps)
	}
	if seen < want {
		return nil, fmt.Errorf("producers of %d partitions were asked for, %d answered", want, seen)
	}
	return open, nil
}
