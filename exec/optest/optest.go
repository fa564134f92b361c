// Package optest owns the runner of operator scripts. Only tests import it.
//
// A script drives one operator the way the runtime does and shows what it emits after each
// step. Its first directive builds the operator (see Maker); then come, in any order,
//
//	chunk [port=1]     rows to process, one a line: "+I | north | 3"; the kind may be left out
//	stream time=COLUMN delay=DURATION [end]
//	                   rows as in chunk, one at a time, each followed by the watermark of the
//	                   greatest time so far less the delay, which is how the oracle's cases ran;
//	                   end: then finish
//	watermark TIME     the event-time watermark: a timestamp, or milliseconds, or "max"
//	late               shows how many rows were dropped as late
//	clock TIME         processing time moves to TIME; OnTimer is called when it was asked for
//	barrier            Operator.Barrier, seal, write, confirm
//	recover            everything is thrown away and made anew from the last barrier, which
//	                   must be the step before (each step is followed by one in some runs)
//	finish             Watermark(max), Finish
//
// Every script runs many times: with its chunks cut into batches of 1, 3 and all rows; with
// rows in between that are not selected; with a barrier and a recovery after every step; over
// the reference store and over the engine's, with all its state evicted at every chance.
// The output must always be the same. What was handed to the operator is overwritten as soon
// as a call returns, and what it emits is checked to be a well-formed batch. In the end no
// goroutine may be left.
//
// Run with -rewrite to record the output.
package optest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"go.uber.org/goleak"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Case is the operator under test.
type Case struct {
	// New makes it; called again for every recovery.
	New func() (exec.Operator, error)
	In  []types.Schema // per input port
	Out types.Schema
	// Unordered: the rows a step emits are shown sorted, because their order means nothing.
	// With Within > 0 it does mean something between rows that differ in output column number
	// Within, counted from 1: only runs of rows that agree there are sorted.
	Unordered bool
	Within    int
	// Whole: what is emitted depends on how rows are cut into batches, so they are not.
	Whole bool
	// Straight: barriers make a difference, so there are none beside the script's own.
	Straight bool
	// Stateless: the operator is given no store.
	Stateless bool
}

// Maker reads the first directive of a script; its name is up to the family.
type Maker func(t testing.TB, d *datadriven.TestData) (Case, error)

// variation is one way to run a script.
type variation struct {
	batch   int  // rows of a batch, 0: all
	junk    bool // rows in between that are not selected
	recover bool // after every step
	engine  bool // the engine's store
}

func (v variation) String() string {
	parts := []string{"all"}
	if v.batch > 0 {
		parts[0] = fmt.Sprint(v.batch)
	}
	if v.junk {
		parts = append(parts, "selected")
	}
	if v.recover {
		parts = append(parts, "recover")
	}
	if v.engine {
		parts = append(parts, "engine")
	}
	return strings.Join(parts, ",")
}

var variations = []variation{
	{}, {batch: 1}, {batch: 3}, {junk: true}, {recover: true}, {batch: 1, recover: true},
	{engine: true}, {engine: true, batch: 1}, {engine: true, junk: true, recover: true}, {engine: true, batch: 3, recover: true},
}

// Run runs the scripts of a folder.
func Run(t *testing.T, dir string, maker Maker) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s (%v)", dir, err)
	}
	slices.Sort(files)
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			for _, v := range variations {
				t.Run(v.String(), func(t *testing.T) { script(t, f, maker, v) })
			}
		})
	}
}

func script(t *testing.T, file string, maker Maker, v variation) {
	var h *harness
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer func() {
		if h != nil {
			h.close()
		}
	}()
	datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
		if h == nil {
			c, err := maker(t, d)
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			if c.Whole && (v.batch > 0 || v.junk) {
				t.Skip("what it emits depends on the batches")
			}
			if c.Straight && v.recover {
				t.Skip("what it emits depends on the barriers")
			}
			h = newHarness(t, c, v)
			if err := h.open(); err != nil {
				return "error: " + err.Error() + "\n"
			}
			return ""
		}
		return h.step(d)
	})
}

// step runs one directive and returns what the operator emitted.
func (h *harness) step(d *datadriven.TestData) string {
	if h.failed != nil {
		return "error: the operator failed before: " + h.failed.Error() + "\n"
	}
	h.shown = h.shown[:0]
	err := h.do(d)
	if err == nil && h.v.recover && d.Cmd != "recover" && d.Cmd != "finish" && !d.HasArg("end") {
		if err = h.barrier(); err == nil {
			err = h.recover()
		}
	}
	out := h.shown
	if h.c.Unordered {
		sortRuns(out, h.c.Within)
	}
	text := strings.Join(out, "\n")
	if text != "" {
		text += "\n"
	}
	if err != nil {
		h.failed = err
		text += "error: " + err.Error() + "\n"
	}
	return text
}

// sortRuns sorts the runs of rows with the same value in column within.
func sortRuns(rows []string, within int) {
	cell := func(i int) string { return strings.Split(rows[i], " | ")[within] } // cell 0 is the kind
	for lo, hi := 0, 0; lo < len(rows); lo = hi {
		for hi = lo + 1; hi < len(rows) && (within == 0 || cell(hi) == cell(lo)); {
			hi++
		}
		slices.Sort(rows[lo:hi])
	}
}

func (h *harness) do(d *datadriven.TestData) error {
	switch d.Cmd {
	case "chunk":
		port := 0
		d.MaybeScanArgs(h.t, "port", &port)
		return h.chunk(port, d.Input)
	case "stream":
		return h.stream(d)
	case "watermark":
		w, err := parseTime(d)
		if err != nil {
			return err
		}
		return h.watermark(w)
	case "clock":
		at, err := parseTime(d)
		if err != nil {
			return err
		}
		return h.moveClock(at)
	case "barrier":
		return h.barrier()
	case "recover":
		return h.recover()
	case "finish":
		return h.finish()
	case "late":
		h.shown = append(h.shown, fmt.Sprint(h.late+h.ctx.Metrics.LateRows.Load()))
		return nil
	}
	return fmt.Errorf("unknown step %q", d.Cmd)
}
