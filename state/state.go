// Package state owns the contracts of keyed state: what an operator sees (Store, Table),
// what a checkpoint sees (Sealed, File) and how keys fall into key groups. It imports
// nothing of ours. Implementations: state/badgerstate (the engine's), state/memstate (the
// reference that tests compare with). Checkpoint files are written and read by state/stf.
package state

import (
	"io"
	"time"
)

// Epoch numbers a checkpoint of a job. Epochs strictly increase over the whole life of a
// job, across failures and restarts, and are never reused.
type Epoch uint64

// KeyGroup is the unit in which keyed state is distributed over subtasks. The group of a
// key never changes; the number of groups is the job's max parallelism, frozen in its
// snapshots.
type KeyGroup uint16

// GroupOf returns the key group of a key's stable hash (xxh3 of the key's canonical bytes).
func GroupOf(hash uint64, maxParallelism int) KeyGroup {
	return KeyGroup((hash >> 32) % uint64(maxParallelism))
}

// Range is a half-open interval of key groups.
type Range struct{ Lo, Hi KeyGroup }

// Contains reports whether g lies in the range.
func (r Range) Contains(g KeyGroup) bool { return g >= r.Lo && g < r.Hi }

// Overlaps reports whether the two ranges share a key group.
func (r Range) Overlaps(o Range) bool { return r.Lo < o.Hi && o.Lo < r.Hi }

// RangeOf returns the key groups of a subtask: contiguous, together all groups, as even as
// possible, the same as Flink's assignment.
func RangeOf(subtask, parallelism, maxParallelism int) Range {
	lo := (subtask*maxParallelism + parallelism - 1) / parallelism
	hi := ((subtask+1)*maxParallelism + parallelism - 1) / parallelism
	return Range{KeyGroup(lo), KeyGroup(hi)}
}

// SubtaskOf returns the subtask whose Range contains g.
func SubtaskOf(g KeyGroup, parallelism, maxParallelism int) int {
	return int(g) * parallelism / maxParallelism
}

// Spec declares one table of an operator.
type Spec struct {
	UID    string        // the operator's UID
	Name   string        // the table's name inside the operator, for people: "groups"
	ID     uint8         // the table's number inside the operator, part of its keys on disk
	Prefix int           // the first Prefix bytes of keys may be scanned (Table.Scan); 0: never
	TTL    time.Duration // 0: for ever. Else a record may vanish that long after its last change
}

// Ref names a record of a table. It stays valid until the record is deleted, or until the
// table's next Trim (called by the runtime between batches, never during an operator's call).
// All Refs that one UpsertAll returns for a key are equal; Refs of different calls may differ
// though they name the same record, because an Edit or Set in between moved it.
type Ref uint32

// NoRef is no record.
const NoRef = ^Ref(0)

// Keys is a column of key bytes: key i is Data[Off[i]:Off[i+1]].
type Keys struct {
	Off  []int32
	Data []byte
}

// Len is the number of keys.
func (k Keys) Len() int { return len(k.Off) - 1 }

// At returns key i.
func (k Keys) At(i int) []byte { return k.Data[k.Off[i]:k.Off[i+1]] }

// Store is the keyed state of one subtask: of all stateful operators in its chain.
// It belongs to the task goroutine: no method may be called from another one, except
// where Sealed says so.
//
// Order of calls: Table once per declared table (from Operator.Open; the content is what
// was restored); then any table use; Seal at each barrier; Close.
type Store interface {
	Table(spec Spec) (Table, error)

	// Seal ends epoch e: everything changed since the last Seal is frozen as it is now. It
	// is the synchronous part of a checkpoint and takes well under 10 ms whatever the
	// amount (copy on write). Epochs passed in strictly increase.
	Seal(e Epoch) (Sealed, error)

	// Confirm tells that the manifest of epoch e is durable: what was kept for older epochs
	// may go.
	Confirm(e Epoch)

	// Trim lets the store evict clean records when it is over its memory budget. Refs die.
	Trim() error

	Close() error
}

// Sealed is the frozen change of one epoch. Its methods run on another goroutine than the
// task's, one at a time.
type Sealed interface {
	// Write writes the change, sorted, as one file (or none when nothing changed) and
	// returns its description when it is durable. It may be called again after an error.
	Write(dst Files) ([]File, error)
	// Merge adds the change to the next sealed epoch instead: the checkpoint was given up
	// before Write succeeded. (A written file of a failed checkpoint is simply listed by the
	// next manifest; then call Release.)
	Merge() error
	// Release ends the use; every Sealed is released exactly once, after Write or Merge.
	Release()
}

// Table is a keyed table: bytes to bytes, hash-addressed, with a working set in memory.
//
// Slices returned are views into the table: valid until the next call on the table that
// may insert, change or trim, and not to be written except where Edit says so. The engine's
// values begin at addresses divisible by 8.
//
// hash is the key's stable hash, which the group comes from. Implementations may use it or
// not: it is no part of what is stored.
type Table interface {
	// Find returns the record of a key, or NoRef.
	Find(g KeyGroup, hash uint64, key []byte) (Ref, error)

	// Upsert returns the record of a key and makes it, with an empty value, when there is
	// none. A record whose value is empty was just made.
	Upsert(g KeyGroup, hash uint64, key []byte) (Ref, error)

	// UpsertAll does Upsert for every key in order into refs (all have the same length);
	// it is the fast path: probes of a batch overlap their cache misses.
	UpsertAll(g []KeyGroup, hash []uint64, keys Keys, refs []Ref) error

	Key(r Ref) []byte
	Group(r Ref) KeyGroup

	// Get returns the value.
	Get(r Ref) []byte
	// Edit returns the value for writing in place; the record counts as changed. Calls of Edit
	// and Get, for this record or others, leave the slice valid: a batch may hold those of
	// many records at once.
	Edit(r Ref) []byte
	// Set replaces the value by a copy of val, of any length but 0.
	Set(r Ref, val []byte) error

	Delete(r Ref) error

	// Scan calls fn for every record whose key starts with prefix (exactly Spec.Prefix
	// bytes), in no order. fn may Edit, Set or Delete the record it is given, nothing else.
	Scan(prefix []byte, fn func(Ref) error) error
	// Prefixes calls fn for every distinct prefix that has records, in no order.
	Prefixes(fn func(prefix []byte) error) error
	// Each calls fn for every record, in no order, under the rules of Scan.
	Each(fn func(Ref) error) error

	// Len is the number of records.
	Len() int
}

// File describes one checkpoint file. The manifest lists it in this form.
type File struct {
	Name     string      `json:"name"`     // base name inside the checkpoint store
	Kind     string      `json:"kind"`     // "delta" or "full"
	KeyLo    uint16      `json:"keyLo"`    // key groups [KeyLo, KeyHi) it may hold
	KeyHi    uint16      `json:"keyHi"`    //
	MinEpoch Epoch       `json:"minEpoch"` // changes of the epochs MinEpoch..MaxEpoch; a full file
	MaxEpoch Epoch       `json:"maxEpoch"` // replaces all older ones of its key groups
	Size     int64       `json:"size"`
	CRC32C   uint32      `json:"crc32c"` // of the whole file
	Entries  int64       `json:"entries"`
	Tables   []FileTable `json:"tables,omitempty"`
}

// FileTable is what a file holds of one table.
type FileTable struct {
	UID     string `json:"uid"`
	Name    string `json:"name"`
	ID      uint8  `json:"id"`
	Entries int64  `json:"entries"` // puts and deletes
	Bytes   int64  `json:"bytes"`   // keys and values, uncompressed
}

// Files is where checkpoint files lie: a directory or an object store's prefix.
type Files interface {
	// Create starts a file that must not exist. Until Commit returned nil, no reader sees
	// it under its name.
	Create(name string) (FileWriter, error)
	// Open opens a file for reading.
	Open(name string) (FileReader, error)
	// Remove deletes a file; a missing one is no error.
	Remove(name string) error
}

// FileWriter writes one file front to back.
type FileWriter interface {
	io.Writer
	// Commit makes the content durable under its name (fsync of file and directory, or the
	// end of an upload).
	Commit() error
	// Abort drops what was written. After Commit it does nothing.
	Abort()
}

// FileReader reads a file at random.
type FileReader interface {
	io.ReaderAt
	io.Closer
	Size() int64
}
