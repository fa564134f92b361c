package print

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

func field(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t} }

func write(t *testing.T, schema types.Schema, o connectors.Options, parallelism, subtask int, b *vec.Batch) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	s, err := New(&out, &errs).Sink(t.Context(), connectors.Table{Name: "t", Physical: schema, Options: o}, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), subtask, exec.ConnEnv{Parallelism: parallelism})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(t.Context(), b), w.Barrier(t.Context(), 1), w.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String(), errs.String()
}

func TestLines(t *testing.T) {
	schema := types.Schema{field("a", types.IntT), field("s", types.StringT)}
	b := vec.NewBatch(schema)
	for i, k := range []vec.Kind{vec.Insert, vec.UpdateBefore, vec.UpdateAfter, vec.Delete} {
		vec.Append(&b.Cols[0], int32(i))
		b.Cols[1].AppendString(strings.Repeat("x", i))
		b.AddKind(k)
	}
	b.Sel = []int32{0, 1, 3}
	for _, tc := range []struct {
		o           connectors.Options
		parallelism int
		prefix      string
	}{{nil, 1, ""}, {connectors.Options{optIdentifier: "id"}, 1, "id> "}, {connectors.Options{optIdentifier: "id"}, 2, "id:2> "}, {nil, 2, "2> "}} {
		got, errs := write(t, schema, tc.o, tc.parallelism, 1, b)
		want := tc.prefix + "+I[0, ]\n" + tc.prefix + "-U[1, x]\n" + tc.prefix + "-D[3, xxx]\n"
		if got != want || errs != "" {
			t.Errorf("%v:\n got %q %q\nwant %q", tc.o, got, errs, want)
		}
	}
	if out, errs := write(t, schema, connectors.Options{optStderr: "true"}, 1, 0, b); out != "" || !strings.HasPrefix(errs, "+I[0, ]") {
		t.Errorf("standard-error: %q, %q", out, errs)
	}
}

// The line is what Flink 2.2.1 prints.
func TestTypes(t *testing.T) {
	schema := types.Schema{field("b", types.BooleanT), field("y", types.TinyIntT), field("m", types.SmallIntT), field("i", types.IntT), field("l", types.BigIntT), field("f", types.FloatT), field("d", types.DoubleT), field("c", types.DecimalT(20, 5)), field("s", types.StringT), field("x", types.BytesT),
		field("dt", types.DateT), field("tm", types.TimeT(0)), field("t", types.TimestampT(3)), field("t0", types.TimestampT(3)), field("z", types.TimestampLTZT(3)), field("a", types.ArrayT(types.StringT)), field("p", types.MapT(types.StringT, types.IntT)), field("r", types.RowT(field("x", types.IntT), field("y", types.StringT))), field("n", types.IntT)}
	all := make([]int, len(schema))
	for i := range all {
		all[i] = i
	}
	d, err := json.New().NewDecoder(schema, all, nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(schema)
	if err := d.Decode([]byte(`{"b":true,"y":1,"m":2,"i":3,"l":4,"f":0.1,"d":1e10,"c":12.5,"s":"a, b","x":"Yf8=","dt":"2020-02-29","tm":"12:00:00","t":"2020-02-29 12:34:56.700","t0":"2020-02-29 12:00:00","z":"2020-02-29 12:34:56.700Z","a":["x","y"],"p":{"k":1,"a":2},"r":{"x":1,"y":"q"}}`), b.Cols); err != nil {
		t.Fatal(err)
	}
	b.N = 1
	got, _ := write(t, schema, nil, 1, 0, b)
	want := "+I[true, 1, 2, 3, 4, 0.1, 1.0E10, 12.50000, a, b, [97, -1], 2020-02-29, 12:00, 2020-02-29T12:34:56.700, 2020-02-29T12:00, 2020-02-29T12:34:56.700Z, [x, y], {k=1, a=2}, +I[1, q], null]\n"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestIsNoSource(t *testing.T) {
	if _, err := New(nil, nil).SourceInfo(connectors.Table{Name: "t"}); err == nil || !strings.Contains(err.Error(), "'print' is a sink") {
		t.Error(err)
	}
}
