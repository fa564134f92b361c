package optest

import (
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

var kinds = map[string]vec.Kind{"+I": vec.Insert, "-U": vec.UpdateBefore, "+U": vec.UpdateAfter, "-D": vec.Delete}

// parseRows reads rows, one a line.
func parseRows(s types.Schema, text string) (*vec.Batch, error) {
	b := vec.NewBatch(s)
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		kind, ok := kinds[cells[0]]
		if ok {
			cells = cells[1:]
		}
		if len(cells) != len(s) {
			return nil, fmt.Errorf("row %q has %d columns, expected %s", line, len(cells), s)
		}
		for c := range cells {
			if err := ParseCell(&b.Cols[c], cells[c]); err != nil {
				return nil, fmt.Errorf("row %q, column %s: %w", line, s[c].Name, err)
			}
		}
		b.AddKind(kind)
	}
	return b, nil
}

func formatRow(b *vec.Batch, i int) string {
	cells := []string{vec.KindText(b.Kind(i))}
	for c := range b.Cols {
		cells = append(cells, FormatCell(&b.Cols[c], i))
	}
	return strings.Join(cells, " | ")
}

// cut copies rows [lo, hi) into a batch of their own. With junk, copies of the first row lie in
// between and are not selected.
func cut(rows *vec.Batch, s types.Schema, lo, hi int, junk bool) *vec.Batch {
	b := vec.NewBatch(s)
	for i := lo; i < hi; i++ {
		if junk {
			b.AppendRow(rows, 0)
			b.Sel = append(b.Sel, int32(b.N))
		}
		b.AppendRow(rows, i)
	}
	if junk {
		b.AppendRow(rows, 0)
	}
	return b
}

// scramble overwrites everything an operator was lent.
func scramble(b *vec.Batch) {
	for c := range b.Cols {
		scrambleVec(&b.Cols[c])
	}
	for i := range b.Kinds {
		b.Kinds[i] = vec.Delete
	}
	for i := range b.Sel {
		b.Sel[i] = 0
	}
	b.N = 0
}

func scrambleVec(v *vec.Vec) {
	for i := range v.Data {
		v.Data[i] = 0xa5
	}
	clear(v.Off)
	clear(v.Valid)
	for k := range v.Kids {
		scrambleVec(&v.Kids[k])
	}
}

// wellFormed checks a batch against the contract of vec.Batch.
func wellFormed(b *vec.Batch, s types.Schema) error {
	if len(b.Cols) != len(s) {
		return fmt.Errorf("%d columns, expected %s", len(b.Cols), s)
	}
	if b.N > vec.MaxRows || b.Len() == 0 {
		return fmt.Errorf("%d rows (%d selected)", b.N, b.Len())
	}
	if b.Kinds != nil && len(b.Kinds) < b.N {
		return fmt.Errorf("%d kinds for %d rows", len(b.Kinds), b.N)
	}
	for i := range b.Sel {
		if b.Sel[i] < 0 || int(b.Sel[i]) >= b.N || i > 0 && b.Sel[i] <= b.Sel[i-1] {
			return fmt.Errorf("selection %v of %d rows", b.Sel, b.N)
		}
	}
	for c := range b.Cols {
		v := &b.Cols[c]
		if !v.Type.Same(s[c].Type) {
			return fmt.Errorf("column %s has type %s, expected %s", s[c].Name, v.Type, s[c].Type)
		}
		if err := wellFormedVec(v, b.N); err != nil {
			return fmt.Errorf("column %s: %w", s[c].Name, err)
		}
	}
	return nil
}

func wellFormedVec(v *vec.Vec, n int) error {
	if v.N != n {
		return fmt.Errorf("%d rows, the batch has %d", v.N, n)
	}
	if v.Valid != nil && len(v.Valid) < (n+63)/64 {
		return fmt.Errorf("%d words of validity for %d rows", len(v.Valid), n)
	}
	switch p := v.Type.Physical(); p {
	case types.PhysBool:
		if len(v.Data) < (n+7)/8 {
			return fmt.Errorf("%d bytes for %d bits", len(v.Data), n)
		}
	case types.PhysBytes, types.PhysList, types.PhysMap:
		if len(v.Off) < n+1 {
			return fmt.Errorf("%d offsets for %d rows", len(v.Off), n)
		}
		for i := range n {
			if v.Off[i] > v.Off[i+1] {
				return fmt.Errorf("offsets fall at row %d", i)
			}
		}
	case types.PhysRow:
	default:
		if len(v.Data) < n*p.Width() {
			return fmt.Errorf("%d bytes for %d values", len(v.Data), n)
		}
	}
	for k := range v.Kids {
		if v.Type.Physical() == types.PhysRow {
			if err := wellFormedVec(&v.Kids[k], n); err != nil {
				return err
			}
		}
	}
	return nil
}
