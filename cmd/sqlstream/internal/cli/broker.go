package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/devbroker"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/interrupt"
	"github.com/sqlstream/sqlstream/sql/settings"
)

// defaultPort is Kafka's.
const defaultPort = 9092

const brokerHelp = `Run a Kafka broker for development inside this process.

It speaks the real protocol, with transactions and consumer groups, so that a
job, an example or a test runs on a machine without Kafka. Topics and committed
offsets are kept in a directory and are there again after a restart.

It is for development, not for production: one node, no replication, and it
listens on 127.0.0.1 only. Stop it with Ctrl-C or SIGTERM. If it is killed
(kill -9), transactions that are open are aborted and the last records may be
missing, which a real Kafka does not do: kill the job as often as you like, but
stop the broker.`

func (a *app) devBroker() *cobra.Command {
	var (
		dir, topics, retain, retainBytes string
		port, partitions                 int
	)
	cmd := &cobra.Command{
		Use:   "dev-broker",
		Short: "Run a Kafka broker for development, topics kept in a directory",
		Long:  brokerHelp,
		Example: `  sqlstream dev-broker
  sqlstream dev-broker --topics orders:4,payments:1
  sqlstream dev-broker --port 0 --dir ./broker      # a free port is chosen and printed`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := devbroker.Config{Dir: dir, Port: port, DefaultParts: partitions}
			var err error
			if cfg.Log, err = a.log(cmd); err != nil {
				return err
			}
			if cfg.Topics, err = parseTopics(topics, partitions); err != nil {
				return usageError(cmd, err)
			}
			if cfg.RetainFor, err = settings.ParseDuration(retain); err != nil {
				return usageError(cmd, fmt.Errorf("--retention %w", err))
			}
			if cfg.RetainBytes, err = settings.ParseSize(retainBytes); err != nil {
				return usageError(cmd, fmt.Errorf("--retention-bytes %w", err))
			}
			if dir == "" {
				h, err := a.home()
				if err != nil {
					return err
				}
				cfg.Dir = h.Broker()
			}
			return a.serveBroker(cmd, cfg)
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "`directory` of the topics (default: broker in the home directory)")
	f.IntVar(&port, "port", defaultPort, "port on 127.0.0.1; 0 chooses a free one")
	f.StringVar(&topics, "topics", "", "topics to make, `name:partitions` separated by commas")
	f.IntVar(&partitions, "partitions", 1, "partitions of topics that say nothing and of those that clients create")
	f.StringVar(&retain, "retention", "7 d", "records are dropped after this `duration`, by whole segments; 0 keeps them")
	f.StringVar(&retainBytes, "retention-bytes", "0", "`size` a partition is cut down to, by whole segments; 0 is no limit")
	return cmd
}

func (a *app) serveBroker(cmd *cobra.Command, cfg devbroker.Config) error {
	// Signals are caught before the first byte is served, so that every stop is a clean one.
	ctx, stop := interrupt.Context(cmd.Context(), func(os.Signal) {
		fmt.Fprintln(a.Err, "stopping ...")
	})
	defer stop()
	start := time.Now()
	b, err := devbroker.Start(cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "listening on %s\n", b.Addr())
	fmt.Fprintf(a.Err, "broker for development, not for production; topics in %s, ready after %s; Ctrl-C stops it\n",
		cfg.Dir, time.Since(start).Round(time.Millisecond))
	<-ctx.Done()
	return b.Close()
}

// parseTopics reads name[:partitions],..
func parseTopics(s string, partitions int) ([]devbroker.Topic, error) {
	var list []devbroker.Topic
	for _, item := range strings.Split(s, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, count, ok := strings.Cut(item, ":")
		n := partitions
		if ok {
			var err error
			if n, err = strconv.Atoi(count); err != nil {
				n = 0
			}
		}
		if name == "" || n < 1 || n > 10_000 {
			return nil, fmt.Errorf("--topics '%s': expected name:partitions, as in orders:4", item)
		}
		list = append(list, devbroker.Topic{Name: name, Partitions: int32(n)})
	}
	return list, nil
}
