package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/topics"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// bootstrapVar names the brokers when no flag does.
const bootstrapVar = "SQLSTREAM_BOOTSTRAP"

// broker are the flags of everything that connects to Kafka.
type broker struct {
	bootstrap  string
	properties []string
}

func (b *broker) flags(cmd *cobra.Command) {
	def := "127.0.0.1:9092"
	if v := os.Getenv(bootstrapVar); v != "" {
		def = v
	}
	f := cmd.PersistentFlags()
	f.StringVarP(&b.bootstrap, "bootstrap", "b", def, "`brokers` to connect to, host:port separated by commas (default: $"+bootstrapVar+")")
	f.StringArrayVarP(&b.properties, "property", "X", nil, "client property `key=value`, as 'properties.*' of a table: security.protocol=SASL_SSL")
}

func (b *broker) props(cmd *cobra.Command) (map[string]string, error) {
	props := map[string]string{"bootstrap.servers": b.bootstrap}
	for _, p := range b.properties {
		k, v, ok := strings.Cut(p, "=")
		if !ok {
			return nil, usageError(cmd, fmt.Errorf("--property '%s': expected key=value", p))
		}
		props[strings.TrimPrefix(k, "properties.")] = v
	}
	return props, nil
}

// dial connects to the brokers of the flags; close ends everything.
func (b *broker) dial(a *app, cmd *cobra.Command) (ctx context.Context, c *topics.Cluster, closeAll func(), err error) {
	log, err := a.log(cmd)
	if err != nil {
		return nil, nil, nil, err
	}
	props, err := b.props(cmd)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, stop := a.interruptible(cmd)
	if c, err = topics.Dial(ctx, props, log); err != nil {
		stop()
		return nil, nil, nil, err
	}
	return ctx, c, func() { c.Close(); stop() }, nil
}

func (a *app) topic() *cobra.Command {
	b := &broker{}
	cmd := &cobra.Command{
		Use:   "topic",
		Short: "Create, list, describe, fill, read and delete Kafka topics",
		Long: `Small tools around Kafka topics, on any Kafka: the development broker
(sqlstream dev-broker), your own, or a hosted one.

Connections take the client properties that tables take as 'properties.*':

  sqlstream topic ls -b kafka.example:9093 -X security.protocol=SASL_SSL \
    -X sasl.mechanism=PLAIN -X sasl.jaas.config="$JAAS"`,
		Example: `  sqlstream topic create orders --partitions 4
  echo '{"id": 1, "price": 10}' | sqlstream topic produce orders
  sqlstream topic consume orders --until-end`,
		Args: args(subcommand),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	b.flags(cmd)
	cmd.AddCommand(a.topicCreate(b), a.topicList(b), a.topicDescribe(b), a.topicDelete(b), a.topicProduce(b), a.topicConsume(b))
	return cmd
}

// subcommand refuses what is no command, with the nearest ones.
func subcommand(cmd *cobra.Command, a []string) error {
	if len(a) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
		names = append(names, c.Aliases...)
	}
	hint := suggest.Hint(a[0], names)
	if hint == "" {
		hint = "; it is none of " + strings.Join(names, ", ")
	}
	return fmt.Errorf("unknown command '%s'%s", a[0], hint)
}

func (a *app) topicCreate(b *broker) *cobra.Command {
	spec := topics.Spec{}
	var configs []string
	ifMissing := false
	cmd := &cobra.Command{
		Use:   "create TOPIC",
		Short: "Create a topic",
		Example: `  sqlstream topic create orders
  sqlstream topic create orders --partitions 4 --replication 3 --config retention.ms=86400000
  sqlstream topic create totals --config cleanup.policy=compact --if-not-exists`,
		Args: exactly("TOPIC"),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Name, spec.Configs = args[0], map[string]string{}
			for _, c := range configs {
				k, v, ok := strings.Cut(c, "=")
				if !ok {
					return usageError(cmd, fmt.Errorf("--config '%s': expected key=value", c))
				}
				spec.Configs[k] = v
			}
			ctx, c, done, err := b.dial(a, cmd)
			if err != nil {
				return err
			}
			defer done()
			created, err := c.Create(ctx, spec, ifMissing)
			if err != nil {
				return err
			}
			if created {
				fmt.Fprintf(a.Out, "topic %s created\n", spec.Name)
			} else {
				fmt.Fprintf(a.Out, "topic %s exists already\n", spec.Name)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.Int32Var(&spec.Partitions, "partitions", 0, "number of partitions (default: the broker's)")
	f.Int16Var(&spec.Replication, "replication", 0, "copies of each partition (default: the broker's)")
	f.StringArrayVar(&configs, "config", nil, "topic configuration `key=value`; several times for several")
	f.BoolVar(&ifMissing, "if-not-exists", false, "leave a topic that exists as it is")
	return cmd
}

func (a *app) topicDelete(b *broker) *cobra.Command {
	return &cobra.Command{
		Use:     "delete TOPIC",
		Aliases: []string{"rm"},
		Short:   "Delete a topic and its records",
		Example: "  sqlstream topic delete orders",
		Args:    exactly("TOPIC"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, c, done, err := b.dial(a, cmd)
			if err != nil {
				return err
			}
			defer done()
			if err := c.Delete(ctx, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(a.Out, "topic %s deleted\n", args[0])
			return nil
		},
	}
}
