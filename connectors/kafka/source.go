package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
)

// source enumerates the partitions of a table and makes readers.
type source struct {
	cfg        *tableConfig
	projection []int
	env        connectors.Env

	mu    sync.Mutex
	adm   *kadm.Client        // made at the first Enumerate
	known map[string]position // by split id: what Enumerate returned so far
}

func newSource(cfg *tableConfig, projection []int, env connectors.Env) (*source, error) {
	// Decoders are made per reader; making them once here reports mistakes before start.
	if _, err := newColumns(cfg, projection, env); err != nil {
		return nil, err
	}
	return &source{cfg: cfg, projection: projection, env: env, known: map[string]position{}}, nil
}

func (s *source) Bounded() bool { return s.cfg.stop.mode != stopNever }

func (s *source) DiscoverEvery() time.Duration {
	if s.Bounded() {
		return 0 // the end of a bounded source is fixed when it starts
	}
	return s.cfg.discovery
}

// Discovered: a partition that appeared later is read from its first record, whatever the
// startup mode: records may have been written before we noticed it.
func (s *source) Discovered(sp exec.Split) exec.Split {
	p, err := parsePosition(sp)
	if err != nil {
		return sp // Assign reports it
	}
	p.Next, p.LeaderEpoch = nextEarliest, -1
	return p.split()
}

func (s *source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.adm != nil {
		s.adm.Close()
		s.adm = nil
	}
	return nil
}

func (s *source) admin(ctx context.Context) (*kadm.Client, error) {
	if s.adm == nil {
		cl, err := s.cfg.cluster.client(ctx, s.env.Log)
		if err != nil {
			return nil, err
		}
		s.adm = kadm.NewClient(cl)
	}
	return s.adm, nil
}

// Enumerate lists the partitions in order of topic and number. Offsets are resolved once per
// partition; later calls return the same positions for partitions already known.
func (s *source) Enumerate(ctx context.Context) ([]exec.Split, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	adm, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	parts, err := s.partitions(ctx, adm)
	if err != nil {
		return nil, err
	}
	fresh := map[string][]int32{}
	for _, p := range parts {
		old, ok := s.known[splitID(p.Topic, p.Partition)]
		if !ok {
			fresh[p.Topic] = append(fresh[p.Topic], p.Partition)
		} else if old.TopicID != p.TopicID {
			return nil, errRecreated(p, old.TopicID)
		}
	}
	if len(fresh) > 0 {
		starts, stops, err := s.offsets(ctx, adm, fresh)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			id := splitID(p.Topic, p.Partition)
			if _, ok := s.known[id]; ok {
				continue
			}
			p.Next, p.Stop = starts[p.Topic][p.Partition], stops[p.Topic][p.Partition]
			s.known[id] = p
		}
	}
	splits := make([]exec.Split, len(parts))
	for i, p := range parts {
		splits[i] = s.known[splitID(p.Topic, p.Partition)].split()
	}
	return splits, nil
}

func errRecreated(p position, was string) error {
	return exec.Userf("kafka %s: the topic was deleted and created again: its id was %s and is %s; its offsets mean other records now. Start the job afresh, or from a savepoint without this source", p, was, p.TopicID)
}

// partitions asks the cluster which partitions there are now.
func (s *source) partitions(ctx context.Context, adm *kadm.Client) ([]position, error) {
	var md kadm.TopicDetails
	err := retry(ctx, s.env.Log, "listing topics", func() error {
		m, err := adm.Metadata(ctx, s.cfg.topics...)
		if err != nil {
			return err
		}
		md = m.Topics
		for _, name := range s.cfg.topics {
			if err := md[name].Err; err != nil && kerr.IsRetriable(err) && err != kerr.UnknownTopicOrPartition {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("kafka %s, topic %s: %w", s.cfg.cluster.bootstrap(), s.cfg.topicText(), err)
	}
	var parts []position
	for name, d := range md {
		if s.cfg.pattern != nil && (d.IsInternal || !s.cfg.pattern.MatchString(name)) {
			continue
		}
		if d.Err == kerr.UnknownTopicOrPartition {
			return nil, exec.Userf("kafka %s: topic %s of table %s does not exist; create it or correct option 'topic'", s.cfg.cluster.bootstrap(), name, s.cfg.table.Name)
		}
		if d.Err != nil {
			return nil, exec.Userf("kafka %s: topic %s of table %s: %w", s.cfg.cluster.bootstrap(), name, s.cfg.table.Name, d.Err)
		}
		for _, p := range d.Partitions {
			parts = append(parts, position{Topic: name, TopicID: topicIDText(d.ID), Partition: p.Partition, LeaderEpoch: -1, Stop: noStop})
		}
	}
	if len(parts) == 0 && s.cfg.pattern != nil && s.env.Log != nil {
		s.env.Log.Warn("no topic matches 'topic-pattern' yet", "pattern", s.cfg.topicText())
	}
	slices.SortFunc(parts, func(a, b position) int {
		if a.Topic != b.Topic {
			if a.Topic < b.Topic {
				return -1
			}
			return 1
		}
		return int(a.Partition) - int(b.Partition)
	})
	return parts, nil
}

type offsetMap map[string]map[int32]int64

// offsets resolves where the given partitions start and stop.
func (s *source) offsets(ctx context.Context, adm *kadm.Client, parts map[string][]int32) (starts, stops offsetMap, err error) {
	b := &bounds{cfg: s.cfg, adm: adm, parts: parts, log: s.env.Log}
	for topic, ps := range parts {
		b.topics = append(b.topics, topic)
		slices.Sort(ps)
	}
	if starts, err = b.starts(ctx); err != nil {
		return nil, nil, err
	}
	stops, err = b.stops(ctx)
	return starts, stops, err
}
