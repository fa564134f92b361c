package checkpoint

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sqlstream/sqlstream/state"
)

// The kinds of manifests.
const (
	Checkpoint = "checkpoint" // the engine's: deleted by rule
	Savepoint  = "savepoint"  // the user's: never deleted by the engine
)

// Manifest says everything about a checkpoint. Once it is durable the checkpoint is decided.
type Manifest struct {
	Format      int         `json:"format"`
	Engine      string      `json:"engine"` // version of the program that wrote it
	JobID       string      `json:"jobId"`
	JobName     string      `json:"jobName"`
	Incarnation uint64      `json:"incarnation"`
	Epoch       state.Epoch `json:"epoch"`
	Previous    state.Epoch `json:"previous,omitempty"` // the checkpoint before it, 0: none
	Kind        string      `json:"kind"`
	Created     time.Time   `json:"created"`

	// Layout is how the content of a savepoint is written: Canonical or Native. "" in checkpoints.
	Layout string `json:"layout,omitempty"`
	// Drained: the inputs were ended first (stop --drain), so windows that were open have fired.
	Drained bool `json:"drained,omitempty"`
	// Begun is the snapshot that the job began from, nil when it began from nothing.
	Begun *Begun `json:"begun,omitempty"`

	MaxParallelism int               `json:"maxParallelism"`
	Plan           string            `json:"plan"`              // fingerprint of the whole plan
	SQLHash        string            `json:"sqlHash"`           // of the statements' text
	SQL            string            `json:"sql,omitempty"`     // the statements, secrets masked
	Options        map[string]string `json:"options,omitempty"` // the session options in force

	Operators    []Operator    `json:"operators"`
	Sources      []Source      `json:"sources"`
	Transactions []Transaction `json:"transactions,omitempty"`
	Files        []state.File  `json:"files"`
	Rows         []RowFile     `json:"rowFiles,omitempty"` // of a canonical savepoint, instead of Files
	Channels     []Channel     `json:"channels,omitempty"` // rows in flight, of an unaligned checkpoint
	// Dataflow is the fingerprint of all that rows in flight depend on; "" when there are none.
	Dataflow string `json:"dataflow,omitempty"`
}

// The layouts of savepoints.
const (
	Canonical = "canonical" // Arrow IPC files with named, typed columns, one per table of state
	Native    = "native"    // the state files of checkpoints
)

// Begun names the snapshot that a job began from.
type Begun struct {
	Path  string      `json:"path"`
	JobID string      `json:"jobId"`
	Epoch state.Epoch `json:"epoch"`
	Kind  string      `json:"kind"`
	// Claimed: the job owns the snapshot, and deletes it once it has a checkpoint of its own.
	Claimed bool `json:"claimed,omitempty"`
}

// RowFile is a file of a canonical savepoint: all entries of one table of state, in the order of
// key group, then key.
type RowFile struct {
	Name   string `json:"name"` // base name
	UID    string `json:"uid"`
	Table  uint8  `json:"table"`
	Size   int64  `json:"size"`
	CRC32C uint32 `json:"crc32c"` // of the whole file
	Rows   int64  `json:"rows"`
}

// Operator is a node of the plan as the checkpoint's state belongs to it.
type Operator struct {
	UID         string  `json:"uid"`
	Name        string  `json:"name"`
	Kind        string  `json:"kind"`
	Parallelism int     `json:"parallelism"`
	Fingerprint string  `json:"fingerprint,omitempty"`
	Tables      []Table `json:"tables,omitempty"`
	// What the UID was made of, for people and for the comparison of two plans.
	Window string   `json:"window,omitempty"` // of an aggregate over windows
	Inputs []string `json:"inputs,omitempty"` // what it descends from, sorted
	Sink   string   `json:"sink,omitempty"`   // the sink it feeds first
	// Conditions is what the fingerprint is the hash of.
	Conditions string `json:"conditions,omitempty"`
	// Retract: its input has rows that are taken away.
	Retract bool   `json:"retract,omitempty"`
	Line    int    `json:"line,omitempty"` // where in the SQL it comes from
	Column  int    `json:"column,omitempty"`
	SQL     string `json:"sql,omitempty"` // that line, secrets masked
}

// Table is the schema of one table of keyed state: all that is needed to read its entries
// (see package planner/plan for what the parts mean).
type Table struct {
	ID     uint8     `json:"id"`
	Name   string    `json:"name"`
	Prefix int       `json:"prefix,omitempty"` // first bytes of a key that entries are found together by
	Key    []KeyPart `json:"key,omitempty"`    // what a key is made of, in order
	Size   int       `json:"size"`             // bytes of a value's fixed part
	Slots  []Slot    `json:"slots,omitempty"`  // what the fixed part packs, in order
	TTL    int64     `json:"ttl,omitempty"`    // ms, 0: for ever; it may change from run to run
}

// KeyPart is a piece of a key.
type KeyPart struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
	Type string `json:"type"`
	Form string `json:"form"`           // column, ordered, hash, group
	Text string `json:"text,omitempty"` // of a column: its origin
}

// Slot is one piece of state: one aggregate, one counter.
type Slot struct {
	ID     string  `json:"id,omitempty"`
	Name   string  `json:"name"`
	Type   string  `json:"type"`
	Kind   string  `json:"kind"` // aggregate, rows, entries, count, seen, time
	Offset int     `json:"offset"`
	Size   int     `json:"size"`
	Bit    int     `json:"bit,omitempty"` // seen: of the byte at Offset
	Fields []Field `json:"fields,omitempty"`
	Text   string  `json:"text,omitempty"` // canonical expression
	// Since is the snapshot after which the slot began, empty, in groups that existed; 0: it
	// was there from the beginning.
	Since state.Epoch `json:"validSince,omitempty"`
}

// Title is the slot's name and type for people, and since when it counts where that is not from the beginning.
func (s *Slot) Title() string {
	if s.Since != 0 {
		return fmt.Sprintf("%s %s (valid since checkpoint %d)", s.Name, s.Type, s.Since)
	}
	return s.Name + " " + s.Type
}

// Field is one value inside a slot; Offset counts from the slot's start. A variable one is an
// offset and a length, of bytes behind the fixed part.
type Field struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Offset   int    `json:"offset"`
	Variable bool   `json:"variable,omitempty"`
	KeyForm  bool   `json:"keyForm,omitempty"`
}

// Source is how far a source was read.
type Source struct {
	UID    string  `json:"uid"`
	Name   string  `json:"name"`
	Splits []Split `json:"splits"`
}

// Split is how far one split was read; the position is the connector's own.
type Split struct {
	ID        string          `json:"id"`
	Position  json.RawMessage `json:"position"`
	Watermark *int64          `json:"watermark,omitempty"` // nil: none yet
}

// Transaction is what a participant of the two-phase commit needs to finish its part; the
// token is its own.
type Transaction struct {
	Name  string          `json:"name"`
	Token json.RawMessage `json:"token"`
}

// Token returns the token of a participant, nil when it has none.
func (m *Manifest) Token(name string) []byte {
	for _, t := range m.Transactions {
		if t.Name == name {
			return t.Token
		}
	}
	return nil
}

// Operator returns the operator with a UID, nil when there is none.
func (m *Manifest) Operator(uid string) *Operator {
	for i := range m.Operators {
		if m.Operators[i].UID == uid {
			return &m.Operators[i]
		}
	}
	return nil
}

// Source returns the source with a UID, nil when there is none.
func (m *Manifest) Source(uid string) *Source {
	for i := range m.Sources {
		if m.Sources[i].UID == uid {
			return &m.Sources[i]
		}
	}
	return nil
}

// Bytes is the size of the state files.
func (m *Manifest) Bytes() int64 {
	var n int64
	for _, f := range m.Files {
		n += f.Size
	}
	for _, f := range m.Rows {
		n += f.Size
	}
	return n
}
