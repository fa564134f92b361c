package agg

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/sqlstream/sqlstream/exec/vec"
)

func bigOf(d vec.Dec128) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(d.Hi), 64)
	return n.Add(n, new(big.Int).SetUint64(d.Lo))
}

func decOf(n *big.Int) vec.Dec128 {
	low := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1))
	return vec.Dec128{Lo: low.Uint64(), Hi: new(big.Int).Rsh(n, 64).Int64()}
}

// randomDec has up to 38 digits, of every length alike.
func randomDec(r *rand.Rand) vec.Dec128 {
	n := new(big.Int).Mul(new(big.Int).SetUint64(r.Uint64()), new(big.Int).SetUint64(r.Uint64()))
	n.Mod(n, pow10(1+r.IntN(38)))
	if r.IntN(2) == 0 {
		n.Neg(n)
	}
	return decOf(n)
}

func TestDecimalSumsAreExactOrOverflowed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	limit := pow10(38)
	edge := decOf(new(big.Int).Sub(limit, big.NewInt(1)))
	for i := range 20000 {
		a, b := randomDec(r), randomDec(r)
		if i%7 == 0 {
			a = edge
		}
		want := new(big.Int).Add(bigOf(a), bigOf(b))
		got := addDec(a, b)
		if new(big.Int).Abs(want).Cmp(limit) >= 0 {
			if got != overflowed {
				t.Fatalf("%s + %s has more than 38 digits, got %s", bigOf(a), bigOf(b), bigOf(got))
			}
		} else if bigOf(got).Cmp(want) != 0 {
			t.Fatalf("%s + %s = %s, got %s", bigOf(a), bigOf(b), want, bigOf(got))
		}
		if addDec(overflowed, a) != overflowed {
			t.Fatal("an overflowed sum came back")
		}
	}
}

// TestDecimalMeans compares the fast division with the exact one.
func TestDecimalMeans(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		sum, up := randomDec(r), r.IntN(7)
		n := 1 + r.Int64N(1<<r.IntN(62))
		m, neg := magnitude(sum)
		want, wantOK := divBig(m, neg, n, up)
		got, ok := divDec(sum, n, up)
		if ok != wantOK || ok && got != want {
			t.Fatalf("%s * 10^%d / %d = %s (%v), got %s (%v)", bigOf(sum), up, n, bigOf(want), wantOK, bigOf(got), ok)
		}
	}
	for _, c := range []struct {
		sum, n int64
		up     int
		want   int64
	}{{5, 2, 0, 3}, {-5, 2, 0, -3}, {1, 3, 6, 333333}, {2, 3, 6, 666667}, {-2, 3, 6, -666667}, {0, 7, 6, 0}, {7, -2, 0, -4}} {
		got, ok := divDec(decOf(big.NewInt(c.sum)), c.n, c.up)
		if !ok || bigOf(got).Int64() != c.want {
			t.Errorf("%d * 10^%d / %d = %s, want %d", c.sum, c.up, c.n, bigOf(got), c.want)
		}
	}
}
