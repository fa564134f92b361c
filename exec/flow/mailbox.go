package flow

import (
	"context"
	"slices"
	"sync"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/state"
)

// command is something the coordinator asks of a task. Exactly one field is set, apart
// from splits.
type command struct {
	barrier   Barrier // sources only: send it
	overtake  bool    // look at how urgent it is
	resume    bool    // go on after a barrier that suspended
	assign    []exec.Split
	durable   state.Epoch // the epoch's manifest is written
	committed state.Epoch // its output is visible; splits are the positions it recorded
	splits    []exec.Split
}

// mailbox holds the commands a task has not seen yet. Posting never blocks.
type mailbox struct {
	wake chan struct{} // signalled when there is something

	mu        sync.Mutex
	list      []command
	interrupt context.CancelFunc // ends the context of the read at hand
}

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

func (m *mailbox) post(c command) {
	m.mu.Lock()
	m.list = append(m.list, c)
	if m.interrupt != nil {
		m.interrupt()
	}
	m.mu.Unlock()
	signal(m.wake)
}

// take returns the commands up to the first barrier. What is behind it waits for the next call.
func (m *mailbox) take() []command {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.list
	m.list = nil
	if i := slices.IndexFunc(l, func(c command) bool { return c.barrier.Epoch != 0 }); i >= 0 && i+1 < len(l) {
		l, m.list = l[:i+1], slices.Clone(l[i+1:])
		signal(m.wake)
	}
	return l
}

// context returns a child of parent that ends when a command arrives; it is made anew only
// after one did.
func (m *mailbox) context(parent, last context.Context) context.Context {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last != nil && last.Err() == nil {
		return last
	}
	if m.interrupt != nil {
		m.interrupt()
	}
	ctx, cancel := context.WithCancel(parent)
	m.interrupt = cancel
	if len(m.list) > 0 {
		cancel()
	}
	return ctx
}
