package oracle

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// Append reads a golden value into a column.
func Append(v *vec.Vec, raw json.RawMessage) error {
	var x any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&x); err != nil {
		return err
	}
	return appendValue(v, x)
}

func appendValue(v *vec.Vec, x any) error {
	if x == nil {
		v.AppendNull()
		return nil
	}
	switch v.Type.Physical() {
	case types.PhysList, types.PhysMap, types.PhysRow:
		return appendNested(v, x)
	case types.PhysBool:
		v.AppendBool(x.(bool))
		return nil
	}
	text := fmt.Sprint(x)
	switch v.Type.Kind {
	case types.Char, types.VarChar:
		v.AppendString(text)
	case types.Binary, types.VarBinary:
		b, err := hex.DecodeString(text)
		if err != nil {
			return err
		}
		v.AppendBytes(b)
	case types.Float:
		f, err := strconv.ParseFloat(text, 32)
		if err != nil {
			return err
		}
		vec.Append(v, float32(f))
	case types.Double:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return err
		}
		vec.Append(v, f)
	case types.Decimal:
		d, over, ok := decimal.Parse(text, v.Type.Precision, v.Type.Scale)
		if over || !ok {
			return fmt.Errorf("%s is no %s", text, v.Type)
		}
		vec.Append(v, d)
	case types.Date:
		t, err := time.Parse("2006-01-02", text)
		if err != nil {
			return err
		}
		vec.Append(v, int32(datetime.FloorDiv(t.Unix(), 86400)))
	case types.Time:
		t, err := time.Parse("15:04:05.999999999", text)
		if err != nil {
			return err
		}
		vec.Append(v, int32(t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)).Milliseconds()))
	case types.Timestamp, types.TimestampLTZ:
		t, err := time.Parse("2006-01-02T15:04:05.999999999", strings.TrimSuffix(text, "Z"))
		if err != nil {
			return err
		}
		u := v.Type.UnitsPerSecond()
		if s := t.Unix(); s > math.MaxInt64/u || s < math.MinInt64/u {
			return fmt.Errorf("%s: %w", text, errRange)
		}
		vec.Append(v, t.Unix()*u+int64(t.Nanosecond())/(1e9/u))
	default:
		return appendInteger(v, text)
	}
	return nil
}

func appendInteger(v *vec.Vec, text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return err
	}
	switch v.Type.Physical() {
	case types.PhysI8:
		vec.Append(v, int8(n))
	case types.PhysI16:
		vec.Append(v, int16(n))
	case types.PhysI32:
		vec.Append(v, int32(n))
	default:
		vec.Append(v, n)
	}
	return nil
}

func appendNested(v *vec.Vec, x any) error {
	list, ok := x.([]any)
	if !ok {
		return fmt.Errorf("%v is no %s", x, v.Type)
	}
	for i, e := range list {
		switch v.Type.Physical() {
		case types.PhysList:
			if err := appendValue(&v.Kids[0], e); err != nil {
				return err
			}
		case types.PhysRow:
			if err := appendValue(&v.Kids[i], e); err != nil {
				return err
			}
		default:
			for k := range 2 {
				if err := appendValue(&v.Kids[k], e.([]any)[k]); err != nil {
					return err
				}
			}
		}
	}
	v.AppendOpen()
	return nil
}

// Value gives row i of a column in the golden form: numbers as json.Number or text, lists
// as []any, NULL as nil.
func Value(v *vec.Vec, i int) any {
	if v.IsNull(i) {
		return nil
	}
	t := v.Type
	switch t.Kind {
	case types.Boolean:
		return v.Bool(i)
	case types.TinyInt:
		return json.Number(strconv.Itoa(int(vec.Values[int8](v)[i])))
	case types.SmallInt:
		return json.Number(strconv.Itoa(int(vec.Values[int16](v)[i])))
	case types.Int:
		return json.Number(strconv.Itoa(int(vec.Values[int32](v)[i])))
	case types.BigInt, types.IntervalDayTime:
		return strconv.FormatInt(vec.Values[int64](v)[i], 10)
	case types.IntervalYearMonth:
		return strconv.Itoa(int(vec.Values[int32](v)[i]))
	case types.Float:
		return floatValue(float64(vec.Values[float32](v)[i]))
	case types.Double:
		return floatValue(vec.Values[float64](v)[i])
	case types.Decimal:
		return decimal.String(vec.Values[vec.Dec128](v)[i], t.Scale)
	case types.Char, types.VarChar:
		return string(v.Bytes(i))
	case types.Binary, types.VarBinary:
		return hex.EncodeToString(v.Bytes(i))
	case types.Date:
		return string(datetime.AppendDate(nil, int64(vec.Values[int32](v)[i])))
	case types.Time:
		return trimFraction(string(datetime.AppendTime(nil, int64(vec.Values[int32](v)[i])*1e6, 9)), t.Precision)
	case types.Timestamp, types.TimestampLTZ:
		s := trimFraction(string(datetime.AppendTimestamp(nil, vec.Values[int64](v)[i], t.UnitsPerSecond(), 9, 'T')), t.Precision)
		if t.Kind == types.TimestampLTZ {
			s += "Z"
		}
		return s
	}
	return nestedValue(v, i)
}

func floatValue(f float64) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// trimFraction leaves p fraction digits, more where the value has more.
func trimFraction(s string, p int) string {
	dot := strings.LastIndexByte(s, '.')
	for len(s)-dot-1 > p && s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	return strings.TrimSuffix(s, ".")
}

func nestedValue(v *vec.Vec, i int) any {
	list := []any{}
	switch v.Type.Physical() {
	case types.PhysRow:
		for k := range v.Kids {
			list = append(list, Value(&v.Kids[k], i))
		}
	case types.PhysList:
		for e := v.Off[i]; e < v.Off[i+1]; e++ {
			list = append(list, Value(&v.Kids[0], int(e)))
		}
	case types.PhysMap:
		for e := v.Off[i]; e < v.Off[i+1]; e++ {
			list = append(list, []any{Value(&v.Kids[0], int(e)), Value(&v.Kids[1], int(e))})
		}
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return list
}

// Equal compares a value with a golden one. Floats are compared in the precision of the
// type, apart by at most ulps units in the last place.
func Equal(t types.Type, got any, want json.RawMessage, ulps int64) bool {
	var w any
	d := json.NewDecoder(strings.NewReader(string(want)))
	d.UseNumber()
	if d.Decode(&w) != nil {
		return false
	}
	return equal(t, got, w, ulps)
}

func equal(t types.Type, got, want any, ulps int64) bool {
	if got == nil || want == nil {
		return got == nil && want == nil
	}
	if l, ok := got.([]any); ok {
		w, ok := want.([]any)
		if !ok || len(l) != len(w) {
			return false
		}
		for i := range l {
			if !equal(childType(t, i), l[i], w[i], ulps) {
				return false
			}
		}
		return true
	}
	if t.IsApprox() {
		return equalFloat(t, fmt.Sprint(got), fmt.Sprint(want), ulps)
	}
	return fmt.Sprint(got) == fmt.Sprint(want)
}

func childType(t types.Type, i int) types.Type {
	switch t.Kind {
	case types.Row:
		return t.Fields[i].Type
	case types.Map:
		return types.RowT(types.Field{Type: *t.Key}, types.Field{Type: *t.Elem})
	case types.Multiset:
		return types.RowT(types.Field{Type: *t.Elem}, types.Field{Type: types.IntT})
	}
	return *t.Elem
}

func equalFloat(t types.Type, got, want string, ulps int64) bool {
	if got == want {
		return true
	}
	bits := 64
	if t.Kind == types.Float {
		bits = 32
	}
	a, err1 := strconv.ParseFloat(got, bits)
	b, err2 := strconv.ParseFloat(want, bits)
	if err1 != nil || err2 != nil || math.IsNaN(a) || math.IsNaN(b) {
		return false
	}
	if a == b {
		return math.Signbit(a) == math.Signbit(b)
	}
	x, y := ordinal(a, bits), ordinal(b, bits)
	diff := new(big.Int).Sub(x, y)
	return diff.CmpAbs(big.NewInt(ulps)) <= 0
}

// ordinal numbers the floats in order, so that neighbours differ by one.
func ordinal(f float64, bits int) *big.Int {
	var n int64
	if bits == 32 {
		n = int64(int32(math.Float32bits(float32(f))))
		if n < 0 {
			n = math.MinInt32 - n
		}
	} else {
		n = int64(math.Float64bits(f))
		if n < 0 {
			n = math.MinInt64 - n
		}
	}
	return big.NewInt(n)
}
