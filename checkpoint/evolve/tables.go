package evolve

import (
	"errors"
	"fmt"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/sql/types"
)

// table says what one table of the plan is made of.
type table struct {
	uid string
	checkpoint.Table
	from    *held // nil: starts empty
	moves   []move
	bits    []bitMove
	derived []derivation
	// prune: entries that nothing counts any more go.
	prune bool
}

// held is a table of the snapshot.
type held struct {
	uid string
	checkpoint.Table
}

// move fills bytes of a value's fixed part.
type move struct {
	to, from, size int
	// widens: the value changes its type. Else bytes are copied.
	widens        bool
	was, is       types.Type
	variable, key bool // see checkpoint.Field
	one           bool // the number 1, from nowhere
}

// bitMove fills a bit of an entry.
type bitMove struct{ to, from checkpoint.Slot }

// derivation fills a slot from the entries of a table of values.
type derivation struct {
	to     checkpoint.Slot
	values *held
	// uses are the counters or bits that say which entries there are: those of the aggregate, or, of a
	// counter of entries, all that stay.
	uses []checkpoint.Slot
	fn   string // COUNT, SUM, AVG, MIN, MAX; "" counts entries
	is   types.Type
	zero bool // a sum of floats starts with 0.0, not with the first value
}

// same reports whether the table's entries stay as they are, where they are.
func (t *table) same() bool {
	if t.from == nil || t.beginsTTL() || t.uid != t.from.uid || t.ID != t.from.ID || t.Size != t.from.Size || len(t.derived) > 0 || t.prune || t.widensKey() {
		return false
	}
	filled := map[int]bool{}
	for _, m := range t.moves {
		if m.to != m.from || m.widens || m.one {
			return false
		}
		filled[m.to] = true
	}
	bit := func(s checkpoint.Slot) int { return -1 - 8*s.Offset - s.Bit }
	for _, b := range t.bits {
		if bit(b.to) != bit(b.from) {
			return false
		}
		filled[bit(b.to)] = true
	}
	for _, s := range t.Slots {
		if s.Kind == slotSeen && !filled[bit(s)] || s.Kind != slotSeen && len(s.Fields) == 0 && !filled[s.Offset] {
			return false
		}
		for _, f := range s.Fields {
			if !filled[s.Offset+f.Offset] {
				return false
			}
		}
	}
	return true
}

// beginsTTL reports whether entries that were kept for ever have a time to live now. It counts from the snapshot.
func (t *table) beginsTTL() bool { return t.TTL > 0 && t.from.TTL == 0 }

// check tells what points outside of values: the manifest is not what an engine wrote.
func (t *table) check() error {
	within := func(off, size, of int) bool { return off >= 0 && size >= 0 && off <= of-size }
	ok := true
	for _, m := range t.moves {
		is := m.size
		if m.widens && !m.variable {
			is = width(m.is)
		}
		ok = ok && within(m.to, is, t.Size) && (m.one || within(m.from, m.size, t.from.Size))
	}
	for _, b := range t.bits {
		ok = ok && within(b.to.Offset, 1, t.Size) && within(b.from.Offset, 1, t.from.Size)
	}
	for _, d := range t.derived {
		ok = ok && within(d.to.Offset, max(d.to.Size, 8), t.Size) && (d.to.Size == 8 || d.to.Size >= 16)
		for _, u := range d.uses {
			size := 8
			if u.Kind == slotSeen {
				size = 1
			}
			ok = ok && within(u.Offset, size, d.values.Size)
		}
	}
	if !ok {
		return errors.New("the manifest has slots that do not lie in its records: it is damaged")
	}
	return nil
}

// widensKey reports whether the bytes of keys change.
func (t *table) widensKey() bool {
	for i := range t.Key {
		if keyChanges(t.from.Key[i], t.Key[i]) {
			return true
		}
	}
	return false
}

// movesGroups reports whether keys change so that they fall into other key groups: the columns of
// GROUP BY do; the value at the end of a table of values has no say.
func (t *table) movesGroups() bool {
	columns := len(t.Key)
	if t.ID != groupsTable {
		columns--
	}
	for i := range columns {
		if keyChanges(t.from.Key[i], t.Key[i]) {
			return true
		}
	}
	return false
}

func keyChanges(was, is checkpoint.KeyPart) bool {
	if was.Form != formColumn || was.Type == is.Type {
		return false
	}
	a, b, err := twoTypes(was.Type, is.Type)
	return err != nil || !sameKeyBytes(a, b)
}

// sameKeyBytes reports whether a value has one key form in both types.
func sameKeyBytes(a, b types.Type) bool {
	return fits(a, b) == fitSame || a.Kind == types.Decimal && b.Kind == types.Decimal && a.Scale == b.Scale && keyWidth(a) == keyWidth(b)
}

func twoTypes(a, b string) (x, y types.Type, err error) {
	if x, err = types.Parse(a); err == nil {
		y, err = types.Parse(b)
	}
	return x, y, err
}

// fitsText is fits for types as manifests write them.
func fitsText(was, is string) fit {
	if was == is {
		return fitSame
	}
	a, b, err := twoTypes(was, is)
	if err != nil {
		return fitNot
	}
	return fits(a, b)
}

// slotMoves says how an aggregate's slot becomes one of the plan. It fails when it does not.
func slotMoves(was, is *checkpoint.Slot) (moves []move, widened bool, err error) {
	if len(was.Fields) != len(is.Fields) {
		return nil, false, errKept
	}
	for i := range is.Fields {
		m, wide, err := fieldMove(was, is, &was.Fields[i], &is.Fields[i])
		if err != nil {
			return nil, false, err
		}
		widened = widened || wide
		moves = append(moves, m)
	}
	if was.Type != is.Type {
		a, b, err := twoTypes(was.Type, is.Type)
		if err != nil {
			return nil, false, err
		}
		// A sum of decimals has 38 digits whatever its scale.
		sums := a.Kind == types.Decimal && b.Kind == types.Decimal && a.Precision == 38 && b.Precision == 38 && a.Scale <= b.Scale
		switch {
		case fits(a, b) == fitNot && !sums:
			return nil, false, errType(was.Type, is.Type)
		case !sameShape(a.Nullable(), b.Nullable()):
			widened = true
		}
	}
	return moves, widened, nil
}

var errKept = fmt.Errorf("it is kept in another way, because its input now has rows that are taken away, or has none any more")

func errType(was, is string) error { return fmt.Errorf("a value of type %s may not fit %s", was, is) }

func fieldMove(was, is *checkpoint.Slot, a, b *checkpoint.Field) (m move, widened bool, err error) {
	if a.Name != b.Name || a.Variable != b.Variable || a.KeyForm != b.KeyForm {
		return m, false, errKept
	}
	m = move{to: is.Offset + b.Offset, from: was.Offset + a.Offset, variable: b.Variable, key: b.KeyForm}
	if m.was, m.is, err = twoTypes(a.Type, b.Type); err != nil {
		return m, false, err
	}
	f := fits(m.was, m.is)
	if sum := m.was.Kind == types.Decimal && m.is.Kind == types.Decimal && m.was.Precision == 38 && m.is.Precision == 38; sum && m.was.Scale < m.is.Scale {
		f = fitWiden
	}
	switch {
	case f == fitNot:
		return m, false, errType(a.Type, b.Type)
	case b.Variable:
		m.size = 8
		m.widens = b.KeyForm && !sameKeyBytes(m.was, m.is)
	default:
		m.size = width(m.was)
		m.widens = f == fitWiden
	}
	return m, !sameShape(m.was.Nullable(), m.is.Nullable()), nil
}

// whole moves the fields of a slot that another one holds as well, by name.
func whole(was, is *checkpoint.Slot) []move {
	var out []move
	for i := range is.Fields {
		for j := range was.Fields {
			if was.Fields[j].Name != is.Fields[i].Name {
				continue
			}
			if m, wide, err := fieldMove(was, is, &was.Fields[j], &is.Fields[i]); err == nil && !wide {
				out = append(out, m)
			}
		}
	}
	if len(out) < len(is.Fields) {
		return nil
	}
	return out
}

// word moves a counter.
func word(was, is *checkpoint.Slot) move { return move{to: is.Offset, from: was.Offset, size: 8} }
