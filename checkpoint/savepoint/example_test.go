package savepoint

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/keyform"
	"github.com/sqlstream/sqlstream/state"
)

const exampleSQL = `INSERT INTO totals
SELECT customer, day, COUNT(*), SUM(amount), MIN(product), MAX(ordered), LAST_VALUE(paid)
FROM orders GROUP BY customer, day`

// example is a savepoint as a person would look at it: a GROUP BY with a DISTINCT, and one over
// windows.
func example() (*checkpoint.Manifest, mapContent) {
	column := func(name, typ string) checkpoint.KeyPart {
		return checkpoint.KeyPart{ID: "k-" + name, Name: name, Type: typ, Form: "column"}
	}
	slot := func(name, typ string, off, size int, fields ...checkpoint.Field) checkpoint.Slot {
		return checkpoint.Slot{ID: "s-" + name, Name: name, Type: typ, Kind: "aggregate", Offset: off, Size: size, Fields: fields, Text: "canonical " + name}
	}
	m := &checkpoint.Manifest{
		Engine: "1.0.0", JobID: testJob, JobName: "totals", Incarnation: 3, Epoch: 41, Previous: 40, Kind: checkpoint.Checkpoint, Created: day,
		MaxParallelism: 128, Plan: "9c1185a5c5e9fc54612808977ee8f548b2258d31", SQLHash: "1", SQL: exampleSQL,
		Operators: []checkpoint.Operator{
			{UID: "hgzkfh7x5s3mhqwi2yqe", Name: "GroupAggregate(groupBy=[customer, day])", Kind: "GroupAggregate", Parallelism: 2, Line: 2, Column: 24,
				SQL: "SELECT customer, day, COUNT(*), SUM(amount), MIN(product), MAX(ordered), LAST_VALUE(paid)",
				Tables: []checkpoint.Table{
					{ID: 0, Name: "groups", Key: []checkpoint.KeyPart{column("customer", "STRING"), column("day", "DATE")}, Size: 8 + 24 + 16 + 16 + 16,
						Slots: []checkpoint.Slot{
							slot("COUNT(*)", "BIGINT NOT NULL", 0, 8, checkpoint.Field{Name: "count", Type: "BIGINT"}),
							slot("SUM(amount)", "DECIMAL(38, 2)", 8, 24, checkpoint.Field{Name: "sum", Type: "DECIMAL(38, 2)"}, checkpoint.Field{Name: "count", Type: "BIGINT", Offset: 16}),
							slot("MIN(product)", "STRING", 32, 16, checkpoint.Field{Name: "value", Type: "STRING", Variable: true}, checkpoint.Field{Name: "present", Type: "BIGINT", Offset: 8}),
							slot("MAX(ordered)", "TIMESTAMP(3)", 48, 16, checkpoint.Field{Name: "value", Type: "TIMESTAMP(3)", Variable: true, KeyForm: true}, checkpoint.Field{Name: "values", Type: "BIGINT", Offset: 8}),
							slot("LAST_VALUE(paid)", "BOOLEAN", 64, 16, checkpoint.Field{Name: "value", Type: "BOOLEAN"}, checkpoint.Field{Name: "present", Type: "BIGINT", Offset: 8}),
						}},
					{ID: 1, Name: "values of ordered", Prefix: 8, Key: []checkpoint.KeyPart{{Name: "hash", Type: "BIGINT NOT NULL", Form: "hash"}, column("customer", "STRING"), column("day", "DATE"), column("ordered", "TIMESTAMP(3)")}, Size: 8,
						Slots: []checkpoint.Slot{{ID: "c", Name: "count", Type: "BIGINT NOT NULL", Kind: "count", Size: 8}}},
				}},
			{UID: "w7u3gq4kq5zv2mkbn6ra", Name: "WindowAggregate(groupBy=[place, tags, attributes])", Kind: "WindowAggregate", Parallelism: 2,
				Tables: []checkpoint.Table{
					{ID: 0, Name: "groups", Prefix: 8, Key: []checkpoint.KeyPart{{Name: "window_end", Type: "BIGINT NOT NULL", Form: "ordered"},
						column("place", "ROW<`lat` DOUBLE, `lon` DOUBLE>"), column("tags", "ARRAY<STRING>"), column("attributes", "MAP<STRING NOT NULL, INT>")}, Size: 16,
						Slots: []checkpoint.Slot{slot("AVG(price)", "DOUBLE", 0, 16, checkpoint.Field{Name: "sum", Type: "DOUBLE"}, checkpoint.Field{Name: "count", Type: "BIGINT", Offset: 8})}},
					{ID: 255, Name: "progress", Key: []checkpoint.KeyPart{{Name: "key_group", Type: "SMALLINT NOT NULL", Form: "group"}}, Size: 8,
						Slots: []checkpoint.Slot{{ID: "t", Name: "fired up to", Type: "BIGINT NOT NULL", Kind: "time", Size: 8}}},
				}},
		},
		Sources: []checkpoint.Source{{UID: "src", Name: "orders", Splits: []checkpoint.Split{{ID: "orders-0", Position: []byte(`{"offset":1042}`)}}}},
	}
	c := mapContent{}
	groups := &m.Operators[0]
	c.put(groups.UID, 0, []entry{
		{group: 9, key: keyOf("ada", int32(20000)), value: groupValue(2, 1999, "pen", 1_772_323_200_000, true, 1)},
		{group: 9, key: keyOf("alan", nil), value: groupValue(1, -5, "", 0, false, 0)},
		{group: 77, key: keyOf(nil, int32(0)), value: groupValue(3, 0, "tape", 1_772_323_200_123, true, 2)},
	})
	hashed := func(last int64, parts ...any) []byte {
		k := keyOf(parts...)
		b := binary.BigEndian.AppendUint64(nil, keyform.Hash(k))
		return append(append(b, k...), keyOf(last)...)
	}
	one := binary.LittleEndian.AppendUint64(nil, 1)
	c.put(groups.UID, 1, []entry{
		{group: 9, key: hashed(1_772_323_200_000, "ada", int32(20000)), value: one, stamp: 1_772_323_300_000},
		{group: 77, key: hashed(1_772_323_200_123, nil, int32(0)), value: one, stamp: 1_772_323_300_500},
		{group: 77, key: hashed(1_772_323_100_000, nil, int32(0)), value: one},
	})
	windows := &m.Operators[1]
	window := binary.BigEndian.AppendUint64(nil, uint64(1_772_323_200_000)^1<<63)
	place := append([]byte{1}, keyOf(52.5, 13.25)...)
	tags := append([]byte{1, 2}, keyOf("a", nil)...)
	attributes := append([]byte{1, 1}, keyOf("size", int32(3))...)
	avg := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, math.Float64bits(10.5)), 4)
	c.put(windows.UID, 0, []entry{{group: 3, key: append(append(append(append([]byte{}, window...), place...), tags...), attributes...), value: avg}})
	progress := []entry{}
	for g, t := range map[uint16]int64{0: math.MinInt64, 1: 1_772_323_199_999, 2: math.MaxInt64} {
		progress = append(progress, entry{group: state.KeyGroup(g), key: binary.BigEndian.AppendUint16(nil, g), value: binary.LittleEndian.AppendUint64(nil, uint64(t))})
	}
	c.put(windows.UID, 255, progress)
	return m, c
}

// keyOf makes a key of values.
func keyOf(values ...any) []byte {
	var k []byte
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			k = append(k, 0)
		case string:
			k = append(append(k, 1, byte(len(v))), v...)
		case int32:
			k = binary.BigEndian.AppendUint32(append(k, 1), uint32(v)^1<<31)
		case int64:
			k = binary.BigEndian.AppendUint64(append(k, 1), uint64(v)^1<<63)
		case float64:
			k = binary.BigEndian.AppendUint64(append(k, 1), orderedBits64(v))
		}
	}
	return k
}

// groupValue makes a record of the example's groups; no product and ordering when ordered is 0.
func groupValue(n, cents int64, product string, ordered int64, paid bool, values int64) []byte {
	v := binary.LittleEndian.AppendUint64(nil, uint64(n))
	v = binary.LittleEndian.AppendUint64(v, uint64(cents))
	v = binary.LittleEndian.AppendUint64(v, uint64(cents>>63))
	v = binary.LittleEndian.AppendUint64(v, uint64(n))
	var latest []byte
	if ordered != 0 {
		latest = keyOf(ordered)
	}
	at, present := uint32(0), uint64(0)
	if ordered != 0 {
		at, present = 80, 1
	}
	v = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(v, at), uint32(len(product)))
	v = binary.LittleEndian.AppendUint64(v, present)
	if ordered != 0 {
		at += uint32(len(product))
	}
	v = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(v, at), uint32(len(latest)))
	v = binary.LittleEndian.AppendUint64(v, uint64(values))
	b := uint64(0)
	if paid {
		b = 1
	}
	v = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(v, b), present)
	return append(append(v, product...), latest...)
}

// writeExample writes the example in a layout.
func writeExample(t *testing.T, layout string) (checkpoint.Place, *checkpoint.Manifest) {
	t.Helper()
	m, c := example()
	p := place(t)
	m, err := Write(t.Context(), Source{Manifest: m, Content: c}, p, Options{Layout: layout, Now: day})
	if err != nil {
		t.Fatal(err)
	}
	return p, m
}

func TestNamesAndTypesOfColumns(t *testing.T) {
	m, _ := example()
	for i, want := range []map[string]string{
		{"groups": "key_group customer day COUNT(*) SUM(amount).sum SUM(amount).count MIN(product) MAX(ordered) MAX(ordered).values LAST_VALUE(paid)",
			"values of ordered": "key_group customer day ordered count"},
		{"groups": "key_group window_end place tags attributes AVG(price).sum AVG(price).count", "progress": "key_group fired up to"},
	} {
		o := &m.Operators[i]
		for k := range o.Tables {
			s, err := newShape(m, o, &o.Tables[k], wide{})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, f := range s.schema.Fields() {
				got += " " + f.Name
			}
			if got[1:] != want[o.Tables[k].Name] {
				t.Errorf("table %s has columns\n%s, want\n%s", o.Tables[k].Name, got[1:], want[o.Tables[k].Name])
			}
		}
	}
}
