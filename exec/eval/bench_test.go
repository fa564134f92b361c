package eval

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Columns of the benchmark batch, 4,096 rows.
const (
	cI64 = iota
	cJ64
	cF64
	cNull // BIGINT, one row in ten NULL
	cText // lower-case words
	cURL
	cTime
	cPrice // DECIMAL(10, 2)
	cInt
)

func benchBatch() *vec.Batch {
	r := rand.New(rand.NewPCG(1, 2))
	ts := []types.Type{types.BigIntT, types.BigIntT, types.DoubleT, types.BigIntT, types.StringT, types.StringT,
		types.TimestampT(3), types.DecimalT(10, 2), types.IntT}
	b := &vec.Batch{N: vec.MaxRows}
	for _, t := range ts {
		b.Cols = append(b.Cols, vec.New(t))
	}
	for i := range vec.MaxRows {
		vec.Append(&b.Cols[cI64], r.Int64N(4_000_000))
		vec.Append(&b.Cols[cJ64], 1+r.Int64N(1000))
		vec.Append(&b.Cols[cF64], r.Float64()*1e6)
		if i%10 == 3 {
			b.Cols[cNull].AppendNull()
		} else {
			vec.Append(&b.Cols[cNull], r.Int64N(1000))
		}
		b.Cols[cText].AppendString([]string{"apple", "banana juice", "cherry", "a somewhat longer text of words"}[r.IntN(4)])
		b.Cols[cURL].AppendString(fmt.Sprintf("https://www.nexmark.com/item%d/_%d?query=1&channel_id=%d&x=y", r.IntN(1000), r.IntN(1000), r.IntN(1e6)))
		vec.Append(&b.Cols[cTime], 1_700_000_000_000+int64(i)*37)
		vec.Append(&b.Cols[cPrice], vec.Dec128{Lo: uint64(r.Int64N(1e9))})
		vec.Append(&b.Cols[cInt], int32(1+r.IntN(1000)))
	}
	return b
}

// cpuTime is what the process has used so far: on a busy machine the clock on the wall says
// nothing.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perRow reports CPU nanoseconds a row since start.
func perRow(b *testing.B, start time.Duration) {
	b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/float64(b.N)/vec.MaxRows, "cpu-ns/row")
}

func benchColumn(b *vec.Batch, i int) expr.Expr { return col(i, b.Cols[i].Type) }

// BenchmarkKernels gives ns a row of one expression over 4,096 rows.
func BenchmarkKernels(b *testing.B) {
	batch := benchBatch()
	c := func(i int) expr.Expr { return benchColumn(batch, i) }
	cast := func(e expr.Expr, t types.Type) expr.Expr { return &expr.Cast{Arg: e, Typ: t} }
	for _, k := range []struct {
		name string
		e    expr.Expr
	}{
		{"BIGINT + BIGINT", apply(b, "+", c(cI64), c(cJ64))},
		{"BIGINT + 1", apply(b, "+", c(cI64), num(1))},
		{"BIGINT NULLs + BIGINT", apply(b, "+", c(cNull), c(cJ64))},
		{"BIGINT % 123", apply(b, "%", c(cI64), num(123))},
		{"BIGINT / BIGINT", apply(b, "/", c(cI64), c(cJ64))},
		{"BIGINT > const", apply(b, ">", c(cI64), num(1000))},
		{"BIGINT < BIGINT", apply(b, "<", c(cI64), c(cJ64))},
		{"DOUBLE > const", apply(b, ">", c(cF64), lit(5e5, types.DoubleT))},
		{"0.908 * BIGINT", apply(b, "*", lit(mustBig("908"), types.DecimalT(4, 3)), c(cI64))},
		{"DECIMAL + DECIMAL", apply(b, "+", c(cPrice), c(cPrice))},
		{"DECIMAL * DECIMAL", apply(b, "*", c(cPrice), c(cPrice))},
		{"DECIMAL / INT", apply(b, "/", c(cPrice), c(cInt))},
		{"DECIMAL > const", apply(b, ">", c(cPrice), lit(mustBig("12345"), types.DecimalT(5, 2)))},
		{"IN 4 numbers", apply(b, "IN", c(cJ64), num(1), num(2), num(3), num(4))},
		{"IN 3 strings", apply(b, "IN", c(cText), str("apple"), str("pear"), str("plum"))},
		{"string = const", apply(b, "=", c(cText), str("apple"))},
		{"LIKE prefix", apply(b, "LIKE", c(cText), str("app%"))},
		{"LIKE contains", apply(b, "LIKE", c(cURL), str("%channel%"))},
		{"REGEXP_EXTRACT channel_id", apply(b, "REGEXP_EXTRACT", c(cURL), str("(&|^)channel_id=([^&]*)"), num(2))},
		{"REGEXP_EXTRACT general", apply(b, "REGEXP_EXTRACT", c(cURL), str("item([0-9]+)/_"), num(1))},
		{"SPLIT_INDEX", apply(b, "SPLIT_INDEX", c(cURL), str("/"), num(3))},
		{"LOWER", apply(b, "LOWER", c(cText))},
		{"CHAR_LENGTH", apply(b, "CHAR_LENGTH", c(cText))},
		{"SUBSTRING", apply(b, "SUBSTRING", c(cText), num(2), num(3))},
		{"CONCAT", apply(b, "CONCAT", c(cText), str("-"), c(cText))},
		{"HOUR", apply(b, "HOUR", c(cTime))},
		{"EXTRACT YEAR", apply(b, "YEAR", c(cTime))},
		{"DATE_FORMAT", apply(b, "DATE_FORMAT", c(cTime), str("yyyy-MM-dd"))},
		{"DATE_FORMAT with time", apply(b, "DATE_FORMAT", c(cTime), str("yyyy-MM-dd HH:mm:ss"))},
		{"INT to BIGINT", cast(c(cInt), types.BigIntT)},
		{"BIGINT to STRING", cast(c(cI64), types.StringT)},
		{"DOUBLE to STRING", cast(c(cF64), types.StringT)},
		{"DECIMAL to STRING", cast(c(cPrice), types.StringT)},
		{"TIMESTAMP to STRING", cast(c(cTime), types.StringT)},
		{"CASE of 3 numbers", &expr.Case{Whens: []expr.Expr{apply(b, "<", c(cI64), num(10000)), apply(b, "<", c(cI64), num(1000000))},
			Thens: []expr.Expr{num(0), num(1)}, Else: num(2), Typ: types.IntT}},
		{"CASE of 3 strings", &expr.Case{Whens: []expr.Expr{apply(b, "<", c(cI64), num(10000)), apply(b, "<", c(cI64), num(1000000))},
			Thens: []expr.Expr{str("small"), str("middle")}, Else: str("large"), Typ: types.VarCharT(6)}},
		{"COALESCE", apply(b, "COALESCE", c(cNull), num(0))},
		{"a > 5 AND b < 9", apply(b, "AND", apply(b, ">", c(cI64), num(5)), apply(b, "<", c(cJ64), num(9)))},
	} {
		b.Run(k.name, func(b *testing.B) {
			p, err := Compile([]expr.Expr{k.e}, Env{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				if _, err := p.Eval(batch); err != nil {
					b.Fatal(err)
				}
			}
			perRow(b, start)
		})
	}
}

// BenchmarkFiveOperations compares (a + b) * 2 - a > 1000 AND a < 3000000, compiled, with
// the loop a person would write.
func BenchmarkFiveOperations(b *testing.B) {
	batch := benchBatch()
	a, j := benchColumn(batch, cI64), benchColumn(batch, cJ64)
	e := apply(b, "AND", apply(b, ">", apply(b, "-", apply(b, "*", apply(b, "+", a, j), num(2)), a), num(1000)), apply(b, "<", a, num(3_000_000)))
	b.Run("compiled", func(b *testing.B) {
		p, err := CompilePredicate(e, Env{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		var sel []int32
		start := cpuTime(b)
		for b.Loop() {
			if sel, err = p.Select(batch, sel); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b, start)
	})
	b.Run("by hand", func(b *testing.B) {
		x, y := vec.Values[int64](&batch.Cols[cI64]), vec.Values[int64](&batch.Cols[cJ64])
		sel := make([]int32, vec.MaxRows)
		start := cpuTime(b)
		for b.Loop() {
			sel = sel[:handLoop(sel[:vec.MaxRows], x, y)]
		}
		perRow(b, start)
	})
}

//go:noinline
func handLoop(sel []int32, x, y []int64) int {
	k := 0
	for i := range x {
		sel[k] = int32(i)
		if v := (x[i]+y[i])*2 - x[i]; v > 1000 && x[i] < 3_000_000 {
			k++
		}
	}
	return k
}
