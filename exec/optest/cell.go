package optest

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// ParseCell appends a value written as in scripts: NULL, numbers, TRUE, strings as they are
// (in single quotes where they would be read otherwise), bytes in hexadecimal, "2024-05-01
// 10:00:00.123" (TIMESTAMP_LTZ in UTC), DATE likewise, TIME and intervals in their units.
func ParseCell(v *vec.Vec, s string) error {
	if s == "NULL" {
		v.AppendNull()
		return nil
	}
	t := v.Type
	switch t.Physical() {
	case types.PhysBool:
		x, err := strconv.ParseBool(s)
		v.AppendBool(x)
		return err
	case types.PhysF32, types.PhysF64:
		x, err := strconv.ParseFloat(s, 8*t.Physical().Width())
		if t.Kind == types.Float {
			vec.Append(v, float32(x))
		} else {
			vec.Append(v, x)
		}
		return err
	case types.PhysD128:
		d, err := parseDecimal(s, t.Scale)
		vec.Append(v, d)
		return err
	case types.PhysBytes:
		if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
			s = s[1 : len(s)-1]
		}
		if t.IsBinary() {
			b, err := hex.DecodeString(s)
			v.AppendBytes(b)
			return err
		}
		v.AppendString(s)
		return nil
	}
	x, err := parseInteger(t, s)
	if err != nil {
		return err
	}
	switch t.Physical() {
	case types.PhysI8:
		vec.Append(v, int8(x))
	case types.PhysI16:
		vec.Append(v, int16(x))
	case types.PhysI32:
		vec.Append(v, int32(x))
	case types.PhysI64:
		vec.Append(v, x)
	default:
		return fmt.Errorf("scripts have no values of type %s", t)
	}
	return nil
}

const (
	dateLayout = "2006-01-02"
	timeLayout = "2006-01-02 15:04:05.999999999"
)

func parseInteger(t types.Type, s string) (int64, error) {
	switch {
	case t.Kind == types.Date:
		d, err := time.Parse(dateLayout, s)
		return d.Unix() / 86400, err
	case t.IsTimestamp():
		ts, err := time.Parse(timeLayout, s)
		u := t.UnitsPerSecond()
		return ts.Unix()*u + int64(ts.Nanosecond())/(1_000_000_000/u), err
	}
	return strconv.ParseInt(s, 10, 64)
}

func parseDecimal(s string, scale int) (vec.Dec128, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > scale {
		return vec.Dec128{}, fmt.Errorf("%q has more than %d digits of scale", s, scale)
	}
	n, ok := new(big.Int).SetString(whole+frac+strings.Repeat("0", scale-len(frac)), 10)
	if !ok {
		return vec.Dec128{}, fmt.Errorf("%q is no decimal", s)
	}
	low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64))
	return vec.Dec128{Lo: low.Uint64(), Hi: new(big.Int).Rsh(n, 64).Int64()}, nil
}

// FormatCell writes row i of v as ParseCell reads it.
func FormatCell(v *vec.Vec, i int) string {
	if v.IsNull(i) {
		return "NULL"
	}
	t := v.Type
	switch t.Physical() {
	case types.PhysBool:
		return strings.ToUpper(strconv.FormatBool(v.Bool(i)))
	case types.PhysI8:
		return strconv.Itoa(int(vec.Values[int8](v)[i]))
	case types.PhysI16:
		return strconv.Itoa(int(vec.Values[int16](v)[i]))
	case types.PhysI32:
		x := vec.Values[int32](v)[i]
		if t.Kind == types.Date {
			return time.Unix(int64(x)*86400, 0).UTC().Format(dateLayout)
		}
		return strconv.Itoa(int(x))
	case types.PhysI64:
		x := vec.Values[int64](v)[i]
		if t.IsTimestamp() {
			return formatTime(x, t)
		}
		return strconv.FormatInt(x, 10)
	case types.PhysF32:
		return strconv.FormatFloat(float64(vec.Values[float32](v)[i]), 'g', -1, 32)
	case types.PhysF64:
		return strconv.FormatFloat(vec.Values[float64](v)[i], 'g', -1, 64)
	case types.PhysD128:
		return formatDecimal(vec.Values[vec.Dec128](v)[i], t.Scale)
	case types.PhysBytes:
		if t.IsBinary() && len(v.Bytes(i)) > 0 {
			return hex.EncodeToString(v.Bytes(i))
		}
		if s := string(v.Bytes(i)); s != "" && s == strings.TrimSpace(s) && s != "NULL" {
			return s
		}
		return "'" + string(v.Bytes(i)) + "'"
	}
	return "?" + t.String()
}

func formatTime(x int64, t types.Type) string {
	u := t.UnitsPerSecond()
	sec := x / u
	frac := x % u
	if frac < 0 {
		sec, frac = sec-1, frac+u
	}
	s := time.Unix(sec, frac*(1_000_000_000/u)).UTC().Format("2006-01-02 15:04:05.000000000")
	if t.Precision == 0 {
		return s[:19]
	}
	return s[:20+t.Precision]
}

func formatDecimal(d vec.Dec128, scale int) string {
	n := new(big.Int).Lsh(big.NewInt(d.Hi), 64)
	n.Add(n, new(big.Int).SetUint64(d.Lo))
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
		n.Neg(n)
	}
	s := n.String()
	if scale == 0 {
		return sign + s
	}
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	return sign + s[:len(s)-scale] + "." + s[len(s)-scale:]
}

// parseTime reads the argument of a watermark or clock directive.
func parseTime(d *datadriven.TestData) (int64, error) {
	words := make([]string, len(d.CmdArgs))
	for i := range d.CmdArgs {
		words[i] = d.CmdArgs[i].Key
	}
	s := strings.Join(words, " ")
	if s == "max" {
		return exec.MaxWatermark, nil
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return ms, nil
	}
	return parseInteger(types.TimestampT(3), s)
}
