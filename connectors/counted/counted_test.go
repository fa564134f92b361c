package counted

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// numbers fills one BIGINT column with the rows' numbers.
type numbers struct{}

func (numbers) Fill(b *vec.Batch, first, step int64, n int) error {
	for i := range int64(n) {
		vec.Append(&b.Cols[0], first+i*step)
	}
	b.N = n
	return nil
}

func source(rows int64, splits int, rate float64) *Source {
	return &Source{Rows: rows, Splits: splits, Rate: rate, Make: func(exec.ConnEnv) (Filler, error) { return numbers{}, nil }}
}

func open(t *testing.T, s *Source, splits []exec.Split) exec.Reader {
	t.Helper()
	r, err := s.Reader(t.Context(), 0, exec.ConnEnv{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Assign(splits); err != nil {
		t.Fatal(err)
	}
	return r
}

func batch() *vec.Batch { return vec.NewBatch(types.Schema{{Name: "n", Type: types.BigIntT}}) }

func TestEveryRowOnceOverSplitsAndRestarts(t *testing.T) {
	s := source(20_001, 3, 0)
	splits, err := s.Enumerate(t.Context())
	if err != nil || len(splits) != 3 {
		t.Fatal(splits, err)
	}
	var got []int64
	b := batch()
	for range 100 {
		r := open(t, s, splits)
		status, err := r.Read(t.Context(), 0, b)
		if err != nil {
			t.Fatal(err)
		}
		if status == exec.ReadEnd {
			for i := range splits {
				if !r.Ended(i) {
					t.Errorf("split %d has not ended", i)
				}
			}
			break
		}
		got = append(got, vec.Values[int64](&b.Cols[0])...)
		if splits, err = r.Positions(); err != nil {
			t.Fatal(err)
		}
		if want := int64(20_001 - len(got)); r.Lag() != want {
			t.Errorf("lag %d, want %d", r.Lag(), want)
		}
		splits = append(splits[1:], splits[0]) // so that each has its turn
	}
	slices.Sort(got)
	for i, n := range got {
		if n != int64(i) {
			t.Fatalf("row %d is missing or there twice", i)
		}
	}
	if len(got) != 20_001 {
		t.Errorf("%d rows, want 20001", len(got))
	}
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := source(-1, 2, 100)
		splits, _ := s.Enumerate(t.Context())
		r := open(t, s, splits)
		b := batch()
		start, rows := time.Now(), 0
		for time.Since(start) < 10*time.Second {
			if _, err := r.Read(t.Context(), 100*time.Millisecond, b); err != nil {
				t.Fatal(err)
			}
			rows += b.N
		}
		if rows < 990 || rows > 1001 {
			t.Errorf("%d rows in 10 s of 100 rows per second", rows)
		}
		time.Sleep(time.Hour) // virtual: a pause is not caught up with
		rows = 0
		for range 10 {
			if _, err := r.Read(t.Context(), 0, b); err != nil {
				t.Fatal(err)
			}
			rows += b.N
		}
		if rows != 100 {
			t.Errorf("%d rows at once after a pause, want one second's 100", rows)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Read(ctx, time.Minute, b); err == nil {
			t.Error("Read does not end with its context")
		}
	})
}

func TestForeignSplits(t *testing.T) {
	r, err := source(10, 2, 0).Reader(t.Context(), 0, exec.ConnEnv{})
	if err != nil {
		t.Fatal(err)
	}
	for _, sp := range []exec.Split{{ID: "0/3", Position: []byte(`{"next":0}`)}, {ID: "x", Position: []byte(`{"next":0}`)}, {ID: "0/2", Position: []byte(`{"next":-1}`)}, {ID: "1/2"}} {
		if err := r.Assign([]exec.Split{sp}); err == nil || !strings.Contains(err.Error(), sp.ID) {
			t.Errorf("split %v: %v", sp, err)
		}
	}
}
