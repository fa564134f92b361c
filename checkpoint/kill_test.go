package checkpoint

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/badgerstate"
	"github.com/sqlstream/sqlstream/state/stf"
	"github.com/zeebo/xxh3"
)

var kills = flag.Int("kills", 40, "how often the process is killed in the kill test")

// TestStateSurvivesKills kills a process that changes state and takes checkpoints, at the named
// points of storage and at random, and starts it again with another parallelism. Each start checks
// that what it restores is exactly what the manifest's position says.
func TestStateSurvivesKills(t *testing.T) {
	if dir := os.Getenv("CHECKPOINT_KILL_DIR"); dir != "" {
		killed(t, dir)
		return
	}
	if testing.Short() {
		t.Skipf("it starts %d processes; run without -short", *kills)
	}
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(11, 12))
	points := slices.Concat(Points, []string{"mid_gc", "mid_restore"})
	step, hits := 0, 0
	for n := range *kills {
		cmd := exec.Command(os.Args[0], "-test.run=^TestStateSurvivesKills$")
		point := points[rnd.IntN(len(points))]
		cmd.Env = append(os.Environ(), "CHECKPOINT_KILL_DIR="+dir, "CHECKPOINT_KILL_SEED="+strconv.Itoa(n),
			"CHECKPOINT_KILL_AT="+point, "CHECKPOINT_KILL_COUNT="+strconv.Itoa(1+rnd.IntN(40)))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var text, stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		restored := -1
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			line := lines.Text()
			fmt.Fprintln(&text, line)
			if s, ok := strings.CutPrefix(line, "restored "); ok {
				restored, _ = strconv.Atoi(s)
				if rnd.IntN(3) == 0 {
					time.AfterFunc(time.Duration(rnd.IntN(30))*time.Millisecond, func() { cmd.Process.Kill() })
				}
			}
			if s, ok := strings.CutPrefix(line, "published "); ok {
				step, _ = strconv.Atoi(s)
			}
			if restored >= 0 && restored < step && strings.HasPrefix(line, "restored ") {
				t.Fatalf("kill %d: step %d was published, the next start restored step %d\n%s", n, step, restored, text.String())
			}
			if line == "point "+point {
				hits++
			}
		}
		timer.Stop()
		cmd.Wait()
		if s := text.String() + stderr.String(); strings.Contains(s, "--- FAIL") || strings.Contains(s, "panic:") || strings.Contains(s, "DATA RACE") {
			t.Fatalf("kill %d at %s:\n%s", n, point, s)
		}
	}
	if step == 0 || hits == 0 {
		t.Fatalf("after %d kills, %d of them at named points, the job is at step %d only", *kills, hits, step)
	}
	t.Logf("%d kills, %d at named points, %d steps", *kills, hits, step)
}

// killed is what the process that is killed does.
func killed(t *testing.T, dir string) {
	seed, _ := strconv.Atoi(os.Getenv("CHECKPOINT_KILL_SEED"))
	left, _ := strconv.Atoi(os.Getenv("CHECKPOINT_KILL_COUNT"))
	at := os.Getenv("CHECKPOINT_KILL_AT")
	v := &victim{t: t, rnd: rand.New(rand.NewPCG(uint64(seed), 5)), point: func(name string) {
		if name == at {
			if left--; left == 0 {
				fmt.Println("point " + name)
				self, err := os.FindProcess(os.Getpid())
				if err != nil {
					t.Error(err)
				}
				self.Kill()
				select {}
			}
		}
	}}
	v.start(dir)
	for range 60 {
		v.advance()
	}
}

type victim struct {
	t       *testing.T
	rnd     *rand.Rand
	point   func(string)
	job     *JobDir
	storage *Dir
	stores  []state.Store
	tables  []state.Table
	step    int
	epoch   state.Epoch
	files   []state.File
}

const killGroups = 16

func (v *victim) must(err error) {
	if err != nil {
		v.t.Helper()
		v.t.Fatal(err)
	}
}

func (v *victim) start(dir string) {
	var err error
	v.job, err = OpenJobDir(dir+"/job", "victim", time.Now())
	v.must(err)
	v.must(v.job.Begin())
	v.storage, err = OpenDir(dir+"/checkpoints", v.job.Job().ID, DirOptions{Owner: true, FailPoint: v.point})
	v.must(err)
	found, err := Find(context.Background(), v.storage, v.job.Job().ID)
	v.must(err)
	names, err := v.storage.Names()
	v.must(err)
	facts := &Facts{Job: v.job.Job(), Found: found}
	d := Decide(facts)
	if d.Action == Refuse {
		v.t.Fatal(d.Reasons)
	}
	for _, n := range Orphans(names, found) {
		v.must(v.storage.Remove(n))
	}
	v.epoch = NextEpoch(facts, names) - 1
	if d.Action != Fresh {
		m, err := Read(v.storage, d.From, v.job.Job().ID)
		v.must(err)
		v.files = m.Files
		v.must(json.Unmarshal(m.Sources[0].Splits[0].Position, &v.step))
	}
	par := 1 + v.rnd.IntN(3)
	budget := int64(0)
	if v.rnd.IntN(2) == 0 {
		budget = 16 << 10
	}
	for i := range par {
		s, err := badgerstate.Open(badgerstate.Options{
			Dir: v.job.Path("state", strconv.Itoa(i)), Range: state.RangeOf(i, par, killGroups), MaxParallelism: killGroups,
			MemoryBudget: budget, Files: v.storage, Restore: v.files, NextEpoch: v.epoch + 1, MinFree: 1,
		})
		v.must(err)
		v.point("mid_restore")
		tab, err := s.Table(state.Spec{UID: "u1", Name: "groups"})
		v.must(err)
		v.stores, v.tables = append(v.stores, s), append(v.tables, tab)
	}
	v.compare()
	fmt.Println("restored", v.step)
}

// ops calls fn for the changes of a step: the same ones in every process.
func ops(step int, fn func(key []byte, val []byte)) {
	rnd := rand.New(rand.NewPCG(uint64(step), 99))
	for range 60 {
		key := fmt.Appendf(nil, "key-%d", rnd.IntN(300))
		if rnd.IntN(4) == 0 {
			fn(key, nil)
		} else {
			fn(key, fmt.Appendf(nil, "%d:%x", step, make([]byte, rnd.IntN(60))))
		}
	}
}

func (v *victim) compare() {
	model := map[string]string{}
	for s := 1; s <= v.step; s++ {
		ops(s, func(key, val []byte) {
			if val == nil {
				delete(model, string(key))
			} else {
				model[string(key)] = string(val)
			}
		})
	}
	n := 0
	for _, tab := range v.tables {
		v.must(tab.Each(func(r state.Ref) error {
			n++
			if k := string(tab.Key(r)); model[k] != string(tab.Get(r)) {
				return fmt.Errorf("step %d: %s is %q, expected %q", v.step, k, tab.Get(r), model[k])
			}
			return nil
		}))
	}
	if n != len(model) {
		v.t.Fatalf("step %d: %d records, expected %d", v.step, n, len(model))
	}
}

// advance makes one step, perhaps a checkpoint.
func (v *victim) advance() {
	v.step++
	ops(v.step, func(key, val []byte) {
		h := xxh3.Hash(key)
		g := state.GroupOf(h, killGroups)
		tab := v.tables[state.SubtaskOf(g, len(v.tables), killGroups)]
		r, err := tab.Find(g, h, key)
		v.must(err)
		switch {
		case val == nil && r != state.NoRef:
			v.must(tab.Delete(r))
		case val != nil:
			r, err = tab.Upsert(g, h, key)
			v.must(err)
			v.must(tab.Set(r, val))
		}
	})
	for _, s := range v.stores {
		v.must(s.Trim())
	}
	if v.rnd.IntN(2) == 0 {
		v.checkpoint()
	}
}

func (v *victim) checkpoint() {
	v.epoch++
	for _, s := range v.stores {
		x, err := s.Seal(v.epoch)
		v.must(err)
		fs, err := x.Write(v.storage)
		v.must(err)
		x.Release()
		v.files = append(slices.Clone(v.files), fs...)
	}
	for _, set := range stf.Plan(v.files, stf.Policy{MaxDeltas: 4, MaxRatio: 0.5}) {
		f, err := stf.Compact(context.Background(), v.storage, set, nil)
		v.must(err)
		v.files = append(slices.DeleteFunc(slices.Clone(v.files), func(o state.File) bool {
			return slices.ContainsFunc(set, func(x state.File) bool { return x.Name == o.Name })
		}), f)
	}
	m := manifestOf(v.epoch, 0, v.files...)
	m.JobID, m.MaxParallelism, m.Transactions = v.job.Job().ID, killGroups, nil
	m.Sources[0].Splits[0].Position = fmt.Appendf(nil, "%d", v.step)
	v.must(Publish(v.storage, m))
	v.must(v.job.MarkPublished())
	io.WriteString(os.Stdout, fmt.Sprintf("published %d\n", v.step))
	g, err := Collect(v.storage, m.JobID, 1, v.epoch)
	v.must(err)
	v.point("mid_gc")
	for _, e := range g.Epochs {
		v.must(v.storage.Delete(e))
		v.point("mid_gc")
	}
	for _, n := range g.Files {
		v.must(v.storage.Remove(n))
		v.point("mid_gc")
	}
}
