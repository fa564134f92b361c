package savepoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/keyform"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

const testJob = "0123456789abcdef0123456789abcdef"

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// scalars has a type of every kind that aggregates keep.
var scalars = []types.Type{
	types.BooleanT, types.TinyIntT, types.SmallIntT, types.IntT, types.BigIntT, types.FloatT, types.DoubleT,
	types.DecimalT(10, 2), types.DecimalT(38, 10), types.CharT(3), types.VarCharT(5), types.StringT,
	{Kind: types.Binary, Length: 4}, types.BytesT, types.DateT, types.TimeT(0), types.TimeT(3),
	types.TimestampT(0), types.TimestampT(3), types.TimestampT(6), types.TimestampT(9), types.TimestampLTZT(3), types.TimestampLTZT(6),
	types.YearMonthT, types.DayTimeT,
}

// all has those that are only keys as well.
var all = append(slices.Clone(scalars),
	types.ArrayT(types.IntT), types.ArrayT(types.StringT.NotNullable()), types.MultisetT(types.StringT),
	types.MapT(types.StringT.NotNullable(), types.ArrayT(types.DoubleT)), types.MapT(types.IntT, types.DecimalT(20, 1)),
	types.RowT(types.Field{Name: "a", Type: types.IntT}, types.Field{Name: "b", Type: types.RowT(types.Field{Name: "c`d", Type: types.StringT})}),
	types.ArrayT(types.ArrayT(types.MapT(types.StringT, types.BooleanT))),
)

// gen makes random values: of all bits, or only such that every reader has a form for.
type gen struct {
	*rand.Rand
	sane bool
}

func random(seed uint64) gen { return gen{Rand: rand.New(rand.NewPCG(seed, 1))} }

// fixed appends the little endian bytes of a random value of a fixed width.
func (r gen) fixed(dst []byte, t types.Type) []byte {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], r.Uint64())
	binary.LittleEndian.PutUint64(b[8:], r.Uint64())
	if r.sane {
		v, set := int64(0), true
		switch t.Kind {
		case types.Date:
			v = r.Int64N(40_000) - 20_000
		case types.Time:
			v = r.Int64N(86_400_000)
		case types.Timestamp, types.TimestampLTZ:
			v = (r.Int64N(4e9) - 2e9) * t.UnitsPerSecond() / 1000 * 1000
		case types.Decimal:
			v = r.Int64N(1e10) - 5e9
		default:
			set = false
		}
		if set {
			binary.LittleEndian.PutUint64(b[:], uint64(v))
			binary.LittleEndian.PutUint64(b[8:], uint64(v>>63))
		}
	}
	return append(dst, b[:t.Physical().Width()]...)
}

// randomKey appends a random value in key form.
func randomKey(r gen, dst []byte, t types.Type) []byte {
	if !t.NotNull && r.IntN(5) == 0 {
		return append(dst, 0)
	}
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	text := func() []byte {
		return []byte([]string{"", "a", "Zürich", "日本", strings.Repeat("x", 200)}[r.IntN(5)])
	}
	switch p := t.Physical(); p {
	case types.PhysBool:
		return append(dst, byte(1+r.IntN(2)))
	case types.PhysF32:
		return binary.BigEndian.AppendUint32(append(dst, 1), orderedBits32(randomFloat32(r)))
	case types.PhysF64:
		return binary.BigEndian.AppendUint64(append(dst, 1), orderedBits64(randomFloat64(r)))
	case types.PhysBytes:
		x := text()
		if t.IsBinary() {
			x = bytesOf(r.IntN(6))
		}
		return append(binary.AppendUvarint(append(dst, 1), uint64(len(x))), x...)
	case types.PhysList, types.PhysMap:
		n := r.IntN(4)
		if p == types.PhysMap && r.sane {
			n = min(n, 1) // different keys
		}
		dst = binary.AppendUvarint(append(dst, 1), uint64(n))
		for range n {
			switch t.Kind {
			case types.Array:
				dst = randomKey(r, dst, *t.Elem)
			case types.Map:
				dst = randomKey(r, randomKey(r, dst, t.Key.NotNullable()), *t.Elem)
			default:
				dst = randomKey(r, randomKey(r, dst, t.Elem.NotNullable()), types.IntT.NotNullable())
			}
		}
		return dst
	case types.PhysRow:
		dst = append(dst, 1)
		for _, f := range t.Fields {
			dst = randomKey(r, dst, f.Type)
		}
		return dst
	default: // big endian, sign bit flipped
		x := r.fixed(nil, t)
		if p == types.PhysD128 && t.Precision <= 18 {
			x = x[:8]
		}
		slices.Reverse(x)
		x[0] ^= 0x80
		return append(append(dst, 1), x...)
	}
}

func randomFloat64(r gen) float64 {
	return [...]float64{0, math.Copysign(0, -1), 1.5, -1e300, math.NaN(), math.Inf(1), math.Inf(-1), r.NormFloat64()}[r.IntN(8)]
}

func randomFloat32(r gen) float32 { return float32(randomFloat64(r)) }

// The order-preserving bits, written down a second time.
func orderedBits64(f float64) uint64 {
	b := math.Float64bits(f)
	switch {
	case f != f:
		return 0x7ff8000000000000 | 1<<63
	case b>>63 == 1:
		return ^b
	}
	return b | 1<<63
}

func orderedBits32(f float32) uint32 {
	b := math.Float32bits(f)
	switch {
	case f != f:
		return 0x7fc00000 | 1<<31
	case b>>31 == 1:
		return ^b
	}
	return b | 1<<31
}

type entry struct {
	group state.KeyGroup
	key   []byte
	value []byte
	stamp int64
}

// mapContent is a Content for tests.
type mapContent map[string][]entry

func tableKey(uid string, id uint8) string { return fmt.Sprint(uid, "/", id) }

func (m mapContent) put(uid string, id uint8, list []entry) {
	slices.SortFunc(list, func(a, b entry) int {
		if a.group != b.group {
			return int(a.group) - int(b.group)
		}
		return bytes.Compare(a.key, b.key)
	})
	m[tableKey(uid, id)] = slices.CompactFunc(list, func(a, b entry) bool { return a.group == b.group && bytes.Equal(a.key, b.key) })
}

func (m mapContent) Table(uid string, id uint8) (checkpoint.Records, error) {
	list := m[tableKey(uid, id)]
	if len(list) == 0 {
		return nil, nil
	}
	return &mapRows{list: list, at: -1}, nil
}

func (mapContent) Close() error { return nil }

type mapRows struct {
	list []entry
	at   int
}

func (r *mapRows) Next() bool            { r.at++; return r.at < len(r.list) }
func (r *mapRows) Group() state.KeyGroup { return r.list[r.at].group }
func (r *mapRows) Key() []byte           { return r.list[r.at].key }
func (r *mapRows) Value() []byte         { return r.list[r.at].value }
func (r *mapRows) Stamp() int64          { return r.list[r.at].stamp }
func (r *mapRows) Err() error            { return nil }

// read reads all of a content.
func read(t *testing.T, c checkpoint.Content, m *checkpoint.Manifest) mapContent {
	t.Helper()
	out := mapContent{}
	for _, o := range m.Operators {
		for _, tab := range o.Tables {
			r, err := c.Table(o.UID, tab.ID)
			if err != nil {
				t.Fatal(err)
			}
			if r == nil {
				continue
			}
			var list []entry
			for r.Next() {
				list = append(list, entry{r.Group(), bytes.Clone(r.Key()), bytes.Clone(r.Value()), r.Stamp()})
			}
			if err := r.Err(); err != nil {
				t.Fatal(err)
			}
			out[tableKey(o.UID, tab.ID)] = list
		}
	}
	return out
}

func (m mapContent) equal(o mapContent) error {
	for k, want := range m {
		got := o[k]
		if len(got) != len(want) {
			return fmt.Errorf("table %s has %d entries, expected %d", k, len(got), len(want))
		}
		for i, w := range want {
			if g := got[i]; g.group != w.group || !bytes.Equal(g.key, w.key) || !bytes.Equal(g.value, w.value) || g.stamp != w.stamp {
				return fmt.Errorf("table %s, entry %d:\n got %d %x %x %d\nwant %d %x %x %d", k, i, g.group, g.key, g.value, g.stamp, w.group, w.key, w.value, w.stamp)
			}
		}
	}
	return nil
}

// slotOf lays out an aggregate of a type as package planner/plan/layout does.
func slotOf(name string, t types.Type, retract bool) (checkpoint.Slot, bool) {
	t = t.Nullable()
	s := checkpoint.Slot{Name: name + "(x)", Type: t.String(), Kind: "aggregate", Text: name + " of x", ID: "0123456789ab"}
	field := func(name string, t types.Type, off int, variable, key bool) {
		s.Fields = append(s.Fields, checkpoint.Field{Name: name, Type: t.String(), Offset: off, Variable: variable, KeyForm: key})
	}
	size := 8
	if t.Physical() == types.PhysD128 {
		size = 16
	}
	switch {
	case name == "COUNT":
		s.Size, s.Type = 8, "BIGINT NOT NULL"
		field("count", types.BigIntT, 0, false, false)
	case name == "SUM" && !t.IsNumeric(), name == "MIN" && retract && t.IsNested():
		return s, false
	case name == "SUM":
		if t.IsInteger() {
			t = types.BigIntT
		}
		s.Size = size + 8
		field("sum", t, 0, false, false)
		field("count", types.BigIntT, size, false, false)
	case retract:
		s.Size = 16
		field("value", t, 0, true, true)
		field("values", types.BigIntT, 8, false, false)
	default:
		s.Size = size + 8
		field("value", t, 0, t.Physical() == types.PhysBytes, false)
		field("present", types.BigIntT, size, false, false)
	}
	return s, true
}

// randomValue makes a record as exec/agg does.
func randomValue(r gen, t *checkpoint.Table) []byte {
	v := make([]byte, t.Size)
	var tails [][2]int // offset in v, index of vals
	var vals [][]byte
	for _, s := range t.Slots {
		if s.Kind == "seen" {
			v[s.Offset] |= byte(r.IntN(2)) << s.Bit
			continue
		}
		if len(s.Fields) == 0 {
			x := uint64(r.Int64N(1e12))
			if s.Kind == "time" && r.IntN(3) == 0 {
				x = []uint64{1 << 63, 1<<63 - 1}[r.IntN(2)]
			}
			binary.LittleEndian.PutUint64(v[s.Offset:], x)
			continue
		}
		has := r.IntN(4) > 0
		for _, f := range s.Fields {
			typ, _ := types.Parse(f.Type)
			at := s.Offset + f.Offset
			switch {
			case f.Name == "present":
				if has {
					v[at] = 1
				}
			case f.Variable:
				var x []byte
				switch {
				case has && f.KeyForm:
					x = randomKey(r, nil, typ.NotNullable())
				case has && typ.IsString():
					x = []byte("ä" + strings.Repeat("b", r.IntN(3)))[:2*r.IntN(2)]
				case has:
					x = []byte{0xff, 0}[:r.IntN(3)]
				}
				tails, vals = append(tails, [2]int{at, len(vals)}), append(vals, x)
				if !has {
					vals[len(vals)-1] = nil
				} else if x == nil {
					vals[len(vals)-1] = []byte{}
				}
			case f.Name == "value" && !has:
			case typ.Kind == types.Boolean:
				v[at] = byte(r.IntN(2))
			default:
				copy(v[at:], r.fixed(nil, typ))
			}
		}
	}
	fresh := true
	for _, x := range vals {
		fresh = fresh && x == nil
	}
	for _, x := range tails {
		if !fresh {
			binary.LittleEndian.PutUint32(v[x[0]:], uint32(len(v)))
			binary.LittleEndian.PutUint32(v[x[0]+4:], uint32(len(vals[x[1]])))
			v = append(v, vals[x[1]]...)
		}
	}
	return v
}

// randomState makes tables of every type and every layout.
func randomState(r gen, rows int) (*checkpoint.Manifest, mapContent) {
	m := &checkpoint.Manifest{
		Engine: "test", JobID: testJob, JobName: "etl", Incarnation: 1, Epoch: 7, Kind: checkpoint.Checkpoint, Created: day,
		MaxParallelism: 128, Plan: "p", SQL: "INSERT INTO o SELECT u, COUNT(*) FROM i GROUP BY u",
	}
	c := mapContent{}
	for i, typ := range all {
		for _, retract := range []bool{false, true} {
			o := checkpoint.Operator{UID: fmt.Sprintf("op%d%v", i, retract), Name: "GroupAggregate " + typ.String(), Kind: "GroupAggregate", Parallelism: 1, Line: 3, Column: 4}
			o.Tables = tablesOf(typ, retract)
			if retract { // the others are the same
				o.Tables = o.Tables[:1]
			}
			for k := range o.Tables {
				c.put(o.UID, o.Tables[k].ID, randomEntries(r, &o.Tables[k], rows))
			}
			m.Operators = append(m.Operators, o)
		}
	}
	return m, c
}

func tablesOf(typ types.Type, retract bool) []checkpoint.Table {
	user := checkpoint.KeyPart{ID: "k", Name: "user", Type: typ.String(), Form: "column"}
	other := checkpoint.KeyPart{ID: "l", Name: "user", Type: "STRING", Form: "column"}
	groups := checkpoint.Table{ID: 0, Name: "groups", Key: []checkpoint.KeyPart{user, other}, Size: 8,
		Slots: []checkpoint.Slot{{Name: "rows", Type: "BIGINT NOT NULL", Kind: "rows", Size: 8}}}
	for _, name := range []string{"COUNT", "SUM", "MIN", "FIRST_VALUE", "MIN"} {
		if s, ok := slotOf(name, typ, retract); ok && !(typ.IsNested() && name != "COUNT") {
			s.Offset = groups.Size
			groups.Size += s.Size
			groups.Slots = append(groups.Slots, s)
		}
	}
	hash := checkpoint.KeyPart{Name: "hash", Type: "BIGINT NOT NULL", Form: "hash"}
	values := checkpoint.Table{ID: 1, Name: "values of x", Prefix: 8, Key: []checkpoint.KeyPart{hash, other, user, other}, Size: 2}
	for b := range 11 {
		values.Slots = append(values.Slots, checkpoint.Slot{Name: "seen", Type: "BOOLEAN NOT NULL", Kind: "seen", Offset: b / 8, Bit: b % 8})
	}
	windows := checkpoint.Table{ID: 2, Name: "windows", Prefix: 8, Size: 8,
		Key:   []checkpoint.KeyPart{{Name: "window_end", Type: "BIGINT NOT NULL", Form: "ordered"}, user},
		Slots: []checkpoint.Slot{{Name: "count", Type: "BIGINT NOT NULL", Kind: "count", Size: 8}}}
	progress := checkpoint.Table{ID: 255, Name: "progress", Size: 8,
		Key:   []checkpoint.KeyPart{{Name: "key_group", Type: "SMALLINT NOT NULL", Form: "group"}},
		Slots: []checkpoint.Slot{{Name: "fired up to", Type: "BIGINT NOT NULL", Kind: "time", Size: 8}}}
	return []checkpoint.Table{groups, values, windows, progress}
}

func randomEntries(r gen, t *checkpoint.Table, rows int) []entry {
	var list []entry
	for range rows {
		e := entry{group: state.KeyGroup(r.IntN(128)), value: randomValue(r, t)}
		hash, last := -1, 0
		for _, p := range t.Key {
			last = len(e.key)
			typ, _ := types.Parse(p.Type)
			switch p.Form {
			case "column":
				e.key = randomKey(r, e.key, typ)
			case "ordered":
				e.key = binary.BigEndian.AppendUint64(e.key, uint64(r.Int64N(1e12))^1<<63)
			case "hash":
				e.key, hash = append(e.key, make([]byte, 8)...), 8
			case "group":
				e.key = binary.BigEndian.AppendUint16(e.key, uint16(e.group))
			}
		}
		if hash >= 0 {
			binary.BigEndian.PutUint64(e.key, keyform.Hash(e.key[hash:last]))
		}
		if t.ID == 1 && r.IntN(2) == 0 {
			e.stamp = 1_700_000_000_000 + r.Int64N(1e9)
		}
		list = append(list, e)
	}
	return list
}
