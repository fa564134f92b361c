package main

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// copyTopic is the program to be measured against: what a careful person writes by hand to
// copy the records of one topic to another, without SQL, state or transactions.
func copyTopic(ctx context.Context, brokers, from, to string) error {
	debug.SetGCPercent(400)
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.ConsumeTopics(from), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DefaultProduceTopic(to), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, from)
	if err != nil {
		return err
	}
	left := int64(0)
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	first := kgo.AbortingFirstErrPromise(cl)
	slab := make([]kgo.Record, 0, 512)
	for left > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			return err
		}
		fs.EachRecord(func(r *kgo.Record) {
			if len(slab) == cap(slab) {
				slab = make([]kgo.Record, 0, 512)
			}
			slab = append(slab, kgo.Record{Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp})
			cl.Produce(ctx, &slab[len(slab)-1], first.Promise())
			left--
		})
	}
	if err := cl.Flush(ctx); err != nil {
		return err
	}
	return first.Err()
}
