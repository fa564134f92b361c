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

// valuesOf finds the snapshot's table of the values of the same column, if its entries can be kept.
func (s *slots) valuesOf(t *checkpoint.Table) *held {
	last := t.Key[len(t.Key)-1]
	for i := range s.old.Tables {
		o := &s.old.Tables[i]
		if o.ID == groupsTable || o.ID == progressTable || len(o.Key) != len(t.Key) || o.Prefix != t.Prefix || len(o.Slots) == 0 || len(t.Slots) == 0 {
			continue
		}
		k := o.Key[len(o.Key)-1]
		if s.c.sameKey(k, last, s.how) && fitsText(k.Type, last.Type) != fitNot && o.Slots[0].Kind == t.Slots[0].Kind {
			return &held{s.old.UID, *o}
		}
	}
	return nil
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

// find returns a slot of the snapshot by its text, nil when there is none.
func (s *slots) find(kind, text string) *checkpoint.Slot {
	for i := range s.groups.from.Slots {
		if was := &s.groups.from.Slots[i]; was.Kind == kind && s.text(was, true) == text {
			return was
		}
	}
	return nil
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

// lostValues says why the values that an aggregate has seen cannot be kept.
func (s *slots) lostValues(v *table) error {
	last := v.Key[len(v.Key)-1]
	for i := range s.old.Tables {
		key := s.old.Tables[i].Key
		if id := s.old.Tables[i].ID; id == groupsTable || id == progressTable || len(key) == 0 {
			continue
		}
		if k := key[len(key)-1]; s.c.sameKey(k, last, s.how) && fitsText(k.Type, last.Type) == fitNot {
			return errType(k.Type, last.Type)
		}
	}
	return errKept
}

// valuesUse finds the table of values of an aggregate and its counter or bit there.
func (s *slots) valuesUse(is *checkpoint.Slot, c call) (*table, *checkpoint.Slot) {
	extreme := len(is.Fields) > 0 && is.Fields[0].KeyForm
	if !extreme && !(c.distinct && c.name != "MIN" && c.name != "MAX" && c.name != "FIRST_VALUE") {
		return nil, nil
	}
	for _, v := range s.values {
		for i := range v.Slots {
			if use := &v.Slots[i]; s.text(use, false) == use.Kind+c.use() {
				return v, use
			}
		}
	}
	return nil, nil
}

// oldUse is the snapshot's counter or bit for one of the plan, nil when it has none.
func (s *slots) oldUse(v *table, use *checkpoint.Slot) *checkpoint.Slot {
	for i := range v.from.Slots {
		if o := &v.from.Slots[i]; o.Kind == use.Kind && s.text(o, true) == s.text(use, false) {
			return o
		}
	}
	return nil
}

// rowCount makes the group's row counter from what else counts rows.
func (s *slots) rowCount(is *checkpoint.Slot) (reason string) {
	if n := s.countStar(); n != nil {
		s.groups.moves = append(s.groups.moves, word(n, is))
		return ""
	}
	if !s.now.Retract && !s.old.Retract {
		// Nothing is ever taken away: all that is asked is whether there are rows.
		s.groups.moves = append(s.groups.moves, move{to: is.Offset, size: 8, one: true})
		return ""
	}
	return "it needs the number of rows of each group now, because rows of its input are taken away, and the snapshot has no COUNT(*) to take it from"
}

func (s *slots) countStar() *checkpoint.Slot {
	for i := range s.groups.from.Slots {
		was := &s.groups.from.Slots[i]
		if c, ok := parseCall(s.text(was, true)); ok && was.Kind == slotAggregate && c.name == "COUNT" && c.args == "" && c.filter == "" {
			return was
		}
	}
	return nil
}

// take fills a counter from another one.
func (s *slots) take(was, is *checkpoint.Slot, because string) {
	s.groups.moves = append(s.groups.moves, word(was, is))
	s.add(is, Restore, because)
	is.Since = was.Since
}

// fromSum finds an aggregate in another one over the same rows: SUM and AVG keep the same, and the
// number of values as well.
func (s *slots) fromSum(is *checkpoint.Slot, c call) bool {
	if c.name != "SUM" && c.name != "AVG" && c.name != "COUNT" {
		return false
	}
	for i := range s.groups.from.Slots {
		was := &s.groups.from.Slots[i]
		o, ok := parseCall(s.text(was, true))
		if !ok || !o.same(c) || o.name != "SUM" && o.name != "AVG" {
			continue
		}
		if v, use := s.valuesUse(is, c); v != nil && (v.from == nil || s.oldUse(v, use) == nil) {
			continue
		}
		moves := whole(was, is)
		if moves == nil {
			continue
		}
		if c.name != "COUNT" {
			s.used[was] = true
		}
		s.groups.moves = append(s.groups.moves, moves...)
		s.add(is, Restore, "kept by "+was.Name)
		is.Since = was.Since
		return true
	}
	return false
}

// fromValues makes an aggregate of the different values that another one has already.
func (s *slots) fromValues(is *checkpoint.Slot, c call) bool {
	v, use := s.valuesUse(is, c)
	if v == nil || v.from == nil {
		return false
	}
	old := s.oldUse(v, use)
	if old == nil {
		return false
	}
	extreme := c.name == "MIN" || c.name == "MAX"
	if c.name == "LAST_VALUE" {
		s.empty(is, Partial, "NULL until a value comes that was not there before: the order of the others is not known")
		return true
	}
	key := v.Key[len(v.Key)-1]
	_, t, err := twoTypes(v.from.Key[len(v.from.Key)-1].Type, key.Type)
	if err != nil {
		return false
	}
	if !(extreme && s.now.Kind == kindWindow) { // a window finds them when it fires
		s.groups.derived = append(s.groups.derived, derivation{to: *is, values: v.from, uses: []checkpoint.Slot{*old}, fn: c.name, is: t, zero: c.name == "AVG" || s.now.Retract})
	}
	s.add(is, Restore, "made of the "+v.from.Name)
	return true
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

// entries says what the entries of a table of values are made of, and the counters of them.
func (s *slots) entries(v *table) {
	if v.from == nil {
		return
	}
	stay := map[string]bool{}
	var uses []checkpoint.Slot
	for i := range v.Slots {
		use := &v.Slots[i]
		old := s.oldUse(v, use)
		if old == nil {
			continue
		}
		stay[old.ID] = true
		uses = append(uses, *old)
		if use.Kind == slotSeen {
			v.bits = append(v.bits, bitMove{to: *use, from: *old})
		} else {
			v.moves = append(v.moves, word(old, use))
		}
	}
	for _, old := range v.from.Slots {
		v.prune = v.prune || !stay[old.ID]
	}
	for i := range s.groups.Slots {
		is := &s.groups.Slots[i]
		if is.Kind != slotEntries || !s.counts(is, v) {
			continue
		}
		if was := s.find(slotEntries, s.text(is, false)); was != nil && !v.prune {
			s.groups.moves = append(s.groups.moves, word(was, is))
		} else {
			s.groups.derived = append(s.groups.derived, derivation{to: *is, values: v.from, uses: uses})
		}
	}
}

// counts reports whether a slot counts the entries of v.
func (s *slots) counts(is *checkpoint.Slot, v *table) bool {
	arg, _ := strings.CutPrefix(s.text(is, false), "entries of ")
	for i := range v.Slots {
		t := s.text(&v.Slots[i], false)
		if t == v.Slots[i].Kind+" of "+arg || strings.HasPrefix(t, v.Slots[i].Kind+" of "+arg+" where ") {
			return true
		}
	}
	return false
}
