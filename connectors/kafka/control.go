package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/sqlstream/sqlstream/exec"
)

// control sends the raw requests of the commit protocol. Its clients have no transactional
// id of their own and pin request versions: newer TxnOffsetCommit and OffsetFetch carry topic
// ids instead of names, and an EndTxn newer than the cluster's transaction.version bumps
// the epoch under the writer's feet.
type control struct {
	log     *slog.Logger
	version int                 // transaction.version: 1 or 2
	cluster string              // cluster id
	clients map[int]*kgo.Client // by transaction version
	adm     *kadm.Client
}

// pins are the version limits of raw requests under a transaction version.
func pins(version int) *kversion.Versions {
	v := kversion.Stable()
	v.SetMaxKeyVersion(int16(kmsg.OffsetFetch), 9)
	v.SetMaxKeyVersion(int16(kmsg.OffsetCommit), 9)
	v.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), 5)
	if version < 2 {
		v.SetMaxKeyVersion(int16(kmsg.EndTxn), 4)
		v.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), 4)
		v.SetMaxKeyVersion(int16(kmsg.Produce), 11)
	}
	return v
}

func newControl(ctx context.Context, c *cluster, log *slog.Logger) (*control, error) {
	k := &control{log: log, clients: map[int]*kgo.Client{}}
	for _, v := range []int{1, 2} {
		// Few retries of the client's own: persist is the loop, and it has to see the answers.
		cl, err := c.client(ctx, log, kgo.MaxVersions(pins(v)), kgo.RequestRetries(3))
		if err != nil {
			k.close()
			return nil, err
		}
		k.clients[v] = cl
	}
	k.adm = kadm.NewClient(k.clients[2])
	if err := k.learn(ctx); err != nil {
		k.close()
		return nil, fmt.Errorf("kafka %s: %w", c.bootstrap(), err)
	}
	return k, nil
}

func (k *control) close() {
	for _, cl := range k.clients {
		cl.Close()
	}
}

// learn asks for the cluster's transaction version and id.
func (k *control) learn(ctx context.Context) error {
	return retry(ctx, k.log, "asking for the transaction version", func() error {
		req := kmsg.NewPtrApiVersionsRequest()
		req.ClientSoftwareName, req.ClientSoftwareVersion = "sqlstream", "1"
		resp, err := req.RequestWith(ctx, k.clients[2])
		if err != nil {
			return err
		}
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
			return err
		}
		k.version = 1
		for _, f := range resp.FinalizedFeatures {
			if f.Name == "transaction.version" && f.MaxVersionLevel >= 2 {
				k.version = 2
			}
		}
		md, err := k.adm.BrokerMetadata(ctx)
		k.cluster = md.Cluster
		return err
	})
}

// again reports whether a coordinator's answer means "the same request, later".
func again(err error) bool {
	return errors.Is(err, kerr.ConcurrentTransactions) || errors.Is(err, kerr.UnstableOffsetCommit) || errors.Is(err, kerr.UnknownServerError) || transient(err)
}

// fenced reports the answers that mean "not committable now": the broker aborted the
// transaction, or it ended long ago and its id moved on. They look alike on purpose here:
// which code comes depends on the broker's version.
func fenced(err error) bool {
	for _, e := range []error{kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.InvalidTxnState, kerr.InvalidProducerIDMapping, kerr.TransactionalIDNotFound, kerr.UnknownProducerID} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// persist repeats a coordinator request until it has a final answer or ctx ends. The
// client's own retries are not enough: it gives COORDINATOR_NOT_AVAILABLE back within
// milliseconds. unclear counts answers that say nothing about whether the request was
// carried out.
func (k *control) persist(ctx context.Context, what string, f func() error) (unclear int, err error) {
	start, warned := time.Now(), false
	for fails := 1; ; fails++ {
		err := f()
		if err == nil || !again(err) {
			return unclear, err
		}
		if !errors.Is(err, kerr.ConcurrentTransactions) && !errors.Is(err, kerr.UnstableOffsetCommit) {
			unclear++
		}
		if !warned && time.Since(start) > 30*time.Second && k.log != nil {
			warned = true
			k.log.Warn("kafka: still trying", "what", what, "for", time.Since(start).Round(time.Second), "error", err)
		}
		if serr := sleep(ctx, retryDelay(fails)); serr != nil {
			return unclear, &exec.Error{Class: exec.External, Retry: true, Err: fmt.Errorf("%s: %w (last answer: %w)", what, serr, err)}
		}
	}
}

// end commits or aborts a transaction. unclear: some try may have been carried out without
// an answer. A nil error means the outcome is decided as asked; its markers follow.
func (k *control) end(ctx context.Context, t token, commit bool) (unclear int, err error) {
	return k.persist(ctx, "ending "+t.String(), func() error {
		err := k.endOnce(ctx, t, commit)
		if bugTryAbort && commit && err != nil && !fenced(err) {
			return k.endOnce(ctx, t, false)
		}
		return err
	})
}

func (k *control) endOnce(ctx context.Context, t token, commit bool) error {
	r := kmsg.NewPtrEndTxnRequest()
	r.TransactionalID, r.ProducerID, r.ProducerEpoch, r.Commit = t.ID, t.PID, t.Epoch, commit
	resp, err := r.RequestWith(ctx, k.clients[t.Version])
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

// describe returns the coordinator's view of transactional ids; unknown ids are left out.
func (k *control) describe(ctx context.Context, ids ...string) (map[string]kmsg.DescribeTransactionsResponseTransactionState, error) {
	out := map[string]kmsg.DescribeTransactionsResponseTransactionState{}
	for _, id := range ids {
		_, err := k.persist(ctx, "describing transaction "+id, func() error {
			r := kmsg.NewPtrDescribeTransactionsRequest()
			r.TransactionalIDs = []string{id}
			resp, err := r.RequestWith(ctx, k.clients[2])
			if err != nil {
				return err
			}
			for _, s := range resp.TransactionStates {
				err := kerr.ErrorForCode(s.ErrorCode)
				switch {
				case errors.Is(err, kerr.TransactionalIDNotFound):
				case err != nil:
					return err
				default:
					out[id] = s
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("describing transaction %s: %w", id, classify(err))
		}
	}
	return out, nil
}

// abortOpen ends whatever an earlier incarnation left open under an id. Nobody else may
// hold a decision about it: the caller has settled those first.
func (k *control) abortOpen(ctx context.Context, id string) error {
	for {
		states, err := k.describe(ctx, id)
		if err != nil {
			return err
		}
		s, ok := states[id]
		if !ok || s.State != "Ongoing" && s.State != "PrepareCommit" && s.State != "PrepareAbort" && s.State != "PrepareEpochFence" {
			return nil
		}
		if s.State == "Ongoing" {
			_, err := k.end(ctx, token{ID: id, PID: s.ProducerID, Epoch: s.ProducerEpoch, Version: k.version}, false)
			if err == nil && k.log != nil {
				k.log.Info("kafka: aborted an open transaction of an earlier run", "id", id)
			}
			if err != nil && !fenced(err) {
				return fmt.Errorf("aborting transaction %s: %w", id, classify(err))
			}
		}
		// Until the coordinator has written the markers; or it changed under our hands.
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// maxTimeout is the broker's transaction.max.timeout.ms, 0 when it may not be read.
func (k *control) maxTimeout(ctx context.Context) time.Duration {
	md, err := k.adm.BrokerMetadata(ctx)
	if err != nil || len(md.Brokers) == 0 {
		return 0
	}
	configs, err := k.adm.DescribeBrokerConfigs(ctx, md.Brokers[0].NodeID)
	if err != nil {
		return 0
	}
	for _, c := range configs {
		for _, e := range c.Configs {
			if e.Key == "transaction.max.timeout.ms" && e.Value != nil {
				r := optionReader{opts: map[string]string{e.Key: *e.Value}}
				return time.Duration(r.long(e.Key, 0, 0)) * time.Millisecond
			}
		}
	}
	return 0
}
