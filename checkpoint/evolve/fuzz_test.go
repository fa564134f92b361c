package evolve

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// edited are two operators that have nearly all that can be edited about one between them.
func edited() (old, now checkpoint.Operator) {
	largest := aggregate("MAX(v):INT", 8, 16, "value INT key", "values BIGINT")
	text := aggregate(`MIN("t"."s"):STRING`, 24, 16, "value STRING variable", "present BIGINT")
	old = operator("INT", 48, counter(slotRows, "rows", 0), largest, text, counter(slotEntries, "entries of v", 40))
	old.Tables = append(old.Tables, valuesTable(1, 8, "INT", counter(slotCount, "count of v", 0), counter(slotCount, "count of v where f", 8)))
	text.Offset = 8
	wider := aggregate("MAX(v):BIGINT", 24, 16, "value BIGINT key", "values BIGINT")
	now = operator("BIGINT", 80, counter(slotRows, "rows", 0), text, wider, aggregate("SUM distinct(v):BIGINT", 40, 16, "sum BIGINT", "count BIGINT"),
		aggregate("MIN(v):BIGINT", 56, 16, "value BIGINT key", "values BIGINT"), counter(slotEntries, "entries of v", 72))
	now.Tables = append(now.Tables, valuesTable(1, 8, "BIGINT", counter(slotCount, "count of v", 0)))
	now.Tables[1].Key[1].Type = "BIGINT"
	old.Retract, now.Retract = true, true
	return old, now
}

// heldRows is content that old of edited may have.
func heldRows() content {
	return content{
		{"u", 0}: {{1, raw("01 80000001"), raw("0300000000000000", "30000000 05000000", "0200000000000000", "35000000 01000000", "0100000000000000", "0200000000000000", "01 80000007", "'x'"), 0}},
		{"u", 1}: {{1, raw("0102030405060708", "01 80000001", "01 80000007"), raw("0100000000000000", "0100000000000000"), 0}},
	}
}

// FuzzRewrite gives Rewrite content that no engine wrote: it fails, or writes files that are whole.
func FuzzRewrite(f *testing.F) {
	r := editedReport(f)
	c := heldRows()
	if _, _, err := rewritten(f, r, c); err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(1), c[tableKey{"u", 0}][0].key, c[tableKey{"u", 0}][0].value, c[tableKey{"u", 1}][0].key, c[tableKey{"u", 1}][0].value)
	f.Add(uint16(9), raw("00"), raw(), raw(), raw())
	f.Fuzz(func(t *testing.T, g uint16, key, value, entryKey, entry []byte) {
		_, dst, err := rewritten(t, r, content{
			{"u", 0}: {{0, raw("00"), make([]byte, 48), 1}, {1, key, value, 2}},
			{"u", 1}: {{1, entryKey, entry, 0}},
		})
		if err != nil && len(dst.Names()) > 0 {
			t.Errorf("%v left behind %q", err, dst.Names())
		}
	})
}

func editedReport(t testing.TB) *Report {
	old, now := edited()
	r := compare(old, now, Allow{All: true})
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

// FuzzCompare gives Compare and Rewrite manifests that no engine wrote, but that pass for ones.
func FuzzCompare(f *testing.F) {
	old, now := edited()
	for _, o := range []checkpoint.Operator{old, now} {
		b, err := json.Marshal(&o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var o checkpoint.Operator
		if json.Unmarshal(text, &o) == nil {
			bothWays(t, o) // nothing comes of a manifest that does not pass for one
		}
	})
}

// bothWays compares an operator of a snapshot with plans and rewrites its state; false when no manifest holds
// such an operator.
func bothWays(t *testing.T, o checkpoint.Operator) bool {
	m := &checkpoint.Manifest{Format: checkpoint.Format, JobID: "00000000000000000000000000000001", Kind: checkpoint.Checkpoint, Epoch: 5, MaxParallelism: groups, Operators: []checkpoint.Operator{o}}
	if _, err := checkpoint.Encode(m); err != nil {
		return false
	}
	old, now := edited()
	for _, n := range []checkpoint.Operator{old, now} {
		r := Compare(m, Target{Operators: []checkpoint.Operator{n}, MaxParallelism: groups}, Allow{All: true, Drop: []string{o.UID}, Accept: []string{o.UID}})
		if r.Err() == nil {
			c := heldRows()
			c[tableKey{o.UID, 0}], c[tableKey{o.UID, 1}] = c[tableKey{"u", 0}], c[tableKey{"u", 1}]
			rewritten(t, r, c)
		}
	}
	return true
}

// TestOddManifestsAreErrorsOrFit changes a manifest here and there.
func TestOddManifestsAreErrorsOrFit(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	fit := 0
	for range 30_000 {
		old, now := edited()
		o := old
		if rnd.IntN(2) == 0 {
			o = now
		}
		for range 1 + rnd.IntN(3) {
			x := &o.Tables[rnd.IntN(len(o.Tables))]
			switch rnd.IntN(9) {
			case 0:
				x.Size = rnd.IntN(90)
			case 1:
				x.Prefix = rnd.IntN(10)
			case 2:
				x.ID = uint8(rnd.IntN(3))
			case 3:
				if len(x.Key) > 0 {
					x.Key = x.Key[:rnd.IntN(len(x.Key))]
				}
			case 4:
				if len(x.Key) > 0 {
					k := &x.Key[rnd.IntN(len(x.Key))]
					k.Type, k.Form = pick("INT", "STRING", "odd", "BIGINT", "ARRAY<INT>"), pick("column", "hash", "ordered", "group", "odd")
				}
			default:
				if len(x.Slots) == 0 {
					continue
				}
				s := &x.Slots[rnd.IntN(len(x.Slots))]
				switch rnd.IntN(6) {
				case 0:
					s.Offset = rnd.IntN(x.Size + 1)
				case 1:
					s.Size = rnd.IntN(30)
				case 2:
					s.Kind = pick("aggregate", "rows", "entries", "count", "seen", "time", "odd")
				case 3:
					s.Type = pick("INT", "BIGINT", "odd", "DECIMAL(38, 2)")
				case 4:
					s.Text = pick("", "MAX(", "rows", "COUNT():BIGINT", "count of v", "AVG(v):BIGINT", "MAX distinct(v){f}", `"`)
				case 5:
					if len(s.Fields) > 0 {
						f := &s.Fields[rnd.IntN(len(s.Fields))]
						f.Offset, f.Variable, f.KeyForm, f.Type = rnd.IntN(20), rnd.IntN(2) == 0, rnd.IntN(2) == 0, pick("INT", "BIGINT", "odd", "DECIMAL(38, 2)", "STRING", "FLOAT")
					}
				}
			}
		}
		if bothWays(t, o) {
			fit++
		}
	}
	if fit < 5000 {
		t.Errorf("only %d of the manifests pass for one", fit)
	}
}
