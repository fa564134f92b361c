package memstate

import (
	"fmt"

	"github.com/sqlstream/sqlstream/state"
)

type record struct {
	key   string
	group state.KeyGroup
	val   []byte
	stamp int64
}

type table struct {
	store *Store
	spec  state.Spec
	recs  []record // by Ref
	byKey map[string]state.Ref
	free  []state.Ref
	dead  []state.Ref               // deleted since the last Trim
	dirty map[string]state.KeyGroup // keys changed since the last Seal
}

func (t *table) now() int64 {
	if t.spec.TTL == 0 {
		return 0
	}
	return t.store.opts.Now().UnixMilli()
}

func (t *table) insert(g state.KeyGroup, key string, val []byte, stamp int64) state.Ref {
	rec := record{key: key, group: g, val: val, stamp: stamp}
	if n := len(t.free); n > 0 {
		r := t.free[n-1]
		t.free = t.free[:n-1]
		t.recs[r] = rec
		t.byKey[key] = r
		return r
	}
	r := state.Ref(len(t.recs))
	t.recs = append(t.recs, rec)
	t.byKey[key] = r
	return r
}

// alive deletes the record when its time is over.
func (t *table) alive(r state.Ref) bool {
	if ttl := t.spec.TTL.Milliseconds(); ttl > 0 && t.now() >= t.recs[r].stamp+ttl {
		t.drop(r)
		return false
	}
	return true
}

func (t *table) touch(r state.Ref) *record {
	rec := &t.recs[r]
	rec.stamp = t.now()
	t.dirty[rec.key] = rec.group
	return rec
}

func (t *table) drop(r state.Ref) {
	rec := &t.recs[r]
	t.dirty[rec.key] = rec.group
	delete(t.byKey, rec.key)
	t.dead = append(t.dead, r)
	*rec = record{}
}

func (t *table) Find(_ state.KeyGroup, _ uint64, key []byte) (state.Ref, error) {
	if r, ok := t.byKey[string(key)]; ok && t.alive(r) {
		return r, nil
	}
	return state.NoRef, nil
}

func (t *table) Upsert(g state.KeyGroup, hash uint64, key []byte) (state.Ref, error) {
	if r, _ := t.Find(g, hash, key); r != state.NoRef {
		return r, nil
	}
	if !t.store.opts.Range.Contains(g) {
		return state.NoRef, fmt.Errorf("state: key group %d is not of this subtask, which has [%d, %d)", g, t.store.opts.Range.Lo, t.store.opts.Range.Hi)
	}
	if len(key) < t.spec.Prefix {
		return state.NoRef, fmt.Errorf("state: a key of %d bytes in table %s.%s, whose prefix has %d", len(key), t.spec.UID, t.spec.Name, t.spec.Prefix)
	}
	r := t.insert(g, string(key), nil, 0)
	t.touch(r)
	return r, nil
}

func (t *table) UpsertAll(g []state.KeyGroup, hash []uint64, keys state.Keys, refs []state.Ref) error {
	for i := range refs {
		r, err := t.Upsert(g[i], hash[i], keys.At(i))
		if err != nil {
			return err
		}
		refs[i] = r
	}
	return nil
}

func (t *table) Key(r state.Ref) []byte           { return []byte(t.recs[r].key) }
func (t *table) Group(r state.Ref) state.KeyGroup { return t.recs[r].group }
func (t *table) Get(r state.Ref) []byte           { return t.recs[r].val }
func (t *table) Edit(r state.Ref) []byte          { return t.touch(r).val }

func (t *table) Set(r state.Ref, val []byte) error {
	if len(val) == 0 {
		return fmt.Errorf("state: an empty value in table %s.%s", t.spec.UID, t.spec.Name)
	}
	rec := t.touch(r)
	rec.val = append([]byte(nil), val...)
	return nil
}

func (t *table) Delete(r state.Ref) error {
	t.drop(r)
	return nil
}

func (t *table) Scan(prefix []byte, fn func(state.Ref) error) error {
	if t.spec.Prefix == 0 || len(prefix) != t.spec.Prefix {
		return fmt.Errorf("state: scan of table %s.%s with a prefix of %d bytes, declared are %d", t.spec.UID, t.spec.Name, len(prefix), t.spec.Prefix)
	}
	for key, r := range t.byKey {
		if key[:t.spec.Prefix] == string(prefix) && t.alive(r) {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) Prefixes(fn func([]byte) error) error {
	seen := map[string]bool{}
	for key, r := range t.byKey {
		if p := key[:t.spec.Prefix]; !seen[p] && t.alive(r) {
			seen[p] = true
			if err := fn([]byte(p)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) Each(fn func(state.Ref) error) error {
	for _, r := range t.byKey {
		if t.alive(r) {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) Len() int {
	n := 0
	for _, r := range t.byKey {
		if t.alive(r) {
			n++
		}
	}
	return n
}
