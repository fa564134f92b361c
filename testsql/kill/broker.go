package kill

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// broker is a Kafka and the clients of the test on it.
type broker struct {
	addr   string
	client *kgo.Client
	admin  *kadm.Client
	stop   func()
	fake   *kfake.Cluster // nil: a real one
}

// newBroker connects to the brokers at addr; "" starts a kfake in this process with
// transaction.version tv.
func newBroker(addr string, tv int) (*broker, error) {
	b := &broker{addr: addr, stop: func() {}}
	if addr == "" {
		c, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			return nil, err
		}
		b.addr, b.stop, b.fake = c.ListenAddrs()[0], c.Close, c
	}
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.OffsetFetch), 9) // newer ones want topic ids
	var err error
	b.client, err = kgo.NewClient(kgo.SeedBrokers(b.seeds()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(50*time.Millisecond), kgo.AlwaysRetryEOF(), kgo.ProducerLinger(0), kgo.MaxVersions(versions))
	if err != nil {
		b.stop()
		return nil, err
	}
	b.admin = kadm.NewClient(b.client)
	if addr == "" && tv == 1 {
		req := kmsg.NewPtrUpdateFeaturesRequest()
		fu := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		fu.Feature, fu.MaxVersionLevel, fu.UpgradeType = "transaction.version", 1, 2
		req.FeatureUpdates = append(req.FeatureUpdates, fu)
		if _, err := req.RequestWith(context.Background(), b.client); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

func (b *broker) seeds() []string { return strings.Split(b.addr, ",") }

func (b *broker) close() {
	b.client.Close()
	b.stop()
}

// holdCommits answers every EndTxn with "try again" until release is called; refused counts
// them. Only for a kfake.
func (b *broker) holdCommits() (refused *atomic.Int64, release func()) {
	refused = &atomic.Int64{}
	var released atomic.Bool
	b.fake.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if released.Load() {
			return nil, nil, false
		}
		b.fake.KeepControl()
		refused.Add(1)
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.ConcurrentTransactions.Code
		return resp, nil, true
	})
	return refused, func() { released.Store(true) }
}

// refuseRecords answers the next records of a transaction with what a broker says to a
// producer that another one has taken the place of. Only for a kfake.
func (b *broker) refuseRecords() {
	var done atomic.Bool
	b.fake.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.fake.KeepControl()
		r := req.(*kmsg.ProduceRequest)
		if r.TransactionID == nil || done.Swap(true) {
			return nil, nil, false
		}
		resp := r.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range r.Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.InvalidProducerEpoch.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
}

// slowProduce makes the broker take d for every request that adds records or partitions to a
// transaction, until release is called; other requests overtake it. Only for a kfake.
func (b *broker) slowProduce(d time.Duration) (release func()) {
	var released atomic.Bool
	for _, key := range []kmsg.Key{kmsg.Produce, kmsg.AddPartitionsToTxn} {
		b.fake.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
			b.fake.KeepControl()
			if r, ok := req.(*kmsg.ProduceRequest); (!ok || r.TransactionID != nil) && !released.Load() {
				b.fake.SleepControl(func() { time.Sleep(d) })
			}
			return nil, nil, false
		})
	}
	return func() { released.Store(true) }
}

// abort ends an open transaction as an administrator would.
func (b *broker) abort(ctx context.Context, t transaction) error {
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = t.ID, t.PID, t.Epoch
	resp, err := req.RequestWith(ctx, b.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

// transaction is one that has not ended.
type transaction struct {
	ID    string
	PID   int64
	Epoch int16
	State string
}

// open lists the unfinished transactions of a job. A broker is shared, so only ids that name
// the job count.
func (b *broker) open(ctx context.Context, job string) ([]transaction, error) {
	list, err := b.admin.ListTransactions(ctx, nil, []string{"Ongoing", "PrepareCommit", "PrepareAbort"})
	if err != nil {
		return nil, fmt.Errorf("listing transactions: %w", err)
	}
	var out []transaction
	for _, t := range list.Sorted() {
		if !strings.Contains(t.TxnID, job) {
			continue
		}
		described, err := b.admin.DescribeTransactions(ctx, t.TxnID)
		if err != nil {
			return nil, fmt.Errorf("describing transaction %s: %w", t.TxnID, err)
		}
		for _, d := range described {
			if d.Err == nil {
				out = append(out, transaction{d.TxnID, d.ProducerID, d.ProducerEpoch, d.State})
			}
		}
	}
	return out, nil
}

// behind lists the partitions whose readers are held back by a transaction.
func (b *broker) behind(ctx context.Context, topics ...string) ([]string, error) {
	stable, err := b.admin.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return nil, err
	}
	high, err := b.admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, err
	}
	var out []string
	for topic, ps := range stable {
		for p, s := range ps {
			if h := high[topic][p]; s.Offset < h.Offset {
				out = append(out, fmt.Sprintf("%s-%d: last stable offset %d is below the high watermark %d", topic, p, s.Offset, h.Offset))
			}
		}
	}
	return out, nil
}

// ledger reads the epoch that Kafka knows as committed, -1 when there is none.
func (b *broker) ledger(ctx context.Context, group, topic string) (int64, error) {
	for {
		req := kmsg.NewPtrOffsetFetchRequest()
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = group
		t := kmsg.NewOffsetFetchRequestGroupTopic()
		t.Topic, t.Partitions = topic, []int32{0}
		g.Topics = append(g.Topics, t)
		req.Groups, req.RequireStable = append(req.Groups, g), true
		resp, err := req.RequestWith(ctx, b.client)
		if err != nil {
			return 0, err
		}
		var code int16
		var at int64 = -1
		for _, g := range resp.Groups {
			code = max(code, g.ErrorCode)
			for _, t := range g.Topics {
				for _, p := range t.Partitions {
					code, at = max(code, p.ErrorCode), p.Offset
				}
			}
		}
		err = kerr.ErrorForCode(code)
		if err == nil || !errors.Is(err, kerr.UnstableOffsetCommit) {
			return at, err
		}
		if sleep(ctx, 10*time.Millisecond); ctx.Err() != nil {
			return 0, fmt.Errorf("the ledger stays unstable: %w", err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
