package kill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/savepoint"
	"github.com/sqlstream/sqlstream/checkpoint/snapshots"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
)

// operations is what a person does to the job while it is killed (F37, F53, F54): savepoints are taken, the job is
// stopped with one, and begun again from it, in its directory or in another as a job of its own.
type operations struct {
	dir   string   // the job directory now
	args  []string // of run: the snapshot that the job began from
	forks int
}

// stopLife stands in the deck for a life that a stop with a savepoint ends.
const stopLife = "(stop)"

// operationPoints are the steps of operations at which the job is killed.
var operationPoints = append([]string{"savepoint_checkpoint", "before_claim"}, append(importPoints, savepointPoints...)...)

var (
	importPoints    = []string{"rec_before_import", "rec_after_import"}
	savepointPoints = []string{savepoint.PointAfterFile, savepoint.PointBeforeManifest, savepoint.PointAfterManifest}
)

// operationUnits are the lives with operations of one deck.
func operationUnits() [][]string {
	units := [][]string{{stopLife, ""}, {stopLife, "rec_mid_abort"}, {stopLife, "rec_before_first_poll"}, {stopLife, "before_claim"}, {"savepoint_checkpoint"}}
	for _, p := range importPoints {
		units = append(units, []string{stopLife, p})
	}
	for _, p := range savepointPoints {
		units = append(units, []string{p})
	}
	return units
}

// stop is how a life with operations ended.
type stop struct{ yes bool }

// operate asks things of the job until it is dead. The answer comes when p has ended: whether it
// was stopped, and not killed.
func (l *loop) operate(ctx context.Context, p *process, point string) <-chan stop {
	answer := make(chan stop, 1)
	if !l.o.Operate {
		answer <- stop{}
		return answer
	}
	draw := l.rng.Uint64()
	go func() {
		defer close(answer)
		for n := draw; !p.ended() && ctx.Err() == nil; n = n*6364136223846793005 + 1442695040888963407 {
			if l.operation(ctx, p, point, n>>33) {
				<-p.done
				answer <- stop{true}
				return
			}
			sleep(ctx, tickEvery)
		}
		<-p.done
		answer <- stop{}
	}()
	return answer
}

// operation carries out one operation, and reports whether it stopped the job. That it fails is
// nothing wrong: the job starts, or has just been killed.
func (l *loop) operation(ctx context.Context, p *process, point string, n uint64) (stopped bool) {
	layout := []string{checkpoint.Canonical, checkpoint.Native}[n%2]
	name, args := "savepoint", []string{"savepoint", "kill", l.savepointDir(), "--type", layout}
	switch {
	case point == stopLife:
		name, args = "stop with savepoint", []string{"stop", "kill", "--savepoint", l.savepointDir(), "--type", layout}
	case point == "" && n%5 == 0:
		name, args = "full checkpoint", []string{"checkpoint", "kill", "--full"}
	case point == "" && n%5 == 1:
		name, args = "stop", []string{"stop", "kill"}
	}
	c, err := start(l.o.Binary, l.environment(l.o), append(args, "--dir", l.ops.dir, "--format", "json")...)
	if err != nil {
		return false
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		_ = c.kill()
		<-c.done
	}
	if c.err != nil {
		return false
	}
	l.report.Operations[name]++
	if args[0] != "stop" {
		return false
	}
	<-p.done
	var out struct {
		Savepoint *struct{ Path string }
	}
	if err := json.Unmarshal(c.output.Bytes(), &out); err != nil {
		l.wrong("%v printed %q: %v", args, c.output.String(), err)
	}
	if out.Savepoint != nil {
		l.beginFrom(out.Savepoint.Path, n>>1)
	}
	return true
}

func (l *loop) savepointDir() string {
	if l.o.Store != "" {
		return stores.Join(l.o.Store, "savepoints")
	}
	return filepath.Join(l.o.Dir, "savepoints")
}

// beginFrom decides where and how the next life begins from a savepoint.
func (l *loop) beginFrom(path string, n uint64) {
	claim := "NO_CLAIM"
	if n&1 == 0 {
		claim = "CLAIM"
	}
	l.ops.args = []string{"-s", path, "--claim-mode", claim}
	if n>>1&1 == 0 {
		l.ops.forks++
		l.ops.dir = filepath.Join(l.o.Dir, fmt.Sprintf("job-%d", l.ops.forks))
	}
}

// savepoints checks what the operations left: every savepoint that is there is whole.
func (l *loop) savepoints(ctx context.Context) error {
	names, err := l.savepointNames(ctx)
	if err != nil {
		return err
	}
	for _, n := range names {
		s, err := snapshots.Open(ctx, stores.Join(l.savepointDir(), n), l.o.StoreOptions)
		if err != nil {
			l.report.Leftovers = append(l.report.Leftovers, err.Error())
			continue
		}
		c, err := s.Content()
		if err == nil {
			err = c.Close()
		}
		if err = errors.Join(err, s.Close()); err != nil {
			l.report.Leftovers = append(l.report.Leftovers, err.Error())
		}
	}
	return nil
}

func (l *loop) savepointNames(ctx context.Context) ([]string, error) {
	if l.o.Store != "" {
		return stores.Names(ctx, l.savepointDir(), l.o.StoreOptions)
	}
	found, err := os.ReadDir(l.savepointDir())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, f := range found {
		names = append(names, f.Name())
	}
	return names, err
}
