package hot

import (
	"encoding/binary"
	"fmt"

	"github.com/sqlstream/sqlstream/state"
)

// prefixes lists the prefixes of a table's keys: for each one the head of a doubly linked
// list through its records in memory, and how many are evicted.
type prefixes struct {
	size  int
	word  map[uint64]int32 // of 8-byte prefixes: windows
	text  map[string]int32 // of others
	list  []prefix
	spare []int32
	last  int32 // looked up last, -1: none
}

type prefix struct {
	key     []byte
	head    uint32
	evicted int
}

func (p *prefixes) init(size int) {
	p.size, p.last = size, -1
	if size == 8 {
		p.word = map[uint64]int32{}
	} else {
		p.text = map[string]int32{}
	}
}

// find returns the number of the prefix of key, or -1.
func (p *prefixes) find(key []byte) int32 {
	key = key[:p.size]
	if p.last >= 0 && string(p.list[p.last].key) == string(key) {
		return p.last
	}
	var i int32
	var ok bool
	if p.word != nil {
		i, ok = p.word[binary.BigEndian.Uint64(key)]
	} else {
		i, ok = p.text[string(key)]
	}
	if !ok {
		return -1
	}
	p.last = i
	return i
}

// get is find that makes the prefix when there is none.
func (p *prefixes) get(key []byte) int32 {
	if i := p.find(key); i >= 0 {
		return i
	}
	key = append([]byte(nil), key[:p.size]...)
	i := int32(len(p.list))
	if n := len(p.spare); n > 0 {
		i = p.spare[n-1]
		p.spare = p.spare[:n-1]
		p.list[i] = prefix{key: key}
	} else {
		p.list = append(p.list, prefix{key: key})
	}
	if p.word != nil {
		p.word[binary.BigEndian.Uint64(key)] = i
	} else {
		p.text[string(key)] = i
	}
	p.last = i
	return i
}

// drop forgets a prefix that has no record left.
func (p *prefixes) drop(i int32) {
	e := &p.list[i]
	if e.head != 0 || e.evicted != 0 {
		return
	}
	if p.word != nil {
		delete(p.word, binary.BigEndian.Uint64(e.key))
	} else {
		delete(p.text, string(e.key))
	}
	*e = prefix{}
	p.spare = append(p.spare, i)
	p.last = -1
}

// keyAt is the key of a block.
func (t *Table) keyAt(rec []byte) []byte {
	return rec[t.hdr : t.hdr+klenOf(le.Uint64(rec))]
}

func (t *Table) setNext(pos, next uint32) { le.PutUint32(t.rec(pos)[t.links:], next) }
func (t *Table) setPrev(pos, prev uint32) { le.PutUint32(t.rec(pos)[t.links+4:], prev) }

func (t *Table) link(pos uint32) {
	rec := t.rec(pos)
	e := &t.pfx.list[t.pfx.get(t.keyAt(rec))]
	t.setNext(pos, e.head)
	t.setPrev(pos, 0)
	if e.head != 0 {
		t.setPrev(e.head, pos)
	}
	e.head = pos
}

// splice takes pos out of its list, to in its place (0: nothing). It returns the prefix.
func (t *Table) splice(pos, to uint32) int32 {
	rec := t.rec(pos)
	next, prev := le.Uint32(rec[t.links:]), le.Uint32(rec[t.links+4:])
	p := t.pfx.find(t.keyAt(rec))
	after, before := to, to
	if to == 0 {
		after, before = next, prev
	} else {
		t.setNext(to, next)
		t.setPrev(to, prev)
	}
	if prev != 0 {
		t.setNext(prev, after)
	} else {
		t.pfx.list[p].head = after
	}
	if next != 0 {
		t.setPrev(next, before)
	}
	return p
}

func (t *Table) unlink(pos uint32) { t.pfx.drop(t.splice(pos, 0)) }

func (t *Table) relink(pos, to uint32) { t.splice(pos, to) }

func (t *Table) unlinkEvicted(pos uint32) {
	t.pfx.list[t.splice(pos, 0)].evicted++
}

// Scan calls fn for every record whose key starts with prefix.
func (t *Table) Scan(prefix []byte, fn func(state.Ref) error) error {
	if t.links == 0 || len(prefix) != t.spec.Prefix {
		return fmt.Errorf("state: scan of table %s with a prefix of %d bytes, declared are %d", t, len(prefix), t.spec.Prefix)
	}
	p := t.pfx.find(prefix)
	if p < 0 {
		return nil
	}
	if t.pfx.list[p].evicted > 0 {
		if err := t.faultAll(prefix); err != nil {
			return err
		}
	}
	for pos := t.pfx.list[p].head; pos != 0; {
		rec := t.rec(pos)
		next := le.Uint32(rec[t.links:]) // fn may move or delete its record, no other one
		if t.expired(rec) {
			if err := t.kill(pos); err != nil {
				return err
			}
		} else if err := fn(state.Ref(pos)); err != nil {
			return err
		}
		pos = next
	}
	return nil
}

// Prefixes calls fn for every prefix that has records; it does not look for expired ones.
func (t *Table) Prefixes(fn func(prefix []byte) error) error {
	if t.links == 0 {
		return fmt.Errorf("state: table %s is not declared with a prefix", t)
	}
	if t.ttl > 0 {
		if err := t.sweep(t.index.size); err != nil {
			return err
		}
	}
	for i := range t.pfx.list {
		if e := &t.pfx.list[i]; e.head != 0 || e.evicted > 0 {
			if err := fn(e.key[:t.spec.Prefix:t.spec.Prefix]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Each calls fn for every record.
func (t *Table) Each(fn func(state.Ref) error) error {
	if t.evicted > 0 {
		if err := t.faultAll(nil); err != nil {
			return err
		}
	}
	for s := range t.index.segs {
		slots := t.index.segs[s].slots
		for i := range slots {
			pos := uint32(slots[i])
			if pos == 0 {
				continue
			}
			rec := t.rec(pos)
			if le.Uint64(rec)&deadBit != 0 {
				continue
			}
			if t.expired(rec) {
				if err := t.kill(pos); err != nil {
					return err
				}
			} else if err := fn(state.Ref(pos)); err != nil {
				return err
			}
		}
	}
	return nil
}
