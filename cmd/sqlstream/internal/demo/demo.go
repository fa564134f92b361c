// Package demo owns `sqlstream demo`: the whole of sqlstream in less than a minute, on a
// machine with nothing else. It starts a broker, generates events, runs examples/etl.sql as
// a process of its own, kills that process in the middle with kill -9, starts it again, and
// counts what readers of the results see. The command line imports it.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/feed"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/home"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/topics"
	"github.com/sqlstream/sqlstream/examples"
	"github.com/sqlstream/sqlstream/exec/control"
	"github.com/sqlstream/sqlstream/exec/job"
)

// Config says what to show.
type Config struct {
	Home   home.Home // of the demo alone
	Binary string    // this program
	Port   int       // of the broker; the same in every run, it is part of where the job reads from
	Events int64     // how many more events are generated
	Rate   float64   // per second
	Kill   bool      // kill -9 the job in the middle
	Make   feed.Generator
	IsBid  func(event int64) bool
	Out    io.Writer
	Screen *progress.Screen // nil when Out is no terminal
	Log    *slog.Logger
}

// The topics of examples/etl.sql, and the partitions of each.
var topicNames = []string{"nexmark", "big_bids", "auction_windows", "bidder_totals"}

const partitions = 4

// jobName is the 'pipeline.name' of examples/etl.sql.
const jobName = "etl"

// drainTimeout bounds the time the job gets to read the last events.
const drainTimeout = 60 * time.Second

// Run shows the demo. Ctrl-C (ctx) ends it cleanly at any point: what was generated so far
// is read to its end and counted all the same.
func Run(ctx context.Context, c Config) (err error) {
	start := time.Now()
	if err := c.Home.Make(); err != nil {
		return err
	}
	c.Say("Starting a Kafka broker for development on port %d; its topics are in %s.", c.Port, c.Home.Broker())
	broker, err := startBroker(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, broker.stop()) }()
	props := map[string]string{"bootstrap.servers": broker.addr}

	file := filepath.Join(string(c.Home), "etl.sql")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(examples.ETL, examples.Bootstrap, broker.addr)), 0o600); err != nil {
		return err
	}
	c.Say("Running the job %s as a process of its own:\n  sqlstream --home %s run %s", jobName, c.Home, file)
	etl := &runningJob{cfg: c, file: file}
	if err := etl.start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, etl.stop()) }()

	stopWatching := progress.Watch(etl.statuses, c.Screen, c.Log)
	defer stopWatching()
	total, err := generate(ctx, c, etl, props)
	if err != nil {
		return err
	}
	drained := drain(context.WithoutCancel(ctx), etl)
	stopWatching()
	if err := errors.Join(drained, etl.stop()); err != nil {
		return err
	}
	c.Say("\nThe job has ended after a last checkpoint. Reading the results as a read_committed consumer:")
	if err := summary(context.WithoutCancel(ctx), c, props, total); err != nil {
		return err
	}
	c.Say("\nThat took %s. Run it again and it goes on from here. Look around:\n  sqlstream --home %s checkpoint show %s\n  sqlstream explain %s",
		progress.Duration(time.Since(start)), c.Home, jobName, file)
	return nil
}

// Say prints for the person who watches, above live lines.
func (c *Config) Say(format string, args ...any) {
	var out io.Writer = c.Out
	if c.Screen != nil {
		out = c.Screen
	}
	fmt.Fprintf(out, format+"\n", args...)
}

// generate writes the events and kills the job when half of them are written. It returns how
// many events the topic holds then.
func generate(ctx context.Context, c Config, etl *runningJob, props map[string]string) (int64, error) {
	found, err := count(ctx, props, topicNames[0], c.Log)
	if err != nil {
		return 0, err
	}
	if found > 0 {
		c.Say("The topic nexmark holds %s events of earlier runs.", progress.Grouped(found))
	}
	c.Say("Generating %s events into the topic nexmark, %s.\n", progress.Grouped(c.Events), progress.Rate(c.Rate))
	p := &feed.Progress{}
	done := make(chan error, 1)
	go func() {
		done <- feed.Topic(ctx, feed.Config{Events: found + c.Events, Rate: c.Rate, Make: c.Make}, topicNames[0], props, c.Log, p)
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	killed := !c.Kill
	for {
		select {
		case err := <-done:
			if err != nil && !errors.Is(err, context.Canceled) {
				return 0, err
			}
			return p.Found.Load() + p.Written.Load(), nil
		case <-tick.C:
			if killed || p.Written.Load() < c.Events/2 || !etl.hasCheckpoint() {
				continue
			}
			killed = true
			if err := etl.killAndRestart(); err != nil {
				return 0, err
			}
		}
	}
}

// drain waits until the job has read everything.
func drain(ctx context.Context, etl *runningJob) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	quiet := 0
	for quiet < 5 { // the lag of a source that reads nothing yet is 0 too
		select {
		case err := <-etl.exited:
			return fmt.Errorf("the job ended by itself: %w; its log is %s", err, etl.logFile())
		case <-ctx.Done():
			return fmt.Errorf("the job has not read everything within %s; its log is %s", drainTimeout, etl.logFile())
		case <-tick.C:
			if s, ok := etl.status(ctx); ok && s.State == job.Running && s.Lag == 0 && s.RowsIn > 0 {
				quiet++
			} else {
				quiet = 0
			}
		}
	}
	return nil
}

func count(ctx context.Context, props map[string]string, topic string, log *slog.Logger) (int64, error) {
	cl, err := topics.Dial(ctx, props, log)
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	d, err := cl.Describe(ctx, topic)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	for _, p := range d.Partitions {
		n += p.End
	}
	return n, nil
}

// askTimeout bounds one question to the job.
const askTimeout = 2 * time.Second

// status asks the job through its control socket, as `sqlstream jobs` does.
func (r *runningJob) status(ctx context.Context) (job.Status, bool) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	cl, err := control.Dial(ctx, r.cfg.Home.Job(jobName))
	if err != nil {
		return job.Status{}, false
	}
	defer cl.Close()
	list, err := cl.Jobs(ctx)
	if err != nil || len(list) == 0 {
		return job.Status{}, false
	}
	return list[0], true
}

// statuses is status for progress.Watch; while the job is down its last status is shown.
func (r *runningJob) statuses() []job.Status {
	s, ok := r.status(context.Background())
	r.mu.Lock()
	defer r.mu.Unlock()
	if ok {
		r.last = s
	} else if r.last.Name != "" {
		r.last.State = job.Restarting
	}
	if r.last.Name == "" {
		return nil
	}
	return []job.Status{r.last}
}

func (r *runningJob) hasCheckpoint() bool {
	s, ok := r.status(context.Background())
	return ok && s.Checkpoints.Completed > 0
}
