package cli

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/demo"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/humanlog"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/interrupt"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/connectors/nexmark"
)

const demoHelp = `Show all of sqlstream in less than a minute, with nothing else installed.

It starts a broker for development, generates the events of an auction site into
a topic, and runs a job from Kafka to Kafka with three results as a process of
its own. In the middle it kills that process with kill -9 and starts it again. In
the end it reads the results as any consumer would and compares them with what
was generated.

Everything is kept under demo in --home: run it again and it goes on where it
was. Ctrl-C ends it cleanly.`

func (a *app) demo() *cobra.Command {
	var c demo.Config
	fresh := false
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show everything in less than a minute: broker, generator, job, kill -9, proof",
		Long:  demoHelp,
		Example: `  sqlstream demo
  sqlstream demo --events 2000000 --rate 100000
  sqlstream demo --fresh            # forget earlier runs`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := a.home()
			if err != nil {
				return err
			}
			c.Home = h.Demo()
			if c.Binary, err = os.Executable(); err != nil {
				return err
			}
			if fresh {
				if err := os.RemoveAll(string(c.Home)); err != nil {
					return err
				}
			}
			c.Out, c.Make, c.IsBid = a.Out, nexmark.NewGenerator(nexmark.Config{}).AppendJSON, func(n int64) bool { return nexmark.KindOf(n) == nexmark.Bid }
			log, err := a.log(cmd)
			if err != nil {
				return err
			}
			c.Log = log
			if isTerminal(a.Out) {
				c.Screen = progress.NewScreen(a.Out, func() int { w, _ := terminalWidth(a.Out); return w })
				c.Log = slog.New(humanlog.New(c.Screen, slog.LevelWarn))
			}
			ctx, stop := interrupt.Context(cmd.Context(), func(os.Signal) {
				c.Say("Ending: the job reads what there is, then the results are counted. Ctrl-C again ends at once.")
			})
			defer stop()
			return demo.Run(ctx, c)
		},
	}
	f := cmd.Flags()
	f.Int64Var(&c.Events, "events", 400_000, "how many events this run adds")
	f.Float64Var(&c.Rate, "rate", 20_000, "events per second")
	f.IntVar(&c.Port, "port", 19092, "port of the broker; the job remembers it, so it stays the same from run to run")
	f.BoolVar(&c.Kill, "kill", true, "kill -9 the job in the middle")
	f.BoolVar(&fresh, "fresh", false, "forget earlier runs: topics, checkpoints and all")
	return cmd
}
