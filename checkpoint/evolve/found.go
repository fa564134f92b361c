package evolve

import "github.com/sqlstream/sqlstream/checkpoint"

// find returns a slot of the snapshot by its text, nil when there is none.
func (s *slots) find(kind, text string) *checkpoint.Slot {
	for i := range s.groups.from.Slots {
		if was := &s.groups.from.Slots[i]; was.Kind == kind && s.text(was, true) == text {
			return was
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
