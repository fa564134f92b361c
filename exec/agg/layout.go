package agg

import (
	"fmt"

	"github.com/sqlstream/sqlstream/sql/types"
)

// Layout describes a record's value: a fixed part of Stride bytes, then the bytes of
// variable-length fields. It is data, so that a restore can map old slots to new ones by
// position in the plan's slots, and an export can name its columns.
//
// Numbers are little endian. All slots are present in every record; a slot of zero bytes is
// the state before the first value.
type Layout struct {
	Stride int
	// Rows is set when the record starts with the group's row count (8 bytes): the input can
	// take rows away, or there are no aggregates.
	Rows bool
	// Slots are the aggregates' slots, in the order of the plan's aggregates.
	Slots []Slot
	// Entries are the offsets of the counters of auxiliary entries that a group owns, per
	// auxiliary table (see Table), -1 where none is kept.
	Entries []int
}

// Slot is the state of one aggregate in a record.
type Slot struct {
	Off, Size int
	Fields    []Field
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

// maxRecord keeps offsets within the slots' 32 bits with room to spare, and a plan with
// thousands of aggregates from being accepted.
const maxRecord = 1 << 20

func (l *Layout) add(size int, fields []Field) Slot {
	s := Slot{Off: l.Stride, Size: size, Fields: fields}
	l.Stride += size
	return s
}

func (l *Layout) check() error {
	if l.Stride > maxRecord {
		return fmt.Errorf("the aggregates of one GROUP BY need %d bytes a group, the limit is %d; split the query", l.Stride, maxRecord)
	}
	return nil
}
