package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/feed"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/topics"
	"github.com/sqlstream/sqlstream/connectors/nexmark"
)

const nexmarkHelp = `Write the events of an auction site (the Nexmark benchmark: people, auctions and
bids, as JSON) into a Kafka topic or a file.

Event number n of a seed is always the same, and goes to partition n modulo the
number of partitions. So when the command is cut short, the same command again
goes on with the first event that is missing; --events is how many the topic
holds in the end. Nothing else must write to that topic.`

type nexmarkFlags struct {
	topic, file string
	events      int64
	rate        float64
	gen         nexmark.Config
	partitions  int32
}

func (a *app) nexmark() *cobra.Command {
	b := &broker{}
	var f nexmarkFlags
	cmd := &cobra.Command{
		Use:   "nexmark",
		Short: "Generate the events of an auction site into a topic or a file",
		Long:  nexmarkHelp,
		Example: `  sqlstream nexmark --topic nexmark --events 1000000
  sqlstream nexmark --topic nexmark --rate 10000           # until Ctrl-C
  sqlstream nexmark --file events.jsonl --events 100000 --seed 7
  sqlstream nexmark --file - --events 3`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runNexmark(cmd, b, &f) },
	}
	b.flags(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.topic, "topic", "nexmark", "`topic` to write to; made when it is missing")
	fl.StringVar(&f.file, "file", "", "write lines to this `file` instead; - is standard output")
	fl.Int64Var(&f.events, "events", 0, "how many events there are in the end; 0 goes on until Ctrl-C")
	fl.Float64Var(&f.rate, "rate", 0, "events per second; 0 is as fast as possible")
	fl.Int64Var(&f.gen.Seed, "seed", 0, "another seed gives other events")
	fl.Float64Var(&f.gen.Rate, "event-rate", 10_000, "events per second of the time in the events, however fast they are written")
	fl.Int32Var(&f.partitions, "partitions", 4, "partitions of a topic that is made")
	return cmd
}

func (a *app) runNexmark(cmd *cobra.Command, b *broker, f *nexmarkFlags) error {
	if f.events < 0 || f.rate < 0 {
		return usageError(cmd, errors.New("--events and --rate are 0 or more"))
	}
	log, err := a.log(cmd)
	if err != nil {
		return err
	}
	cfg := feed.Config{Events: f.events, Rate: f.rate, Make: nexmark.NewGenerator(f.gen).AppendJSON}
	p := &feed.Progress{}
	ctx, stop := a.interruptible(cmd)
	defer stop()
	start := time.Now()
	where := "topic " + f.topic
	switch f.file {
	case "":
		props, err := b.props(cmd)
		if err != nil {
			return err
		}
		c, err := topics.Dial(ctx, props, log)
		if err != nil {
			return err
		}
		_, err = c.Create(ctx, topics.Spec{Name: f.topic, Partitions: f.partitions}, true)
		c.Close()
		if err == nil {
			err = feed.Topic(ctx, cfg, f.topic, props, log, p)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	case "-":
		return feed.Writer(ctx, cfg, 0, a.Out, p)
	default:
		where = f.file
		if err := feed.File(ctx, cfg, f.file, p); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	took := time.Since(start)
	fmt.Fprintf(a.Err, "%s written to %s in %s (%s)", plural(p.Written.Load(), "event"), where, progress.Duration(took), progress.Rate(float64(p.Written.Load())/took.Seconds()))
	if n := p.Found.Load(); n > 0 {
		fmt.Fprintf(a.Err, ", after %s that were there", progress.Grouped(n))
	}
	fmt.Fprintln(a.Err)
	if f.events > 0 {
		return ctx.Err()
	}
	return nil // Ctrl-C is how it ends
}
