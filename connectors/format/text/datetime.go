package text

import (
	"math"

	"github.com/sqlstream/sqlstream/sql/types"
)

const (
	secondsPerDay = 86400
	millisPerDay  = 86400000
)

// DaysFromCivil returns the days since 1970-01-01 of a date of the proleptic Gregorian
// calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
func DaysFromCivil(y, m, d int64) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// CivilFromDays is the reverse of DaysFromCivil.
func CivilFromDays(days int64) (y, m, d int64) {
	days += 719468
	era := floorDiv(days, 146097)
	doe := days - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	if m > 12 {
		m -= 12
	}
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func daysInMonth(y, m int64) int64 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// scan is a position in a text of digits and separators.
type scan struct {
	b []byte
	p int
}

// digits reads exactly n digits.
func (s *scan) digits(n int) (int64, bool) {
	if len(s.b)-s.p < n {
		return 0, false
	}
	var v int64
	for _, c := range s.b[s.p : s.p+n] {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	s.p += n
	return v, true
}

// take reads c.
func (s *scan) take(c byte) bool {
	if s.p < len(s.b) && s.b[s.p] == c {
		s.p++
		return true
	}
	return false
}

// year reads a year as Java's ISO_LOCAL_DATE does: four digits, more only after a sign.
func (s *scan) year() (int64, bool) {
	neg, plus := s.take('-'), false
	if !neg {
		plus = s.take('+')
	}
	n := 0
	for s.p+n < len(s.b) && s.b[s.p+n] >= '0' && s.b[s.p+n] <= '9' {
		n++
	}
	if n < 4 || n > 9 || n > 4 && !neg && !plus || n == 4 && plus {
		return 0, false
	}
	y, ok := s.digits(n)
	if neg {
		y = -y
	}
	return y, ok
}

// date reads yyyy-MM-dd. With smart, days up to 31 are cut to the month's last, as Java's
// ResolverStyle.SMART does for patterns.
func (s *scan) date(smart bool) (days int64, ok bool) {
	y, ok1 := s.year()
	if !ok1 || !s.take('-') {
		return 0, false
	}
	m, ok2 := s.digits(2)
	if !ok2 || !s.take('-') {
		return 0, false
	}
	d, ok3 := s.digits(2)
	if !ok3 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, false
	}
	if last := daysInMonth(y, m); d > last {
		if !smart {
			return 0, false
		}
		d = last
	}
	return DaysFromCivil(y, m, d), true
}

// time reads HH:mm:ss with up to nine digits of fraction; seconds may be missing unless
// needSeconds. 24:00:00 is the end of the day.
func (s *scan) time(needSeconds bool) (seconds, nanos int64, ok bool) {
	h, ok1 := s.digits(2)
	if !ok1 || !s.take(':') {
		return 0, 0, false
	}
	m, ok2 := s.digits(2)
	if !ok2 {
		return 0, 0, false
	}
	var sec int64
	if s.take(':') {
		var ok3 bool
		if sec, ok3 = s.digits(2); !ok3 {
			return 0, 0, false
		}
		if s.take('.') {
			unit := int64(100_000_000)
			for s.p < len(s.b) && unit > 0 && s.b[s.p] >= '0' && s.b[s.p] <= '9' {
				nanos += int64(s.b[s.p]-'0') * unit
				unit /= 10
				s.p++
			}
		}
	} else if needSeconds {
		return 0, 0, false
	}
	if m > 59 || sec > 59 || h > 24 || h == 24 && (m|sec|nanos) != 0 {
		return 0, 0, false
	}
	return h*3600 + m*60 + sec, nanos, true
}

// Date reads yyyy-MM-dd, days that do not exist refused, as days since 1970-01-01.
func Date(b []byte) (int32, bool) {
	s := scan{b: b}
	d, ok := s.date(false)
	if !ok || s.p != len(b) || d != int64(int32(d)) {
		return 0, false
	}
	return int32(d), true
}

// LenientDate reads yyyy-[M]M-[d]d as java.sql.Date.valueOf does: the 30th of February is
// the 1st or 2nd of March. Flink's CSV format reads dates with it.
func LenientDate(b []byte) (int32, bool) {
	s := scan{b: b}
	y, ok := s.digits(4)
	if !ok || !s.take('-') {
		return 0, false
	}
	m, ok1 := s.oneOrTwo()
	if !ok1 || !s.take('-') {
		return 0, false
	}
	d, ok2 := s.oneOrTwo()
	if !ok2 || s.p != len(b) || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, false
	}
	return int32(DaysFromCivil(y, m, 1) + d - 1), true
}

func (s *scan) oneOrTwo() (int64, bool) {
	if v, ok := s.digits(2); ok {
		return v, true
	}
	return s.digits(1)
}

// Time reads HH:mm:ss[.f] as milliseconds of the day. The fraction is read and dropped, as
// Flink's formats do for every precision of TIME.
func Time(b []byte, needSeconds bool) (int32, bool) {
	s := scan{b: b}
	sec, _, ok := s.time(needSeconds)
	if !ok || s.p != len(b) {
		return 0, false
	}
	return int32(sec%secondsPerDay) * 1000, true
}

// TimestampStyle says how timestamps are written.
type TimestampStyle struct {
	Sep     byte // ' ' (SQL) or 'T' (ISO-8601)
	Seconds bool // seconds must be there
	Zulu    bool // a Z at the end (TIMESTAMP_LTZ)
}

// Style returns the style of a timestamp type under 'timestamp-format.standard'.
func Style(t types.Type, iso bool) TimestampStyle {
	st := TimestampStyle{Sep: ' ', Seconds: true, Zulu: t.Kind == types.TimestampLTZ}
	if iso {
		st.Sep, st.Seconds = 'T', false
	}
	return st
}

// String is the style as a pattern for messages.
func (st TimestampStyle) String() string {
	text := "yyyy-MM-dd HH:mm:ss[.f]"
	if st.Sep == 'T' {
		text = "yyyy-MM-ddTHH:mm[:ss[.f]]"
	}
	if st.Zulu {
		text += "Z"
	}
	return text
}

// Timestamp reads a timestamp in the given units per second since 1970-01-01. Digits beyond
// the unit are cut. A day that its month does not have becomes the month's last, hour 24 the
// next day, as in Flink. It fails on texts of another form and on times outside of int64.
func Timestamp(b []byte, st TimestampStyle, units int64) (int64, bool) {
	s := scan{b: b}
	days, ok := s.date(true)
	if !ok || !s.take(st.Sep) && !(st.Sep == 'T' && s.take('t')) {
		return 0, false
	}
	sec, nanos, ok := s.time(st.Seconds)
	if !ok || st.Zulu && !s.take('Z') && !(st.Sep == 'T' && s.take('z')) || s.p != len(b) {
		return 0, false
	}
	return join(days*secondsPerDay+sec, nanos, units)
}

// join puts seconds and nanoseconds together, false when that overflows.
func join(sec, nanos, units int64) (int64, bool) {
	frac := nanos / (1_000_000_000 / units)
	if sec > (math.MaxInt64-frac)/units || sec < math.MinInt64/units {
		return 0, false
	}
	return sec*units + frac, true
}

// AppendDate appends yyyy-MM-dd; years beyond four digits have a sign.
func AppendDate(dst []byte, days int32) []byte {
	y, m, d := CivilFromDays(int64(days))
	dst = appendYear(dst, y)
	return append(dst, '-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

func appendYear(dst []byte, y int64) []byte {
	switch {
	case y < 0:
		dst = append(dst, '-')
		y = -y
	case y > 9999:
		dst = append(dst, '+')
	}
	for unit := int64(1000); unit > y && unit > 1; unit /= 10 {
		dst = append(dst, '0')
	}
	return appendInt(dst, y)
}

// AppendTime appends HH:mm:ss with milliseconds where there are some.
func AppendTime(dst []byte, millis int32) []byte {
	ms := int64(millis) % millisPerDay
	if ms < 0 {
		ms += millisPerDay
	}
	return appendFraction(appendClock(dst, ms/1000), ms%1000, 100)
}

func appendClock(dst []byte, sec int64) []byte {
	h, m, s := sec/3600, sec/60%60, sec%60
	return append(dst, byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10))
}

// appendFraction appends .f without trailing zeros; top is the unit of the first digit.
func appendFraction(dst []byte, frac, top int64) []byte {
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.')
	for ; frac > 0; top /= 10 {
		dst = append(dst, byte('0'+frac/top))
		frac %= top
	}
	return dst
}

// A Stamper appends timestamps of one type and style. Neighbouring rows are mostly of the
// same day, so it keeps the last day's text. Not safe for concurrent use.
type Stamper struct {
	Style TimestampStyle
	Units int64
	day   int64
	text  []byte // of day, with the separator
}

// Append appends v.
func (s *Stamper) Append(dst []byte, v int64) []byte {
	sec := floorDiv(v, s.Units)
	day := floorDiv(sec, secondsPerDay)
	if day != s.day || len(s.text) == 0 {
		s.day = day
		s.text = append(AppendDate(s.text[:0], int32(day)), s.Style.Sep)
	}
	dst = append(dst, s.text...)
	dst = appendClock(dst, sec-day*secondsPerDay)
	dst = appendFraction(dst, v-sec*s.Units, s.Units/10)
	if s.Style.Zulu {
		dst = append(dst, 'Z')
	}
	return dst
}

// A Clock reads timestamps of one style. Neighbouring rows are mostly of the same day, so it
// keeps the last day. Not safe for concurrent use.
type Clock struct {
	style  TimestampStyle
	units  int64
	milli  int64    // units in a millisecond
	prefix [11]byte // yyyy-MM-dd and the separator of the last day read
	day    int64    // its start in units
}

// NewClock returns a Clock for values in the given units per second.
func NewClock(st TimestampStyle, units int64) *Clock {
	return &Clock{style: st, units: units, milli: units / 1000}
}

// Style returns the style it reads.
func (c *Clock) Style() TimestampStyle { return c.style }

// Read is Timestamp.
func (c *Clock) Read(b []byte) (int64, bool) {
	n := len(b)
	if c.style.Zulu {
		if n == 0 || b[n-1] != 'Z' {
			return Timestamp(b, c.style, c.units)
		}
		n--
	}
	if n != 19 && n != 23 || [11]byte(b) != c.prefix {
		return c.slow(b, n)
	}
	if b[13] != ':' || b[16] != ':' {
		return c.slow(b, n)
	}
	h, m, s := two(b[11:]), two(b[14:]), two(b[17:])
	var ms uint32
	if n == 23 {
		tens, last := two(b[20:]), uint32(b[22]-'0')
		if b[19] != '.' || tens > 99 || last > 9 {
			return c.slow(b, n)
		}
		ms = tens*10 + last
	}
	if h > 23 || m > 59 || s > 59 {
		return c.slow(b, n)
	}
	return c.day + int64(h*3600+m*60+s)*c.units + int64(ms)*c.milli, true
}

// two is the number of two digits, more than 99 when they are none.
func two(b []byte) uint32 {
	hi, lo := uint32(b[0])-'0', uint32(b[1])-'0'
	if hi > 9 || lo > 9 {
		return 1 << 20
	}
	return hi*10 + lo
}

// slow reads any text and remembers its day for the next one.
func (c *Clock) slow(b []byte, n int) (int64, bool) {
	v, ok := Timestamp(b, c.style, c.units)
	if ok && n >= 19 && b[10] == c.style.Sep {
		s := scan{b: b}
		days, _ := s.date(true)
		start, fits := join(days*secondsPerDay, 0, c.units)
		_, next := join((days+1)*secondsPerDay, 0, c.units)
		if s.p == 10 && fits && next {
			c.prefix, c.day = [11]byte(b), start
		}
	}
	return v, ok
}
