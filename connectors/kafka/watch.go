package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/exec"
)

// watchEvery is how often ends of logs and topic ids are looked at beside reading.
const watchEvery = 10 * time.Second

// watcher looks after a reader's partitions from a goroutine of its own: the ends of their
// logs (for lag), whether the topics are still the same, and the offsets committed to the
// group.
type watcher struct {
	cfg  *tableConfig
	env  exec.ConnEnv
	adm  *kadm.Client
	stop context.CancelFunc
	done chan struct{}
	kick chan struct{} // offsets are to be committed

	mu      sync.Mutex
	parts   []position           // as of the last barrier
	ends    offsetMap            // newest known ends
	commits kadm.Offsets         // to be committed next, nil for nothing
	still   map[string]stillness // partitions that do not move, by split id
	version atomic.Int64         // counts changes of ends
	seen    int64                // the reader's copy of version

	failure atomic.Pointer[error] // a topic is another one now
}

func newWatcher(cfg *tableConfig, env exec.ConnEnv, cl *kgo.Client) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{cfg: cfg, env: env, adm: kadm.NewClient(cl), still: map[string]stillness{}, stop: cancel, done: make(chan struct{}), kick: make(chan struct{}, 1)}
	go w.run(ctx)
	return w
}

func (w *watcher) close() {
	w.stop()
	<-w.done
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.done)
	for {
		t := w.env.Clock.NewTimer(watchEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			w.flush(ctx)
			return
		case <-w.kick:
			t.Stop()
			w.flush(ctx)
		case <-t.C:
			w.look(ctx)
		}
	}
}

// flush commits the newest offsets to the group. It is for outside tools: a failure is a
// warning.
func (w *watcher) flush(ctx context.Context) {
	w.mu.Lock()
	offsets := w.commits
	w.commits = nil
	w.mu.Unlock()
	if offsets == nil {
		return
	}
	// The last offsets are committed even though the reader is being closed.
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := w.adm.CommitAllOffsets(cctx, w.cfg.props.groupID, offsets); err != nil && w.env.Log != nil {
		w.env.Log.Warn("kafka: offsets could not be committed to the consumer group; lag tools show old values", "group", w.cfg.props.groupID, "error", err)
	}
}

func (w *watcher) commit(splits []exec.Split) {
	if w.cfg.props.groupID == "" || !w.cfg.props.commitOffsets {
		return
	}
	offsets := kadm.Offsets{}
	for _, s := range splits {
		p, err := parsePosition(s)
		if err != nil || p.Next < 0 {
			continue
		}
		offsets.Add(kadm.Offset{Topic: p.Topic, Partition: p.Partition, At: p.Next, LeaderEpoch: p.LeaderEpoch})
	}
	w.mu.Lock()
	w.commits = offsets
	w.mu.Unlock()
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// observe tells which partitions the reader has.
func (w *watcher) observe(parts []partition) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts = w.parts[:0]
	for i := range parts {
		w.parts = append(w.parts, parts[i].pos)
	}
}

// update gives the reader the ends found meanwhile.
func (w *watcher) update(parts []partition) {
	v := w.version.Load()
	if v == w.seen {
		return
	}
	w.seen = v
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range parts {
		p := &parts[i]
		if end, ok := w.ends[p.pos.Topic][p.pos.Partition]; ok {
			p.end = max(p.end, end)
		}
	}
}

func (w *watcher) err() error {
	if p := w.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// look refreshes ends and topic ids. The positions it knows are as old as the last barrier,
// so it cannot judge offsets: the fetch does.
func (w *watcher) look(ctx context.Context) {
	w.mu.Lock()
	parts := append([]position(nil), w.parts...)
	w.mu.Unlock()
	if len(parts) == 0 {
		return
	}
	lctx, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	err := w.checkTopics(lctx, parts)
	if err == nil {
		var highs offsetMap
		if _, highs, err = w.limits(lctx, parts); err == nil {
			w.stuck(lctx, parts, highs)
		}
	}
	// When the cluster does not answer, reading notices by itself.
	if exec.ClassOf(err) == exec.User {
		w.failure.Store(&err)
	}
}

// check verifies that positions lie inside logs of the topics they were recorded for, and
// resolves nextEarliest.
func (w *watcher) check(ctx context.Context, parts []position) error {
	if err := w.checkTopics(ctx, parts); err != nil {
		return err
	}
	starts, highs, err := w.limits(ctx, parts)
	if err != nil {
		return err
	}
	for i := range parts {
		p := &parts[i]
		start, high := starts[p.Topic][p.Partition], highs[p.Topic][p.Partition]
		switch {
		case p.Next == nextEarliest:
			p.Next = start
		case p.Next == nextMissing, p.Stop != noStop && p.Next >= p.Stop:
		case p.Next < start || p.Next > high:
			return errOffset(*p, start, high)
		}
	}
	return nil
}

// limits asks for the first offset and the high watermark of every partition, and notes the
// end for a reader of our isolation level.
func (w *watcher) limits(ctx context.Context, parts []position) (starts, highs offsetMap, err error) {
	topics := map[string][]int32{}
	for _, p := range parts {
		topics[p.Topic] = append(topics[p.Topic], p.Partition)
	}
	b := &bounds{cfg: w.cfg, adm: w.adm, parts: topics, topics: sortedKeys(topics), log: w.env.Log}
	if len(topics) == 0 {
		return nil, nil, nil
	}
	if starts, err = b.list(ctx, w.adm.ListStartOffsets); err != nil {
		return nil, nil, err
	}
	if highs, err = b.list(ctx, w.adm.ListEndOffsets); err != nil {
		return nil, nil, err
	}
	stable := highs
	if w.cfg.props.readCommitted {
		if stable, err = b.ends(ctx); err != nil {
			return nil, nil, err
		}
	}
	w.mu.Lock()
	if w.ends == nil {
		w.ends = offsetMap{}
	}
	for topic, ps := range stable {
		if w.ends[topic] == nil {
			w.ends[topic] = map[int32]int64{}
		}
		for p, o := range ps {
			w.ends[topic][p] = o
		}
	}
	w.mu.Unlock()
	w.version.Add(1)
	return starts, highs, nil
}

// checkTopics verifies that every partition exists and belongs to the same topic as before,
// and notes the topic's id where there was none.
func (w *watcher) checkTopics(ctx context.Context, parts []position) error {
	topics := map[string]bool{}
	for _, p := range parts {
		topics[p.Topic] = true
	}
	if len(topics) == 0 {
		return nil
	}
	var md kadm.Metadata
	err := retry(ctx, w.env.Log, "checking topics", func() (err error) {
		md, err = w.adm.Metadata(ctx, sortedKeys(topics)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("kafka %s: %w", w.cfg.cluster.bootstrap(), err)
	}
	for i := range parts {
		p := &parts[i]
		d, ok := md.Topics[p.Topic]
		if !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
			return exec.Userf("kafka %s: wanted offset %d, but the topic does not exist any more", p, p.Next)
		}
		id := topicIDText(d.ID)
		if p.TopicID != "" && id != "" && p.TopicID != id {
			now := *p
			now.TopicID = id
			return errRecreated(now, p.TopicID)
		}
		if _, ok := d.Partitions[p.Partition]; !ok && d.Err == nil {
			return exec.Userf("kafka %s: wanted offset %d, but the topic has only %s", p, p.Next, plural(int64(len(d.Partitions)), "partition"))
		}
		p.TopicID = id
	}
	return nil
}

// errOffset is the error of an offset that the log does not have.
func errOffset(p position, start, high int64) error {
	if p.Next < start {
		return exec.Userf("kafka %s: offset %d is gone: wanted %d, available are %d to %d; retention deleted %s that the job had not read. Restore a newer checkpoint, or start afresh with another 'scan.startup.mode'",
			p, p.Next, p.Next, start, high, plural(start-p.Next, "record"))
	}
	return exec.Userf("kafka %s: offset %d is beyond the end of the log: wanted %d, available are %d to %d; the log was truncated or is another one. Restore an older checkpoint, or start afresh",
		p, p.Next, p.Next, start, high)
}

// outOfRange explains OFFSET_OUT_OF_RANGE with what there is.
func (w *watcher) outOfRange(ctx context.Context, p position) error {
	b := &bounds{cfg: w.cfg, adm: w.adm, parts: map[string][]int32{p.Topic: {p.Partition}}, topics: []string{p.Topic}, log: w.env.Log}
	starts, err := b.list(ctx, w.adm.ListStartOffsets)
	if err == nil {
		var highs offsetMap
		if highs, err = b.list(ctx, w.adm.ListEndOffsets); err == nil {
			start, high := starts[p.Topic][p.Partition], highs[p.Topic][p.Partition]
			if p.Next < start || p.Next > high {
				return errOffset(p, start, high)
			}
		}
	}
	return exec.Userf("kafka %s: wanted offset %d, which the broker says is out of range", p, p.Next)
}
