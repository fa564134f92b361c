package job

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec/flow"
	"github.com/sqlstream/sqlstream/state"
)

// quietly adds an event that the coordinator sees only together with the next one.
func (b *inbox) quietly(e event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, e)
}

func TestAFailureInTheSameMomentAsTheEndOfACheckpointEndsTheIncarnation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		boom := errors.New("boom")
		b.commit = func(context.Context, state.Epoch) error {
			b.c.inbox.quietly(event{task: 0, err: boom}) // the result of this checkpoint comes right behind it
			return nil
		}
		err := b.run(func(context.Context, chan request) { elapse(time.Second) })
		if !errors.Is(err, boom) {
			t.Error(err)
		}
		b.want(b.whole(1, "t0-e1 t1-e1")...)
		if s := b.c.stat.get(); s.Completed != 1 {
			t.Errorf("%d checkpoints completed, want 1", s.Completed)
		}
	})
}

func TestStateSealedWhileTheIncarnationFailsIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, everySecond)
		b.answers = func(int, state.Epoch) bool { return false }
		boom := errors.New("boom")
		err := b.run(func(context.Context, chan request) {
			elapse(time.Second)
			b.c.inbox.quietly(event{task: 0, err: boom})
			b.answer()
		})
		if !errors.Is(err, boom) {
			t.Error(err)
		}
	})
}

func TestEventsPutBackComeFirst(t *testing.T) {
	b := newInbox()
	for i := range 3 {
		b.Acked(flow.Ack{Task: i})
	}
	events := b.take()
	b.Acked(flow.Ack{Task: 3})
	b.putBack(events[1:])
	for i, e := range b.take() {
		if e.ack.Task != i+1 {
			t.Errorf("event %d is of task %d", i, e.ack.Task)
		}
	}
}
