package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/sqlstream/sqlstream/exec"
)

// bounds turns startup and bounded modes into offsets.
type bounds struct {
	cfg    *tableConfig
	adm    *kadm.Client
	log    *slog.Logger
	parts  map[string][]int32
	topics []string
}

func (b *bounds) starts(ctx context.Context) (offsetMap, error) {
	start := b.cfg.start
	switch start.mode {
	case startEarliest:
		return b.list(ctx, b.adm.ListStartOffsets)
	case startLatest:
		return b.ends(ctx)
	case startTimestamp:
		return b.after(ctx, start.timestamp)
	case startSpecific:
		// Partitions that the option does not name are read from their beginning.
		earliest, err := b.list(ctx, b.adm.ListStartOffsets)
		if err != nil {
			return nil, err
		}
		return earliest, b.override(earliest, start.offsets, "scan.startup.specific-offsets")
	}
	return b.group(ctx)
}

func (b *bounds) stops(ctx context.Context) (offsetMap, error) {
	stop := b.cfg.stop
	switch stop.mode {
	case stopLatest:
		return b.ends(ctx)
	case stopTimestamp:
		return b.after(ctx, stop.timestamp)
	case stopGroup:
		stops, err := b.group(ctx)
		if err != nil {
			return nil, err
		}
		for topic, ps := range stops {
			for p, o := range ps {
				if o == nextMissing {
					return nil, exec.Userf("kafka topic %s partition %d: group %s has committed no offset, so 'scan.bounded.mode' = 'group-offsets' has no end for it", topic, p, b.cfg.props.groupID)
				}
			}
		}
		return stops, nil
	case stopSpecific:
		stops := b.all(noStop)
		if err := b.override(stops, stop.offsets, "scan.bounded.specific-offsets"); err != nil {
			return nil, err
		}
		for topic, ps := range stops {
			for p, o := range ps {
				if o == noStop {
					return nil, exec.Userf("option 'scan.bounded.specific-offsets' has no end for topic %s partition %d; name every partition", topic, p)
				}
			}
		}
		return stops, nil
	}
	return b.all(noStop), nil
}

// all gives every partition the same offset.
func (b *bounds) all(o int64) offsetMap {
	out := offsetMap{}
	for topic, ps := range b.parts {
		out[topic] = map[int32]int64{}
		for _, p := range ps {
			out[topic][p] = o
		}
	}
	return out
}

func (b *bounds) override(m offsetMap, with map[int32]int64, option string) error {
	for p, o := range with {
		found := false
		for _, ps := range m {
			if _, ok := ps[p]; ok {
				ps[p], found = o, true
			}
		}
		if !found {
			return exec.Userf("option '%s' names partition %d, which topic %s does not have", option, p, b.cfg.topicText())
		}
	}
	return nil
}

// ends is where a reader of our isolation level would stand still now: under read_committed
// the last stable offset, so that an open transaction's records are not skipped.
func (b *bounds) ends(ctx context.Context) (offsetMap, error) {
	if b.cfg.props.readCommitted {
		return b.list(ctx, b.adm.ListCommittedOffsets)
	}
	return b.list(ctx, b.adm.ListEndOffsets)
}

// after is the first record with at least this timestamp, or the end when there is none.
func (b *bounds) after(ctx context.Context, ms int64) (offsetMap, error) {
	found, err := b.list(ctx, func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return b.adm.ListOffsetsAfterMilli(ctx, ms, topics...)
	})
	if err != nil {
		return nil, err
	}
	var ends offsetMap
	for topic, ps := range found {
		for p, o := range ps {
			if o >= 0 {
				continue
			}
			if ends == nil {
				if ends, err = b.ends(ctx); err != nil {
					return nil, err
				}
			}
			ps[p] = ends[topic][p]
		}
	}
	return found, nil
}

// list asks for offsets until every partition has an answer.
func (b *bounds) list(ctx context.Context, ask func(context.Context, ...string) (kadm.ListedOffsets, error)) (offsetMap, error) {
	out := b.all(0)
	err := retry(ctx, b.log, "listing offsets", func() error {
		listed, err := ask(ctx, b.topics...)
		if err != nil {
			return err
		}
		for topic, ps := range b.parts {
			for _, p := range ps {
				l, ok := listed.Lookup(topic, p)
				switch {
				case !ok:
					return kerr.UnknownTopicOrPartition
				case l.Err != nil:
					return fmt.Errorf("topic %s partition %d: %w", topic, p, l.Err)
				}
				out[topic][p] = l.Offset
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("kafka %s, topic %s: listing offsets: %w", b.cfg.cluster.bootstrap(), b.cfg.topicText(), err)
	}
	return out, nil
}

// group reads what the consumer group committed; 'auto.offset.reset' decides about
// partitions without an offset. Under 'none' they become an error when they are assigned,
// not here: a restored job does not need the group's offsets.
func (b *bounds) group(ctx context.Context) (offsetMap, error) {
	out := b.all(nextMissing)
	missing := 0
	err := retry(ctx, b.log, "reading group offsets", func() error {
		got, err := b.adm.FetchOffsets(ctx, b.cfg.props.groupID)
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return err
		}
		missing = 0
		for topic, ps := range out {
			for p := range ps {
				if o, ok := got.Lookup(topic, p); ok && o.Err == nil && o.At >= 0 {
					ps[p] = o.At
				} else {
					missing++
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("kafka %s: offsets of group %s: %w", b.cfg.cluster.bootstrap(), b.cfg.props.groupID, err)
	}
	if missing == 0 || b.cfg.props.offsetReset == "none" {
		return out, nil
	}
	var reset offsetMap
	if b.cfg.props.offsetReset == "earliest" {
		reset, err = b.list(ctx, b.adm.ListStartOffsets)
	} else {
		reset, err = b.ends(ctx)
	}
	if err != nil {
		return nil, err
	}
	for topic, ps := range out {
		for p, o := range ps {
			if o == nextMissing {
				ps[p] = reset[topic][p]
			}
		}
	}
	return out, nil
}

// retry repeats f while its error may go away by itself, for at most connectTimeout.
func retry(ctx context.Context, log *slog.Logger, what string, f func() error) error {
	rctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	for fails := 1; ; fails++ {
		err := f()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !transient(err) || rctx.Err() != nil {
			return classify(err)
		}
		if log != nil {
			log.Debug("kafka: trying again", "what", what, "error", err)
		}
		if sleep(rctx, retryDelay(fails)) != nil {
			return classify(err)
		}
	}
}

// transient reports whether the same request may succeed a moment later: a retriable code,
// or no answer at all.
func transient(err error) bool {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Retry
	}
	if e, ok := errors.AsType[*kerr.Error](err); ok {
		return e.Retriable
	}
	return true
}

// classify makes an exec.Error of a broker's answer: authorization is the user's to solve.
func classify(err error) error {
	if _, ok := errors.AsType[*exec.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed),
		errors.Is(err, kerr.TransactionalIDAuthorizationFailed), errors.Is(err, kerr.SaslAuthenticationFailed):
		return exec.Deniedf("%w", err)
	case errors.Is(err, kerr.InvalidTransactionTimeout):
		return &exec.Error{Class: exec.User, Err: err}
	}
	return &exec.Error{Class: exec.External, Retry: true, Err: err}
}
