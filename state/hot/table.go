package hot

import (
	"fmt"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Table implements state.Table. Values begin at multiples of 8 bytes.
type Table struct {
	arena
	index
	set   *Set
	spec  state.Spec
	id    stf.TableID
	hdr   int   // bytes of a record's header
	links int   // offset of its links, 0: none
	stamp int   // offset of its stamp, 0: none
	ttl   int64 // ms

	live    int       // records in memory, without tombstones
	evicted int       // records only in the cold store
	changed positions // the dirty list
	big     []uint32  // its large blocks, which are few and leave it when they are freed
	left    []uint32  // blocks of this generation that Refs may still lead through
	frozen  backlog   // blocks of older generations that were left behind
	tombs   backlog   // tombstones
	pfx     prefixes
	room    int    // bytes of value to make a record with: the size of the last first Set
	hand    cursor // of the eviction clock
	broom   cursor // of the sweep for expired records
	mark    mark   // of MarkSome
}

var _ state.Table = (*Table)(nil)

func newTable(s *Set, spec state.Spec, id stf.TableID) *Table {
	t := &Table{set: s, spec: spec, id: id, hdr: 16, ttl: spec.TTL.Milliseconds()}
	if spec.TTL > 0 && t.ttl == 0 {
		t.ttl = 1
	}
	if spec.Prefix > 0 {
		t.links = t.hdr
		t.hdr += 8
		t.pfx.init(spec.Prefix)
	}
	if t.ttl > 0 {
		t.stamp = t.hdr
		t.hdr += 8
	}
	t.index.init()
	return t
}

func (t *Table) bytes() int64 { return t.used*unit + int64(t.index.size)*8 }

func (t *Table) String() string {
	return fmt.Sprintf("%s.%s", t.spec.UID, t.spec.Name)
}

// current follows forwarding addresses.
func (t *Table) current(r state.Ref) uint32 {
	pos := uint32(r)
	for {
		f := fwdOf(le.Uint64(t.rec(pos)[8:]))
		if f == 0 {
			return pos
		}
		pos = f
	}
}

// holds reports whether the block is the living or dead record of key.
func (t *Table) holds(rec []byte, w0 uint64, key []byte) bool {
	return klenOf(w0) == len(key) && w0&freeBit == 0 && string(rec[t.hdr:t.hdr+len(key)]) == string(key)
}

// lookup returns the block of a key, dead or alive, or 0.
func (t *Table) lookup(tag uint32, key []byte) uint32 {
	x := t.index.segment(tag)
	i := x.home(tag)
	for {
		s := x.slots[i]
		if s == 0 {
			return 0
		}
		if uint32(s>>32) == tag && uint32(s) != 0 {
			rec := t.rec(uint32(s))
			if t.holds(rec, le.Uint64(rec), key) {
				return uint32(s)
			}
		}
		i = (i + 1) & x.mask
	}
}

// expired reports whether the record's time is over.
func (t *Table) expired(rec []byte) bool {
	return t.ttl > 0 && t.set.now().UnixMilli() >= int64(le.Uint64(rec[t.stamp:]))+t.ttl
}

// find returns the block of a living record or of a tombstone, reading through to the cold store, or 0.
func (t *Table) find(g state.KeyGroup, tag uint32, key []byte) (uint32, error) {
	pos := t.lookup(tag, key)
	if pos == 0 {
		if t.evicted == 0 {
			return 0, nil
		}
		var err error
		if pos, err = t.fault(g, tag, key); pos == 0 || err != nil {
			return 0, err
		}
	}
	rec := t.rec(pos)
	if le.Uint64(rec)&deadBit == 0 && t.expired(rec) {
		if err := t.kill(pos); err != nil {
			return 0, err
		}
		return t.lookup(tag, key), nil
	}
	return pos, nil
}

// Find returns the record of a key or state.NoRef.
func (t *Table) Find(g state.KeyGroup, _ uint64, key []byte) (state.Ref, error) {
	pos, err := t.find(g, tagOf(key), key)
	if pos == 0 || err != nil {
		return state.NoRef, err
	}
	rec := t.rec(pos)
	if le.Uint64(rec)&deadBit != 0 {
		return state.NoRef, nil
	}
	t.used1(rec)
	return state.Ref(pos), nil
}

// used1 tells the eviction clock that the record is in use.
func (t *Table) used1(rec []byte) {
	if t.set.cold == nil {
		return
	}
	if w1 := le.Uint64(rec[8:]); w1&clockBit == 0 {
		le.PutUint64(rec[8:], w1|clockBit)
	}
}

// Upsert returns the record of a key and makes one when there is none.
func (t *Table) Upsert(g state.KeyGroup, _ uint64, key []byte) (state.Ref, error) {
	return t.upsert(g, tagOf(key), key)
}

func (t *Table) upsert(g state.KeyGroup, tag uint32, key []byte) (state.Ref, error) {
	pos, err := t.find(g, tag, key)
	if err != nil {
		return state.NoRef, err
	}
	if pos == 0 {
		if pos, err = t.insert(g, tag, key); err != nil {
			return state.NoRef, err
		}
		return state.Ref(pos), nil
	}
	rec := t.rec(pos)
	if le.Uint64(rec)&deadBit != 0 {
		pos, err = t.revive(pos)
		return state.Ref(pos), err
	}
	t.used1(rec)
	return state.Ref(pos), nil
}

// maxRoom bounds the room that new records are made with.
const maxRoom = 256

// lanes is how many keys of a batch are probed together.
const lanes = 64

// UpsertAll hashes, then probes, then compares the keys of a batch, so that the cache misses of
// up to lanes keys overlap.
func (t *Table) UpsertAll(g []state.KeyGroup, _ []uint64, keys state.Keys, refs []state.Ref) error {
	var tags [lanes]uint32
	var hit [lanes]uint64 // first slots
	var head [lanes]uint64
	for base := 0; base < len(refs); base += lanes {
		n := min(lanes, len(refs)-base)
		for j := range n {
			tags[j] = tagOf(keys.At(base + j))
		}
		for j := range n {
			x := t.index.segment(tags[j])
			hit[j] = x.slots[x.home(tags[j])]
		}
		for j := range n {
			head[j] = freeBit
			if s := hit[j]; uint32(s>>32) == tags[j] && uint32(s) != 0 {
				head[j] = le.Uint64(t.rec(uint32(s)))
			}
		}
		for j := range n {
			key := keys.At(base + j)
			if head[j]&(freeBit|deadBit) == 0 && t.ttl == 0 {
				// The slots and heads were read before other keys of this batch changed the
				// table: what counts is what the block says now.
				rec := t.rec(uint32(hit[j]))
				if w0 := le.Uint64(rec); w0&deadBit == 0 && t.holds(rec, w0, key) {
					t.used1(rec)
					refs[base+j] = state.Ref(uint32(hit[j]))
					continue
				}
			}
			r, err := t.upsert(g[base+j], tags[j], key)
			if err != nil {
				return err
			}
			refs[base+j] = r
		}
	}
	return nil
}

// insert makes a record of a key that is nowhere.
func (t *Table) insert(g state.KeyGroup, tag uint32, key []byte) (uint32, error) {
	switch {
	case !t.set.groups.Contains(g):
		return 0, fmt.Errorf("state: key group %d in table %s is not of this subtask, which has [%d, %d)", g, t, t.set.groups.Lo, t.set.groups.Hi)
	case len(key) < t.spec.Prefix || len(key) > maxKey:
		return 0, fmt.Errorf("state: a key of %d bytes in table %s, expected %d to %d", len(key), t, t.spec.Prefix, maxKey)
	}
	pos, err := t.place(word0(len(key), uint16(g), t.room)|emptyBit, freshBit|clockBit, key)
	if err != nil {
		return 0, err
	}
	t.touch(pos)
	t.index.put(tag, pos)
	t.join(pos)
	return pos, nil
}

// Key returns the record's key.
func (t *Table) Key(r state.Ref) []byte {
	rec := t.rec(uint32(r))
	n := t.hdr + klenOf(le.Uint64(rec))
	return rec[t.hdr:n:n]
}

// Group returns the record's key group.
func (t *Table) Group(r state.Ref) state.KeyGroup {
	return state.KeyGroup(groupOf(le.Uint64(t.rec(uint32(r)))))
}

// Get returns the record's value.
func (t *Table) Get(r state.Ref) []byte { return t.value(t.current(r)) }

func (t *Table) value(pos uint32) []byte {
	rec := t.rec(pos)
	w0 := le.Uint64(rec)
	at := t.hdr + pad(klenOf(w0))
	n := at + vlenOf(w0)
	return rec[at:n:n]
}

// Len is the number of records.
func (t *Table) Len() int {
	if t.ttl > 0 && t.evicted == 0 {
		t.sweep(t.index.size) // without evicted ones it cannot fail
	}
	return t.live + t.evicted
}
