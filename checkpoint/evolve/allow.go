package evolve

import (
	"slices"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// allowed answers what the user agreed to.
type allowed struct {
	Allow
	known map[string]bool // all names that could be meant
}

func newAllowed(a Allow, old []checkpoint.Operator, now []checkpoint.Operator) *allowed {
	x := &allowed{Allow: a, known: map[string]bool{}}
	for _, ops := range [][]checkpoint.Operator{old, now} {
		for i := range ops {
			if o := &ops[i]; matters(o) {
				x.known[o.UID] = true
				for _, t := range o.Tables {
					for _, s := range t.Slots {
						x.known[o.UID+"/"+s.ID], x.known[o.UID+"/"+s.Name] = true, true
					}
				}
			}
		}
	}
	return x
}

// unknown lists the names that nothing has.
func (x *allowed) unknown() []string {
	var out []string
	for _, n := range slices.Concat(x.Drop, x.Accept) {
		if !x.known[n] && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// drop reports whether an operator or source is to be given up by name.
func (x *allowed) drop(uids ...string) bool {
	return slices.ContainsFunc(x.Drop, func(n string) bool { return slices.Contains(uids, n) })
}

// dropSlot reports whether a slot is.
func (x *allowed) dropSlot(s *checkpoint.Slot, uids ...string) bool {
	for _, uid := range uids {
		if slices.Contains(x.Drop, uid+"/"+s.ID) || slices.Contains(x.Drop, uid+"/"+s.Name) {
			return true
		}
	}
	return false
}

func (x *allowed) accept(uids ...string) bool {
	return slices.ContainsFunc(x.Accept, func(n string) bool { return slices.Contains(uids, n) })
}
