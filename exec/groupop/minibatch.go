package groupop

import (
	"math/bits"

	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// mini is the groups that a batch touches, in order of appearance.
type mini struct {
	slots  []int32 // open addressing: index of a group + 1
	index  []int32 // the group of each update
	refs   []state.Ref
	rows   []int32 // the first row of each group
	first  []int32 // the first update of each group
	last   []int32 // the last one
	acts   []agg.Act
	before []bool // the group existed before the batch
	live   []bool
}

// collect numbers the groups of a run of updates.
func (m *mini) collect(u *agg.Updates) {
	n := len(u.Refs)
	size := 1 << bits.Len(uint(2*n))
	m.slots = grow(m.slots, size)
	clear(m.slots)
	m.index = grow(m.index, n)
	m.refs, m.rows, m.first, m.last, m.before = m.refs[:0], m.rows[:0], m.first[:0], m.last[:0], m.before[:0]
	mask := uint32(size - 1)
	for i, ref := range u.Refs {
		h := uint32(ref) * 0x9e3779b1
		h ^= h >> 15
		for {
			s := &m.slots[h&mask]
			if *s == 0 {
				m.refs = append(m.refs, ref)
				m.rows = append(m.rows, u.Rows[i])
				m.first, m.last = append(m.first, int32(i)), append(m.last, 0)
				m.before = append(m.before, u.Fresh == nil || !u.Fresh[i])
				*s = int32(len(m.refs))
			} else if m.refs[*s-1] != ref {
				h++
				continue
			}
			m.index[i] = *s - 1
			m.last[*s-1] = int32(i)
			break
		}
	}
}

// netted applies a run of updates and emits one change per group: the rule of Flink's
// MiniBatchGroupAggFunction. Rows taken from a group that does not exist yet are ignored up
// to its first row.
func (o *Operator) netted(b *vec.Batch) error {
	u, m, p := &o.u, &o.mini, o.prog
	m.collect(u)
	if o.cfg.Retract {
		m.live = append(m.live[:0], m.before...)
		for i, g := range m.index {
			if m.live[g] {
				continue
			}
			if p.Adds(i) {
				m.live[g] = true
			} else {
				p.Skip(u, i)
			}
		}
	}
	p.CountRows(u)
	n := len(m.refs)
	if err := p.Update(b, u, true); err != nil {
		return err
	}
	p.Pick(m.first, m.last)
	m.acts = grow(m.acts, n)
	for g, ref := range m.refs {
		empty := p.Rows(ref) == 0
		if empty {
			if err := p.Forget(u, int(m.first[g])); err != nil {
				return err
			}
		}
		switch {
		case empty && m.before[g]:
			m.acts[g] = agg.ActDelete
		case empty:
			m.acts[g] = agg.ActSkip
		case m.before[g]:
			m.acts[g] = agg.ActUpdate
		default:
			m.acts[g] = agg.ActFirst
		}
	}
	if err := o.emit(b, m.rows, m.acts); err != nil {
		return err
	}
	return o.end(m.refs, m.acts)
}
