package kill

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// fixture is a job of the kill loop whose faults a test chooses itself.
type fixture struct {
	*loop
	t *testing.T
}

func newFixture(t *testing.T, set func(o *Options)) *fixture {
	t.Helper()
	o := defaults(t, program(t), 1)
	if set != nil {
		set(&o)
	}
	l, err := newLoop(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return &fixture{loop: l, t: t}
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) rows(n int) {
	f.t.Helper()
	f.must(f.feed(f.t.Context(), n))
}

// crash runs the job until it dies at a fail point, fed all the time.
func (f *fixture) crash(point string, hit int) {
	f.t.Helper()
	p, err := f.startJob(f.o, point, hit)
	f.must(err)
	for begin := time.Now(); !p.ended(); sleep(f.t.Context(), tickEvery) {
		f.rows(5)
		if time.Since(begin) > time.Minute {
			f.must(p.kill())
			<-p.done
			f.t.Fatalf("%s is not reached\n%s", point, p.text())
		}
	}
	if !p.killed() {
		f.t.Fatalf("ended by itself: %v\n%s", p.err, p.text())
	}
}

// settle runs the job until everything fed so far is visible, ends it cleanly and returns
// what it printed.
func (f *fixture) settle(args ...string) string {
	f.t.Helper()
	p := f.launch(args...)
	f.visible(p)
	if err := p.stop(f.t.Context()); err != nil {
		f.t.Fatalf("the clean end: %v\n%s", err, p.text())
	}
	return p.output.String()
}

func (f *fixture) launch(args ...string) *process {
	f.t.Helper()
	p, err := f.startWith(f.o, "", 0, args...)
	f.must(err)
	f.t.Cleanup(func() { _ = p.kill(); <-p.done })
	return p
}

// visible waits until readers see what the input so far gives; windows that are still open are
// not waited for.
func (f *fixture) visible(p *process) {
	f.t.Helper()
	for begin := time.Now(); ; sleep(f.t.Context(), tickEvery) {
		f.reader.mu.Lock()
		rows, letters := len(f.reader.out.rows), len(f.reader.out.letters)
		f.reader.mu.Unlock()
		if rows >= expectedRows(f.sent) && letters >= expectedLetters(f.sent) {
			return
		}
		if p.ended() || time.Since(begin) > time.Minute {
			f.must(p.kill())
			<-p.done
			f.t.Fatalf("%d of %d rows are visible: %v\n%s", rows, expectedRows(f.sent), p.err, p.text())
		}
	}
}

// exact ends the test: all input fed, everything visible exactly once.
func (f *fixture) exact() {
	f.t.Helper()
	if err := f.finish(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	if r := &f.report; !r.OK() {
		f.t.Errorf("%s", r)
	}
}

// refused runs the job, which has to end by itself with an exit code and a message.
func (f *fixture) refused(code int, args []string, texts ...string) {
	f.t.Helper()
	p := f.launch(args...)
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		_ = p.kill()
		<-p.done
	}
	var ee *exec.ExitError
	if !errors.As(p.err, &ee) || ee.ExitCode() != code {
		f.t.Errorf("ended with %v, want exit code %d", p.err, code)
	}
	wantTexts(f.t, p.text(), texts...)
}

func wantTexts(t *testing.T, got string, texts ...string) {
	t.Helper()
	for _, want := range texts {
		if !strings.Contains(got, want) {
			t.Errorf("printed\n%s\nwhich lacks %q", got, want)
		}
	}
}

// newest describes the newest checkpoint, and where it lies.
func (f *fixture) newest() (checkpoint.Found, string) {
	f.t.Helper()
	d, err := f.readDurable(f.t.Context())
	f.must(err)
	for _, c := range d.found {
		if c.Manifest != nil {
			return c, filepath.Join(f.jobDir(), "checkpoints", d.job.ID)
		}
	}
	f.t.Fatal("there is no checkpoint")
	return checkpoint.Found{}, ""
}

func flip(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x10
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// F18, B65: a job runs once.
func TestASecondProcessIsRefused(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(50)
	p := f.launch()
	f.visible(p)
	f.refused(73, nil, "job directory is in use by process", fmt.Sprint(p.cmd.Process.Pid), "a job runs once", "--dir")
	f.must(p.stop(t.Context()))
	f.exact()
}

// F35: whatever a crash left in the local state is not read again.
func TestDirtyLocalStateIsNotUsed(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.StateBytes = 2000 })
	f.crash("before_endtxn", 4)
	files := 0
	f.must(filepath.WalkDir(filepath.Join(f.jobDir(), "state"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		return os.WriteFile(path, []byte("not what was here"), 0o600)
	}))
	if files == 0 {
		t.Error("there is no local state")
	}
	f.exact()
}

// F32, F33, F36: a damaged newest checkpoint is passed over, with a message, and its
// transaction, which nobody can vouch for any more, is aborted.
func TestADamagedCheckpointIsPassedOver(t *testing.T) {
	for name, damage := range map[string]func(f *fixture) string{
		"manifest": func(f *fixture) string {
			c, dir := f.newest()
			flip(f.t, filepath.Join(dir, fmt.Sprintf("chk-%d", c.Epoch), "MANIFEST"))
			return fmt.Sprintf("checkpoint=%d", c.Epoch)
		},
		"manifest cut": func(f *fixture) string {
			c, dir := f.newest()
			f.must(os.Truncate(filepath.Join(dir, fmt.Sprintf("chk-%d", c.Epoch), "MANIFEST"), 40))
			return fmt.Sprintf("checkpoint=%d", c.Epoch)
		},
		"state file": func(f *fixture) string {
			c, dir := f.newest()
			for _, file := range c.Manifest.Files {
				if file.MaxEpoch == c.Epoch {
					flip(f.t, filepath.Join(dir, "shared", file.Name))
					return file.Name
				}
			}
			f.t.Fatalf("checkpoint %d has no file of its own", c.Epoch)
			return ""
		},
		"state file missing": func(f *fixture) string {
			c, dir := f.newest()
			for _, file := range c.Manifest.Files {
				if file.MaxEpoch == c.Epoch {
					f.must(os.Remove(filepath.Join(dir, "shared", file.Name)))
					return file.Name
				}
			}
			f.t.Fatalf("checkpoint %d has no file of its own", c.Epoch)
			return ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			f.crash("before_endtxn", 5)
			named := damage(f)
			f.rows(50)
			wantTexts(t, f.settle(), "a newer checkpoint cannot be used and is passed over", named)
			f.exact()
		})
	}
}

// F63: when the output of a damaged checkpoint is visible, going back would repeat it.
func TestVisibleOutputIsNotRepeated(t *testing.T) {
	f := newFixture(t, nil)
	f.crash("after_endtxn", 5)
	c, dir := f.newest()
	manifest := filepath.Join(dir, fmt.Sprintf("chk-%d", c.Epoch), "MANIFEST")
	good, err := os.ReadFile(manifest)
	f.must(err)
	flip(t, manifest)
	f.refused(78, nil, fmt.Sprintf("checkpoint %d cannot be used", c.Epoch), fmt.Sprintf("up to %d is visible already and would be repeated", c.Epoch), "--allow-duplicates")
	f.must(os.WriteFile(manifest, good, 0o600))
	f.exact()
}

// F20: down for longer than the transaction timeout after the decision.
func TestALostTransactionIsRepeatedFromTheCheckpointBefore(t *testing.T) {
	f := newFixture(t, short)
	f.crash("before_endtxn", 3)
	c, _ := f.newest()
	for { // the broker's time, not ours
		open, err := f.openTransactions(t.Context())
		f.must(err)
		if len(open) == 0 {
			break
		}
		sleep(t.Context(), tickEvery)
	}
	f.rows(50)
	wantTexts(t, f.settle(), "falling back to an older checkpoint",
		fmt.Sprintf("the output of checkpoint %d was aborted from outside (a transaction timeout, or by hand) and never happened", c.Epoch))
	f.exact()
	if f.report.SetAside == 0 {
		t.Error("the checkpoint without output is not set aside")
	}
}

// F60: somebody aborts the transaction of a decided checkpoint by hand.
func TestATransactionThatIsAbortedByHandIsRepeated(t *testing.T) {
	f := newFixture(t, nil)
	f.crash("before_endtxn", 3)
	c, _ := f.newest()
	open, err := f.openTransactions(t.Context())
	f.must(err)
	if len(open) == 0 {
		t.Fatal("no transaction is open")
	}
	for _, x := range open {
		f.must(f.broker.abort(t.Context(), x))
	}
	f.rows(50)
	wantTexts(t, f.settle(), "falling back to an older checkpoint", fmt.Sprintf("the output of checkpoint %d was aborted from outside", c.Epoch))
	f.exact()
}

// F43: checkpoints expire 20 times in a row, and each time the job goes on from the last good one.
func TestManyCheckpointsExpireInARow(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Set = map[string]string{
			"execution.checkpointing.timeout": "200 ms", "restart-strategy.type": "fixed-delay",
			"restart-strategy.fixed-delay.attempts": "1000", "restart-strategy.fixed-delay.delay": "10 ms",
		}
	})
	release := f.broker.slowProduce(500 * time.Millisecond)
	f.rows(100)
	p := f.launch()
	for begin := time.Now(); ; sleep(t.Context(), tickEvery) {
		if j, err := checkpoint.ReadJob(f.jobDir()); err == nil && j.Incarnation > 20 {
			break
		}
		if p.ended() || time.Since(begin) > 2*time.Minute {
			f.must(p.kill())
			<-p.done
			t.Fatalf("the job does not restart 20 times\n%s", p.text())
		}
		f.rows(1)
	}
	open, err := f.openTransactions(t.Context())
	f.must(err)
	if len(open) > 3 {
		t.Errorf("transactions are open: %v", open)
	}
	release()
	f.o.Set = nil // on a busy machine it may be a matter of luck to be in time
	f.must(p.stop(t.Context()))
	wantTexts(t, p.text(), "tolerable-failed-checkpoints = 0")
	f.exact()
}

// F04: barriers come while the first records of a transaction are on their way.
func TestBarriersRaceTheFirstRecords(t *testing.T) {
	for _, tv := range []int{1, 2} {
		t.Run(fmt.Sprintf("transaction.version %d", tv), func(t *testing.T) {
			f := newFixture(t, func(o *Options) { o.TV, o.Interval, o.Parallelism = tv, 10*time.Millisecond, 2 })
			f.broker.slowProduce(50 * time.Millisecond)
			p := f.launch()
			for range 40 {
				f.rows(3)
				sleep(t.Context(), tickEvery)
			}
			f.visible(p)
			if err := p.stop(t.Context()); err != nil {
				t.Errorf("the clean end: %v\n%s", err, p.text())
			}
			f.exact()
		})
	}
}

// F30: records that the broker refuses do not end the job. It starts again by itself from its
// checkpoint, and nothing of the transaction is ever seen.
func TestRefusedRecordsRestartTheJob(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(100)
	p := f.launch()
	f.visible(p)
	f.broker.refuseRecords()
	f.rows(100)
	f.visible(p)
	if err := p.stop(t.Context()); err != nil {
		t.Errorf("the clean end: %v", err)
	}
	wantTexts(t, p.text(), "job failed, restarting from its last checkpoint", "INVALID_PRODUCER_EPOCH", " in=")
	f.exact()
}

// F40: retention has deleted what the job has not read yet.
func TestDeletedInputIsAnError(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(200)
	f.settle()
	f.rows(400)
	var ahead kadm.Offsets
	ahead.AddOffset(f.topics.in(), 2, 100, -1)
	_, err := f.broker.admin.DeleteRecords(t.Context(), ahead)
	f.must(err)
	f.refused(65, nil, f.topics.in(), "partition 2", "offset 50", "100")
}

// F41, B62: the topic is another one than the checkpoint's.
func TestARecreatedTopicIsAnError(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(200)
	f.settle()
	_, err := f.broker.admin.DeleteTopics(t.Context(), f.topics.in())
	f.must(err)
	_, err = f.broker.admin.CreateTopics(t.Context(), partitions, 1, nil, f.topics.in())
	f.must(err)
	f.refused(65, nil, f.topics.in(), "the topic was deleted and created again: its id was")
}

// B57: state of another query is not given up or reused without a word: what does not fit is listed,
// with what agrees to it. --fresh begins again.
func TestAChangedQueryIsRefused(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(100)
	f.settle()
	f.change = func(sql string) string {
		return strings.Replace(sql, "COUNT(*) FROM src GROUP BY k", "MAX(v) FROM src GROUP BY k", 1)
	}
	f.refused(78, nil, "does not fit the query", "COUNT(*)", "DROP", "--drop ")
	f.change = func(sql string) string {
		return strings.Replace(sql, "COUNT(*) FROM src GROUP BY k", "COUNT(*) FROM src WHERE v <> 5 GROUP BY k", 1)
	}
	f.refused(78, nil, "does not fit the query", "SEMANTICS-CHANGED", "--accept ")
	// From nothing, so that all rows come once more.
	p := f.launch("--fresh")
	for again := 2 * expectedRows(f.sent); ; sleep(t.Context(), tickEvery) {
		f.reader.mu.Lock()
		n := len(f.reader.out.rows)
		f.reader.mu.Unlock()
		if n >= again {
			break
		}
		if p.ended() {
			t.Fatalf("ended with %v\n%s", p.err, p.text())
		}
	}
	if err := p.stop(t.Context()); err != nil {
		t.Errorf("%v\n%s", err, p.text())
	}
}

// F57: SIGTERM ends the job after a last checkpoint; a second one ends it at once, which is no
// worse than a crash.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(100)
	p := f.launch()
	f.visible(p)
	refused, release := f.broker.holdCommits()
	f.rows(100)
	for refused.Load() == 0 && !p.ended() {
		sleep(t.Context(), tickEvery)
	}
	f.must(p.cmd.Process.Signal(syscall.SIGTERM))
	// The echo of wrappers is not a second signal; nothing else tells when it is over.
	for begin := time.Now(); time.Since(begin) < time.Second; sleep(t.Context(), tickEvery) {
		if p.ended() {
			t.Fatalf("ended although its output cannot be committed: %v\n%s", p.err, p.text())
		}
	}
	f.must(p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.done
	var ee *exec.ExitError
	if !errors.As(p.err, &ee) || ee.ExitCode() != 130 {
		t.Errorf("ended with %v, want exit code 130\n%s", p.err, p.text())
	}
	release()
	f.exact()
}

// A job that is cancelled takes no last checkpoint, and still leaves no transaction open.
func TestACancelledJobLeavesNothingOpen(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Interval = 15 * time.Second })
	f.rows(100)
	p := f.launch()
	for open := 0; open == 0 && !p.ended(); sleep(t.Context(), tickEvery) {
		if _, err := os.Stat(f.jobDir()); err != nil {
			continue
		}
		list, err := f.openTransactions(t.Context())
		if errors.Is(err, fs.ErrNotExist) {
			continue // the job has just begun
		}
		f.must(err)
		open = len(list)
	}
	cancel, err := start(f.o.Binary, f.environment(f.o), "cancel", "kill")
	f.must(err)
	<-cancel.done
	if cancel.err != nil {
		t.Errorf("cancel: %v\n%s", cancel.err, cancel.text())
	}
	<-p.done
	if p.err != nil {
		t.Errorf("ended with %v\n%s", p.err, p.text())
	}
	for begin := time.Now(); ; sleep(t.Context(), tickEvery) {
		open, err := f.openTransactions(t.Context())
		f.must(err)
		if len(open) == 0 {
			break
		}
		if time.Since(begin) > settleLimit {
			t.Fatalf("open after a clean end: %v", open)
		}
	}
	f.o.Interval = 25 * time.Millisecond
	f.exact()
}

// A start that waits for a broker ends at the first signal, and leaves what it waited for as
// it is.
func TestASignalEndsAStart(t *testing.T) {
	f := newFixture(t, nil)
	f.crash("before_endtxn", 2)
	refused, release := f.broker.holdCommits()
	p := f.launch()
	for refused.Load() == 0 && !p.ended() {
		sleep(t.Context(), tickEvery)
	}
	if err := p.stop(t.Context()); err != nil && !strings.Contains(err.Error(), "exit status 130") {
		t.Errorf("%v\n%s", err, p.text())
	}
	release()
	f.exact()
}

// B53 to B56: what a start says about directories that it cannot use.
func TestUnusableCheckpointsAreExplained(t *testing.T) {
	f := newFixture(t, nil)
	f.rows(100)
	f.settle()
	c, dir := f.newest()
	each := func(change func(manifest string) error) func() error {
		return func() error {
			list, err := filepath.Glob(filepath.Join(dir, "chk-*", "MANIFEST"))
			for _, m := range list {
				err = errors.Join(err, change(m))
			}
			return err
		}
	}
	write := func(text string) func() error {
		return each(func(m string) error { return os.WriteFile(m, []byte(text), 0o600) })
	}
	const again = "start with --fresh to begin again from nothing"
	for _, tc := range []struct {
		name   string
		damage func() error
		texts  []string
	}{
		{"no checkpoints", func() error { return os.RemoveAll(dir) }, []string{"the job has written checkpoints, but there are none any more", again}},
		{"only temporaries and foreign files", func() error {
			list, err := filepath.Glob(filepath.Join(dir, "chk-*", "MANIFEST"))
			for _, m := range list {
				err = errors.Join(err, os.Rename(m, m+".tmp"), os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
			}
			return err
		}, []string{"the job has written checkpoints, but there are none any more"}},
		{"empty manifests", write(""), []string{fmt.Sprintf("checkpoint %d cannot be used", c.Epoch), "chk-", again}},
		{"other JSON", write(`{"name": "of another product"}`), []string{fmt.Sprintf("checkpoint %d cannot be used", c.Epoch), again}},
		{"cut manifests", each(func(m string) error { return os.Truncate(m, 100) }), []string{fmt.Sprintf("checkpoint %d cannot be used", c.Epoch), again}},
		{"no state files", func() error {
			list, err := filepath.Glob(filepath.Join(dir, "shared", "*"))
			for _, s := range list {
				err = errors.Join(err, os.Remove(s))
			}
			return err
		}, []string{fmt.Sprintf("checkpoint %d cannot be used", c.Epoch), ".stf", again}},
		{"longer state files", func() error {
			list, err := filepath.Glob(filepath.Join(dir, "shared", "*"))
			for _, s := range list {
				b, rerr := os.ReadFile(s)
				err = errors.Join(err, rerr, os.WriteFile(s, append(b, 0), 0o600))
			}
			return err
		}, []string{fmt.Sprintf("checkpoint %d cannot be used", c.Epoch), ".stf", again}},
		{"damaged job file", func() error { return os.WriteFile(filepath.Join(f.jobDir(), "job.json"), []byte("{}"), 0o600) },
			[]string{"job.json", "it is no description of a job"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			saved := filepath.Join(t.TempDir(), "saved")
			f.must(os.CopyFS(saved, os.DirFS(f.jobDir())))
			defer func() {
				f.must(os.RemoveAll(f.jobDir()))
				f.must(os.CopyFS(f.jobDir(), os.DirFS(saved)))
			}()
			f.must(tc.damage())
			g := &fixture{loop: f.loop, t: t}
			g.refused(78, nil, tc.texts...)
		})
	}
	f.exact() // all that did no harm
}
