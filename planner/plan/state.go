package plan

import (
	"time"

	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/sql/types"
)

// StateTable is one table of keyed state: all that is needed to read what an operator
// stored. Operators open exactly the tables that their nodes declare; exec/build sees to it.
type StateTable struct {
	ID     uint8 // unique in the node, part of the keys on disk
	Name   string
	Prefix int       // how many of a key's first bytes entries are found together by; 0: none
	Key    []KeyPart // what a key is made of, in order
	Size   int       // bytes of a value's fixed part; values of variable length follow it
	Slots  []Slot    // what the fixed part packs, in order
	TTL    time.Duration
}

// KeyPart is a piece of a key.
type KeyPart struct {
	ID   string // columns: 12 characters, hash of Text
	Name string
	Text string     // columns: the origin
	Type types.Type // of a column, a ROW with all fields
	Form KeyForm
}

// KeyForm is how a key part is written.
type KeyForm string

// The key forms. All but the first have a fixed length.
const (
	KeyColumn  KeyForm = "column"  // the key form of a column (see package exec/rowkey), NULL included
	KeyOrdered KeyForm = "ordered" // 8 bytes, big endian, sign bit flipped
	KeyHash    KeyForm = "hash"    // 8 bytes, big endian: the hash of the columns that follow, without the last
	KeyGroup   KeyForm = "group"   // 2 bytes, big endian: the number of the key group
)

// What the keys of a WindowAggregate's records begin with: the end of their window or, where
// windows overlap and records can be merged, of their pane, a piece of one slide.
const (
	WindowEndPart = "window_end"
	PaneEndPart   = "pane_end"
)

// Slot is one piece of state: one aggregate, one counter.
type Slot struct {
	ID   string // 12 characters, hash of Text; two slots with one ID hold the same
	Name string // as the query names it
	Text string // canonical expression
	Type types.Type
	Kind SlotKind
	// Off is where the slot begins in the value and Size how many bytes it has. A slot of kind
	// SlotSeen is bit number Bit (from the lowest) of the byte at Off.
	Off, Size, Bit int
	Fields         []layout.Field // of an aggregate; little endian
}

// SlotKind is what a slot is for.
type SlotKind string

// The kinds of slots. All but aggregates and seen are 8 bytes.
const (
	SlotAggregate SlotKind = "aggregate"
	SlotRows      SlotKind = "rows"    // how many rows the group has
	SlotEntries   SlotKind = "entries" // how many entries the group has in a table of values
	SlotCount     SlotKind = "count"   // how often a value occurs in rows that pass a filter
	SlotSeen      SlotKind = "seen"    // whether a value occurred in a row that passes a filter
	SlotTime      SlotKind = "time"    // milliseconds
)
