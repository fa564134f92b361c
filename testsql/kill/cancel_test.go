package kill

import (
	"testing"
)

// visible is how many rows of the first pipeline read_committed readers see.
func (r *reader) visible() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.out.rows)
}

// A job whose options delete its checkpoints on cancellation leaves neither checkpoints nor open
// transactions when it is cancelled. The next run is a new job, which reads everything again and is
// not refused, and goes on after a SIGTERM, which is no cancellation.
func TestACancelledJobLeavesNothingAndTheNextRunIsANewOne(t *testing.T) {
	o := defaults(t, program(t), *seed)
	l, err := newLoop(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	l.change = func(text string) string {
		return "SET 'execution.checkpointing.externalized-checkpoint-retention' = 'DELETE_ON_CANCELLATION';\n" + text
	}
	const n = 200
	if err := l.feed(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	run := func(rows int) *process {
		t.Helper()
		p, err := l.startJob(o, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for l.reader.visible() < rows {
			if p.ended() {
				t.Fatalf("the job ended: %v\n%s", p.err, p.output.String())
			}
			sleep(t.Context(), tickEvery)
		}
		return p
	}
	end := func(p *process, err error) *durable {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\n%s", err, p.output.String())
		}
		d, err := l.readDurable(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if open, err := l.openTransactions(t.Context()); err != nil || len(open) > 0 {
			t.Errorf("transactions %v are open, %v", open, err)
		}
		return d
	}

	p := run(expectedRows(n))
	c, err := start(o.Binary, l.environment(o), "cancel", "kill", "--dir", l.jobDir())
	if err != nil {
		t.Fatal(err)
	}
	<-c.done
	if c.err != nil {
		t.Fatalf("cancel: %v\n%s", c.err, c.output.String())
	}
	<-p.done
	first := end(p, p.err)
	if !first.job.Discarded || len(first.found) > 0 || len(first.orphans) > 0 {
		t.Errorf("after cancel there are %v and files %v; the job: %+v", first.found, first.orphans, first.job)
	}

	p = run(2 * expectedRows(n))
	second := end(p, p.stop(t.Context()))
	if second.job.ID == first.job.ID || second.job.Discarded || second.manifests == 0 {
		t.Errorf("the second run: %+v with %d checkpoints; the first was %s", second.job, second.manifests, first.job.ID)
	}

	if err := l.feed(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	want := expectedRows(n) + expectedRows(2*n) // the first job's, and the second's
	p = run(want)
	third := end(p, p.stop(t.Context()))
	if third.job.ID != second.job.ID {
		t.Errorf("the third run is another job: %+v", third.job)
	}
	if err := l.reader.toEnd(t.Context(), l.broker); err != nil {
		t.Fatal(err)
	}
	if got := l.reader.visible(); got != want {
		t.Errorf("%d rows are visible, want %d", got, want)
	}
}
