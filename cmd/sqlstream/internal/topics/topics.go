// Package topics owns the small tools around Kafka topics: create, list, describe, delete,
// produce and consume, for machines without Kafka's own tools. Connections are made by
// connectors/kafka, with the properties a table takes. The command line imports it.
package topics

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors/kafka"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// Cluster is a connection to administer topics.
type Cluster struct {
	props map[string]string
	log   *slog.Logger
	cl    *kgo.Client
	adm   *kadm.Client
}

// Dial connects to the cluster of props (Java client property names).
func Dial(ctx context.Context, props map[string]string, log *slog.Logger) (*Cluster, error) {
	cl, err := kafka.Dial(ctx, props, log)
	if err != nil {
		return nil, err
	}
	return &Cluster{props: props, log: log, cl: cl, adm: kadm.NewClient(cl)}, nil
}

// Close ends the connection.
func (c *Cluster) Close() { c.cl.Close() }

// Spec says how to create a topic. Partitions and Replication of 0 are the broker's default.
type Spec struct {
	Name        string
	Partitions  int32
	Replication int16
	Configs     map[string]string
}

// nameOK is Kafka's rule for names of topics.
var nameOK = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

func badName(name string) error {
	return exec.Userf("'%s' is no topic name: use up to 249 letters, digits, '.', '_' and '-'", name)
}

// Create makes a topic. With ifMissing one that exists is left as it is, and created is false.
func (c *Cluster) Create(ctx context.Context, s Spec, ifMissing bool) (created bool, err error) {
	if !nameOK.MatchString(s.Name) || s.Name == "." || s.Name == ".." {
		return false, badName(s.Name)
	}
	configs := map[string]*string{}
	for k, v := range s.Configs {
		configs[k] = &v
	}
	parts, repl := s.Partitions, s.Replication
	if parts == 0 {
		parts = -1
	}
	if repl == 0 {
		repl = -1
	}
	_, err = c.adm.CreateTopic(ctx, parts, repl, configs, s.Name)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, kerr.TopicAlreadyExists) && ifMissing:
		return false, nil
	case errors.Is(err, kerr.TopicAlreadyExists):
		return false, exec.Userf("topic %s exists already; with --if-not-exists it is left as it is", s.Name)
	case errors.Is(err, kerr.InvalidTopicException):
		return false, badName(s.Name)
	case errors.Is(err, kerr.InvalidReplicationFactor):
		return false, exec.Userf("topic %s: replication %d: the cluster has fewer brokers", s.Name, s.Replication)
	}
	return false, explain("creating topic "+s.Name, err)
}

// Delete removes a topic with its records.
func (c *Cluster) Delete(ctx context.Context, name string) error {
	_, err := c.adm.DeleteTopic(ctx, name)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return c.unknown(ctx, name)
	}
	if err != nil {
		return explain("deleting topic "+name, err)
	}
	return nil
}

// Info is a topic in a list.
type Info struct {
	Name        string `json:"name"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replication"`
	Offsets     int64  `json:"offsets"` // between start and end: records, and markers of transactions
}

// List returns all topics but Kafka's internal ones, by name.
func (c *Cluster) List(ctx context.Context) ([]Info, error) {
	details, err := c.adm.ListTopics(ctx)
	if err != nil {
		return nil, explain("listing topics", err)
	}
	infos := []Info{}
	for _, t := range details.Sorted() {
		if t.IsInternal || t.Err != nil {
			continue
		}
		infos = append(infos, Info{Name: t.Topic, Partitions: len(t.Partitions), Replication: t.Partitions.NumReplicas()})
	}
	if len(infos) == 0 {
		return infos, nil
	}
	names := make([]string, len(infos))
	for i := range infos {
		names[i] = infos[i].Name
	}
	starts, ends, err := c.bounds(ctx, names...)
	if err != nil {
		return nil, err
	}
	for i := range infos {
		for p, e := range ends[infos[i].Name] {
			infos[i].Offsets += e.Offset - starts[infos[i].Name][p].Offset
		}
	}
	return infos, nil
}

func (c *Cluster) bounds(ctx context.Context, names ...string) (starts, ends kadm.ListedOffsets, err error) {
	if starts, err = c.adm.ListStartOffsets(ctx, names...); err == nil {
		ends, err = c.adm.ListEndOffsets(ctx, names...)
	}
	if err = errors.Join(err, starts.Error(), ends.Error()); err != nil {
		return nil, nil, explain("asking for the ends of "+strings.Join(names, ", "), err)
	}
	return starts, ends, nil
}

// Partition is one partition of a topic.
type Partition struct {
	ID     int32   `json:"partition"`
	Leader int32   `json:"leader"`
	ISR    []int32 `json:"inSyncReplicas"`
	Start  int64   `json:"start"`
	Stable int64   `json:"stable"` // read_committed readers stop here
	End    int64   `json:"end"`
}

// Description is everything about one topic.
type Description struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"`
	Partitions []Partition       `json:"partitions"`
	Configs    map[string]string `json:"configs"` // those set on the topic itself
}

// Describe returns the partitions and configuration of a topic.
func (c *Cluster) Describe(ctx context.Context, name string) (*Description, error) {
	details, err := c.adm.ListTopics(ctx, name)
	if err != nil {
		return nil, explain("describing topic "+name, err)
	}
	t, ok := details[name]
	if !ok || errors.Is(t.Err, kerr.UnknownTopicOrPartition) {
		return nil, c.unknown(ctx, name)
	}
	if t.Err != nil {
		return nil, explain("describing topic "+name, t.Err)
	}
	starts, ends, err := c.bounds(ctx, name)
	if err != nil {
		return nil, err
	}
	stable, err := c.adm.ListCommittedOffsets(ctx, name)
	if err != nil {
		return nil, explain("describing topic "+name, err)
	}
	d := &Description{Name: name, ID: t.ID.String(), Configs: map[string]string{}}
	for _, p := range t.Partitions.Sorted() {
		d.Partitions = append(d.Partitions, Partition{ID: p.Partition, Leader: p.Leader, ISR: p.ISR,
			Start: starts[name][p.Partition].Offset, Stable: stable[name][p.Partition].Offset, End: ends[name][p.Partition].Offset})
	}
	configs, err := c.adm.DescribeTopicConfigs(ctx, name)
	if err != nil {
		return nil, explain("describing the configuration of topic "+name, err)
	}
	for _, rc := range configs {
		for _, kv := range rc.Configs {
			if kv.Source == dynamicTopicConfig && kv.Value != nil {
				d.Configs[kv.Key] = *kv.Value
			}
		}
	}
	return d, nil
}

// dynamicTopicConfig is the source of a value set on the topic (Kafka's DYNAMIC_TOPIC_CONFIG).
const dynamicTopicConfig = 1

// unknown is the error for a topic that is not there, with the nearest names.
func (c *Cluster) unknown(ctx context.Context, name string) error {
	hint := ""
	if details, err := c.adm.ListTopics(ctx); err == nil {
		names := details.Names()
		slices.Sort(names)
		hint = suggest.Hint(name, names)
	}
	return exec.Userf("no topic %s%s", name, hint)
}

func explain(what string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	for _, denied := range []error{kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed} {
		if errors.Is(err, denied) {
			return exec.Userf("%s: the broker does not allow it for this user: %w", what, err)
		}
	}
	return exec.Externalf("%s: %w", what, err)
}
