package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
)

// sink makes writers that share one producer: the job's committer, or a plain client.
type sink struct {
	cfg   *tableConfig
	env   connectors.Env
	topic string
	plain *stream    // at-least-once and none
	group *committer // exactly-once
}

func newSink(ctx context.Context, cfg *tableConfig, env connectors.Env) (*sink, error) {
	s := &sink{cfg: cfg, env: env, topic: cfg.topics[0]}
	// Encoders are made per writer; making them once here reports mistakes before start.
	if _, err := newRows(cfg, env); err != nil {
		return nil, err
	}
	if err := checkTopic(ctx, cfg, s.topic, env); err != nil {
		return nil, err
	}
	if cfg.guarantee == exactlyOnce {
		if env.Committers == nil {
			return nil, exec.Userf("table %s: 'sink.delivery-guarantee' = 'exactly-once' needs checkpoints; set 'execution.checkpointing.interval'", cfg.table.Name)
		}
		c, err := env.Committers(cfg.cluster.committerName(), func() (exec.Committer, error) { return newCommitter(cfg, env), nil })
		if err != nil {
			return nil, err
		}
		s.group = c.(*committer)
		return s, s.group.join(cfg)
	}
	plain, err := newPlain(ctx, cfg, env)
	if err != nil {
		return nil, err
	}
	s.plain = plain
	return s, nil
}

func newPlain(ctx context.Context, cfg *tableConfig, env connectors.Env) (*stream, error) {
	cl, err := cfg.cluster.client(ctx, env.Log, producerOptions(cfg.props)...)
	if err != nil {
		return nil, err
	}
	return newStream(cl), nil
}

// checkTopic fails when the topic cannot be written; the broker may create it where its
// auto.create.topics.enable says so.
func checkTopic(ctx context.Context, cfg *tableConfig, topic string, env connectors.Env) error {
	var opts []kgo.Opt
	if cfg.props.autoCreateTopic {
		opts = append(opts, kgo.AllowAutoTopicCreation())
	}
	cl, err := cfg.cluster.client(ctx, env.Log, opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	missing := 0
	replicas, nodes := 0, 0
	err = retry(ctx, env.Log, "looking for topic "+topic, func() error {
		md, err := adm.Metadata(ctx, topic)
		if err != nil {
			return err
		}
		nodes = len(md.Brokers)
		for _, p := range md.Topics[topic].Partitions {
			replicas = len(p.Replicas)
		}
		err = md.Topics[topic].Err
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			// Also the first answer about a topic that is being created.
			if missing++; missing >= 4 {
				return exec.Userf("it does not exist and the broker does not create it; create it or correct the option")
			}
		}
		return err
	})
	if err == nil {
		if replicas == 1 && nodes > 1 && env.Log != nil {
			env.Log.Warn("kafka: the topic has one replica: what the broker acknowledged is lost with it", "topic", topic)
		}
		return nil
	}
	return fmt.Errorf("kafka %s: topic %s of table %s: %w", cfg.cluster.bootstrap(), topic, cfg.table.Name, err)
}

func (s *sink) Writer(ctx context.Context, subtask int, env exec.ConnEnv) (exec.Writer, error) {
	cenv := s.env
	cenv.ConnEnv = env
	rows, err := newRows(s.cfg, cenv)
	if err != nil {
		return nil, err
	}
	w := &writer{rows: rows, table: s.cfg.table.Name, wait: s.cfg.guarantee != noGuarantee}
	w.out = newOutlet(s.topic, subtask, s.plain, s.group, s.cfg.holdBytes)
	if m := env.Metrics; m != nil {
		w.out.bytes = func(n int64) { m.BytesOut.Add(n) }
	}
	return w, nil
}

func (s *sink) Close() error {
	if s.plain != nil {
		s.plain.cl.Close()
	}
	return nil // the committer is the job's
}
