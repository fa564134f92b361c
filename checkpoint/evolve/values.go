package evolve

import (
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
)

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
