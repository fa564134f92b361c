package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/result"
)

func (a *app) topicList(b *broker) *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List topics with their partitions and how much is in them",
		Long: `List topics. "offsets" counts the offsets between the start and the end of each
partition: records, and the markers that transactions leave.`,
		Example: "  sqlstream topic ls\n  sqlstream topic ls -b kafka.example:9092 --format json",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, c, done, err := b.dial(a, cmd)
			if err != nil {
				return err
			}
			defer done()
			list, err := c.List(ctx)
			if err != nil {
				return err
			}
			if format == formatJSON {
				return a.printJSON(list)
			}
			rows := make([][]string, len(list))
			for i, t := range list {
				rows[i] = []string{t.Name, strconv.Itoa(t.Partitions), strconv.Itoa(t.Replication), strconv.FormatInt(t.Offsets, 10)}
			}
			return result.NewPrinter(a.Out, result.Table).Rows([]string{"topic", "partitions", "replication", "offsets"}, rows)
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}

func (a *app) topicDescribe(b *broker) *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:   "describe TOPIC",
		Short: "Show the partitions, offsets and configuration of a topic",
		Long: `Show a topic. "stable" is where read_committed readers stop: before the first
transaction that is still open.`,
		Example: "  sqlstream topic describe orders",
		Args:    exactly("TOPIC"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, c, done, err := b.dial(a, cmd)
			if err != nil {
				return err
			}
			defer done()
			d, err := c.Describe(ctx, args[0])
			if err != nil {
				return err
			}
			if format == formatJSON {
				return a.printJSON(d)
			}
			fmt.Fprintf(a.Out, "topic %s, id %s\n", d.Name, d.ID)
			rows := make([][]string, len(d.Partitions))
			for i, p := range d.Partitions {
				rows[i] = []string{strconv.Itoa(int(p.ID)), strconv.Itoa(int(p.Leader)), fmt.Sprint(p.ISR),
					strconv.FormatInt(p.Start, 10), strconv.FormatInt(p.Stable, 10), strconv.FormatInt(p.End, 10)}
			}
			if err := result.NewPrinter(a.Out, result.Table).Rows([]string{"partition", "leader", "in sync", "start", "stable", "end"}, rows); err != nil {
				return err
			}
			for _, k := range slices.Sorted(maps.Keys(d.Configs)) {
				fmt.Fprintf(a.Out, "%s = %s\n", k, d.Configs[k])
			}
			return nil
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}
