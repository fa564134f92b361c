package windowop

import (
	"slices"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/agg"
	"github.com/sqlstream/sqlstream/exec/rowkey"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/state"
)

// next is the end of the next window to fire. There are pending ones.
func (o *Operator) next() int64 {
	end := o.pending[0]
	if o.panes {
		for o.fired(end) {
			end += o.slide
		}
	}
	return end
}

// fire emits all windows that time w completes, in order of their ends.
func (o *Operator) fire(w exec.Watermark) error {
	for len(o.pending) > 0 {
		end := o.next()
		at := o.trigger(end)
		if at > w {
			break
		}
		if err := o.fireWindow(end); err != nil {
			return err
		}
		// From here on the window has fired, also for the next call of next.
		o.progress = max(o.progress, at)
		for len(o.pending) > 0 && o.pending[0] <= end-o.kept() {
			if err := o.drop(o.pending[0]); err != nil {
				return err
			}
			o.pending = o.pending[1:]
		}
	}
	o.progress = max(o.progress, w)
	if o.progress >= o.floor.highest() {
		o.floor = nil
	}
	return nil
}

// kept is how long records stay behind the end of the window that fired: panes are part of
// later ones.
func (o *Operator) kept() int64 {
	if o.panes {
		return o.size - o.slide
	}
	return 0
}

func (o *Operator) fireWindow(end int64) error {
	if o.panes {
		return o.firePanes(end)
	}
	if err := o.prog.Fold(prefixBytes(end)); err != nil {
		return err
	}
	if err := o.collect(end); err != nil {
		return err
	}
	for rest := o.refs; len(rest) > 0; {
		n := min(vec.MaxRows, len(rest))
		if err := o.emitRecords(end, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// collect fills o.refs with the records of a window that have rows.
func (o *Operator) collect(end int64) error {
	o.refs = o.refs[:0]
	return o.prog.Records().Scan(prefixBytes(end), func(r state.Ref) error {
		if o.prog.Rows(r) != 0 && !o.floor.fired(o.trigger(end), o.prog.Records(), r) {
			o.refs = append(o.refs, r)
		}
		return nil
	})
}

// drop deletes what is kept of a window or pane.
func (o *Operator) drop(end int64) error {
	t := o.prog.Records()
	if err := t.Scan(prefixBytes(end), t.Delete); err != nil {
		return err
	}
	return o.prog.Drop(prefixBytes(end))
}

// emitRecords emits one row per record.
func (o *Operator) emitRecords(end int64, refs []state.Ref) error {
	if err := o.prog.Take(refs); err != nil {
		return err
	}
	return o.emit(end, refs)
}

// emit makes rows of the keys of the given records and of the slots the program noted.
func (o *Operator) emit(end int64, refs []state.Ref) error {
	out, keys := o.out, len(o.cfg.Keys)
	out.Reset()
	out.N = len(refs)
	t := o.prog.Records()
	for _, r := range refs {
		if err := rowkey.Decode(out.Cols[:keys], t.Key(r)[8:]); err != nil {
			return err
		}
	}
	o.prog.Results(len(refs), out.Cols[keys:keys+len(o.cfg.Aggs)])
	for i, p := range o.cfg.Props {
		at := end
		switch p {
		case Start:
			at = end - o.size
		case Time:
			at = end - 1
		}
		v := &out.Cols[keys+len(o.cfg.Aggs)+i]
		for range refs {
			appendTime(v, at, &o.zone)
		}
	}
	return o.ctx.Out.Emit(out)
}

// merger merges the panes of a window by key.
type merger struct {
	merged *agg.Merged
	slots  []int32 // open addressing: number of a merged record + 1
	hash   []uint64
	first  []state.Ref // of each merged record, a record with its key
	number []int32
	live   []state.Ref
}

// firePanes emits a window of several panes.
func (o *Operator) firePanes(end int64) error {
	m, t := &o.merge, o.prog.Records()
	m.reset()
	for pane := end; pane > end-o.size; pane -= o.slide {
		if _, ok := slices.BinarySearch(o.pending, pane); !ok {
			continue
		}
		err := t.Scan(prefixBytes(pane), func(r state.Ref) error {
			if o.floor.fired(o.trigger(end), t, r) {
				return nil
			}
			return m.merged.Merge(m.find(t, r), r)
		})
		if err != nil {
			return err
		}
	}
	m.number, m.live = m.number[:0], m.live[:0]
	for n, r := range m.first {
		if m.merged.Rows(n) != 0 {
			m.number, m.live = append(m.number, int32(n)), append(m.live, r)
		}
	}
	for lo := 0; lo < len(m.live); lo += vec.MaxRows {
		hi := min(lo+vec.MaxRows, len(m.live))
		m.merged.Take(m.number[lo:hi])
		if err := o.emit(end, m.live[lo:hi]); err != nil {
			return err
		}
	}
	return nil
}

func (m *merger) reset() {
	m.merged.Reset()
	clear(m.slots)
	m.hash, m.first = m.hash[:0], m.first[:0]
}

// find returns the number of the merged record of r's key, making it.
func (m *merger) find(t state.Table, r state.Ref) int {
	if 2*(len(m.first)+1) > len(m.slots) {
		m.enlarge()
	}
	key := t.Key(r)[8:]
	h := rowkey.Hash(key)
	mask := uint64(len(m.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := m.slots[i]
		if s == 0 {
			n := m.merged.Add()
			m.slots[i] = int32(n + 1)
			m.hash, m.first = append(m.hash, h), append(m.first, r)
			return n
		}
		if m.hash[s-1] == h && string(t.Key(m.first[s-1])[8:]) == string(key) {
			return int(s - 1)
		}
	}
}

func (m *merger) enlarge() {
	m.slots = make([]int32, max(1024, 2*len(m.slots)))
	mask := uint64(len(m.slots) - 1)
	for n, h := range m.hash {
		i := h & mask
		for m.slots[i] != 0 {
			i = (i + 1) & mask
		}
		m.slots[i] = int32(n + 1)
	}
}
