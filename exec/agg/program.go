package agg

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// Predicate selects rows: the compiled FILTER of an aggregate.
type Predicate interface {
	// Select returns those of the given physical rows (ascending) for which the condition is
	// TRUE. The result may share memory with the predicate until its next call.
	Select(b *vec.Batch, rows []int32) ([]int32, error)
}

// Options are what the aggregates of an operator have in common.
type Options struct {
	// Retract: the input has rows that are taken away.
	Retract bool
	// Window: the groups are those of windows. Their keys start with the window's end in
	// eight bytes, results are read once, with Fold before, and then everything is deleted.
	Window bool
	// KeyTypes are the types of the key columns.
	KeyTypes []types.Type
	// Filters are the compiled filters, one per aggregate, nil where it has none. Nil: no
	// aggregate has one.
	Filters []Predicate
	// Names are those of the tables, of the records and then of values; nil: GroupsName and
	// the layout's.
	Names []string
}

// column is one aggregate at work.
type column struct {
	kernel   kernel
	variable varKernel // the kernel, when it is one
	values   bool      // its slot is kept by a values table
	slot     *layout.Slot
	arg      int
	source   source
	typ      types.Type
	snap     []byte // slots taken for results
	heap     []byte // what they point to
}

// room makes space for n slots.
func (c *column) room(n int) {
	c.heap = c.heap[:0]
	c.snap = grow(c.snap, n*c.slot.Size)
}

// source says which rows an aggregate sees.
type source struct {
	filter int
	values int // index of the table that leaves only different values, -1: all rows
	bit    int
}

// Program is the aggregates of one operator, compiled. It belongs to one task goroutine.
//
// The order of calls: Filter once for a batch; then, for each run of updates of its rows,
// Begin (finds the records), Acts or CountRows, Update, and Results where wanted.
type Program struct {
	opt     Options
	layout  *layout.Layout
	columns []*column
	uniq    []Predicate // the different filters
	vals    []*values
	records records
	zero    []byte
	name    string     // of the records' table, for errors
	always  bool       // every update changes a result
	movers  bool       // some slots are of variable length
	pass    [][]uint64 // the rows of the batch that pass each filter, a bit each
	signs   [][]int8   // the signs of a run behind each filter
	argBuf  []int8
	sign    []int8
	allAdd  bool
}

// Layout describes the records and the tables of values.
func (p *Program) Layout() *layout.Layout { return p.layout }

// Open opens the tables of the layout: the records, then those of values.
func (p *Program) Open(store state.Store, uid string, ttl time.Duration) error {
	prefix := 0
	if p.opt.Window {
		prefix = 8
	}
	var err error
	p.records.table, err = store.Table(state.Spec{UID: uid, Name: p.name, ID: layout.Groups, Prefix: prefix, TTL: ttl})
	if err != nil {
		return err
	}
	for i, v := range p.vals {
		spec := state.Spec{UID: uid, Name: v.Name, ID: uint8(i + 1), Prefix: v.Prefix, TTL: ttl}
		if v.table, err = store.Table(spec); err != nil {
			return err
		}
	}
	return nil
}

// Records is the table of the records.
func (p *Program) Records() state.Table { return p.records.table }

// Updates is a run of changes to records. Update i takes row Rows[i] of the batch and
// changes the record of key i. Fill it, then call Begin.
type Updates struct {
	Rows   []int32 // physical rows, ascending
	Kinds  []vec.Kind
	Keys   state.Keys
	Hash   []uint64
	Groups []state.KeyGroup

	Refs []state.Ref
	// Fresh marks the updates that made their record; nil: none did.
	Fresh []bool
	// Act says what becomes of the group, nil: all are ActUpdate.
	Act []Act

	rec   []unsafe.Pointer
	fresh []bool
	acts  []Act
}

// Act is what an update does to its group.
type Act uint8

// The acts. First and Delete begin and end a group; a skipped row changes nothing.
const (
	ActUpdate Act = iota
	ActFirst
	ActDelete
	ActSkip
)

func (u *Updates) act(i int) Act {
	if u.Act == nil {
		return ActUpdate
	}
	return u.Act[i]
}

func checkRecord(n, stride int, name string) error {
	if n < stride {
		return fmt.Errorf("state table %q: a record has %d bytes, at least %d expected; the state belongs to another query or is damaged", name, n, stride)
	}
	return nil
}
