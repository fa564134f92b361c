package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
)

// stuckLooks is after how many looks at a partition that stands still below its high
// watermark a warning says which producer holds it back.
const stuckLooks = 3

// stuck warns about partitions whose records cannot be read because somebody's transaction
// is open: from outside it looks as if there were no data.
func (w *watcher) stuck(ctx context.Context, parts []position, highs offsetMap) {
	if !w.cfg.props.readCommitted || w.env.Log == nil {
		return
	}
	held := kadm.TopicsSet{}
	w.mu.Lock()
	for _, p := range parts {
		id, stable, high := splitID(p.Topic, p.Partition), w.ends[p.Topic][p.Partition], highs[p.Topic][p.Partition]
		if stable >= high || p.Next < stable {
			delete(w.still, id)
			continue
		}
		if old := w.still[id]; old.next != p.Next {
			w.still[id] = stillness{next: p.Next, looks: 1}
		} else if old.looks++; old.looks <= stuckLooks {
			w.still[id] = old
			if old.looks == stuckLooks {
				held.Add(p.Topic, p.Partition)
			}
		}
	}
	w.mu.Unlock()
	if len(held) == 0 {
		return
	}
	described, err := w.adm.DescribeProducers(ctx, held)
	if err != nil {
		return
	}
	for topic, d := range described {
		for p, producers := range d.Partitions {
			for _, a := range producers.ActiveProducers {
				if a.CurrentTxnStartOffset >= 0 && a.CurrentTxnStartOffset <= w.end(topic, p) {
					w.env.Log.Warn("kafka: an open transaction of another program hides records; they are read when it ends or times out",
						"topic", topic, "partition", p, "producer", a.ProducerID, "producerEpoch", a.ProducerEpoch, "from offset", a.CurrentTxnStartOffset, "high watermark", highs[topic][p])
				}
			}
		}
	}
}

func (w *watcher) end(topic string, partition int32) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ends[topic][partition]
}

// stillness is a partition that waits for a transaction of somebody.
type stillness struct {
	next  int64
	looks int
}
