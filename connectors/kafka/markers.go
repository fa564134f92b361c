package kafka

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	txnStateTopic = "__transaction_state"
	offsetsTopic  = "__consumer_offsets"
)

// writeMarkers writes the commit markers of a transaction that the coordinator completed
// without writing them: to its partitions and to the one that holds the ledger.
func (k *control) writeMarkers(ctx context.Context, t token) error {
	epoch, err := k.coordinatorEpoch(ctx, t.ID)
	if err != nil {
		return err
	}
	topics := kadm.TopicsSet{}
	for topic, ps := range t.Parts {
		topics.Add(topic, ps...)
	}
	if p, ok, err := k.internalPartition(ctx, offsetsTopic, t.Ledger.Group); err != nil {
		return err
	} else if ok {
		topics.Add(offsetsTopic, p)
	}
	marker := kadm.TxnMarkers{ProducerID: t.PID, ProducerEpoch: t.marker(), Commit: true, CoordinatorEpoch: epoch, Topics: topics}
	resp, err := k.adm.WriteTxnMarkers(ctx, marker)
	if err != nil {
		return fmt.Errorf("writing transaction markers: %w", err)
	}
	var first error
	for _, byTopic := range resp {
		for _, m := range byTopic.Topics {
			for _, p := range m.Partitions {
				if p.Err != nil && first == nil {
					first = fmt.Errorf("writing the transaction marker of topic %s partition %d: %w", p.Topic, p.Partition, p.Err)
				}
			}
		}
	}
	return first
}

// coordinatorEpoch is the leader epoch of the partition that holds a transactional id: a
// marker with an older one is refused.
func (k *control) coordinatorEpoch(ctx context.Context, id string) (int32, error) {
	md, err := k.adm.Metadata(ctx, txnStateTopic)
	if err != nil {
		return 0, err
	}
	d := md.Topics[txnStateTopic]
	if n := len(d.Partitions); n > 0 {
		return d.Partitions[javaHash(id, n)].LeaderEpoch, nil
	}
	return 0, nil // an emulated broker without internal topics
}

// internalPartition is the partition of an internal topic that a key belongs to; false when
// the cluster does not show the topic.
func (k *control) internalPartition(ctx context.Context, topic, key string) (int32, bool, error) {
	md, err := k.adm.Metadata(ctx, topic)
	if err != nil {
		return 0, false, err
	}
	d := md.Topics[topic]
	if d.Err != nil && !errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
		return 0, false, d.Err
	}
	if n := len(d.Partitions); n > 0 {
		return javaHash(key, n), true, nil
	}
	return 0, false, nil
}

// javaHash is how the broker spreads ids and groups over internal partitions: Java's
// String.hashCode, made positive, modulo n.
func javaHash(s string, n int) int32 {
	var h int32
	for _, u := range utf16.Encode([]rune(s)) {
		h = 31*h + int32(u)
	}
	if h == -1<<31 {
		return 0
	}
	if h < 0 {
		h = -h
	}
	return h % int32(n)
}
