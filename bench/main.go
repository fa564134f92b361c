// Command bench measures sqlstream on Nexmark: CPU-seconds per million events, events per
// second and core, and peak memory of the process, per query and mode, beside a calibration
// loop and a hand-written copy program in the same run. The broker and every measured
// program are processes of their own; wall time is shown and not judged.
//
//	go run ./bench -events 2000000 -runs 3 -queries q0,q2 -modes "Kafka to Kafka"
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "copy" {
		exit(copyTopic(context.Background(), os.Args[2], os.Args[3], os.Args[4]))
	}
	if len(os.Args) > 1 && os.Args[1] == "count" {
		exit(countTopic(context.Background(), os.Args[2], os.Args[3]))
	}
	var o options
	flag.Int64Var(&o.events, "events", 1_000_000, "Nexmark events per run")
	flag.IntVar(&o.runs, "runs", 3, "measured runs of each query; they are interleaved")
	only := flag.String("queries", "", "comma-separated list, default all")
	onlyModes := flag.String("modes", "", "comma-separated list of modes, default all")
	flag.StringVar(&o.brokers, "brokers", "", "a Kafka to use; default: the embedded broker in its own process")
	flag.StringVar(&o.binary, "binary", "", "the sqlstream to measure; default: built now")
	flag.StringVar(&o.against, "against", "", "a second sqlstream binary, run in turn with the first")
	flag.StringVar(&o.profile, "profile", "", "directory for CPU profiles of the measured runs")
	flag.BoolVar(&o.small, "footprint", false, "measure binary size, start to first row, and an idle job instead")
	snapshots := flag.String("snapshots", "", "comma-separated numbers of groups: measure checkpoints, savepoints and starts from them instead")
	flag.Parse()
	for _, n := range strings.FieldsFunc(*snapshots, func(r rune) bool { return r == ',' }) {
		g, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			exit(fmt.Errorf("-snapshots: %w", err))
		}
		o.snapshots = append(o.snapshots, g)
	}
	o.queries = slices.DeleteFunc(slices.Clone(queries), func(q query) bool { return !wanted(*only, q.name) })
	o.modes = slices.DeleteFunc(slices.Clone(modes), func(m mode) bool { return !wanted(*onlyModes, m.name) })
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, o))
}

func wanted(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	events                   int64
	runs                     int
	queries                  []query
	modes                    []mode
	brokers, binary, against string
	profile                  string
	small                    bool
	snapshots                []int64 // numbers of groups
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "sqlstream-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		o.binary = filepath.Join(dir, "sqlstream")
		if err := command(ctx, nil, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", o.binary, "./cmd/sqlstream"); err != nil {
			return err
		}
	}
	b := &bench{options: o, dir: dir, results: map[string]*result{}}
	defer b.stop()
	if len(o.snapshots) > 0 {
		return b.snapshots(ctx, os.Stdout, o.snapshots)
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if o.small {
		return b.footprint(ctx, os.Stdout)
	}
	for range o.runs {
		b.calibrate()
		if b.kafka() {
			if err := b.copyRun(ctx); err != nil {
				return err
			}
		}
		for _, m := range o.modes {
			for _, q := range o.queries {
				for _, bin := range []string{o.binary, o.against} {
					if bin != "" {
						if err := b.measure(ctx, bin, m, q); err != nil {
							return err
						}
					}
				}
			}
		}
	}
	b.report(os.Stdout)
	return nil
}
