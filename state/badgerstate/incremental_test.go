package badgerstate

import (
	"fmt"
	"testing"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/memstate"
	"github.com/sqlstream/sqlstream/state/stf"
)

// A checkpoint costs what changed: after a change of 1 % of a million records its file has less
// than 3 % of the bytes of a full one, wherever the records are and however often they changed.
func TestTheBytesOfACheckpointAreProportionalToTheChangedRecords(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	dst := &memstate.Files{}
	s := openStore(t, Options{})
	tab := table(t, s)
	set := func(i, v int) {
		t.Helper()
		r, err := tab.Upsert(state.KeyGroup(i%128), 0, fmt.Appendf(nil, "key-%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if err := tab.Set(r, fmt.Appendf(nil, "%08d of %08d", v, i)); err != nil {
			t.Fatal(err)
		}
	}
	bytes := func(fs []state.File) (sum int64) {
		for _, f := range fs {
			sum += f.Size
		}
		return sum
	}
	for i := range n {
		set(i, 0)
	}
	all := write(t, s, dst, 1)
	full := bytes(all)
	for _, tc := range []struct {
		name  string
		step  int // every so manieth record changes
		times int
		most  float64
	}{
		{"nothing", n, 0, 0},
		{"1 %, spread", 100, 1, 0.03},
		{"1 %, each of them five times", 100, 5, 0.03},
		{"10 %", 10, 1, 0.2},
	} {
		for k := range tc.times {
			for i := 0; i < n; i += tc.step {
				set(i, k+1)
			}
		}
		fs := write(t, s, dst, s.last+1)
		all = append(all, fs...)
		part := float64(bytes(fs)) / float64(full)
		t.Logf("%s: %d of %d bytes, %.2f %%", tc.name, bytes(fs), full, 100*part)
		if part > tc.most {
			t.Errorf("%s: %.2f %% of a full checkpoint, want at most %.2f %%", tc.name, 100*part, 100*tc.most)
		}
	}
	f, err := stf.Compact(t.Context(), dst, all, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Entries != int64(n) || f.Kind != stf.Full {
		t.Errorf("rolled up: %d entries, %s", f.Entries, f.Kind)
	}
}
