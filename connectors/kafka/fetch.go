package kafka

import (
	"context"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// run is what was fetched of one partition, in offset order, control records included.
type run struct {
	topic     string
	partition int32
	records   []*kgo.Record
	err       error // the partition cannot be read on
	end       int64 // where a reader of our isolation level would stand still, -1 unknown
}

// fetcher brings the records of assigned partitions, each exactly once and in order. It
// stands between the reader and the client so that a path without an object per record can
// take the client's place.
type fetcher interface {
	// assign adds partitions to read from their position's Next.
	assign(parts []position)
	// poll returns what has been fetched, waiting until ctx ends for a first run. The runs
	// and their records are valid until release.
	poll(ctx context.Context) ([]run, error)
	// release gives the memory of a run back.
	release(r run)
	// drop ends reading of a partition.
	drop(topic string, partition int32)
	close()
}

// clientFetcher reads through the client's consumer.
type clientFetcher struct {
	cl            *kgo.Client
	readCommitted bool
	pool          *recordPool
	runs          []run
}

func newClientFetcher(ctx context.Context, cfg *tableConfig, log *slog.Logger) (*clientFetcher, error) {
	p := cfg.props
	pool := &recordPool{}
	isolation := kgo.ReadUncommitted()
	if p.readCommitted {
		isolation = kgo.ReadCommitted()
	}
	opts := []kgo.Opt{
		kgo.FetchIsolationLevel(isolation),
		// Control records move the position over aborted and committed transactions; without
		// them a bounded read of a log that ends in one would never end.
		kgo.KeepControlRecords(),
		// Nothing but this keeps the client from jumping silently when an offset is gone.
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(p.fetchMaxBytes),
		kgo.FetchMaxPartitionBytes(p.fetchPartBytes),
		kgo.FetchMinBytes(p.fetchMinBytes),
		kgo.FetchMaxWait(p.fetchMaxWait),
		kgo.WithPools(pool),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}),
	}
	if p.rack != "" {
		opts = append(opts, kgo.Rack(p.rack))
	}
	cl, err := cfg.cluster.client(ctx, log, opts...)
	if err != nil {
		return nil, err
	}
	return &clientFetcher{cl: cl, readCommitted: p.readCommitted, pool: pool}, nil
}

func (f *clientFetcher) assign(parts []position) {
	m := map[string]map[int32]kgo.Offset{}
	for _, p := range parts {
		if m[p.Topic] == nil {
			m[p.Topic] = map[int32]kgo.Offset{}
		}
		m[p.Topic][p.Partition] = kgo.NoResetOffset().At(p.Next).WithEpoch(p.LeaderEpoch)
	}
	f.cl.AddConsumePartitions(m)
}

func (f *clientFetcher) poll(ctx context.Context) ([]run, error) {
	f.runs = f.runs[:0]
	fetches := f.cl.PollFetches(ctx)
	if fetches.IsClientClosed() {
		return nil, context.Canceled
	}
	for i := range fetches {
		for t := range fetches[i].Topics {
			topic := &fetches[i].Topics[t]
			if topic.Topic == "" {
				continue // the client's way of saying that ctx ended
			}
			for p := range topic.Partitions {
				part := &topic.Partitions[p]
				end := part.HighWatermark
				if f.readCommitted {
					end = part.LastStableOffset
				}
				f.runs = append(f.runs, run{topic.Topic, part.Partition, part.Records, part.Err, end})
			}
		}
	}
	return f.runs, nil
}

func (f *clientFetcher) release(r run) {
	for _, rec := range r.records {
		rec.Recycle()
	}
}

func (f *clientFetcher) drop(topic string, partition int32) {
	f.cl.RemoveConsumePartitions(map[string][]int32{topic: {partition}})
}

func (f *clientFetcher) close() { f.cl.CloseAllowingRebalance() }

// recordPool keeps record arrays and decompression buffers between fetches; without it half
// of the cost of reading is allocation.
type recordPool struct {
	mu      sync.Mutex
	records [][]kgo.Record
	bytes   [][]byte
}

// poolSize bounds what is kept: a few fetches' worth.
const poolSize = 64

func (p *recordPool) GetRecords(n int) []kgo.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.records) - 1; i >= 0; i-- {
		if s := p.records[i]; cap(s) >= n {
			last := len(p.records) - 1
			p.records[i], p.records = p.records[last], p.records[:last]
			return s
		}
	}
	return make([]kgo.Record, 0, n)
}

func (p *recordPool) PutRecords(s []kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.records) < poolSize {
		p.records = append(p.records, s[:0])
	}
}

func (p *recordPool) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.bytes) - 1; last >= 0 {
		s := p.bytes[last]
		p.bytes = p.bytes[:last]
		return s
	}
	return make([]byte, 0, 4*len(compressed))
}

func (p *recordPool) PutDecompressBytes(s []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.bytes) < poolSize {
		p.bytes = append(p.bytes, s[:0])
	}
}
