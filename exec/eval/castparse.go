package eval

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// castFromText reads a string as another type.
func castFromText(s *Site) (Kernel, error) {
	to := s.Result
	switch to.Kind {
	case types.Boolean:
		return func(f *Frame) error {
			return fillBool(f, func(i int) (bool, bool) {
				x, ok := parseBool(f.Args[0].bytes(i))
				if !ok {
					s.rejectText(f, i)
				}
				return x, ok
			})
		}, nil
	case types.TinyInt:
		return parseWith(s, func(b []byte) (int8, bool) { n, ok := parseInt(b, 8); return int8(n), ok }), nil
	case types.SmallInt:
		return parseWith(s, func(b []byte) (int16, bool) { n, ok := parseInt(b, 16); return int16(n), ok }), nil
	case types.Int:
		return parseWith(s, func(b []byte) (int32, bool) { n, ok := parseInt(b, 32); return int32(n), ok }), nil
	case types.BigInt:
		return parseWith(s, func(b []byte) (int64, bool) { return parseInt(b, 64) }), nil
	case types.Float:
		return parseWith(s, func(b []byte) (float32, bool) { x, ok := parseFloat(b, 32); return float32(x), ok }), nil
	case types.Double:
		return parseWith(s, func(b []byte) (float64, bool) { return parseFloat(b, 64) }), nil
	case types.Decimal:
		return parseDecimal(s), nil
	case types.Date:
		return parseWith(s, func(b []byte) (int32, bool) { d, ok := datetime.ParseDate(b); return int32(d), ok }), nil
	case types.Time:
		unit := int64(1000)
		for range min(to.Precision, 3) {
			unit /= 10
		}
		return parseWith(s, func(b []byte) (int32, bool) { t, ok := datetime.ParseTime(b); return int32(t / unit * unit), ok }), nil
	case types.Timestamp, types.TimestampLTZ:
		return parseTimestamp(s), nil
	}
	return nil, s.errorf("%v", CastAllowed(s.Args[0], to))
}

func (s *Site) rejectText(f *Frame, i int) {
	if !s.Try {
		f.fail(i, "%q is not a valid %s; TRY_CAST gives NULL instead", clip(f.Args[0].bytes(i)), s.Result.Nullable())
	}
}

// clip shortens a value for a message.
func clip(b []byte) string {
	if len(b) > 100 {
		return string(b[:100]) + "..."
	}
	return string(b)
}

func parseWith[T vec.Fixed](s *Site, parse func([]byte) (T, bool)) Kernel {
	return func(f *Frame) error {
		return fill(f, func(i int) (T, bool) {
			x, ok := parse(f.Args[0].bytes(i))
			if !ok {
				s.rejectText(f, i)
			}
			return x, ok
		})
	}
}

func parseBool(b []byte) (x, ok bool) {
	if len(b) > 5 {
		return false, false
	}
	switch strings.ToLower(string(b)) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}

// parseInt reads digits with blanks around; a fraction of digits is cut off.
func parseInt(b []byte, bits uint) (int64, bool) {
	b = bytes.Trim(b, " ")
	neg := len(b) > 0 && b[0] == '-'
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	limit := uint64(1)<<(bits-1) - 1
	if neg {
		limit++
	}
	var n uint64
	i := 0
	for ; i < len(b) && b[i] != '.'; i++ {
		c := b[i] - '0'
		if c > 9 || n > limit/10 {
			return 0, false
		}
		if n = n*10 + uint64(c); n > limit {
			return 0, false
		}
	}
	for i++; i < len(b); i++ {
		if b[i]-'0' > 9 {
			return 0, false
		}
	}
	if neg {
		return int64(-n), true
	}
	return int64(n), true
}

// parseFloat reads what Java's Double.parseDouble does: blanks and control characters
// around, an f or d behind, NaN and Infinity exactly so.
func parseFloat(b []byte, bits int) (float64, bool) {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	text := b
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		text = text[1:]
	}
	switch string(text) {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		if b[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	if len(text) == 0 || text[0] != '.' && (text[0] < '0' || text[0] > '9') || bytes.IndexByte(text, '_') >= 0 {
		return 0, false
	}
	hex := len(text) > 1 && text[1]|0x20 == 'x'
	if c := text[len(text)-1] | 0x20; len(text) > 1 && (c == 'f' || c == 'd') && (!hex || bytes.ContainsAny(text, "pP")) {
		b = b[:len(b)-1]
	}
	x, err := strconv.ParseFloat(string(b), bits)
	if err != nil && !math.IsInf(x, 0) {
		return 0, false
	}
	return x, true
}

func parseDecimal(s *Site) Kernel {
	p, sc := s.Result.Precision, s.Result.Scale
	return func(f *Frame) error {
		return fill(f, func(i int) (decimal.D, bool) {
			d, over, ok := decimal.Parse(trimControl(f.Args[0].bytes(i)), p, sc)
			if !ok {
				s.rejectText(f, i)
			}
			return d, ok && !over
		})
	}
}

// trimControl removes blanks and control characters at both ends, as Java's trim does.
func trimControl(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// parseTimestamp reads a timestamp and cuts it to the target's precision; as TIMESTAMP_LTZ
// it is local time of the session.
func parseTimestamp(s *Site) Kernel {
	units := s.Result.UnitsPerSecond()
	zone := datetime.NewZone(nil)
	if s.Result.Kind == types.TimestampLTZ {
		zone = datetime.NewZone(s.Env.Zone)
	}
	cut := int64(1)
	for range 9 - s.Result.Precision {
		cut *= 10
	}
	return parseWith(s, func(b []byte) (int64, bool) {
		sec, nanos, ok := datetime.ParseTimestamp(b)
		if !ok || !inRange(sec, units) {
			return 0, false
		}
		return zone.ToUTC(sec, false)*units + nanos/cut*cut/(1e9/units), true
	})
}

// inRange reports whether an instant in seconds can be represented in the units.
func inRange(sec, units int64) bool {
	return sec < math.MaxInt64/units && sec > math.MinInt64/units
}
