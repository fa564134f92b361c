package savepoint

import (
	"encoding/binary"
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/keyform"
	"github.com/sqlstream/sqlstream/state"
)

// generated is a Content with n groups of a query like Nexmark's q17: a key of two columns, ten
// aggregates of 8 and 16 bytes.
type generated struct{ n int }

func (generated) Close() error { return nil }
func (g generated) Table(string, uint8) (checkpoint.Records, error) {
	return &generator{n: g.n, at: -1}, nil
}

type generator struct {
	n, at      int
	key, value []byte
}

func (g *generator) Next() bool {
	if g.at++; g.at >= g.n {
		return false
	}
	g.key = append(g.key[:0], 1)
	g.key = binary.BigEndian.AppendUint64(g.key, uint64(g.at)^1<<63)
	g.key = append(append(g.key, 1, 10), "2026-03-01"...)
	g.value = g.value[:0]
	for i := range 14 {
		v := uint64(g.at*i) % 1e6
		if i >= 7 && i%2 == 1 { // whether there is a value
			v = 1
		}
		g.value = binary.LittleEndian.AppendUint64(g.value, v)
	}
	return true
}

func (g *generator) Group() state.KeyGroup { return state.KeyGroup(g.at * 128 / g.n) }
func (g *generator) Key() []byte           { return g.key }
func (g *generator) Value() []byte         { return g.value }
func (g *generator) Stamp() int64          { return 0 }
func (g *generator) Err() error            { return nil }

func generatedManifest() *checkpoint.Manifest {
	t := checkpoint.Table{Name: "groups", Size: 14 * 8, Key: []checkpoint.KeyPart{{Name: "auction", Type: "BIGINT", Form: "column"}, {Name: "day", Type: "STRING", Form: "column"}}}
	for i := range 4 {
		t.Slots = append(t.Slots, checkpoint.Slot{Name: fmt.Sprint("COUNT(*) FILTER ", i), Type: "BIGINT NOT NULL", Kind: "aggregate", Offset: 8 * i, Size: 8, Fields: []checkpoint.Field{{Name: "count", Type: "BIGINT"}}})
	}
	value := func(name, typ, first, second string, off int) {
		t.Slots = append(t.Slots, checkpoint.Slot{Name: name, Type: typ, Kind: "aggregate", Offset: off, Size: 16,
			Fields: []checkpoint.Field{{Name: first, Type: "BIGINT"}, {Name: second, Type: "BIGINT", Offset: 8}}})
	}
	value("SUM(price)", "BIGINT", "sum", "count", 32)
	value("MIN(price)", "BIGINT", "value", "present", 48)
	value("MAX(price)", "BIGINT", "value", "present", 64)
	value("AVG(price)", "BIGINT", "sum", "count", 80)
	value("FIRST_VALUE(price)", "BIGINT", "value", "present", 96)
	return &checkpoint.Manifest{JobID: testJob, JobName: "q17", Epoch: 9, Kind: checkpoint.Checkpoint, Created: day, MaxParallelism: 128,
		Operators: []checkpoint.Operator{{UID: "q17", Name: "GroupAggregate", Kind: "GroupAggregate", Parallelism: 1, Tables: []checkpoint.Table{t}}}}
}

var benchRows = flag.Int("rows", 1_000_000, "groups that the benchmarks write and read")

func BenchmarkWrite(b *testing.B) {
	for _, layout := range []string{checkpoint.Canonical, checkpoint.Native} {
		b.Run(layout, func(b *testing.B) {
			for b.Loop() {
				p, err := checkpoint.OpenPlace(filepath.Join(b.TempDir(), "s"))
				if err != nil {
					b.Fatal(err)
				}
				m, err := Write(b.Context(), Source{Manifest: generatedManifest(), Content: generated{*benchRows}}, p, Options{Layout: layout, Now: day})
				if err != nil {
					b.Fatal(err)
				}
				if m.Layout == checkpoint.Canonical && m.Rows[0].Rows != int64(*benchRows) {
					b.Fatal(m.Rows)
				}
				b.ReportMetric(float64(m.Bytes())/1e6, "MB")
				p.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(*benchRows), "ns/row")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, layout := range []string{checkpoint.Canonical, checkpoint.Native} {
		b.Run(layout, func(b *testing.B) {
			p, err := checkpoint.OpenPlace(filepath.Join(b.TempDir(), "s"))
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			m, err := Write(b.Context(), Source{Manifest: generatedManifest(), Content: generated{*benchRows}}, p, Options{Layout: layout, Now: day})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				c, err := Open(p, m)
				if err != nil {
					b.Fatal(err)
				}
				r, err := c.Table("q17", 0)
				if err != nil {
					b.Fatal(err)
				}
				n, sum := 0, uint64(0)
				for r.Next() {
					n++
					sum ^= keyform.Hash(r.Key())
				}
				if r.Err() != nil || n != *benchRows {
					b.Fatal(n, r.Err())
				}
				c.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(*benchRows), "ns/row")
		})
	}
}
