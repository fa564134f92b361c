package random

import "testing"

func TestQueriesAreRepeatable(t *testing.T) {
	for seed := range uint64(200) {
		a, b := New(seed), New(seed)
		if a.SQL != b.SQL || len(a.Want) != len(b.Want) {
			t.Fatalf("seed %d gives two queries", seed)
		}
	}
}
