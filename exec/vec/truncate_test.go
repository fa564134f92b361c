package vec

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/sql/types"
)

// A column truncated and filled again is the same as one that never had the rows.
func TestTruncateUndoesAppends(t *testing.T) {
	kinds := []types.Type{types.BooleanT, types.BigIntT, types.StringT, types.DecimalT(38, 2), types.ArrayT(types.StringT), types.MapT(types.StringT, types.IntT),
		types.RowT(types.Field{Name: "a", Type: types.BooleanT}, types.Field{Name: "b", Type: types.ArrayT(types.IntT)})}
	for _, typ := range kinds {
		for keep := range 70 {
			got, want := New(typ), New(typ)
			for i := range keep {
				appendSample(&got, i)
				appendSample(&want, i)
			}
			for i := range 70 {
				appendSample(&got, 1000+i*7)
			}
			got.Truncate(keep)
			for i := keep; i < keep+70; i++ {
				appendSample(&got, i)
				appendSample(&want, i)
			}
			if a, b := dump(&got), dump(&want); a != b {
				t.Fatalf("%s, truncated to %d:\n%s\nwant\n%s", typ, keep, a, b)
			}
		}
	}
}

// appendSample adds a row that depends on i; some are NULL.
func appendSample(v *Vec, i int) {
	if i%5 == 3 {
		v.AppendNull()
		return
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		v.AppendBool(i%3 != 0)
	case types.PhysI32:
		Append(v, int32(i))
	case types.PhysI64:
		Append(v, int64(i))
	case types.PhysD128:
		Append(v, Dec128{Lo: uint64(i)})
	case types.PhysBytes:
		v.AppendString(strconv.Itoa(i))
	case types.PhysRow:
		for k := range v.Kids {
			appendSample(&v.Kids[k], i+k)
		}
		v.AppendOpen()
	default:
		for n := range i % 4 {
			for k := range v.Kids {
				appendSample(&v.Kids[k], i+n+k)
			}
		}
		v.AppendOpen()
	}
}

// dump prints what a reader of the column can see.
func dump(v *Vec) string {
	var b strings.Builder
	for i := range v.N {
		if v.IsNull(i) {
			b.WriteString("NULL ")
			continue
		}
		switch p := v.Type.Physical(); {
		case p == types.PhysBool:
			fmt.Fprint(&b, v.Bool(i))
		case p == types.PhysBytes:
			b.Write(v.Bytes(i))
		case p.Width() > 0:
			fmt.Fprintf(&b, "%x", v.Data[i*p.Width():(i+1)*p.Width()])
		case p != types.PhysRow:
			fmt.Fprint(&b, v.Off[i], "-", v.Off[i+1])
		}
		b.WriteByte(' ')
	}
	for k := range v.Kids {
		b.WriteString("[" + dump(&v.Kids[k]) + "]")
	}
	return b.String()
}
