package evolve

import (
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// slots compares what an operator keeps with what the plan declares for it, slot by slot.
type slots struct {
	*pair
	c      *comparison
	groups *table
	values []*table // those of the plan
	was    []*held  // and what they are made of, nil: nothing
	used   map[*checkpoint.Slot]bool
	rows   []Row
}

// uids are the names that an operator goes by: the snapshot's, and the plan's unless that is the
// snapshot's name of another one.
func (c *comparison) uids(p *pair) []string {
	if c.old.Operator(p.now.UID) == nil {
		return []string{p.old.UID, p.now.UID}
	}
	return []string{p.old.UID}
}

func tableOf(o *checkpoint.Operator, id uint8) *checkpoint.Table {
	for i := range o.Tables {
		if o.Tables[i].ID == id {
			return &o.Tables[i]
		}
	}
	return nil
}

// compareSlots returns the tables of the operator and a row for each slot; reason is why no slot can be kept at all.
func (c *comparison) compareSlots(p *pair) (tables []*table, s *slots, reason string) {
	s = &slots{c: c, pair: p, used: map[*checkpoint.Slot]bool{}}
	was, is := tableOf(p.old, groupsTable), tableOf(p.now, groupsTable)
	if was == nil || is == nil || was.Prefix != is.Prefix || len(was.Key) != len(is.Key) {
		return nil, s, "its records are kept in another way"
	}
	if reason := s.keyReason(was, is); reason != "" {
		return nil, s, reason
	}
	s.groups = &table{uid: p.now.UID, Table: *is, from: &held{p.old.UID, *was}}
	s.groups.Slots = append([]checkpoint.Slot{}, is.Slots...)
	tables = append(tables, s.groups)
	for i := range p.now.Tables {
		t := &p.now.Tables[i]
		switch t.ID {
		case groupsTable:
		case progressTable:
			x := &table{uid: p.now.UID, Table: *t, moves: []move{{size: t.Size}}}
			if old := tableOf(p.old, t.ID); old != nil {
				x.from = &held{p.old.UID, *old}
			}
			tables = append(tables, x)
		default:
			x := &table{uid: p.now.UID, Table: *t, from: s.valuesOf(t)}
			s.values, s.was = append(s.values, x), append(s.was, x.from)
			tables = append(tables, x)
		}
	}
	for i := range s.groups.Slots {
		if slot := &s.groups.Slots[i]; slot.Kind == slotAggregate || slot.Kind == slotRows {
			if reason := s.slot(slot); reason != "" {
				return nil, s, reason
			}
		}
	}
	s.leftOver()
	for _, v := range s.values {
		s.entries(v)
	}
	return tables, s, ""
}

// keyReason says why records cannot be found under the plan's keys.
func (s *slots) keyReason(was, is *checkpoint.Table) string {
	for i := range is.Key {
		a, b := was.Key[i], is.Key[i]
		switch {
		case b.Form != formColumn && a.Name != b.Name:
			return fmt.Sprintf("its records were those of each %s, now they are those of each %s: an aggregate that depends on the order of rows or on different values makes the difference",
				strings.TrimSuffix(a.Name, "_end"), strings.TrimSuffix(b.Name, "_end"))
		case b.Form == formColumn && fitsText(a.Type, b.Type) == fitNot:
			return fmt.Sprintf("GROUP BY column %s: %s", b.Name, errType(a.Type, b.Type))
		}
	}
	return ""
}

// text is a slot's canonical text in the terms of both sides.
func (s *slots) text(x *checkpoint.Slot, old bool) string {
	switch {
	case x.Text == "":
		return "id " + x.ID
	case old:
		return s.c.oldText(x.Text, s.how)
	}
	return s.c.newText(x.Text, s.how)
}

// slot finds what a slot of the plan is made of. It returns a reason where nothing can be kept.
func (s *slots) slot(is *checkpoint.Slot) (reason string) {
	text := s.text(is, false)
	c, isCall := parseCall(text)
	var untyped *checkpoint.Slot
	for i := range s.groups.from.Slots {
		was := &s.groups.from.Slots[i]
		if was.Kind != is.Kind || s.used[was] {
			continue
		}
		old := s.text(was, true)
		if old == text {
			s.keep(was, is, c)
			return ""
		}
		if o, ok := parseCall(old); ok && isCall && o.name == c.name && o.same(c) && untyped == nil {
			untyped = was
		}
	}
	switch {
	case untyped != nil:
		s.keep(untyped, is, c)
	case is.Kind == slotRows:
		return s.rowCount(is)
	case c.name == "COUNT" && c.args == "" && c.filter == "" && s.find(slotRows, "rows") != nil:
		s.take(s.find(slotRows, "rows"), is, "counted in the group's row counter")
	case isCall && s.fromSum(is, c):
	case isCall && s.fromValues(is, c):
	default:
		s.empty(is, New, "starts empty")
	}
	return ""
}

// keep moves a slot into one of the same aggregate.
func (s *slots) keep(was, is *checkpoint.Slot, c call) {
	s.used[was] = true
	if is.Kind != slotAggregate {
		s.groups.moves = append(s.groups.moves, word(was, is))
		return
	}
	v, use := s.valuesUse(is, c)
	moves, widened, err := slotMoves(was, is)
	if v != nil && (v.from == nil || s.oldUse(v, use) == nil) {
		err = s.lostValues(v)
	}
	switch {
	case err != nil && s.c.allow.dropSlot(was, s.c.uids(s.pair)...):
		s.used[was] = false // it goes, and the new one starts empty
		s.empty(is, New, "starts empty: "+err.Error())
		return
	case err != nil:
		s.add(is, Incompatible, err.Error())
		s.need("--drop " + s.old.UID + "/" + was.ID)
		return
	case widened:
		s.add(is, Migrate, fmt.Sprintf("widened from %s to %s", plainType(was.Type, is.Type, was), plainType(is.Type, was.Type, is)))
	case v != nil && v.widensKey():
		s.add(is, Migrate, "the values that it has seen are of a wider type")
	default:
		s.add(is, Restore, "identical")
	}
	s.groups.moves = append(s.groups.moves, moves...)
	if is.Since = was.Since; is.Since != 0 {
		s.rows[len(s.rows)-1].Because += fmt.Sprintf(", valid since checkpoint %d", is.Since)
	}
}

// plainType is the type to show: that of the result or, where it is the same on both sides, of the value.
func plainType(t, other string, s *checkpoint.Slot) string {
	if t == other && len(s.Fields) > 0 {
		return s.Fields[0].Type
	}
	return strings.TrimSuffix(t, " NOT NULL")
}

// empty starts an aggregate with nothing.
func (s *slots) empty(is *checkpoint.Slot, v Verdict, because string) {
	if s.now.Retract {
		// It would be given the end of rows that it never was given.
		s.add(is, Incompatible, "it cannot start empty: rows of the input are taken away, also those that came before")
		s.need("--drop " + s.old.UID)
		return
	}
	is.Since = s.c.old.Epoch
	s.add(is, v, because)
}

// hopeless says why the operator's state as a whole has to go, "" where it does not.
func (s *slots) hopeless() string {
	for _, r := range s.rows {
		if r.Needs == "--drop "+s.old.UID {
			return r.Slot + ": " + r.Because
		}
	}
	return ""
}

func (s *slots) add(slot *checkpoint.Slot, v Verdict, because string) {
	s.rows = append(s.rows, Row{UID: s.old.UID, Slot: slot.Name, SlotID: slot.ID, Type: strings.TrimSuffix(slot.Type, " NOT NULL"), Verdict: v, Because: because, Allowed: true})
}

// need marks the last row as one that a flag has to allow.
func (s *slots) need(flag string) {
	r := &s.rows[len(s.rows)-1]
	r.Needs, r.Allowed = flag, false
}

// leftOver reports the aggregates that the plan does not have any more.
func (s *slots) leftOver() {
	for i := range s.groups.from.Slots {
		was := &s.groups.from.Slots[i]
		if was.Kind != slotAggregate || s.used[was] {
			continue
		}
		s.add(was, Drop, "the query does not have it any more")
		s.need("--drop " + s.old.UID + "/" + was.ID)
		r := &s.rows[len(s.rows)-1]
		r.Allowed = s.c.allow.All || s.c.allow.dropSlot(was, s.c.uids(s.pair)...)
	}
}

// verdict sums the slots up.
func (s *slots) verdict() (Verdict, string) {
	n := map[Verdict]int{}
	for _, x := range s.rows {
		n[x.Verdict]++
	}
	count := func(n int, one, more string) string {
		if n == 1 {
			return "1 of its aggregates " + one
		}
		return fmt.Sprintf("%d of its aggregates %s", n, more)
	}
	switch empty := n[New] + n[Partial]; {
	case empty > 0:
		return Partial, count(empty, "starts empty in groups that exist", "start empty in groups that exist")
	case n[Incompatible] > 0:
		return Restore, count(n[Incompatible], "cannot be kept", "cannot be kept")
	case n[Drop] > 0:
		return Restore, count(n[Drop], "goes", "go")
	case n[Migrate] > 0:
		return Migrate, "a type is wider"
	}
	return Restore, "identical"
}
