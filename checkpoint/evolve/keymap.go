package evolve

import (
	"encoding/binary"
	"errors"

	"github.com/zeebo/xxh3"

	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// keyMap writes keys with columns of wider types.
type keyMap struct {
	prefix  int // first bytes: a hash of the columns of GROUP BY, or an instant, which stays
	hashed  bool
	columns int // of GROUP BY; the rest is the value of a table of values
	was, is []types.Type
	moves   bool // into other key groups
	out     []byte
}

// newKeyMap returns nil when keys stay as they are.
func newKeyMap(t *table) (*keyMap, error) {
	if !t.widensKey() {
		return nil, nil
	}
	k := &keyMap{moves: t.movesGroups()}
	for i, p := range t.Key {
		if p.Form != formColumn {
			k.prefix += 8
			k.hashed = p.Form == formHash
			continue
		}
		a, b, err := twoTypes(t.from.Key[i].Type, p.Type)
		if err != nil {
			return nil, err
		}
		k.was, k.is = append(k.was, a), append(k.is, b)
	}
	if k.columns = len(k.was); t.ID != groupsTable {
		k.columns--
	}
	return k, nil
}

func (k *keyMap) rewrite(g state.KeyGroup, key []byte, groups int) (state.KeyGroup, []byte, error) {
	if len(key) < k.prefix {
		return 0, nil, errors.New("a key is shorter than its manifest says: the snapshot is damaged")
	}
	k.out = append(k.out[:0], key[:k.prefix]...)
	rest := key[k.prefix:]
	var err error
	for i := range k.was {
		if k.out, rest, err = widenKey(k.out, k.was[i], k.is[i], rest); err != nil {
			return 0, nil, err
		}
		if i == k.columns-1 && k.moves {
			h := xxh3.Hash(k.out[k.prefix:])
			g = state.GroupOf(h, groups)
			if k.hashed {
				binary.BigEndian.PutUint64(k.out, h)
			}
		}
	}
	if len(rest) > 0 {
		return 0, nil, errors.New("a key is longer than its manifest says: the snapshot is damaged")
	}
	return g, k.out, nil
}
