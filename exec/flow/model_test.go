package flow

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/inflight"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// The model is a job whose result shows every row that is lost, repeated or out of order: the rows
// of a split are numbered, and each stage knows, by split, which number comes next. Its snapshots
// are what a checkpoint holds, and it goes on from them at any parallelism.

var splitAndNumber = types.Schema{{Name: "split", Type: types.BigIntT}, {Name: "n", Type: types.BigIntT}}

type model struct {
	t      *testing.T
	splits int
	end    int64 // numbers per split
	rng    *rand.Rand
	perRow [2]time.Duration // of the stages
	chain  bool             // now and then the first stage runs in the task of the source
	read   int              // rows a read at most
	idle   bool             // sources do not end

	mu    sync.Mutex
	wrong []string
}

// modelState is a snapshot, and what a run starts from.
type modelState struct {
	positions map[string]int64
	next      [2]map[int64]int64 // per stage
	files     []InFlight
	overtaken int64 // rows
}

func newModel(t *testing.T, seed uint64) *model {
	rng := rand.New(rand.NewPCG(seed, 4))
	return &model{t: t, splits: 5, end: 60, read: 20, rng: rng}
}

func (m *model) start() modelState {
	s := modelState{positions: map[string]int64{}}
	for i := range m.splits {
		s.positions[strconv.Itoa(i)] = 0
	}
	return s
}

// numbers is the reader of some splits.
type numbers struct {
	m      *model
	rng    *rand.Rand
	splits []exec.Split
	next   []int64
}

func (r *numbers) Assign(splits []exec.Split) error {
	for _, s := range splits {
		n, err := strconv.ParseInt(string(s.Position), 10, 64)
		if err != nil {
			return err
		}
		r.splits, r.next = append(r.splits, s), append(r.next, n)
	}
	return nil
}

func (r *numbers) Read(ctx context.Context, wait time.Duration, b *vec.Batch) (exec.ReadStatus, error) {
	b.Reset()
	var left []int
	for i, n := range r.next {
		if n < r.m.end {
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		if !r.m.idle {
			return exec.ReadEnd, nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		return exec.ReadIdle, nil
	}
	b.Split = left[r.rng.IntN(len(left))]
	id, _ := strconv.ParseInt(r.splits[b.Split].ID, 10, 64)
	for range 1 + r.rng.IntN(r.m.read) {
		if r.next[b.Split] == r.m.end {
			break
		}
		vec.Append(&b.Cols[0], id)
		vec.Append(&b.Cols[1], r.next[b.Split])
		b.AddKind(vec.Insert)
		r.next[b.Split]++
	}
	return exec.ReadRows, nil
}

func (r *numbers) Positions() ([]exec.Split, error) {
	out := slices.Clone(r.splits)
	for i := range out {
		out[i].Position = strconv.AppendInt(nil, r.next[i], 10)
	}
	return out, nil
}
func (r *numbers) Ended(i int) bool                    { return !r.m.idle && r.next[i] == r.m.end }
func (r *numbers) Committed(state.Epoch, []exec.Split) {}
func (r *numbers) Lag() int64                          { return -1 }
func (r *numbers) Close() error                        { return nil }

// inOrder is a stage.
type inOrder struct {
	m      *model
	stage  int
	next   map[int64]int64
	sealed map[state.Epoch]map[int64]int64
	out    exec.Collector
}

func (o *inOrder) Open(ctx *exec.Context) error { o.out = ctx.Out; return nil }

func (o *inOrder) Process(_ int, b *vec.Batch) error {
	split, n := vec.Values[int64](&b.Cols[0]), vec.Values[int64](&b.Cols[1])
	for i := range b.Len() {
		r := b.Row(i)
		time.Sleep(o.m.perRow[o.stage]) // virtual
		o.m.mu.Lock()
		if o.next[split[r]] != n[r] {
			o.m.wrong = append(o.m.wrong, fmt.Sprintf("split %d: row %d came, %d was next", split[r], n[r], o.next[split[r]]))
		}
		o.next[split[r]] = n[r] + 1
		o.m.mu.Unlock()
	}
	return o.out.Emit(b)
}

func (o *inOrder) Watermark(w exec.Watermark) (exec.Watermark, error) { return w, nil }
func (o *inOrder) Barrier(e state.Epoch) error {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	o.sealed[e] = maps.Clone(o.next)
	return nil
}
func (o *inOrder) Finish() error { return nil }
func (o *inOrder) Close() error  { return nil }

// bySplit routes by the number of the split, divided by d first.
func bySplit(parallelism, d int) func() Route {
	return func() Route {
		return func(b *vec.Batch, dst []int32) ([]int32, error) {
			for i := range b.Len() {
				dst = append(dst, int32(int(vec.Values[int64](&b.Cols[0])[b.Row(i)])/d%parallelism))
			}
			return dst, nil
		}
	}
}

// run is one incarnation of the model.
type run struct {
	m     *model
	par   int
	specs []Task
	ops   [2][]*inOrder
	w     *watcher
	g     *Graph
	stop  func()
}

// begin starts sources, stage one and stage two, each with par subtasks, from a snapshot.
func (m *model) begin(s modelState, par int) *run {
	m.t.Helper()
	r := &run{m: m, par: par, w: newWatcher()}
	x := []*Exchange{
		{Schema: splitAndNumber, Producers: par, Consumers: par, NewRoute: bySplit(par, 1)},
		{Schema: splitAndNumber, Producers: par, Consumers: par, NewRoute: bySplit(par, 2)},
	}
	own := func(stage, sub int) map[int64]int64 {
		out := map[int64]int64{}
		for split, n := range s.next[stage] {
			if int(split)/(stage+1)%par == sub {
				out[split] = n
			}
		}
		return out
	}
	op := func(stage, sub int) *Op {
		o := &inOrder{m: m, stage: stage, next: own(stage, sub), sealed: map[state.Epoch]map[int64]int64{}}
		r.ops[stage] = append(r.ops[stage], o)
		root := &Op{Operator: o, Name: "Stage", Ctx: opContext(fmt.Sprint("stage", stage))}
		if stage == 0 {
			root.Outs = []Edge{{Exchange: x[1]}}
		}
		return root
	}
	chained := m.chain && m.rng.IntN(2) == 0
	for sub := range par {
		reader := &numbers{m: m, rng: rand.New(rand.NewPCG(m.rng.Uint64(), 1))}
		src := &Source{Reader: reader, Read: splitAndNumber, Name: "Source", Ctx: opContext("source"), Outs: []Edge{{Exchange: x[0]}},
			Transform: func(in *vec.Batch) (*vec.Batch, error) { return in, nil }}
		for i := range m.splits {
			if id := strconv.Itoa(i); i%par == sub {
				src.Splits = append(src.Splits, exec.Split{ID: id, Position: strconv.AppendInt(nil, s.positions[id], 10)})
			}
		}
		task := Task{Name: "source", Subtask: sub, Source: src}
		if chained { // what is further down is older
			first := op(0, sub)
			src.Outs = []Edge{{Op: first}}
			task.Restored = m.restored(s, first, "stage0", bySplit(par, 1)(), sub, nil)
		}
		task.Restored = append(task.Restored, m.restored(s, nil, "source", nil, sub, func(id string) bool {
			n, _ := strconv.Atoi(id)
			return n%par == sub
		})...)
		r.specs = append(r.specs, task)
	}
	for stage := range 2 {
		for sub := range par {
			if stage == 0 && chained {
				continue
			}
			root := op(stage, sub)
			r.specs = append(r.specs, Task{Name: root.Ctx.UID, Subtask: sub, Inputs: []*Exchange{x[stage]}, Root: root,
				Restored: m.restored(s, nil, root.Ctx.UID, x[stage].NewRoute(), sub, nil)})
		}
	}
	ctx, cancel := context.WithCancel(m.t.Context())
	g, err := NewGraph(ctx, r.specs, Options{Clock: exec.SystemClock{}, Events: r.w, Unaligned: true})
	if err != nil {
		m.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { g.Run(ctx); close(done) }()
	r.g, r.stop = g, func() { cancel(); <-done }
	return r
}

// restored are the rows in flight that belong to a subtask.
func (m *model) restored(s modelState, op *Op, uid string, route Route, sub int, mine func(split string) bool) (out []Restored) {
	for _, f := range s.files {
		if f.UID != uid || route == nil && !mine(f.Split) {
			continue
		}
		batches, err := inflight.Decode(f.Data, splitAndNumber)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, b := range batches {
			if route != nil {
				if b, err = Share(b, route, sub); err != nil {
					m.t.Fatal(err)
				}
			}
			if b != nil {
				out = append(out, Restored{Op: op, Split: f.Split, Batch: b})
			}
		}
	}
	return out
}

// snapshot takes a checkpoint whose barrier overtakes after a while.
func (r *run) snapshot(e state.Epoch, after time.Duration) modelState {
	r.m.t.Helper()
	r.g.Barrier(Barrier{Epoch: e})
	if after > 0 {
		time.Sleep(after) // virtual
	}
	if after >= 0 {
		r.g.Overtake(e)
	}
	s := modelState{positions: map[string]int64{}}
	for range r.specs {
		select {
		case a := <-r.w.acks:
			if a.Epoch != e {
				r.m.t.Fatalf("answer for epoch %d, want %d", a.Epoch, e)
			}
			for _, sp := range a.Splits {
				s.positions[sp.ID], _ = strconv.ParseInt(string(sp.Position), 10, 64)
			}
			s.files = append(s.files, a.InFlight...)
			for _, f := range a.InFlight {
				s.overtaken += f.Rows
			}
		case err := <-r.w.failed:
			r.m.t.Fatal(err)
		}
	}
	slices.SortStableFunc(s.files, func(a, b InFlight) int { return a.Subtask - b.Subtask })
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for stage, ops := range r.ops {
		s.next[stage] = map[int64]int64{}
		for _, o := range ops {
			maps.Copy(s.next[stage], o.sealed[e])
		}
	}
	return s
}

// finish waits for the end of the input and tells what is wrong with the result.
func (r *run) finish() {
	r.m.t.Helper()
	for range r.specs {
		select {
		case <-r.w.drained:
		case err := <-r.w.failed:
			r.m.t.Fatal(err)
		}
	}
	r.stop()
	for _, w := range r.m.wrong {
		r.m.t.Error(w)
	}
	for stage, ops := range r.ops {
		got := map[int64]int64{}
		for _, o := range ops {
			maps.Copy(got, o.next)
		}
		for i := range r.m.splits {
			if got[int64(i)] != r.m.end {
				r.m.t.Errorf("stage %d has %d rows of split %d, want %d", stage, got[int64(i)], i, r.m.end)
			}
		}
	}
}

// A job that is killed again and again, with barriers that overtake at random moments.
func TestNothingIsLostOrRepeatedWhateverABarrierOvertakes(t *testing.T) {
	var overtaken int64
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t, seed)
			m.read, m.end = 1+m.rng.IntN(200), 20+m.rng.Int64N(400)
			m.chain = true
			m.perRow[m.rng.IntN(2)] = time.Duration(m.rng.IntN(5)) * time.Millisecond
			s := m.start()
			epoch := state.Epoch(0)
			for range m.rng.IntN(4) {
				r := m.begin(s, 1+m.rng.IntN(4))
				for range 1 + m.rng.IntN(3) {
					time.Sleep(time.Duration(m.rng.IntN(400)) * time.Millisecond) // virtual
					epoch++
					s = r.snapshot(epoch, time.Duration(m.rng.IntN(4)-1)*20*time.Millisecond)
					overtaken += s.overtaken
				}
				time.Sleep(time.Duration(m.rng.IntN(100)) * time.Millisecond) // virtual; all of it comes again
				r.stop()
			}
			m.begin(s, 1+m.rng.IntN(4)).finish()
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if overtaken == 0 && !bugLostInFlight {
		t.Error("no barrier has overtaken anything")
	}
	t.Logf("%d rows overtaken", overtaken)
}
