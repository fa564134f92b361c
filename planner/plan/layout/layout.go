// Package layout owns how aggregates lie in keyed state, to the byte: which tables a GROUP BY
// keeps, how their keys begin, and what a record packs. It is a pure function of the plan:
// the planner declares the state with it, exec/agg lays out its records with it, and so a
// manifest says what the files hold. Both import it; it imports sql/expr and sql/types only.
//
// The layout is part of every checkpoint. A change needs a migration of state.
//
// # Tables
//
// Table 0 has one record per group (of a window, or of a pane of one). From 1 on follow the
// tables of values, one for each column with DISTINCT aggregates or, where rows are taken
// away, MIN or MAX, in order of first use. Operators over windows also keep Progress.
//
// Numbers are little endian. All slots are present in every record; a slot of zero bytes is
// the state before the first value.
package layout

import (
	"fmt"
	"slices"

	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// The tables beside those of values. The number of Progress does not depend on the query's
// aggregates.
const (
	Groups   = 0
	Progress = 255
)

// The names of those tables.
const (
	GroupsName   = "groups"
	ProgressName = "progress"
)

// None stands for an aggregate without filter, argument or table of values, and for a
// counter that is not kept.
const None = -1

// maxRecord keeps offsets within the slots' 32 bits with room to spare, and a plan with
// thousands of aggregates from being accepted. maxFilters is what a mask of 64 bits holds,
// maxTables what fits between Groups and Progress.
const (
	maxRecord  = 1 << 20
	maxFilters = 64
	maxTables  = Progress - Groups - 1
)

// Options are what the aggregates of an operator have in common.
type Options struct {
	Retract bool // the input has rows that are taken away
	Window  bool // the groups are those of windows
}

// Layout describes the records of table 0 and the tables of values.
type Layout struct {
	Stride int // bytes of a record's fixed part; variable-length fields follow it
	// Rows is set when the record starts with the group's row count (8 bytes): the input can
	// take rows away, or there are no aggregates.
	Rows  bool
	Slots []Slot // of the aggregates, in their order
	// Entries are the offsets of the 8-byte counters of a group's entries in each table of
	// values, None where nothing is ever taken away or windows end as a whole.
	Entries []int
	Tables  []Table
	Filters []int // for each different FILTER, the first aggregate that has it
}

// Slot is the state of one aggregate in a record.
type Slot struct {
	Off, Size int
	Fields    []Field
	Arg       int // column of the input
	Filter    int // of Layout.Filters
	Values    int // of Layout.Tables: the aggregate sees different values only, or finds them there
	Use       int // its counter or bit in that table
	Extreme   bool
	InOrder   bool // the order of rows matters
}

// Field is one value inside a slot. Off counts from the slot's start. A Variable field is a
// pair of uint32, offset from the record's start and length, of bytes behind the fixed part:
// the value itself (strings, binary), or, with Key, its key form (see package rowkey).
type Field struct {
	Name     string
	Type     types.Type
	Off      int
	Variable bool
	Key      bool
}

// Table has an entry for every value of one column in each group.
//
// A key is eight bytes, the group's key, and the key form of one value of column Arg. For
// groups that live for ever the eight bytes are the hash of the group's key, so that one
// group's entries can be scanned, and they are left out where nothing is ever taken away
// (Prefix is 0). For windows they are the window's end, with which the record's key starts
// anyway.
type Table struct {
	Name   string // for people: "values of price"
	Arg    int    // column of the input
	Type   types.Type
	Prefix int // of state.Spec
	// Counts is how many 8-byte counters an entry holds, one per different filter; 0: it holds
	// Bits bits instead, packed in bytes. Aggs[i] is the number of an aggregate that uses the
	// table, and Used[i] its counter or bit.
	Counts, Bits int
	Aggs, Used   []int
	Filters      []int // of Layout.Filters, or None, by counter or bit
}

// Size is the length of an entry in bytes.
func (t *Table) Size() int {
	if t.Counts > 0 {
		return 8 * t.Counts
	}
	return (t.Bits + 7) / 8
}

// Error says which aggregate cannot be laid out.
type Error struct {
	Agg int
	Err error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Of lays out aggregates whose arguments are columns.
func Of(aggs []expr.Aggregate, opt Options) (*Layout, error) {
	l := &Layout{}
	if l.Rows = opt.Retract || len(aggs) == 0; l.Rows {
		l.Stride = 8
	}
	filters := map[string]int{}
	for i := range aggs {
		a := &aggs[i]
		s, err := slotOf(a, opt.Retract)
		if err == nil {
			s.Filter = l.filter(filters, i, a)
			if s.Extreme || a.Distinct && distinctMatters(a.Name) {
				err = l.values(i, a, &s, opt)
			}
		}
		if err != nil {
			return nil, &Error{i, fmt.Errorf("%s: %w", a.Name, err)}
		}
		s.Off = l.Stride
		l.Stride += s.Size
		l.Slots = append(l.Slots, s)
	}
	// A counter per table whose entries may outlive their group's rows: the end of a group
	// then costs a scan only when there is something to find.
	for range l.Tables {
		if opt.Retract && !opt.Window {
			l.Entries = append(l.Entries, l.Stride)
			l.Stride += 8
		} else {
			l.Entries = append(l.Entries, None)
		}
	}
	if l.Stride > maxRecord {
		return nil, &Error{0, fmt.Errorf("the aggregates of one GROUP BY need %d bytes a group, the limit is %d; split the query", l.Stride, maxRecord)}
	}
	return l, nil
}

// filter numbers the different filters.
func (l *Layout) filter(seen map[string]int, i int, a *expr.Aggregate) int {
	if a.Filter == nil {
		return None
	}
	text := expr.Canonical(a.Filter, func(c *expr.Column) string { return fmt.Sprint("$", c.Index) })
	id, ok := seen[text]
	if !ok {
		id = len(l.Filters)
		seen[text] = id
		l.Filters = append(l.Filters, i)
	}
	return id
}

// values attaches aggregate i to the table of its argument's values.
func (l *Layout) values(i int, a *expr.Aggregate, s *Slot, opt Options) error {
	if s.Arg == None {
		return fmt.Errorf("DISTINCT without an argument")
	}
	s.Values = slices.IndexFunc(l.Tables, func(t Table) bool { return t.Arg == s.Arg })
	if s.Values < 0 {
		if len(l.Tables) == maxTables {
			return fmt.Errorf("more than %d columns whose different values have to be kept; split the query", maxTables)
		}
		arg := a.Args[0].(*expr.Column)
		t := Table{Name: "values of " + arg.Name, Arg: s.Arg, Type: arg.Typ}
		if opt.Retract || opt.Window { // otherwise nothing ever scans them
			t.Prefix = 8
		}
		s.Values = len(l.Tables)
		l.Tables = append(l.Tables, t)
	}
	t := &l.Tables[s.Values]
	if s.Use = slices.Index(t.Filters, s.Filter); s.Use < 0 {
		if len(t.Filters) == maxFilters {
			return fmt.Errorf("more than %d different FILTERs on aggregates of the values of one column; split the query", maxFilters)
		}
		s.Use = len(t.Filters)
		t.Filters = append(t.Filters, s.Filter)
	}
	t.Aggs, t.Used = append(t.Aggs, i), append(t.Used, s.Use)
	if opt.Retract {
		t.Counts = len(t.Filters)
	} else {
		t.Bits = len(t.Filters)
	}
	return nil
}

// Mergeable reports whether records of different rows of a group can be merged: no aggregate
// keeps entries in a table of its own or depends on the order of rows. HOP then keeps panes.
func (l *Layout) Mergeable() bool {
	return len(l.Tables) == 0 && !slices.ContainsFunc(l.Slots, func(s Slot) bool { return s.InOrder })
}
