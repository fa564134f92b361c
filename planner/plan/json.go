package plan

import (
	"bytes"
	"encoding/json"
	"maps"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/secret"
	"github.com/sqlstream/sqlstream/sql/types"
)

// The JSON form of a plan. Members are only ever added.
type jobJSON struct {
	Name           string     `json:"name,omitempty"`
	Parallelism    int        `json:"parallelism"`
	MaxParallelism int        `json:"maxParallelism"`
	SQL            string     `json:"sql,omitempty"`
	Logical        string     `json:"logicalPlan,omitempty"`
	Nodes          []nodeJSON `json:"nodes"`
}

type nodeJSON struct {
	ID          int          `json:"id"`
	UID         string       `json:"uid"`
	Kind        string       `json:"kind"`
	Description string       `json:"description"`
	Line        int          `json:"line,omitempty"`
	Column      int          `json:"column,omitempty"`
	Parallelism int          `json:"parallelism"`
	Inputs      []inputJSON  `json:"inputs,omitempty"`
	Columns     []columnJSON `json:"columns"`
	Changelog   string       `json:"changelog"`
	UpsertKeys  [][]string   `json:"upsertKeys,omitempty"`
	Table       *tableJSON   `json:"table,omitempty"`
	Watermark   *markJSON    `json:"watermark,omitempty"`
	MiniBatch   *batchJSON   `json:"miniBatch,omitempty"`
	State       []stateJSON  `json:"state,omitempty"`
	Fingerprint string       `json:"fingerprint,omitempty"`
}

type inputJSON struct {
	Node     int      `json:"node"`
	Exchange string   `json:"exchange"`
	Keys     []string `json:"keys,omitempty"`
}

type columnJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type tableJSON struct {
	Path       string            `json:"path"`
	Identity   string            `json:"identity"`
	Options    map[string]string `json:"options"`
	Reads      []string          `json:"reads,omitempty"`
	Accepts    string            `json:"accepts,omitempty"`
	PrimaryKey []string          `json:"primaryKey,omitempty"`
}

type markJSON struct {
	Column      string `json:"column"`
	Expression  string `json:"expression"`
	IdleTimeout string `json:"idleTimeout,omitempty"`
	MaxFuture   string `json:"maxFuture,omitempty"`
}

type batchJSON struct {
	Rows    int    `json:"rows"`
	Latency string `json:"latency"`
}

type stateJSON struct {
	ID     uint8      `json:"id"`
	Name   string     `json:"name"`
	Prefix int        `json:"prefix,omitempty"`
	Key    []keyJSON  `json:"key,omitempty"`
	TTL    string     `json:"ttl,omitempty"`
	Size   int        `json:"size"`
	Slots  []slotJSON `json:"slots,omitempty"`
}

type keyJSON struct {
	ID   string  `json:"id,omitempty"`
	Name string  `json:"name"`
	Type string  `json:"type"`
	Form KeyForm `json:"form"`
}

type slotJSON struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Expression string      `json:"expression"`
	Type       string      `json:"type"`
	Kind       SlotKind    `json:"kind"`
	Offset     int         `json:"offset"`
	Size       int         `json:"size"`
	Bit        int         `json:"bit,omitempty"`
	Fields     []fieldJSON `json:"fields,omitempty"`
}

type fieldJSON struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Variable bool   `json:"variable,omitempty"`
	KeyForm  bool   `json:"keyForm,omitempty"`
}

// ExplainJSON is Explain for programs.
func ExplainJSON(j *Job) ([]byte, error) {
	out := jobJSON{Name: j.Name, Parallelism: j.Parallelism, MaxParallelism: j.MaxParallel, SQL: j.SQL, Logical: j.Logical}
	for _, n := range j.Nodes {
		out.Nodes = append(out.Nodes, j.node(n))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // people read it: price > 1
	enc.SetIndent("", "  ")
	err := enc.Encode(out)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

func (j *Job) node(n *Node) nodeJSON {
	out := nodeJSON{ID: n.ID, UID: n.UID, Kind: n.Op.Kind(), Description: n.Name, Line: n.Line, Column: n.Col, Parallelism: n.Parallelism,
		Columns: columns(n.Schema), Changelog: n.Mode.String(), Fingerprint: n.Fingerprint}
	for _, in := range n.Inputs {
		out.Inputs = append(out.Inputs, inputJSON{in.Node, in.Exchange.String(), names(j.Nodes[in.Node].Schema, in.Keys)})
	}
	for _, k := range n.UpsertKeys {
		out.UpsertKeys = append(out.UpsertKeys, names(n.Schema, k))
	}
	switch op := n.Op.(type) {
	case *Source:
		out.Table = table(&op.Table)
		out.Table.Reads = op.Reads()
		if w := op.Watermark; w != nil {
			out.Watermark = &markJSON{Column: n.Schema[w.Column].Name, Expression: expr.Text(w.Expr, func(c *expr.Column) string { return n.Schema[c.Index].Name })}
			if w.MaxFuture > 0 {
				out.Watermark.MaxFuture = short(w.MaxFuture)
			}
			if w.IdleTimeout > 0 {
				out.Watermark.IdleTimeout = short(w.IdleTimeout)
			}
		}
	case *GroupAggregate:
		if m := op.MiniBatch; m.Rows > 0 {
			out.MiniBatch = &batchJSON{m.Rows, short(m.Latency)}
		}
	case *Sink:
		if !op.Collect {
			out.Table = table(&op.Table)
			out.Table.Accepts = op.Accepts.String()
		}
	}
	for i := range n.State {
		out.State = append(out.State, stateTable(&n.State[i]))
	}
	return out
}

func stateTable(t *StateTable) stateJSON {
	s := stateJSON{ID: t.ID, Name: t.Name, Prefix: t.Prefix, Size: t.Size}
	if t.TTL > 0 {
		s.TTL = short(t.TTL)
	}
	for _, k := range t.Key {
		s.Key = append(s.Key, keyJSON{k.ID, k.Name, k.Type.String(), k.Form})
	}
	for _, x := range t.Slots {
		slot := slotJSON{x.ID, x.Name, x.Text, x.Type.String(), x.Kind, x.Off, x.Size, x.Bit, nil}
		for _, f := range x.Fields {
			slot.Fields = append(slot.Fields, fieldJSON{f.Name, f.Type.String(), f.Off, f.Variable, f.Key})
		}
		s.Slots = append(s.Slots, slot)
	}
	return s
}

func columns(s types.Schema) []columnJSON {
	out := make([]columnJSON, len(s))
	for i, f := range s {
		out[i] = columnJSON{f.Name, f.Type.Summary()}
	}
	return out
}

func table(t *Table) *tableJSON {
	options := maps.Clone(t.Options)
	for k, v := range options {
		options[k] = secret.Value(k, v)
	}
	return &tableJSON{Path: t.Path, Identity: t.Identity, Options: options, PrimaryKey: t.Key}
}

// String returns the exchange's name in the JSON form of a plan.
func (e Exchange) String() string {
	return [...]string{Forward: "forward", Hash: "hash", Rebalance: "rebalance", Single: "single"}[e]
}
