package datagen

import (
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func field(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t} }

// rows reads up to max rows as JSON lines; positions are stored and read again after every batch.
func rows(t *testing.T, tab connectors.Table, max int) []string {
	t.Helper()
	tab.Name, tab.Options["connector"] = "t", "datagen"
	if _, err := New().SourceInfo(tab); err != nil {
		t.Fatal(err)
	}
	all := make([]int, len(tab.Physical))
	for i := range all {
		all[i] = i
	}
	src, err := New().Source(t.Context(), tab, all, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	splits, err := src.Enumerate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := json.New().NewEncoder(tab.Physical, nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(tab.Physical)
	var out []string
	for len(out) < max {
		r, err := src.Reader(t.Context(), 0, exec.ConnEnv{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Assign(splits); err != nil {
			t.Fatal(err)
		}
		status, err := r.Read(t.Context(), time.Second, b)
		if err != nil {
			t.Fatal(err)
		}
		if status == exec.ReadEnd {
			break
		}
		for i := range b.N {
			line, err := e.Encode(nil, b, i)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(line))
		}
		if splits, err = r.Positions(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestSequences(t *testing.T) {
	got := rows(t, connectors.Table{
		Physical: types.Schema{field("i", types.IntT), field("s", types.StringT), field("d", types.DecimalT(5, 2)), field("f", types.DoubleT)},
		Options: connectors.Options{optRate: "0", "fields.i.kind": "sequence", "fields.i.start": "-1", "fields.i.end": "3", "fields.s.kind": "sequence", "fields.s.start": "7", "fields.s.end": "9",
			"fields.d.kind": "sequence", "fields.d.start": "1", "fields.d.end": "5", "fields.f.kind": "sequence", "fields.f.start": "1", "fields.f.end": "5"},
	}, 100)
	want := `{"i":-1,"s":"7","d":1,"f":1.0} {"i":0,"s":"8","d":2,"f":2.0} {"i":1,"s":"9","d":3,"f":3.0}`
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func randomTable(seed string) connectors.Table {
	return connectors.Table{
		Physical: types.Schema{field("b", types.BooleanT), field("y", types.TinyIntT), field("m", types.SmallIntT), field("i", types.IntT), field("l", types.BigIntT), field("f", types.FloatT), field("d", types.DoubleT),
			field("c", types.DecimalT(5, 2)), field("s", types.StringT), field("x", types.BytesT), field("a", types.ArrayT(types.IntT)), field("p", types.MapT(types.StringT, types.IntT)), field("u", types.MultisetT(types.StringT)),
			field("r", types.RowT(field("q", types.CharT(4)))), field("e", types.DayTimeT), field("g", types.YearMonthT)},
		Options: connectors.Options{optRate: "0", optRows: "9000", optSeed: seed, "fields.i.min": "5", "fields.i.max": "7", "fields.d.min": "0", "fields.d.max": "1", "fields.s.length": "5", "fields.s.var-len": "true", "fields.x.length": "2",
			"fields.a.length": "2", "fields.a.element.min": "0", "fields.a.element.max": "9", "fields.p.key.length": "3", "fields.u.element.length": "3", "fields.l.null-rate": "0.5"},
	}
}

func TestRandomRowsDependOnSeedAndNumberAlone(t *testing.T) {
	a, b, other := rows(t, randomTable("1"), 9000), rows(t, randomTable("1"), 9000), rows(t, randomTable("2"), 9000)
	if len(a) != 9000 || strings.Join(a, "\n") != strings.Join(b, "\n") {
		t.Error("two runs with one seed differ")
	}
	if a[17] == other[17] {
		t.Error("another seed gives the same row")
	}
	nulls := 0
	for i, line := range a {
		if strings.Contains(line, `"l":null`) {
			nulls++
		}
		if !strings.Contains(line, `"i":5`) && !strings.Contains(line, `"i":6`) && !strings.Contains(line, `"i":7`) {
			t.Fatalf("row %d has i outside of 5 to 7: %s", i, line)
		}
	}
	if nulls < 4200 || nulls > 4800 {
		t.Errorf("%d of 9000 values are NULL at a rate of 0.5", nulls)
	}
}

func TestTimes(t *testing.T) {
	tab := connectors.Table{Physical: types.Schema{field("t", types.TimestampT(3)), field("z", types.TimestampLTZT(6)), field("d", types.DateT), field("m", types.TimeT(0))},
		Options: connectors.Options{optRate: "0", optRows: "3", "fields.t.max-past": "1 min", "fields.z.max-past": "1 min"}}
	if got := rows(t, tab, 3); len(got) != 3 || strings.Contains(strings.Join(got, ""), "null") {
		t.Errorf("%v", got)
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		f    types.Field
		o    connectors.Options
		want string
	}{
		{field("i", types.IntT), connectors.Options{"fields.j.kind": "random"}, "unknown option 'fields.j.kind'"},
		{field("i", types.IntT), connectors.Options{"fields.i.kind": "sequence"}, "option 'fields.i.start' is missing"},
		{field("b", types.BooleanT), connectors.Options{"fields.b.kind": "sequence"}, "BOOLEAN has no sequence"},
		{field("i", types.TinyIntT), connectors.Options{"fields.i.max": "300"}, "expected -128 to 127"},
		{field("i", types.IntT.NotNullable()), connectors.Options{"fields.i.null-rate": "0.5"}, "NOT NULL"},
		{field("d", types.DoubleT), connectors.Options{"fields.d.min": "2", "fields.d.max": "1"}, "expected a range"},
		{field("i", types.IntT), connectors.Options{"rows-per-second": "ten"}, "expected a whole number"},
		{field("i", types.IntT), connectors.Options{"splits": "0"}, "expected 1 to 128"},
	} {
		tc.o["connector"] = "datagen"
		if _, err := New().SourceInfo(connectors.Table{Name: "t", Physical: types.Schema{tc.f}, Options: tc.o}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
	if _, err := New().SinkInfo(connectors.Table{Name: "t"}); err == nil {
		t.Error("datagen is no sink")
	}
}

// Texts longer than a hash are random to their end.
func TestLongTextsAreRandomToTheirEnd(t *testing.T) {
	tab := connectors.Table{Physical: types.Schema{field("s", types.StringT), field("b", types.BytesT)},
		Options: connectors.Options{optRows: "20", optRate: "0"}}
	seen := map[string]bool{}
	for _, line := range rows(t, tab, 20) {
		s, b, _ := strings.Cut(strings.TrimPrefix(line, `{"s":"`), `","b":"`)
		if len(s) != 100 {
			t.Fatalf("text of %d bytes in %s", len(s), line)
		}
		for _, part := range []string{s[:16], s[16:32], s[32:48], s[84:], b[:10], b[11:21], b[22:32]} {
			if seen[part] {
				t.Errorf("%s is there twice: %s", part, line)
			}
			seen[part] = true
		}
	}
}
