package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/topics"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

func (a *app) topicProduce(b *broker) *cobra.Command {
	p := topics.Produce{}
	var file string
	var headers []string
	cmd := &cobra.Command{
		Use:   "produce TOPIC",
		Short: "Write records, one a line, from standard input or a file",
		Example: `  echo '{"id": 1}' | sqlstream topic produce orders
  sqlstream topic produce orders --file orders.jsonl
  printf 'eu\t{"id": 1}\n' | sqlstream topic produce orders --key-separator '\t' --header source=manual
  echo 'eu:' | sqlstream topic produce totals --key-separator : --empty-is-null   # a tombstone`,
		Args: exactly("TOPIC"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Topic = args[0]
			p.KeySeparator = strings.ReplaceAll(p.KeySeparator, `\t`, "\t")
			for _, h := range headers {
				k, v, ok := strings.Cut(h, "=")
				if !ok {
					return usageError(cmd, fmt.Errorf("--header '%s': expected key=value", h))
				}
				p.Headers = append(p.Headers, kgo.RecordHeader{Key: k, Value: []byte(v)})
			}
			in := a.In
			if file != "" {
				f, err := os.Open(file)
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			ctx, c, done, err := b.dial(a, cmd)
			if err != nil {
				return err
			}
			defer done()
			n, err := c.Produce(ctx, p, interruptibleReader(ctx, in))
			fmt.Fprintf(a.Err, "%s written to %s\n", plural(n, "record"), p.Topic)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "file", "", "`file` to read instead of standard input")
	f.StringVar(&p.KeySeparator, "key-separator", "", "`text` between key and value of a line; without it records have no key")
	f.StringArrayVar(&headers, "header", nil, "header `key=value` of every record")
	f.Int32Var(&p.Partition, "partition", -1, "write to this partition; -1: by key, as Kafka's own clients do")
	f.BoolVar(&p.EmptyIsNull, "empty-is-null", false, "an empty value is written as NULL, a tombstone")
	return cmd
}

// interruptibleReader ends with the context, also while in waits for a terminal.
func interruptibleReader(ctx context.Context, in io.Reader) io.Reader {
	if f, ok := in.(*os.File); ok {
		context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Now()) })
	}
	return in
}

// plural is "1 record", "2 records".
func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

var consumeFormats = []string{string(topics.ValueFormat), string(topics.KeyFormat), string(topics.JSONFormat)}

func (a *app) topicConsume(b *broker) *cobra.Command {
	spec := topics.Consume{}
	var from, timeout, format string
	cmd := &cobra.Command{
		Use:   "consume TOPIC",
		Short: "Read records and print them, one a line",
		Long: `Read records and print them, one a line. Only committed records are read: those
of transactions that are open or were aborted are not shown, as no job sees them.

It goes on until Ctrl-C; --until-end stops at the end that the topic has now,
--max after some records, --timeout when nothing came for so long.`,
		Example: `  sqlstream topic consume orders --until-end
  sqlstream topic consume orders --from latest --max 10 --format json
  sqlstream topic consume orders --from 2026-01-01T00:00:00Z --timeout '5 s'`,
		Args: exactly("TOPIC"),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Topic = args[0]
			var err error
			if spec.From, err = topics.ParseFrom(from); err != nil {
				return usageError(cmd, fmt.Errorf("--from %w", err))
			}
			if spec.Timeout, err = settings.ParseDuration(timeout); err != nil {
				return usageError(cmd, fmt.Errorf("--timeout %w", err))
			}
			if spec.Format = topics.Format(format); spec.Format != topics.ValueFormat && spec.Format != topics.KeyFormat && spec.Format != topics.JSONFormat {
				return usageError(cmd, fmt.Errorf("--format '%s'%s; expected %s", format, suggest.Hint(format, consumeFormats), strings.Join(consumeFormats, ", ")))
			}
			ctx, c, done, err := b.dial(a, cmd)
			if err != nil {
				return err
			}
			defer done()
			out := bufio.NewWriter(a.Out)
			var w io.Writer = out
			if isTerminal(a.Out) || !spec.UntilEnd {
				w = a.Out // whoever follows a topic wants to see each record at once
			}
			n, err := c.Consume(ctx, spec, w)
			if ferr := out.Flush(); err == nil {
				err = ferr
			}
			if errors.Is(err, context.Canceled) {
				err = nil // Ctrl-C is how following a topic ends
			}
			fmt.Fprintf(a.Err, "%s read from %s\n", plural(n, "record"), spec.Topic)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "earliest", "`place` to start: earliest, latest, an offset, a time (2026-01-01T00:00:00Z) or @milliseconds")
	f.Int64Var(&spec.Max, "max", 0, "stop after so many records; 0 is no limit")
	f.BoolVar(&spec.UntilEnd, "until-end", false, "stop at the end that the topic has now")
	f.StringVar(&timeout, "timeout", "0", "stop when no record came for this `duration`; 0 waits forever")
	f.BoolVar(&spec.Uncommitted, "uncommitted", false, "show records of open and aborted transactions too")
	f.StringVar(&format, "format", string(topics.ValueFormat), "`value`, key-value (a tab between) or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(consumeFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
