package kafka

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors"
)

// Dial makes a client for tools beside a job, connected to the cluster that props describe:
// the Java client's property names with the meaning they have in a table's WITH options
// ('bootstrap.servers', 'security.protocol', ...). Errors are those of a table.
func Dial(ctx context.Context, props map[string]string, log *slog.Logger, extra ...kgo.Opt) (*kgo.Client, error) {
	opts := connectors.Options{}
	for k, v := range props {
		opts[propPrefix+k] = v
	}
	p, err := parseProperties(opts)
	if err != nil {
		return nil, err
	}
	return p.cluster.client(ctx, log, extra...)
}
