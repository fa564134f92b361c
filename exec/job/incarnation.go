package job

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/build"
	"github.com/sqlstream/sqlstream/exec/eval"
	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/exec/sinkop"
	"github.com/sqlstream/sqlstream/exec/valuesop"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/state"
)

// incarnation is one life of a job between two failures.
type incarnation struct {
	h          *Handle
	home       *home
	sources    map[int]*sourceNode // by node
	sinks      map[int]exec.Sink   // by node
	committers []exec.Committer
	restored   *restored
}

// live runs the job once, from what is to be restored to its end or first failure.
// ready is called when all tasks run. ctx is the job's; its end is a cancellation.
func (h *Handle) live(ctx context.Context, home *home, ready func()) (err error) {
	in := &incarnation{h: h, home: home, sources: map[int]*sourceNode{}, sinks: map[int]exec.Sink{}}
	defer func() {
		cerr := in.close()
		home.unclean = cerr != nil
		err = errors.Join(err, cerr)
	}()
	if err := home.begin(); err != nil {
		return err
	}
	if err := in.openConnectors(ctx); err != nil {
		return err
	}
	if in.restored, err = home.recover(ctx, in.committers); err != nil {
		return err
	}
	h.set(func() {
		h.id, h.incarnation, h.restoredFrom = home.id(), home.incarnation(), uint64(in.restored.Epoch)
		if in.restored.Begins {
			h.restoredFrom = 0 // it is no checkpoint of this job
		}
	})
	for _, c := range in.committers {
		if err := c.Begin(ctx); err != nil {
			return fmt.Errorf("%s: opening the first transaction: %w", c.Name(), err)
		}
	}
	for _, s := range in.sources {
		if err := s.openSplits(ctx, in.restored.Sources[s.node.UID], !in.restored.knows(s.node.UID)); err != nil {
			return err
		}
	}
	if in.restored.Drained && !in.bounded() {
		h.cfg.Log.Warn("going on from a checkpoint taken with --drain: windows that were open then have been closed early, and rows that come for them now are late")
	}
	if in.restored.Begins || in.restored.Epoch == 0 && home.durable() && len(in.committers) > 0 {
		if err := home.publishStart(ctx, in.sources, in.restored); err != nil {
			return err
		}
	}

	// Tasks end after the coordinator, so that what it writes in the background stays there.
	tctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	parts := in.parts(tctx)
	if parts.InFlight, err = in.inFlight(); err != nil {
		return err
	}
	tasks, err := build.Tasks(parts)
	if err != nil {
		return err
	}
	box := newInbox()
	graph, err := flow.NewGraph(tctx, tasks, flow.Options{Clock: h.cfg.Clock, Events: box, AtLeastOnce: h.opts.atLeastOnce,
		Unaligned: h.opts.checkpoints.Unaligned})
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { graph.Run(tctx); close(ended) }()
	defer func() { stop(); <-ended }()
	h.cfg.FailPoint("rec_before_first_poll")
	ready()
	return in.coordinate(ctx, graph, tasks, box)
}

// coordinate runs checkpoints and discovery until the job ends or a task fails.
func (in *incarnation) coordinate(ctx context.Context, graph *flow.Graph, tasks []flow.Task, box *inbox) error {
	ctx, cancel := context.WithCancel(ctx)
	var looking sync.WaitGroup // sources are closed after the last look
	defer looking.Wait()
	defer cancel()
	for _, s := range in.sources {
		taskOf := func(subtask int) int {
			for i := range tasks {
				if src := tasks[i].Source; src != nil && src.Ctx.UID == s.node.UID && tasks[i].Subtask == subtask {
					return i
				}
			}
			return -1
		}
		looking.Go(func() {
			s.discover(ctx, in.h.cfg.Clock,
				func(subtask int, splits []exec.Split) { box.post(event{task: taskOf(subtask), splits: splits}) },
				func(err error) { in.h.cfg.Log.Warn(err.Error()) })
		})
	}
	c := &coordinator{
		cfg: in.h.opts.checkpoints, clock: in.h.cfg.Clock, log: in.h.cfg.Log, tasks: graph, committers: in.committers,
		files: in.home.files(), failPoint: in.h.cfg.FailPoint, publish: in.home.publish, settled: in.home.settled,
		next: in.home.nextEpoch, stat: &in.h.ckpt, inbox: box, lastly: in.home.durable() && !in.h.opts.stopAtFinish,
	}
	if !in.home.durable() {
		c.cfg.Interval = 0
	}
	err := c.run(ctx, in.h.demand)
	in.home.stopped = c.stopped
	return err
}

// openConnectors opens the sources and sinks of the plan. Sinks register the committers
// they share. Nothing is written yet.
func (in *incarnation) openConnectors(ctx context.Context) error {
	for _, n := range in.h.plan.Nodes {
		switch op := n.Op.(type) {
		case *plan.Values:
			in.sources[n.ID] = &sourceNode{node: n, source: valuesop.New(n, in.evalEnv())}
		case *plan.Source:
			conn, err := in.h.cfg.Connectors(op.Table.Connector)
			if err != nil {
				return err
			}
			src, err := conn.Source(ctx, table(op.Table), op.Read, in.env(n))
			if err != nil {
				return fmt.Errorf("table %s: %w", op.Table.Path, err)
			}
			in.sources[n.ID] = &sourceNode{node: n, source: src}
		case *plan.Sink:
			if op.Collect {
				continue
			}
			conn, err := in.h.cfg.Connectors(op.Table.Connector)
			if err != nil {
				return err
			}
			sink, err := conn.Sink(ctx, table(op.Table), in.env(n))
			if err != nil {
				return fmt.Errorf("table %s: %w", op.Table.Path, err)
			}
			in.sinks[n.ID] = sink
		}
	}
	if len(in.committers) > 0 && in.h.opts.checkpoints.Interval == 0 && !in.bounded() {
		return exec.Userf("the job has exactly-once sinks (%s) but takes no checkpoints, so their output would never become visible; "+
			"SET 'execution.checkpointing.interval' = '10 s', or give the sinks 'sink.delivery-guarantee' = 'at-least-once'", in.committers[0].Name())
	}
	if in.h.opts.stopAtFinish && len(in.committers) > 0 && in.anyBounded() {
		return exec.Userf("'%s' = 'false' in a job with input that ends and exactly-once sinks (%s): there are no checkpoints once an input has ended, so what is written after the last one would never become visible; "+
			"leave it out, or give the sinks 'sink.delivery-guarantee' = 'at-least-once'", settings.CheckpointAfterFinish, in.committers[0].Name())
	}
	return nil
}

func (in *incarnation) anyBounded() bool {
	for _, s := range in.sources {
		if s.source.Bounded() {
			return true
		}
	}
	return false
}

func (in *incarnation) bounded() bool {
	for _, s := range in.sources {
		if !s.source.Bounded() {
			return false
		}
	}
	return true
}

// env is what connectors get of the job.
func (in *incarnation) env(n *plan.Node) connectors.Env {
	return connectors.Env{
		ConnEnv: exec.ConnEnv{
			JobID: in.home.id(), JobName: in.h.plan.Name, UID: n.UID, Parallelism: n.Parallelism,
			Clock: in.h.cfg.Clock, Log: in.h.cfg.Log.With("uid", n.UID), Metrics: in.h.meters.of(n, 0),
		},
		Committers:         in.committer,
		TimeZone:           in.h.opts.zone.String(),
		CheckpointInterval: in.h.opts.checkpoints.Interval,
		FailPoint:          in.h.cfg.FailPoint,
	}
}

// committer returns the committer called name, making it at the first call.
func (in *incarnation) committer(name string, mk func() (exec.Committer, error)) (exec.Committer, error) {
	for _, c := range in.committers {
		if c.Name() == name {
			return c, nil
		}
	}
	c, err := mk()
	if err == nil {
		in.committers = append(in.committers, c)
	}
	return c, err
}

// parts are what the tasks are made of.
func (in *incarnation) parts(ctx context.Context) *build.Parts {
	h := in.h
	return &build.Parts{
		Job: h.plan, Clock: h.cfg.Clock, Log: h.cfg.Log, Metrics: h.meters.of,
		Eval: in.evalEnv(), Zone: h.opts.zone,
		Reader: func(n *plan.Node, sub int) (exec.Reader, []exec.Split, []exec.Watermark, error) {
			s := in.sources[n.ID]
			env := in.env(n).ConnEnv
			env.Metrics = h.meters.of(n, sub)
			r, err := s.source.Reader(ctx, sub, env)
			if err != nil {
				return nil, nil, nil, err
			}
			var splits []exec.Split
			var times []exec.Watermark
			for _, sp := range s.start[sub] {
				splits, times = append(splits, sp.Split), append(times, sp.Watermark)
			}
			return r, splits, times, nil
		},
		Writer: func(n *plan.Node, sub int) (exec.Writer, error) {
			if n.Op.(*plan.Sink).Collect {
				return sinkop.Collect(h.cfg.Collect), nil
			}
			env := in.env(n).ConnEnv
			env.Metrics = h.meters.of(n, sub)
			return in.sinks[n.ID].Writer(ctx, sub, env)
		},
		WriterContext: ctx,
		Store: func(c *build.Chain, sub int) (state.Store, error) {
			return in.home.store(c, sub, h.plan, in.restored)
		},
	}
}

func (in *incarnation) evalEnv() eval.Env {
	return eval.Env{Zone: in.h.opts.zone, Clock: in.h.cfg.Clock}
}

func (in *incarnation) close() error {
	var err error
	for _, s := range in.sources {
		err = errors.Join(err, s.source.Close())
	}
	for _, s := range in.sinks {
		err = errors.Join(err, s.Close())
	}
	for _, c := range in.committers {
		err = errors.Join(err, c.Close())
	}
	return err
}

// table is a plan's table as connectors see it.
func table(t plan.Table) connectors.Table {
	out := connectors.Table{Name: t.Path, Physical: t.Physical, PrimaryKey: t.Key, Options: t.Options}
	for _, m := range t.Metadata {
		out.Metadata = append(out.Metadata, connectors.MetaColumn{Name: m.Name, Key: m.Key, Type: m.Type, Virtual: m.Virtual})
	}
	return out
}
