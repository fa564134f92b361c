// Package blackhole owns the connector 'blackhole': a sink that takes every row and keeps
// none. Only connectors/all and tests import it.
package blackhole

import (
	"context"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// New returns the connector.
func New() connectors.Connector { return connector{} }

type connector struct{}

func (connector) Name() string { return "blackhole" }

func (connector) Doc() string {
	return "Sink that takes every row and keeps none, to measure a query without its output."
}

func (connector) Options(connectors.Table) []connectors.OptionDef {
	return []connectors.OptionDef{{Key: "sink.parallelism", Type: "Int", Doc: "Parallelism of the sink."}}
}

func (connector) SourceInfo(t connectors.Table) (connectors.SourceInfo, error) {
	return connectors.SourceInfo{}, exec.Userf("table %s: 'blackhole' is a sink and cannot be read", t.Name)
}

func (c connector) SinkInfo(t connectors.Table) (connectors.SinkInfo, error) {
	return connectors.SinkInfo{Accepts: connectors.All, Identity: "blackhole"}, connectors.CheckOptions(t, c.Options(t))
}

func (c connector) Source(_ context.Context, t connectors.Table, _ []int, _ connectors.Env) (exec.Source, error) {
	_, err := c.SourceInfo(t)
	return nil, err
}

func (connector) Sink(context.Context, connectors.Table, connectors.Env) (exec.Sink, error) {
	return sink{}, nil
}

// sink is also its own writer: it has nothing to keep apart.
type sink struct{}

func (s sink) Writer(context.Context, int, exec.ConnEnv) (exec.Writer, error) { return s, nil }

func (sink) Write(context.Context, *vec.Batch) error { return nil }

func (sink) Barrier(context.Context, state.Epoch) error { return nil }

func (sink) Close() error { return nil }
