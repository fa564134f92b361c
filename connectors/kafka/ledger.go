package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// ledgerState is what reading the ledger found.
type ledgerState struct {
	epoch   state.Epoch
	missing bool // there is none: never written, expired, or gone with its topic
}

// writeLedger adds the epoch to the open transaction of t: it is committed or aborted with
// the records, so that Kafka itself answers whether they were committed.
func (k *control) writeLedger(ctx context.Context, t token, e state.Epoch) error {
	if bugNoLedger {
		return nil
	}
	if t.Version < 2 {
		_, err := k.persist(ctx, "adding the ledger to "+t.String(), func() error {
			r := kmsg.NewPtrAddOffsetsToTxnRequest()
			r.TransactionalID, r.ProducerID, r.ProducerEpoch, r.Group = t.ID, t.PID, t.Epoch, t.Ledger.Group
			resp, err := r.RequestWith(ctx, k.clients[1])
			if err != nil {
				return err
			}
			return kerr.ErrorForCode(resp.ErrorCode)
		})
		if err != nil {
			return ledgerError(t.Ledger, err)
		}
	}
	_, err := k.persist(ctx, "writing the ledger of "+t.String(), func() error {
		r := kmsg.NewPtrTxnOffsetCommitRequest()
		r.TransactionalID, r.ProducerID, r.ProducerEpoch, r.Group, r.Generation = t.ID, t.PID, t.Epoch, t.Ledger.Group, -1
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Offset, p.Metadata = ledgerOffset(e), ledgerMetadata
		topic := kmsg.NewTxnOffsetCommitRequestTopic()
		topic.Topic, topic.Partitions = t.Ledger.Topic, append(topic.Partitions, p)
		r.Topics = append(r.Topics, topic)
		resp, err := r.RequestWith(ctx, k.clients[t.Version])
		if err != nil {
			return err
		}
		for _, rt := range resp.Topics {
			for _, rp := range rt.Partitions {
				return kerr.ErrorForCode(rp.ErrorCode)
			}
		}
		return errors.New("the broker's answer names no partition")
	})
	if err != nil {
		return ledgerError(t.Ledger, err)
	}
	return nil
}

var ledgerMetadata = kmsg.StringPtr("sqlstream ledger: the offset is the last committed epoch")

func ledgerError(l ledger, err error) error {
	switch {
	case fenced(err), errors.Is(err, kerr.TransactionAbortable):
		return exec.Externalf("the transaction is lost (its timeout passed, or another instance of this job took it over); the job restarts from its last checkpoint: %w", err)
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return exec.Deniedf("exactly-once needs ACL Read on group %s: %w", l.Group, err)
	}
	return fmt.Errorf("writing the ledger (group %s): %w", l.Group, classify(err))
}

// baseLedger makes sure that the ledger exists before the first transaction, so that from
// then on a missing ledger means "lost" and never "nothing was committed yet".
func (k *control) baseLedger(ctx context.Context, l ledger, e state.Epoch) error {
	_, err := k.persist(ctx, "writing the first ledger record", func() error {
		r := kmsg.NewPtrOffsetCommitRequest()
		r.Group, r.Generation = l.Group, -1
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Offset, p.Metadata = int64(e), ledgerMetadata
		topic := kmsg.NewOffsetCommitRequestTopic()
		topic.Topic, topic.Partitions = l.Topic, append(topic.Partitions, p)
		r.Topics = append(r.Topics, topic)
		resp, err := r.RequestWith(ctx, k.clients[2])
		if err != nil {
			return err
		}
		for _, rt := range resp.Topics {
			for _, rp := range rt.Partitions {
				return kerr.ErrorForCode(rp.ErrorCode)
			}
		}
		return errors.New("the broker's answer names no partition")
	})
	if err != nil {
		return ledgerError(l, err)
	}
	return nil
}

// readLedger reads the ledger once. kerr.UnstableOffsetCommit: a transaction that wrote it
// is not ended, or its markers are still to come.
func (k *control) readLedger(ctx context.Context, l ledger) (ledgerState, error) {
	r := kmsg.NewPtrOffsetFetchRequest()
	r.RequireStable = true
	r.Group = l.Group // up to version 7
	old := kmsg.NewOffsetFetchRequestTopic()
	old.Topic, old.Partitions = l.Topic, []int32{0}
	r.Topics = append(r.Topics, old)
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = l.Group
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic, topic.Partitions = l.Topic, []int32{0}
	g.Topics = append(g.Topics, topic)
	r.Groups = append(r.Groups, g)
	resp, err := r.RequestWith(ctx, k.clients[2])
	if err != nil {
		return ledgerState{}, err
	}
	code, offset := resp.ErrorCode, int64(-1)
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			offset, code = p.Offset, firstCode(code, p.ErrorCode)
		}
	}
	for _, rg := range resp.Groups {
		code = firstCode(code, rg.ErrorCode)
		for _, t := range rg.Topics {
			for _, p := range t.Partitions {
				offset, code = p.Offset, firstCode(code, p.ErrorCode)
			}
		}
	}
	err = kerr.ErrorForCode(code)
	switch {
	case errors.Is(err, kerr.GroupIDNotFound), errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID):
		offset = -1
	case err != nil:
		return ledgerState{}, err
	}
	if offset < 0 {
		if bugMissingZero {
			return ledgerState{}, nil
		}
		return ledgerState{missing: true}, nil
	}
	return ledgerState{epoch: state.Epoch(offset)}, nil
}

func firstCode(a, b int16) int16 {
	if a != 0 {
		return a
	}
	return b
}

// stableLedger reads the ledger until it is stable, for at most limit.
func (k *control) stableLedger(ctx context.Context, l ledger, limit time.Duration) (ledgerState, error) {
	lctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var s ledgerState
	_, err := k.persist(lctx, "reading the ledger", func() (err error) {
		s, err = k.readLedger(lctx, l)
		return err
	})
	return s, err
}
