package hot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

var all = state.Range{Lo: 0, Hi: 128}

func newTable1(t testing.TB, spec state.Spec) (*Set, *Table) {
	t.Helper()
	s := NewSet(all, func() time.Time { return time.UnixMilli(5) })
	tab, err := s.Table(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s, tab
}

func put(t testing.TB, tab *Table, key, val string) state.Ref {
	t.Helper()
	r, err := tab.Upsert(3, 0, []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	if err := tab.Set(r, []byte(val)); err != nil {
		t.Fatal(err)
	}
	return r
}

func seal(t testing.TB, s *Set, e state.Epoch) *Frozen {
	t.Helper()
	f, err := s.Seal(e)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func text(f *Frozen) string {
	var out []string
	for _, r := range f.Rows() {
		for i := range r.Len() {
			row := r.At(i)
			v := string(row.Value)
			if row.Deleted {
				v = "-"
			}
			out = append(out, fmt.Sprintf("%s=%s", row.Key, v))
		}
	}
	return strings.Join(out, " ")
}

func TestFrozenRowsStayAsTheyWere(t *testing.T) {
	s, tab := newTable1(t, state.Spec{UID: "u", Name: "t"})
	a := put(t, tab, "a", "1")
	put(t, tab, "b", "1")
	c := put(t, tab, "c", "1")
	f := seal(t, s, 1)
	tab.Edit(a)[0] = '2'
	if err := tab.Delete(c); err != nil {
		t.Fatal(err)
	}
	put(t, tab, "b", "a longer value")
	put(t, tab, "d", "new")
	if got := text(f); got != "a=1 b=1 c=1" {
		t.Fatal(got)
	}
	f.Release()
	g := seal(t, s, 2)
	if got := text(g); got != "a=2 b=a longer value c=- d=new" {
		t.Fatal(got)
	}
	if got := string(tab.Get(a)); got != "2" {
		t.Fatalf("the Ref from before the seal reads %q", got)
	}
	g.Release()
	if got := text(seal(t, s, 3)); got != "" {
		t.Fatalf("nothing changed, but %s", got)
	}
}

func TestAGivenUpEpochGoesIntoTheNext(t *testing.T) {
	s, tab := newTable1(t, state.Spec{UID: "u", Name: "t"})
	put(t, tab, "a", "1")
	put(t, tab, "b", "1")
	f := seal(t, s, 1)
	if err := f.Merge(); err != nil {
		t.Fatal(err)
	}
	f.Release()
	put(t, tab, "b", "2")
	s.Trim(0)
	g := seal(t, s, 2)
	if lo, hi := g.Epochs(); lo != 1 || hi != 2 || text(g) != "a=1 b=2" {
		t.Fatal(lo, hi, text(g))
	}
	// The next one is sealed already, but not written.
	put(t, tab, "c", "3")
	h := seal(t, s, 3)
	if err := g.Merge(); err != nil {
		t.Fatal(err)
	}
	g.Release()
	if got := text(h); got != "a=1 b=2 c=3" {
		t.Fatal(got)
	}
	i := seal(t, s, 4)
	_ = i.Rows()
	if err := h.Merge(); err == nil {
		t.Fatal("merged into an epoch that is being written")
	}
	h.Release()
	if err := h.Merge(); err == nil {
		t.Fatal("merged after the release")
	}
}

func TestEpochsIncrease(t *testing.T) {
	s, _ := newTable1(t, state.Spec{UID: "u", Name: "t"})
	seal(t, s, 4)
	if _, err := s.Seal(4); err == nil {
		t.Fatal("epoch 4 is sealed twice")
	}
}

// TestMemoryIsUsedAgain: without a checkpoint, and with one in flight, memory stays bounded.
func TestMemoryIsUsedAgain(t *testing.T) {
	for _, size := range []int{40, 700, 300 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s, tab := newTable1(t, state.Spec{UID: "u", Name: "t", Prefix: 8})
			val := make([]byte, size)
			n := min(2000, 8<<20/size)
			round := func(w int) {
				key := binary.BigEndian.AppendUint64(nil, uint64(w))
				for i := range n {
					r, err := tab.Upsert(1, 0, fmt.Appendf(key, "%d", i))
					if err != nil {
						t.Fatal(err)
					}
					tab.Set(r, val[:len(val)/2])
					tab.Set(r, val) // grows: moves
				}
				if err := tab.Scan(key, tab.Delete); err != nil {
					t.Fatal(err)
				}
				if err := s.Trim(0); err != nil {
					t.Fatal(err)
				}
			}
			memory := func() (n int) {
				for _, c := range tab.chunks {
					n += len(c)
				}
				return n
			}
			round(0)
			round(1)
			want := memory() + memory()/4 + 2*chunkBytes
			for w := range 30 {
				round(w)
			}
			if got := memory(); got > want {
				t.Fatalf("without checkpoints: %d bytes after 32 rounds, %d after 2", got, want)
			}
			want = 3 * want
			for w := range 30 {
				f := seal(t, s, state.Epoch(w+1))
				round(w)
				f.Rows()
				f.Release()
			}
			if got := memory(); got > want {
				t.Fatalf("with checkpoints: %d bytes, expected at most %d", got, want)
			}
			if tab.Len() != 0 || tab.live != 0 {
				t.Fatal(tab.Len())
			}
			// Two idle checkpoints later no tombstone is left.
			for e := range 2 {
				seal(t, s, state.Epoch(100+e)).Release()
				s.Trim(0)
			}
			slots := 0
			for i := range tab.index.segs {
				slots += tab.index.segs[i].full - tab.index.segs[i].gone
			}
			if slots != 0 || tab.used != 0 {
				t.Fatalf("%d slots and %d units are still in use", slots, tab.used)
			}
		})
	}
}

func TestTablesThatCannotBeAreRefused(t *testing.T) {
	s, _ := newTable1(t, state.Spec{UID: "u", Name: "t", ID: 1})
	if _, err := s.Table(state.Spec{UID: "u", Name: "again", ID: 1}); err == nil || !strings.Contains(err.Error(), "declared already, as u.t") {
		t.Error(err)
	}
	if _, err := NewSet(all, nil).Table(state.Spec{UID: "u", TTL: time.Second}); err == nil || !strings.Contains(err.Error(), "no clock") {
		t.Error(err)
	}
	if _, err := s.Table(state.Spec{UID: "v", Prefix: -1}); err == nil {
		t.Error("a negative prefix is accepted")
	}
}

func TestRecordsThatCannotBeAreRefused(t *testing.T) {
	s := NewSet(state.Range{Lo: 4, Hi: 8}, nil)
	tab, err := s.Table(state.Spec{UID: "u", Name: "t", Prefix: 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		g    state.KeyGroup
		key  []byte
		want string
	}{
		{3, []byte("abcd"), "key group 3 in table u.t is not of this subtask, which has [4, 8)"},
		{8, []byte("abcd"), "key group 8"},
		{5, []byte("abc"), "a key of 3 bytes in table u.t, expected 4 to 65000"},
		{5, make([]byte, maxKey+1), "a key of 65001 bytes"},
	} {
		if _, err := tab.Upsert(c.g, 0, c.key); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("group %d, key of %d bytes: %v", c.g, len(c.key), err)
		}
	}
	r, err := tab.Upsert(5, 0, []byte("abcd"))
	if err != nil {
		t.Fatal(err)
	}
	if tab.Set(r, nil) == nil {
		t.Error("an empty value is accepted")
	}
	if tab.Scan([]byte("abc"), nil) == nil {
		t.Error("a scan with a short prefix is accepted")
	}
}

func TestKeysOfOneTagAreDifferentRecords(t *testing.T) {
	_, tab := newTable1(t, state.Spec{UID: "u", Name: "t"})
	for i := range 50 {
		if _, err := tab.insert(1, 0xabcd1234, fmt.Appendf(nil, "k%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 50 {
		key := fmt.Appendf(nil, "k%d", i)
		pos := tab.lookup(0xabcd1234, key)
		if pos == 0 || !bytes.Equal(tab.Key(state.Ref(pos)), key) {
			t.Fatalf("%s is at %d", key, pos)
		}
	}
	if tab.lookup(0xabcd1234, []byte("other")) != 0 {
		t.Fatal("a key that is not there is found")
	}
}

func TestClassesHoldWhatTheyShould(t *testing.T) {
	last := -1
	for n := uint32(1); n <= chunkUnits/2; n++ {
		c, units := classOf(n)
		if c < last || c > last+1 || c >= classes || units < n || n > exactClasses && float64(units) > 1.25*float64(n)+1 {
			t.Fatalf("a block of %d units: class %d of %d units after class %d", n, c, units, last)
		}
		last = c
	}
}

// coldMap is a cold store for tests; it counts calls.
type coldMap struct {
	m     map[string]string
	calls int
}

func (c *coldMap) Get(_ stf.TableID, _ state.KeyGroup, key []byte) ([]byte, int64, bool, error) {
	c.calls++
	v, ok := c.m[string(key)]
	return []byte(v), 0, ok, nil
}

func (c *coldMap) Scan(_ stf.TableID, prefix []byte, fn func(state.KeyGroup, []byte, []byte, int64) error) error {
	c.calls++
	for k, v := range c.m {
		if strings.HasPrefix(k, string(prefix)) {
			if err := fn(3, []byte(k), []byte(v), 0); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestTheColdStoreIsOnlyAskedWhenSomethingIsEvicted(t *testing.T) {
	s, tab := newTable1(t, state.Spec{UID: "u", Name: "t", Prefix: 1})
	cold := &coldMap{m: map[string]string{}}
	s.SetCold(cold)
	for i := range 1000 {
		put(t, tab, fmt.Sprintf("%d", i), fmt.Sprintf("value %d", i))
		cold.m[fmt.Sprintf("%d", i)] = fmt.Sprintf("value %d", i)
	}
	all := func() {
		for i := range 2000 {
			if r, err := tab.Find(3, 0, fmt.Appendf(nil, "%d", i)); err != nil || (r == state.NoRef) != (i >= 1000) {
				t.Fatal(i, r, err)
			}
		}
		n := 0
		for p := byte('0'); p <= '9'; p++ {
			tab.Scan([]byte{p}, func(state.Ref) error { n++; return nil })
		}
		if n != 1000 || tab.Len() != 1000 {
			t.Fatal(n, tab.Len())
		}
	}
	all()
	seal(t, s, 1).Release()
	s.Trim(1 << 30)
	all()
	if cold.calls != 0 {
		t.Fatalf("%d calls though nothing is evicted", cold.calls)
	}
	for range 3 { // the clock hand passes once before it takes anything
		s.Trim(1)
	}
	if tab.evicted < 900 || tab.live > 100 {
		t.Fatalf("%d evicted, %d in memory", tab.evicted, tab.live)
	}
	all()
	if cold.calls == 0 || tab.evicted != 0 {
		t.Fatalf("%d calls, %d evicted", cold.calls, tab.evicted)
	}
}

func TestADeletedRefIsNoOtherRecordBeforeTrim(t *testing.T) {
	s, tab := newTable1(t, state.Spec{UID: "u", Name: "t", Prefix: 1})
	for _, sealed := range []bool{false, true} {
		old := put(t, tab, "a", "1")
		if sealed {
			seal(t, s, 1)
		}
		tab.Edit(old)
		put(t, tab, "a", strings.Repeat("long", 50)) // moves
		now, err := tab.Find(3, 0, []byte("a"))
		if err != nil || now == old {
			t.Fatal(now, old, err)
		}
		for _, r := range []state.Ref{now, old, now} {
			if err := tab.Delete(r); err != nil {
				t.Fatal(err)
			}
			put(t, tab, "b", strings.Repeat("long", 50)) // would take the block
		}
		if tab.Len() != 1 {
			t.Fatalf("%d records are left, expected b", tab.Len())
		}
		if err := tab.Scan([]byte("b"), tab.Delete); err != nil || tab.Len() != 0 {
			t.Fatal(err, tab.Len())
		}
		s.Trim(0)
	}
}
