package evolve

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
	"github.com/sqlstream/sqlstream/state/stf"
)

const groups = 8

// row is an entry of a table.
type row struct {
	group      state.KeyGroup
	key, value []byte
	stamp      int64
}

// content is a checkpoint.Content in memory, by UID and number of the table.
type content map[tableKey][]row

func (c content) Table(uid string, id uint8) (checkpoint.Records, error) {
	rows := c[tableKey{uid, id}]
	if len(rows) == 0 {
		return nil, nil
	}
	return &rowRecords{rows: rows, at: -1}, nil
}

func (c content) Close() error { return nil }

type rowRecords struct {
	rows []row
	at   int
}

func (r *rowRecords) Next() bool            { r.at++; return r.at < len(r.rows) }
func (r *rowRecords) Group() state.KeyGroup { return r.rows[r.at].group }
func (r *rowRecords) Key() []byte           { return r.rows[r.at].key }
func (r *rowRecords) Value() []byte         { return r.rows[r.at].value }
func (r *rowRecords) Stamp() int64          { return r.rows[r.at].stamp }
func (r *rowRecords) Err() error            { return nil }

// aggregate is a slot of an aggregate; fields are "name type" or "name type variable" or "name type key".
func aggregate(text string, offset, size int, fields ...string) checkpoint.Slot {
	s := checkpoint.Slot{ID: text, Name: text, Text: text, Kind: slotAggregate, Offset: offset, Size: size}
	_, s.Type, _ = strings.Cut(text[strings.LastIndexByte(text, ')'):], ":")
	for i, f := range fields {
		name, rest, _ := strings.Cut(f, " ")
		x := checkpoint.Field{Name: name, Offset: i * (size - 8)}
		x.Type, x.Variable = strings.CutSuffix(rest, " variable")
		if t, ok := strings.CutSuffix(rest, " key"); ok {
			x.Type, x.Variable, x.KeyForm = t, true, true
		}
		s.Fields = append(s.Fields, x)
	}
	return s
}

func counter(kind, text string, offset int) checkpoint.Slot {
	return checkpoint.Slot{ID: text, Name: text, Text: text, Type: "BIGINT NOT NULL", Kind: kind, Offset: offset, Size: 8}
}

func column(name, typ string) checkpoint.KeyPart {
	return checkpoint.KeyPart{ID: name, Name: name, Type: typ, Form: formColumn, Text: name}
}

// operator has a table of groups by a column k of a type.
func operator(key string, size int, slots ...checkpoint.Slot) checkpoint.Operator {
	return checkpoint.Operator{UID: "u", Name: "GroupAggregate(k)", Kind: "GroupAggregate", Parallelism: 1,
		Tables: []checkpoint.Table{{ID: 0, Name: "groups", Key: []checkpoint.KeyPart{column("k", key)}, Size: size, Slots: slots}}}
}

func compare(old, now checkpoint.Operator, a Allow) *Report {
	m := &checkpoint.Manifest{Kind: checkpoint.Checkpoint, Epoch: 5, JobName: "j", MaxParallelism: groups, Operators: []checkpoint.Operator{old}}
	return Compare(m, Target{Operators: []checkpoint.Operator{now}, MaxParallelism: groups}, a)
}

// rewritten returns what Rewrite makes of a content.
func rewritten(t testing.TB, r *Report, c checkpoint.Content) (content, *memstate.Files, error) {
	t.Helper()
	dst := &memstate.Files{}
	files, err := r.Rewrite(t.Context(), c, dst, 5)
	if err != nil {
		return nil, dst, err
	}
	if len(files) != len(dst.Names()) {
		t.Errorf("%d files are listed, %q are there", len(files), dst.Names())
	}
	out := content{}
	for _, f := range files {
		if f.Kind != stf.Full || f.MinEpoch != 5 || f.MaxEpoch != 5 {
			t.Errorf("file %+v is not a full one of the snapshot", f)
		}
		x, err := stf.Open(dst, f)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Verify(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		for _, ft := range f.Tables {
			it := x.Iter(stf.IDOf(ft.UID, ft.ID), state.Range{Hi: groups})
			for it.Next() {
				k := tableKey{ft.UID, ft.ID}
				out[k] = append(out[k], row{it.Group(), bytes.Clone(it.Key()), bytes.Clone(it.Value()), it.Stamp()})
			}
			if it.Err() != nil {
				t.Fatal(it.Err())
			}
		}
		x.Close()
	}
	return out, dst, nil
}

// raw makes bytes of hexadecimal digits and of "text" in quotes.
func raw(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		if s, ok := strings.CutPrefix(p, "'"); ok {
			out = append(out, strings.TrimSuffix(s, "'")...)
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(p, " ", ""))
		if err != nil {
			panic(err)
		}
		out = append(out, b...)
	}
	return out
}

func TestRecordsByteByByte(t *testing.T) {
	const zero8, one = "0000000000000000", "0100000000000000"
	count := func(at int) checkpoint.Slot { return aggregate("COUNT():BIGINT", at, 8, "count BIGINT") }
	text := func(name string, at int) checkpoint.Slot {
		return aggregate(name+`("t"."s"):STRING`, at, 16, "value STRING variable", "present BIGINT")
	}
	for _, tc := range []struct {
		name     string
		old, now checkpoint.Operator
		allow    Allow
		was, is  []byte
	}{
		{"as it is", operator("INT", 8, count(0)), operator("INT", 8, count(0)), Allow{}, raw("0700000000000000"), raw("0700000000000000")},
		{"slots move, strings follow in the new order",
			operator("INT", 40, text("MAX", 0), count(16), text("MIN", 24)), operator("INT", 40, text("MIN", 0), text("MAX", 16), count(32)), Allow{},
			raw("28000000 03000000", one, "0700000000000000", "2b000000 01000000", one, "'abc'", "'x'"),
			raw("28000000 01000000", one, "29000000 03000000", one, "0700000000000000", "'x'", "'abc'")},
		{"strings that nothing points to any more go",
			operator("INT", 40, text("MAX", 0), count(16), text("MIN", 24)), operator("INT", 16, text("MIN", 0)), Allow{All: true},
			raw("28000000 03000000", one, "0700000000000000", "2b000000 01000000", one, "'abc'", "'x'", "'garbage'"),
			raw("10000000 01000000", one, "'x'")},
		{"a new slot is zero, no value is no value",
			operator("INT", 16, text("MAX", 0)), operator("INT", 40, text("MIN", 0), count(16), text("MAX", 24)), Allow{},
			raw(zero8, zero8), raw(zero8, zero8, zero8, "28000000 00000000", zero8)},
		{"INT becomes BIGINT", operator("INT", 16, aggregate(`MAX("t"."i"):INT`, 0, 16, "value INT", "present BIGINT")),
			operator("INT", 16, aggregate(`MAX("t"."i"):BIGINT`, 0, 16, "value BIGINT", "present BIGINT")), Allow{},
			raw("feffffff 00000000", one), raw("feffffffffffffff", one)},
		{"a sum of INT is kept in 64 bits already", operator("INT", 16, aggregate(`SUM("t"."i"):INT`, 0, 16, "sum BIGINT", "count BIGINT")),
			operator("INT", 16, aggregate(`SUM("t"."i"):BIGINT`, 0, 16, "sum BIGINT", "count BIGINT")), Allow{},
			raw("0000000001000000", one), raw("0000000001000000", one)},
		{"FLOAT becomes DOUBLE", operator("INT", 16, aggregate(`SUM("t"."f"):FLOAT`, 0, 16, "sum FLOAT", "count BIGINT")),
			operator("INT", 16, aggregate(`SUM("t"."f"):DOUBLE`, 0, 16, "sum DOUBLE", "count BIGINT")), Allow{},
			raw("0000c03f 00000000", one), raw("000000000000f83f", one)},
		{"more digits behind the point", operator("INT", 24, aggregate(`MAX("t"."d"):DECIMAL(10, 2)`, 0, 24, "value DECIMAL(10, 2)", "present BIGINT")),
			operator("INT", 24, aggregate(`MAX("t"."d"):DECIMAL(20, 4)`, 0, 24, "value DECIMAL(20, 4)", "present BIGINT")), Allow{},
			raw("ffffffffffffffff ffffffffffffffff", one), raw("9cffffffffffffff ffffffffffffffff", one)},
		{"a sum that overflowed stays one", operator("INT", 24, aggregate(`SUM("t"."d"):DECIMAL(38, 2)`, 0, 24, "sum DECIMAL(38, 2)", "count BIGINT")),
			operator("INT", 24, aggregate(`SUM("t"."d"):DECIMAL(38, 4)`, 0, 24, "sum DECIMAL(38, 4)", "count BIGINT")), Allow{},
			raw("0000000000000000 0000000000000080", one), raw("0000000000000000 0000000000000080", one)},
		{"a timestamp in finer units", operator("INT", 16, aggregate(`MAX("t"."z"):TIMESTAMP(3)`, 0, 16, "value TIMESTAMP(3)", "present BIGINT")),
			operator("INT", 16, aggregate(`MAX("t"."z"):TIMESTAMP(6)`, 0, 16, "value TIMESTAMP(6)", "present BIGINT")), Allow{},
			raw("ffffffffffffffff", one), raw("18fcffffffffffff", one)},
		{"an extreme in key form", operator("INT", 16, aggregate(`MAX("t"."i"):INT`, 0, 16, "value INT key", "values BIGINT")),
			operator("INT", 16, aggregate(`MAX("t"."i"):BIGINT`, 0, 16, "value BIGINT key", "values BIGINT")), Allow{},
			raw("10000000 05000000", one, "01 80000007"), raw("10000000 09000000", one, "01 8000000000000007")},
		{"the number of rows is that of COUNT(*)", operator("INT", 8, count(0)), operator("INT", 8, counter(slotRows, "rows", 0)), Allow{All: true},
			raw("0700000000000000"), raw("0700000000000000")},
		{"COUNT(*) is the number of rows", operator("INT", 8, counter(slotRows, "rows", 0)), operator("INT", 8, count(0)), Allow{},
			raw("0700000000000000"), raw("0700000000000000")},
		{"a group that exists has a row", operator("INT", 16, text("MAX", 0)), operator("INT", 8, counter(slotRows, "rows", 0)), Allow{All: true},
			raw(zero8, zero8), raw(one)},
		{"a mean is a sum and how many", operator("INT", 16, aggregate(`SUM("t"."i"):INT`, 0, 16, "sum BIGINT", "count BIGINT")),
			operator("INT", 24, aggregate(`COUNT("t"."i"):BIGINT`, 0, 8, "count BIGINT"), aggregate(`AVG("t"."i"):INT`, 8, 16, "sum BIGINT", "count BIGINT")), Allow{},
			raw("0900000000000000", "0200000000000000"), raw("0200000000000000", "0900000000000000", "0200000000000000")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := compare(tc.old, tc.now, tc.allow)
			key := raw("01 80000001")
			got, _, err := rewritten(t, r, content{{"u", 0}: {{3, key, tc.was, 77}}})
			if err != nil {
				t.Fatal(err)
			}
			want := []row{{3, key, tc.is, 77}}
			if g := got[tableKey{"u", 0}]; len(g) != 1 || !bytes.Equal(g[0].value, tc.is) || !bytes.Equal(g[0].key, key) || g[0].group != 3 || g[0].stamp != 77 {
				t.Errorf("got  %x\nwant %x", g, want)
			}
			if !r.Moves() && !bytes.Equal(tc.was, tc.is) {
				t.Error("the files would be restored as they are")
			}
		})
	}
}

// valuesTable is a table of the different values of column v in each group.
func valuesTable(id uint8, prefix int, value string, slots ...checkpoint.Slot) checkpoint.Table {
	t := checkpoint.Table{ID: id, Name: "values of v", Prefix: prefix, Slots: slots}
	if prefix > 0 {
		t.Key = append(t.Key, checkpoint.KeyPart{Name: "hash", Type: "BIGINT NOT NULL", Form: formHash})
	}
	t.Key = append(t.Key, column("k", "INT"), column("v", value))
	for _, s := range slots {
		t.Size = max(t.Size, s.Offset+max(s.Size, 1))
	}
	return t
}

func seen(text string, bit int) checkpoint.Slot {
	return checkpoint.Slot{ID: text, Name: text, Text: text, Type: "BOOLEAN NOT NULL", Kind: slotSeen, Offset: bit / 8, Bit: bit % 8}
}

func TestSlotsAreMadeOfDifferentValues(t *testing.T) {
	distinct := func(name string, at, size int, fields ...string) checkpoint.Slot {
		return aggregate(name+" distinct(v):BIGINT", at, size, fields...)
	}
	counted := distinct("COUNT", 0, 8, "count BIGINT")
	old := operator("INT", 8, counted)
	old.Tables = append(old.Tables, valuesTable(1, 0, "INT", seen("seen of v", 0)))
	now := operator("INT", 24, distinct("SUM", 0, 16, "sum BIGINT", "count BIGINT"), distinct("COUNT", 16, 8, "count BIGINT"))
	now.Tables = append(now.Tables, valuesTable(2, 0, "INT", seen("seen of v where f", 0), seen("seen of v", 1)))
	k1, k2 := raw("01 80000001"), raw("01 80000002")
	value := func(k []byte, v string) []byte { return append(slices.Clone(k), raw(v)...) }
	got, _, err := rewritten(t, compare(old, now, Allow{}), content{
		{"u", 0}: {{1, k1, raw("0200000000000000"), 0}, {1, k2, raw("0000000000000000"), 0}, {2, k1, raw("0100000000000000"), 0}},
		{"u", 1}: {{1, value(k1, "01 7ffffffe"), raw("01"), 0}, {1, value(k1, "01 80000009"), raw("01"), 0}, {2, value(k1, "01 80000003"), raw("01"), 0}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "[1 0180000001 0700000000000000" + "0200000000000000" + "0200000000000000 1 0180000002 " + strings.Repeat("00", 24) +
		" 2 0180000001 0300000000000000" + "0100000000000000" + "0100000000000000]"
	if g := short(got[tableKey{"u", 0}]); g != want {
		t.Errorf("groups\n got %s\nwant %s", g, want)
	}
	if g := short(got[tableKey{"u", 2}]); g != "[1 0180000001017ffffffe 02 1 01800000010180000009 02 2 01800000010180000003 02]" {
		t.Errorf("values %s", g)
	}
}

func short(rows []row) string {
	var out []string
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%d %x %x", r.group, r.key, r.value))
	}
	return fmt.Sprint(out)
}

// TestEntriesThatNothingCountsGo: of a column's values those stay that an aggregate still counts, and the group's
// number of entries follows.
func TestEntriesThatNothingCountsGo(t *testing.T) {
	largest := aggregate("MAX(v):INT", 8, 16, "value INT key", "values BIGINT")
	filtered := aggregate("COUNT distinct(v){f}:BIGINT", 24, 8, "count BIGINT")
	old := operator("INT", 40, counter(slotRows, "rows", 0), largest, filtered, counter(slotEntries, "entries of v", 32))
	old.Tables = append(old.Tables, valuesTable(1, 8, "INT", counter(slotCount, "count of v", 0), counter(slotCount, "count of v where f", 8)))
	filtered.Offset = 8
	now := operator("INT", 24, counter(slotRows, "rows", 0), filtered, counter(slotEntries, "entries of v", 16))
	now.Tables = append(now.Tables, valuesTable(1, 8, "INT", counter(slotCount, "count of v where f", 0)))
	old.Retract, now.Retract = true, true
	k := raw("01 80000001")
	hash := binary.BigEndian.AppendUint64(nil, xxh3.Hash(k))
	entry := func(v string) []byte { return slices.Concat(hash, k, raw(v)) }
	got, _, err := rewritten(t, compare(old, now, Allow{All: true}), content{
		{"u", 0}: {{1, k, raw("0300000000000000", "28000000 05000000", "0200000000000000", "0100000000000000", "0200000000000000", "01 80000007"), 0}},
		{"u", 1}: {{1, entry("01 80000003"), raw("0200000000000000", "0000000000000000"), 0}, {1, entry("01 80000007"), raw("0100000000000000", "0100000000000000"), 0}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if g := short(got[tableKey{"u", 0}]); g != "[1 0180000001 0300000000000000"+"0100000000000000"+"0100000000000000]" {
		t.Errorf("groups %s", g)
	}
	if g := short(got[tableKey{"u", 1}]); g != fmt.Sprintf("[1 %x 0100000000000000]", entry("01 80000007")) {
		t.Errorf("values %s", g)
	}
}

// TestWiderKeysMoveToTheirGroups: with and without files in between.
func TestWiderKeysMoveToTheirGroups(t *testing.T) {
	old, now := operator("INT", 8, aggregate("COUNT():BIGINT", 0, 8, "count BIGINT")), operator("BIGINT", 8, aggregate("COUNT():BIGINT", 0, 8, "count BIGINT"))
	now.Parallelism = 3
	r := compare(old, now, Allow{})
	if r.Verdict != Migrate || r.Rows[0].Because != "GROUP BY column k widened from INT to BIGINT" {
		t.Errorf("%+v", r.Rows)
	}
	c := content{}
	at := tableKey{"u", 0}
	const n = 3000
	for i := range n {
		key := binary.BigEndian.AppendUint32([]byte{1}, uint32(i)^1<<31)
		c[at] = append(c[at], row{state.GroupOf(xxh3.Hash(key), groups), key, binary.LittleEndian.AppendUint64(nil, uint64(i)), int64(i)})
	}
	slices.SortFunc(c[at], func(a, b row) int {
		if a.group != b.group {
			return int(a.group) - int(b.group)
		}
		return bytes.Compare(a.key, b.key)
	})
	whole := sortMemory
	defer func() { sortMemory = whole }()
	for _, memory := range []int{whole, 10_000} {
		sortMemory = memory
		got, dst, err := rewritten(t, r, c)
		if err != nil {
			t.Fatal(err)
		}
		if len(dst.Names()) != 3 {
			t.Errorf("files %q", dst.Names())
		}
		if len(got[at]) != n {
			t.Errorf("%d rows of %d", len(got[at]), n)
		}
		for _, x := range got[at] {
			i := binary.LittleEndian.Uint64(x.value)
			key := binary.BigEndian.AppendUint64([]byte{1}, i^1<<63)
			if !bytes.Equal(x.key, key) || x.group != state.GroupOf(xxh3.Hash(key), groups) || x.stamp != int64(i) {
				t.Fatalf("row %d: %d %x", i, x.group, x.key)
			}
		}
	}
}

func TestRowsInFlightFitOnlyTheQueryAsItWas(t *testing.T) {
	op := operator("INT", 8, aggregate("COUNT():BIGINT", 0, 8, "count BIGINT"))
	m := &checkpoint.Manifest{Kind: checkpoint.Checkpoint, Epoch: 5, JobName: "j", MaxParallelism: groups, Operators: []checkpoint.Operator{op},
		Channels: []checkpoint.Channel{{UID: "u", Rows: 7}}, Dataflow: "d1"}
	now := Target{Operators: []checkpoint.Operator{op}, MaxParallelism: groups, Dataflow: "d1"}
	if r := Compare(m, now, Allow{}); r.ExitCode() != ExitSame || r.Err() != nil || r.Moves() {
		t.Errorf("%+v", r)
	}
	now.Dataflow = "d2"
	r := Compare(m, now, Allow{All: true})
	if r.ExitCode() != ExitRefused || !strings.Contains(r.Err().Error(), "it has 7 rows in flight") || strings.Contains(r.Err().Error(), "add:") {
		t.Errorf("%v", r.Err())
	}
}

// BenchmarkRewrite moves a million records: to another layout, and to other key groups.
func BenchmarkRewrite(b *testing.B) {
	count, sum := aggregate("COUNT():BIGINT", 0, 8, "count BIGINT"), aggregate(`SUM("t"."i"):INT`, 8, 16, "sum BIGINT", "count BIGINT")
	c := content{}
	for i := range 1_000_000 {
		key := binary.BigEndian.AppendUint32([]byte{1}, uint32(i)^1<<31)
		c[tableKey{"u", 0}] = append(c[tableKey{"u", 0}], row{state.KeyGroup(i / 125_000), key, make([]byte, 24), 0})
	}
	for _, key := range []string{"INT", "BIGINT"} {
		b.Run(key, func(b *testing.B) {
			r := compare(operator("INT", 24, count, sum), operator(key, 8, count), Allow{All: true})
			for b.Loop() {
				if _, err := r.Rewrite(b.Context(), c, &memstate.Files{}, 5); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
