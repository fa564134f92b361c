package job

import (
	"sync"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/flow"
)

// event is something that happened to the graph. Exactly one of its meanings is set; the
// zero values of the others make it an Ack.
type event struct {
	ack     flow.Ack
	task    int
	drained bool
	err     error
	result  *result
	splits  []exec.Split // discovered, for task
}

// inbox carries events from task goroutines to the coordinator without ever blocking them.
type inbox struct {
	wake chan struct{}

	mu   sync.Mutex
	list []event
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (b *inbox) post(e event) {
	b.mu.Lock()
	b.list = append(b.list, e)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *inbox) take() []event {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.list
	b.list = nil
	return l
}

// putBack returns events that were taken and not handled, for the next take.
func (b *inbox) putBack(events []event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(events, b.list...)
}

// Acked implements flow.Events.
func (b *inbox) Acked(a flow.Ack) { b.post(event{ack: a}) }

// Drained implements flow.Events.
func (b *inbox) Drained(task int) { b.post(event{task: task, drained: true}) }

// Failed implements flow.Events.
func (b *inbox) Failed(task int, err error) { b.post(event{task: task, err: err}) }
