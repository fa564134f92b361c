package datetime

import (
	"strconv"
	"testing"
	"time"
)

func TestDatesAgainstTheStandardLibrary(t *testing.T) {
	for days := int64(-800_000); days < 3_000_000; days += 37 {
		y, m, d := Date(days)
		want := time.Unix(days*86400, 0).UTC()
		if int(y) != want.Year() || time.Month(m) != want.Month() || d != want.Day() {
			t.Fatalf("day %d is %d-%d-%d, want %v", days, y, m, d, want)
		}
		if Days(y, m, d) != days {
			t.Fatalf("%d-%d-%d is day %d, want %d", y, m, d, Days(y, m, d), days)
		}
		wy, ww := want.ISOWeek()
		if iy, iw := ISOWeek(days); int(iy) != wy || iw != ww || YearDay(days) != want.YearDay() || Weekday(days)%7 != int(want.Weekday()) {
			t.Fatalf("day %d: ISO week %d of %d, day %d, weekday %d", days, iw, iy, YearDay(days), Weekday(days))
		}
	}
}

func TestAddMonthsEndsInTheMonth(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int64
		want string
	}{{"2020-01-31", 1, "2020-02-29"}, {"2021-01-31", 1, "2021-02-28"}, {"2020-02-29", -12, "2019-02-28"}, {"1969-12-15", 1, "1970-01-15"}, {"2020-01-31", -2, "2019-11-30"}} {
		d, _ := ParseDate([]byte(c.from))
		if got := string(AppendDate(nil, AddMonths(d, c.n))); got != c.want {
			t.Errorf("%s + %d months = %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

func TestZonesAtSwitches(t *testing.T) {
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	z := NewZone(loc)
	at := func(s string) int64 {
		v, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return v.Unix()
	}
	for _, c := range []struct {
		local string
		late  bool
		utc   string
	}{
		{"2024-03-10 02:30", false, "2024-03-10 07:30"}, // a gap: forward
		{"2024-03-10 01:59", false, "2024-03-10 06:59"},
		{"2024-03-10 03:00", false, "2024-03-10 07:00"},
		{"2024-11-03 01:30", false, "2024-11-03 05:30"}, // twice: the earlier
		{"2024-11-03 01:30", true, "2024-11-03 06:30"},  // java.util: the later
		{"2020-07-01 00:00", false, "2020-07-01 04:00"},
	} {
		if got := z.ToUTC(at(c.local), c.late); got != at(c.utc) {
			t.Errorf("%s late=%v is %v, want %s", c.local, c.late, time.Unix(got, 0).UTC(), c.utc)
		}
	}
	for sec := at("2023-01-01 00:00"); sec < at("2026-01-01 00:00"); sec += 4321 {
		_, want := time.Unix(sec, 0).In(loc).Zone()
		if got := z.Offset(sec); got != int64(want) {
			t.Fatalf("offset at %d is %d, want %d", sec, got, want)
		}
	}
}

func TestLoadZone(t *testing.T) {
	for name, ok := range map[string]bool{"UTC": true, "Asia/Tokyo": true, "GMT+02:00": true, "GMT": true, "+05:30": false, "": false, "Local": false, "Nowhere/City": false} {
		if _, err := LoadZone(name); (err == nil) != ok {
			t.Errorf("LoadZone(%q): %v", name, err)
		}
	}
}

func TestFormatterRemembersDaysCorrectly(t *testing.T) {
	f, err := NewFormatter("yyyy-MM-dd'T'HH:mm:ss.SSS E D")
	if err != nil {
		t.Fatal(err)
	}
	for _, ms := range []int64{0, 86_399_999, 86_400_000, 0, -1, 1_700_000_000_123, -1} {
		at := time.UnixMilli(ms).UTC()
		want := at.Format("2006-01-02T15:04:05.000 Mon ") + strconv.Itoa(at.YearDay())
		if got := string(f.Append(nil, ms, 0)); got != want {
			t.Errorf("%d formats as %s, want %s", ms, got, want)
		}
	}
}

func FuzzPatterns(f *testing.F) {
	f.Add("yyyy-MM-dd HH:mm:ss", "2020-02-29 12:34:56")
	f.Add("[yyyy]-'x' a hh", "2020-x AM 12")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if p, err := NewParser(pattern); err == nil {
			p.Parse(text)
		}
		if p, err := NewFormatter(pattern); err == nil {
			p.Append(nil, 1_700_000_000_123, 456)
		}
		if p, err := NewSimple(pattern); err == nil {
			p.Parse(text, NewZone(nil))
			p.Append(nil, 1_700_000_000, NewZone(nil))
		}
	})
}

func FuzzTexts(f *testing.F) {
	f.Add("2020-02-29 12:34:56.789")
	f.Fuzz(func(t *testing.T, text string) {
		b := []byte(text)
		if d, ok := ParseDate(b); ok {
			if back, ok := ParseDate(AppendDate(nil, d)); !ok || back != d {
				t.Fatalf("%q is day %d, printed and read %d", text, d, back)
			}
		}
		if sec, nanos, ok := ParseTimestamp(b); ok {
			out := AppendTimestamp(nil, sec*1000, 1000, 0, ' ')
			if back, _, ok := ParseTimestamp(out); !ok || back != sec || nanos < 0 || nanos > 999_999_999 {
				t.Fatalf("%q is %d, printed as %s", text, sec, out)
			}
		}
		ParseTime(b)
		ParseLoose(text)
	})
}
