package eval

import (
	"errors"
	"math"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/exec/eval/decimal"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// formats compiles format patterns: a constant once, those of a column as they come.
func formats[P any](s *Site, arg int, absent string, compile func(string) (P, error)) *patterns[P] {
	c := func(text, _ string) (P, error) { return compile(text) }
	if arg >= len(s.Args) {
		v, err := compile(absent)
		return &patterns[P]{compile: c, fixed: &compiled[P]{v, err}}
	}
	return newPatterns(s, arg, 0, c)
}

// argOr is argument n, or nothing where the call has fewer.
func argOr(f *Frame, n int) Operand {
	if n < len(f.Args) {
		return f.Args[n]
	}
	return Operand{}
}

const isoPattern = "yyyy-MM-dd HH:mm:ss"

func dateFormatRule(args []expr.Arg) (Sig, error) {
	return fn(ret(types.StringT), exactly("TIMESTAMP, TIMESTAMP_LTZ or STRING", types.TimestampT(3),
		either(types.Type.IsTimestamp, types.Type.IsString)), pStr)(args)
}

// bindDateFormat formats a timestamp by DateTimeFormatter letters, a string (read as
// yyyy-MM-dd HH:mm:ss) by those of SimpleDateFormat.
func bindDateFormat(s *Site) (Kernel, error) {
	if s.Args[0].IsString() {
		return reformat(s), nil
	}
	fs := formats(s, 1, "", datetime.NewFormatter)
	read := localReader(s.Args[0], datetime.NewZone(s.Env.Zone))
	return func(f *Frame) error {
		a := read(f.Args[0])
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			p, err := fs.at(f.Args[1], nil, i)
			if err != nil {
				f.fail(i, "%v", err)
				return dst, true
			}
			t := a(i)
			return p.Append(dst, t.millis, t.nanos), true
		})
	}, nil
}

func reformat(s *Site) Kernel {
	in, _ := datetime.NewSimple(isoPattern)
	fs := formats(s, 1, "", datetime.NewSimple)
	zone := datetime.NewZone(nil)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			p, err := fs.at(f.Args[1], nil, i)
			if err != nil {
				f.fail(i, "%v", err)
				return dst, true
			}
			sec, ok := in.Parse(string(f.Args[0].bytes(i)), zone)
			if !ok {
				return dst, false
			}
			return p.Append(dst, sec, zone), true
		})
	}
}

// parseLocal reads a string by a pattern the way TO_TIMESTAMP does.
func parseLocal(p *datetime.Parser, err error, text []byte) (sec, nanos int64, ok bool) {
	if err == nil {
		if sec, nanos, ok = p.Parse(string(text)); ok {
			return sec, nanos, true
		}
	} else {
		return 0, 0, false
	}
	return datetime.ParseLoose(string(text))
}

func bindToTimestamp(s *Site) (Kernel, error) {
	ps := formats(s, 1, isoPattern, datetime.NewParser)
	return func(f *Frame) error {
		return fill(f, func(i int) (int64, bool) {
			var sec, nanos int64
			var ok bool
			if len(f.Args) == 1 {
				sec, nanos, ok = datetime.ParseTimestamp(f.Args[0].bytes(i))
			} else {
				p, err := ps.at(f.Args[1], nil, i)
				sec, nanos, ok = parseLocal(p, err, f.Args[0].bytes(i))
			}
			return sec*1000 + nanos/1e6, ok
		})
	}, nil
}

// bindToDate reads a date by Flink's own rules, or by a lenient SimpleDateFormat.
func bindToDate(s *Site) (Kernel, error) {
	ps := formats(s, 1, "yyyy-MM-dd", datetime.NewSimple)
	utc := datetime.NewZone(nil)
	return func(f *Frame) error {
		return fill(f, func(i int) (int32, bool) {
			if len(f.Args) == 1 {
				d, ok := datetime.ParseDate(f.Args[0].bytes(i))
				return int32(d), ok
			}
			p, err := ps.at(f.Args[1], nil, i)
			if err != nil {
				f.fail(i, "%v", err)
				return 0, true
			}
			sec, ok := p.Parse(string(f.Args[0].bytes(i)), utc)
			return int32(datetime.FloorDiv(sec, 86400)), ok
		})
	}, nil
}

func toTimestampLTZRule(args []expr.Arg) (Sig, error) {
	t := types.TimestampLTZT(3)
	return oneOf(fnNull(ret(t), pNum, opt(pInt)), fnNull(ret(t), pStr, opt(pStr), opt(pStr)))(args)
}

// firstMilli and lastMilli bound the years 0 to 9999.
var (
	firstMilli = datetime.Days(0, 1, 1) * datetime.MillisPerDay
	lastMilli  = datetime.Days(10000, 1, 1)*datetime.MillisPerDay - 1
)

func bindToTimestampLTZ(s *Site) (Kernel, error) {
	if s.Args[0].IsString() {
		return textToInstant(s), nil
	}
	read := numberReader(s.Args[0])
	exact := s.Args[0].IsInteger()
	ints, _ := decimalReader(s.Args[0])
	return func(f *Frame) error {
		x := read(f.Args[0])
		var n func(int) decimal.D
		if exact {
			n = ints(f.Args[0])
		}
		return fill(f, func(i int) (int64, bool) {
			unit := int64(1)
			if len(f.Args) == 2 {
				switch p := value[int32](f.Args[1], i); p {
				case 0:
					unit = 1000
				case 3:
				default:
					f.fail(i, "a precision of %d is not supported; use 0 for seconds or 3 for milliseconds", p)
				}
			}
			if exact {
				v := int64(n(i).Lo)
				if v > lastMilli/unit || v < firstMilli/unit {
					return 0, false
				}
				return v * unit, true
			}
			v := x(i) * float64(unit)
			if math.IsNaN(v) || v > float64(lastMilli) || v < float64(firstMilli) {
				return 0, false
			}
			return int64(v), true
		})
	}, nil
}

// textToInstant reads a string in a zone, UTC when none is given.
func textToInstant(s *Site) Kernel {
	ps := formats(s, 1, isoPattern, datetime.NewParser)
	zones := formats(s, 2, "UTC", func(name string) (*datetime.Zone, error) {
		loc, err := datetime.LoadZone(name)
		return datetime.NewZone(loc), err
	})
	return func(f *Frame) error {
		return fill(f, func(i int) (int64, bool) {
			if len(f.Args) == 1 {
				sec, nanos, ok := datetime.ParseTimestamp(f.Args[0].bytes(i))
				if !ok {
					f.fail(i, "%q is not a valid timestamp", clip(f.Args[0].bytes(i)))
				}
				return sec*1000 + nanos/1e6, ok
			}
			p, err := ps.at(f.Args[1], nil, i)
			sec, nanos, ok := parseLocal(p, err, f.Args[0].bytes(i))
			zone, err := zones.at(argOr(f, 2), nil, i)
			if err != nil {
				f.fail(i, "%v", err)
				return 0, false
			}
			return zone.ToUTC(sec, false)*1000 + nanos/1e6, ok
		})
	}
}

func unixTimestampRule(args []expr.Arg) (Sig, error) {
	if len(args) == 0 {
		return Sig{Result: types.BigIntT.NotNullable()}, nil
	}
	sig, err := fn(ret(types.BigIntT), pStr, opt(pStr))(args)
	sig.Steady = true
	return sig, err
}

// bindUnixTimestamp gives seconds since 1970, the smallest BIGINT for what is no time.
func bindUnixTimestamp(s *Site) (Kernel, error) {
	if len(s.Args) == 0 {
		clock := s.Env.Clock
		return func(f *Frame) error {
			now := clock.Now().Unix()
			return fill(f, func(int) (int64, bool) { return now, true })
		}, nil
	}
	ps := formats(s, 1, isoPattern, datetime.NewSimple)
	zone := datetime.NewZone(s.Env.Zone)
	return func(f *Frame) error {
		return fill(f, func(i int) (int64, bool) {
			p, err := ps.at(argOr(f, 1), nil, i)
			if err != nil {
				f.fail(i, "%v", err)
				return 0, true
			}
			sec, ok := p.Parse(string(f.Args[0].bytes(i)), zone)
			if !ok {
				return math.MinInt64, true
			}
			return sec, true
		})
	}, nil
}

func bindFromUnixtime(s *Site) (Kernel, error) {
	ps := formats(s, 1, isoPattern, datetime.NewSimple)
	zone := datetime.NewZone(s.Env.Zone)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			p, err := ps.at(argOr(f, 1), nil, i)
			if err != nil {
				f.fail(i, "%v", err)
				return dst, true
			}
			return p.Append(dst, value[int64](f.Args[0], i), zone), true
		})
	}, nil
}

// bindConvertTZ moves a local time from one zone to another; unknown zones are UTC.
func bindConvertTZ(s *Site) (Kernel, error) {
	p, err := datetime.NewSimple(isoPattern)
	if err != nil {
		return nil, err
	}
	zone := func(name string) (*datetime.Zone, error) { return datetime.NewZone(datetime.JavaZone(name)), nil }
	from, to := formats(s, 1, "", zone), formats(s, 2, "", zone)
	return func(f *Frame) error {
		return fillBytes(f, func(i int, dst []byte) ([]byte, bool) {
			a, err1 := from.at(f.Args[1], nil, i)
			b, err2 := to.at(f.Args[2], nil, i)
			if err := errors.Join(err1, err2); err != nil {
				f.fail(i, "%v", err)
				return dst, true
			}
			sec, ok := p.Parse(string(f.Args[0].bytes(i)), a)
			if !ok {
				return dst, false
			}
			return p.Append(dst, sec, b), true
		})
	}, nil
}

var formatFamily = Family{"Formatting and parsing of times", []Function{
	{Name: "DATE_FORMAT", Signature: "DATE_FORMAT(time, format STRING)", Doc: "A timestamp as text by the letters of Java's DateTimeFormatter; of a STRING those of SimpleDateFormat.",
		Example: "DATE_FORMAT(TIMESTAMP '2020-02-29 12:34:56', 'yyyy-MM-dd HH')", Result: "2020-02-29 12", Type: dateFormatRule, Bind: bindDateFormat},
	{Name: "TO_TIMESTAMP", Signature: "TO_TIMESTAMP(s STRING [, format STRING])", Doc: "A TIMESTAMP(3) read from text; NULL when it is none.",
		Example: "TO_TIMESTAMP('2020-02-29 12:34:56')", Result: "2020-02-29 12:34:56.000", Type: fnNull(ret(types.TimestampT(3)), pStr, opt(pStr)), Bind: bindToTimestamp},
	{Name: "TO_DATE", Signature: "TO_DATE(s STRING [, format STRING])", Doc: "A DATE read from text; NULL when it is none.",
		Example: "TO_DATE('2020-02-29')", Result: "2020-02-29", Type: fnNull(ret(types.DateT), pStr, opt(pStr)), Bind: bindToDate},
	{Name: "TO_TIMESTAMP_LTZ", Signature: "TO_TIMESTAMP_LTZ(n [, precision INT]) or (s STRING [, format STRING [, zone STRING]])",
		Doc:     "An instant from milliseconds (precision 3, the default) or seconds (0) since 1970, or from text in a time zone (UTC).",
		Example: "TO_TIMESTAMP_LTZ(4001, 3)", Result: "1970-01-01 00:00:04.001", Type: toTimestampLTZRule, Bind: bindToTimestampLTZ},
	{Name: "UNIX_TIMESTAMP", Signature: "UNIX_TIMESTAMP([s STRING [, format STRING]])", Doc: "Seconds since 1970 of a time in the session's zone, or of the present.", Volatile: true,
		Type: unixTimestampRule, Bind: bindUnixTimestamp},
	{Name: "FROM_UNIXTIME", Signature: "FROM_UNIXTIME(seconds BIGINT [, format STRING])", Doc: "Seconds since 1970 as text in the session's zone.",
		Example: "FROM_UNIXTIME(44)", Result: "1970-01-01 00:00:44", Type: fnNull(ret(types.StringT), pBigInt, opt(pStr)), Bind: bindFromUnixtime},
	{Name: "CONVERT_TZ", Signature: "CONVERT_TZ(s STRING, from STRING, to STRING)", Doc: "A time yyyy-MM-dd HH:mm:ss moved from one time zone to another.",
		Example: "CONVERT_TZ('2020-01-01 00:00:00', 'UTC', 'Asia/Tokyo')", Result: "2020-01-01 09:00:00", Type: fnNull(ret(types.StringT), pStr, pStr, pStr), Bind: bindConvertTZ},
}}
