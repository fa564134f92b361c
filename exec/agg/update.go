package agg

import (
	"unsafe"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/planner/plan/layout"
	"github.com/sqlstream/sqlstream/state"
)

// Begin finds or makes the records of a run of updates. Their Refs stay valid until the
// caller deletes them.
func (p *Program) Begin(u *Updates) error {
	n := len(u.Rows)
	t := p.records.table
	u.Refs = grow(u.Refs, n)
	u.Fresh, u.Act = nil, nil
	if err := t.UpsertAll(u.Groups, u.Hash, u.Keys, u.Refs); err != nil {
		return err
	}
	u.rec = grow(u.rec, n)
	made, err := p.pin(u, 0)
	if err != nil {
		return err
	}
	if made { // making records may have moved others
		_, err = p.pin(u, 1)
	}
	p.allAdd = true
	p.sign = grow(p.sign, n)
	if u.Kinds != nil {
		for i, row := range u.Rows {
			s := int8(vec.Sign(u.Kinds[row]))
			p.sign[i] = s
			p.allAdd = p.allAdd && s > 0
		}
	}
	return err
}

// pin notes where the records are. In pass 0 it makes the values of new ones.
func (p *Program) pin(u *Updates, pass int) (made bool, err error) {
	t := p.records.table
	for i, ref := range u.Refs {
		rec := t.Edit(ref)
		if len(rec) < len(p.zero) || len(rec) == 0 {
			if pass == 1 || len(rec) > 0 {
				return false, checkRecord(len(rec), len(p.zero), p.name)
			}
			if err := t.Set(ref, p.zero); err != nil {
				return false, err
			}
			if !made {
				made = true
				u.fresh = grow(u.fresh, len(u.Refs))
				clear(u.fresh)
				u.Fresh = u.fresh
			}
			u.fresh[i] = true
			continue
		}
		u.rec[i] = unsafe.Pointer(unsafe.SliceData(rec))
	}
	return made, nil
}

// base is the sign of update i: +1 or -1, 0 for a skipped row.
func (p *Program) base(i int) int8 {
	if p.allAdd {
		return 1
	}
	return p.sign[i]
}

// Acts decides, by the groups' row counts, what each update does to its group: the rule of
// Flink's GroupAggFunction. A group begins with a row that is added (before that, rows taken
// away are ignored) and ends when its count is back to 0.
func (p *Program) Acts(u *Updates) {
	if !p.layout.Rows {
		if u.Fresh != nil {
			u.acts = grow(u.acts, len(u.Rows))
			for i, f := range u.Fresh {
				u.acts[i] = ActUpdate
				if f {
					u.acts[i] = ActFirst
				}
			}
			u.Act = u.acts
		}
		return
	}
	u.acts = grow(u.acts, len(u.Rows))
	for i, r := range u.rec {
		rows := at[int64](r, 0)
		act := ActUpdate
		switch s := int64(p.base(i)); {
		case *rows == 0 && s < 0:
			act = ActSkip
			p.sign[i] = 0
		case *rows == 0:
			act = ActFirst
			*rows = 1
		default:
			if *rows += s; *rows == 0 {
				act = ActDelete
			}
		}
		u.acts[i] = act
	}
	u.Act = u.acts
}

// CountRows adds the run to the groups' row counts, for callers that net rows out.
func (p *Program) CountRows(u *Updates) {
	if p.layout.Rows {
		for i, r := range u.rec {
			*at[int64](r, 0) += int64(p.base(i))
		}
	}
}

// Skip makes update i change nothing. It may be called between Begin and Update.
func (p *Program) Skip(u *Updates, i int) {
	if p.allAdd {
		p.allAdd = false
		for k := range p.sign {
			p.sign[k] = 1
		}
	}
	p.sign[i] = 0
}

// Forget empties what the group of update i, which has no rows any more, keeps beside its
// record. Where Update is given Acts it does so itself.
func (p *Program) Forget(u *Updates, i int) error {
	for _, a := range p.vals {
		if err := a.clearGroup(p, u, i); err != nil {
			return err
		}
		if err := a.bury(); err != nil {
			return err
		}
	}
	return nil
}

// Adds reports whether update i adds a row.
func (p *Program) Adds(i int) bool { return p.base(i) > 0 }

// Rows is the row count of record ref, 1 where none is kept.
func (p *Program) Rows(ref state.Ref) int64 {
	if !p.layout.Rows {
		return 1
	}
	return *at[int64](unsafe.Pointer(unsafe.SliceData(p.records.table.Get(ref))), 0)
}

// Update applies the run. With snap, the slots before and after each update are kept: 2n
// slots that Results then turns into values.
func (p *Program) Update(b *vec.Batch, u *Updates, snap bool) error {
	p.filterSigns(u.Rows)
	for _, v := range p.vals {
		if err := v.run(p, b, u, snap); err != nil {
			return err
		}
	}
	if p.movers && len(p.vals) > 0 { // MIN and MAX have moved records
		if _, err := p.pin(u, 1); err != nil {
			return err
		}
	}
	r := run{rec: u.rec, row: u.Rows}
	if p.layout.Rows && u.Act != nil {
		r.reset = p.resets(u)
	}
	for _, c := range p.columns {
		if c.variable == nil && !c.values {
			r.snap = nil
			if snap {
				c.room(2 * len(u.Rows))
				r.snap = c.snap
			}
			r.sign = p.columnSign(c, b, u)
			c.kernel.update(&r, uintptr(c.slot.Off), p.arg(c, b))
		}
	}
	// From here on records move.
	for _, c := range p.columns {
		if c.variable == nil {
			continue
		}
		r.snap = nil
		if snap {
			c.room(2 * len(u.Rows))
			r.snap = c.snap
		}
		r.sign = p.columnSign(c, b, u)
		heap, err := c.variable.updateVar(&p.records, u, &r, c.slot.Off, p.arg(c, b), c.heap)
		if c.heap = heap; err != nil {
			return err
		}
	}
	return nil
}

func (p *Program) arg(c *column, b *vec.Batch) *vec.Vec {
	if c.arg == layout.None {
		return nil
	}
	return &b.Cols[c.arg]
}

// resets marks the updates that begin a group, nil when there are none.
func (p *Program) resets(u *Updates) []bool {
	var reset []bool
	for i, a := range u.Act {
		if a == ActFirst {
			if reset == nil {
				u.fresh = grow(u.fresh, len(u.Act))
				reset = u.fresh
				clear(reset)
			}
			reset[i] = true
		}
	}
	return reset
}

// Filter evaluates the filters for the given physical rows of b (ascending). It comes before
// the updates of these rows, which may be several runs.
func (p *Program) Filter(b *vec.Batch, rows []int32) error {
	for f, pred := range p.uniq {
		pass, err := pred.Select(b, rows)
		if err != nil {
			return err
		}
		bits := grow(p.pass[f], (b.N+63)/64)
		clear(bits)
		for _, r := range pass {
			bits[r>>6] |= 1 << (r & 63)
		}
		p.pass[f] = bits
	}
	return nil
}

// filterSigns computes the sign of every update behind each filter.
func (p *Program) filterSigns(rows []int32) {
	for f, bits := range p.pass {
		sign := grow(p.signs[f], len(rows))
		if p.allAdd {
			for i, r := range rows {
				sign[i] = int8(bits[r>>6] >> (r & 63) & 1)
			}
		} else {
			for i, r := range rows {
				sign[i] = p.sign[i] * int8(bits[r>>6]>>(r&63)&1)
			}
		}
		p.signs[f] = sign
	}
}

// filterSign is the sign of every update behind a filter, nil when all are +1.
func (p *Program) filterSign(filter int) []int8 {
	switch {
	case filter != layout.None:
		return p.signs[filter]
	case p.allAdd:
		return nil
	}
	return p.sign
}

// argSign is filterSign with 0 where the argument is NULL.
func (p *Program) argSign(filter, arg int, b *vec.Batch, u *Updates) []int8 {
	sign := p.filterSign(filter)
	if arg == layout.None || b.Cols[arg].Valid == nil {
		return sign
	}
	v := &b.Cols[arg]
	p.argBuf = grow(p.argBuf, len(u.Rows))
	for i, row := range u.Rows {
		switch {
		case v.IsNull(int(row)):
			p.argBuf[i] = 0
		case sign == nil:
			p.argBuf[i] = 1
		default:
			p.argBuf[i] = sign[i]
		}
	}
	return p.argBuf
}

// columnSign is the sign of every update as an aggregate sees it.
func (p *Program) columnSign(c *column, b *vec.Batch, u *Updates) []int8 {
	if c.source.values >= 0 {
		return p.vals[c.source.values].signs[c.source.bit]
	}
	return p.argSign(c.source.filter, c.arg, b, u)
}
