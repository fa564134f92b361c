package sqltest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format/rowjson"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/state"
)

// Golden is a connector called 'golden': an external system with one transaction at a time,
// as strict as Kafka. It outlives the jobs that write to it; what a reader sees is what was
// committed.
type Golden struct {
	mu        sync.Mutex
	committed map[string][]string // by table, lines of rowjson
	prepared  map[state.Epoch][]line
	open      []line
	ledger    state.Epoch
	perRow    time.Duration // how long a row takes to write
}

type line struct{ table, text string }

// NewGolden returns one with nothing in it.
func NewGolden() *Golden {
	return &Golden{committed: map[string][]string{}, prepared: map[state.Epoch][]line{}}
}

// Rows returns what is visible of a table: the changes, each as a line of package rowjson.
func (g *Golden) Rows(table string) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string{}, g.committed[table]...)
}

// Collect makes the SELECT of a job write to the table "result" of a Golden and returns the
// header of its rows; "" when the job has no SELECT.
func Collect(j *plan.Job) string {
	for _, n := range j.Nodes {
		if s, ok := n.Op.(*plan.Sink); ok && s.Collect {
			s.Collect = false
			s.Accepts = plan.AllChanges
			s.Table = plan.Table{Path: "default_catalog.default_database.result", Connector: "golden", Physical: n.Schema, Options: map[string]string{"connector": "golden"}}
			return string(rowjson.AppendHeader(nil, n.Schema))
		}
	}
	return ""
}

// Name implements connectors.Connector.
func (g *Golden) Name() string { return "golden" }

// Doc implements connectors.Connector.
func (g *Golden) Doc() string { return "remembers what was committed" }

// Options implements connectors.Connector.
func (g *Golden) Options(connectors.Table) []connectors.OptionDef {
	return []connectors.OptionDef{{Key: "connector", Type: "String"}, {Key: "changes", Type: "Enum", Enum: []string{"all", "upsert", "append"}}}
}

// SourceInfo implements connectors.Connector.
func (g *Golden) SourceInfo(connectors.Table) (connectors.SourceInfo, error) {
	return connectors.SourceInfo{}, fmt.Errorf("'golden' cannot be read")
}

// SinkInfo implements connectors.Connector.
func (g *Golden) SinkInfo(t connectors.Table) (connectors.SinkInfo, error) {
	info := connectors.SinkInfo{Accepts: connectors.All, Identity: "golden:" + t.Name, Transactional: true, Committer: "golden"}
	switch t.Options["changes"] {
	case "upsert":
		info.Accepts = connectors.Upsert
	case "append":
		info.Accepts = connectors.AppendOnly
	}
	return info, nil
}

// Source implements connectors.Connector.
func (g *Golden) Source(context.Context, connectors.Table, []int, connectors.Env) (exec.Source, error) {
	return nil, fmt.Errorf("'golden' cannot be read")
}

// Sink implements connectors.Connector.
func (g *Golden) Sink(_ context.Context, t connectors.Table, env connectors.Env) (exec.Sink, error) {
	c, err := env.Committers("golden", func() (exec.Committer, error) { return &goldenTxn{golden: g, next: make(chan struct{})}, nil })
	if err != nil {
		return nil, err
	}
	return &goldenSink{txn: c.(*goldenTxn), table: t.Name[strings.LastIndexByte(t.Name, '.')+1:]}, nil
}

type goldenSink struct {
	txn   *goldenTxn
	table string
}

func (s *goldenSink) Writer(context.Context, int, exec.ConnEnv) (exec.Writer, error) {
	return &goldenWriter{sink: s}, nil
}
func (s *goldenSink) Close() error { return nil }

// goldenWriter keeps rows after its barrier until the epoch is decided.
type goldenWriter struct {
	sink *goldenSink
	held []line
	past state.Epoch // barrier whose decision is awaited, 0 none
}

func (w *goldenWriter) Write(ctx context.Context, b *vec.Batch) error {
	w.settle()
	for i := range b.Len() {
		if d := w.sink.txn.golden.perRow; d > 0 {
			select {
			case <-time.After(d): // virtual
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		w.held = append(w.held, line{w.sink.table, strings.TrimSuffix(string(rowjson.AppendRow(nil, b, b.Row(i))), "\n")})
	}
	w.settle()
	return nil
}

// settle hands over what is kept unless a decision is awaited.
func (w *goldenWriter) settle() {
	t := w.sink.txn
	t.golden.mu.Lock()
	defer t.golden.mu.Unlock()
	if w.past > t.decided {
		return
	}
	t.golden.open = append(t.golden.open, w.held...)
	w.held = nil
}

func (w *goldenWriter) Barrier(ctx context.Context, e state.Epoch) error {
	for {
		decided := w.sink.txn.wait()
		if w.settle(); len(w.held) == 0 {
			w.past = e
			return nil
		}
		select { // another checkpoint is under way
		case <-decided:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *goldenWriter) Close() error { return nil }

// goldenTxn is the committer of one incarnation.
type goldenTxn struct {
	golden  *Golden
	decided state.Epoch
	next    chan struct{} // closed at the next decision
}

// wait returns what is closed at the next decision.
func (t *goldenTxn) wait() <-chan struct{} {
	t.golden.mu.Lock()
	defer t.golden.mu.Unlock()
	return t.next
}

func (t *goldenTxn) Name() string { return "golden" }

// Adopt implements exec.Committer; these jobs begin from nobody's checkpoint.
func (t *goldenTxn) Adopt(context.Context, state.Epoch, exec.Token) (exec.Recovery, error) {
	return exec.Recovery{Outcome: exec.OutcomeUnknown, Detail: "not kept"}, nil
}

func (t *goldenTxn) Recover(_ context.Context, e state.Epoch, token exec.Token) (exec.Recovery, error) {
	g := t.golden
	g.mu.Lock()
	defer g.mu.Unlock()
	r := exec.Recovery{}
	if token != nil {
		r.Outcome = exec.OutcomeCommitted
		g.commit(e)
	}
	g.open, g.prepared = nil, map[state.Epoch][]line{}
	r.Ledger = g.ledger
	return r, nil
}

func (t *goldenTxn) Begin(context.Context) error { return nil }

func (t *goldenTxn) Prepare(_ context.Context, e state.Epoch) (exec.Token, error) {
	g := t.golden
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.open) == 0 {
		return nil, nil
	}
	g.prepared[e] = g.open
	return exec.Token(strconv.Itoa(int(e))), nil
}

func (t *goldenTxn) Decided(e state.Epoch, ok bool) error {
	g := t.golden
	g.mu.Lock()
	defer g.mu.Unlock()
	if ok {
		g.open = nil
	} else {
		delete(g.prepared, e)
	}
	t.decided = e
	close(t.next)
	t.next = make(chan struct{})
	return nil
}

func (t *goldenTxn) Commit(_ context.Context, e state.Epoch, _ exec.Token) error {
	t.golden.mu.Lock()
	defer t.golden.mu.Unlock()
	t.golden.commit(e)
	return nil
}

func (t *goldenTxn) Close() error { return nil }

// commit makes a prepared transaction visible, once.
func (g *Golden) commit(e state.Epoch) {
	for _, l := range g.prepared[e] {
		g.committed[l.table] = append(g.committed[l.table], l.text)
	}
	if _, ok := g.prepared[e]; ok {
		g.ledger = e
	}
	delete(g.prepared, e)
}
