package flow

import (
	"context"
	"errors"
	"sync"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// Graph is all tasks of a job in one incarnation. Make it, Run it, and talk to its tasks
// while it runs; the methods may be called from any goroutine.
type Graph struct {
	tasks   []*task
	sources []int
}

// NewGraph connects the tasks and opens their operators. ctx is what everything runs
// under. The graph takes over operators, readers and stores: when NewGraph fails, all are closed.
func NewGraph(ctx context.Context, specs []Task, o Options) (*Graph, error) {
	g := &Graph{}
	gates := make([]*gate, len(specs))
	ports := make([][]int, len(specs))
	for i := range specs {
		gates[i], ports[i] = gateOf(&specs[i])
	}
	for i, s := range specs {
		t := newTask(ctx, i, s, o)
		t.gate, t.ports = gates[i], ports[i]
		if s.Source != nil {
			g.sources = append(g.sources, i)
		}
		for range t.ports {
			t.wm.add(exec.MinWatermark)
		}
		g.tasks = append(g.tasks, t)
	}
	for _, t := range g.tasks {
		if err := t.open(); err != nil {
			for _, t := range g.tasks {
				err = errors.Join(err, t.close())
			}
			return nil, err
		}
	}
	return g, nil
}

// gateOf makes the gate of a task and registers it with the exchanges that feed it.
func gateOf(s *Task) (*gate, []int) {
	if s.Source != nil {
		return nil, nil
	}
	var ports []int
	for port, x := range s.Inputs {
		n := x.Producers
		if x.Pairwise {
			n = 1
		}
		x.base = len(ports) // the same in every consumer
		for range n {
			ports = append(ports, port)
		}
	}
	g := newGate(len(ports), queueLimit)
	for _, x := range s.Inputs {
		if x.gates == nil {
			x.gates = make([]*gate, x.Consumers)
		}
		x.gates[s.Subtask] = g
	}
	return g, ports
}

// output makes the producing end of the exchange in a subtask.
func (x *Exchange) output(ctx context.Context, u *urgency, subtask int) *output {
	if x.Pairwise {
		return newOutput(ctx, u, x.Schema, nil, []target{{gate: x.gates[subtask], queue: x.base}})
	}
	targets := make([]target, x.Consumers)
	for i := range targets {
		targets[i] = target{gate: x.gates[i], queue: x.base + subtask}
	}
	if x.Consumers == 1 {
		return newOutput(ctx, u, x.Schema, nil, targets)
	}
	return newOutput(ctx, u, x.Schema, x.NewRoute(), targets)
}

// Run runs all tasks until ctx ends, and returns when every one has ended and closed.
func (g *Graph) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, t := range g.tasks {
		wg.Go(func() { t.run(ctx) })
	}
	wg.Wait()
}

// Tasks is the number of tasks.
func (g *Graph) Tasks() int { return len(g.tasks) }

// Barrier asks all source tasks to send b. Every task answers with Events.Acked, unless it
// fails.
func (g *Graph) Barrier(b Barrier) {
	for _, i := range g.sources {
		g.tasks[i].mail.post(command{barrier: b})
	}
}

// Overtake lets the barrier of e, which is on its way, overtake all rows that wait, in every task
// that has not taken its part of the checkpoint. What is overtaken is in the answers. Only one
// barrier may be on its way, and none may have been sent to stop the tasks.
func (g *Graph) Overtake(e state.Epoch) {
	for _, t := range g.tasks {
		t.urgent.tell(e)
		t.mail.post(command{overtake: true})
	}
}

// Resume lets the tasks go on that a barrier suspended. All of them have answered it.
func (g *Graph) Resume() {
	for _, t := range g.tasks {
		t.mail.post(command{resume: true})
	}
}

// Durable tells all tasks that the manifest of e is written.
func (g *Graph) Durable(e state.Epoch) {
	for _, t := range g.tasks {
		t.mail.post(command{durable: e})
	}
}

// Committed tells source task that the output of e is visible; splits are those it recorded.
func (g *Graph) Committed(task int, e state.Epoch, splits []exec.Split) {
	g.tasks[task].mail.post(command{committed: e, splits: splits})
}

// Assign gives a source task more splits.
func (g *Graph) Assign(task int, splits []exec.Split) {
	g.tasks[task].mail.post(command{assign: splits})
}
