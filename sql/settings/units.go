package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// durationUnits are Flink's labels (TimeUtils), longest unit first.
var durationUnits = []struct {
	unit   time.Duration
	labels []string
}{
	{24 * time.Hour, []string{"d", "day", "days"}},
	{time.Hour, []string{"h", "hour", "hours"}},
	{time.Minute, []string{"min", "m", "minute", "minutes"}},
	{time.Second, []string{"s", "sec", "secs", "second", "seconds"}},
	{time.Millisecond, []string{"ms", "milli", "millis", "millisecond", "milliseconds"}},
	{time.Microsecond, []string{"µs", "micro", "micros", "microsecond", "microseconds"}},
	{time.Nanosecond, []string{"ns", "nano", "nanos", "nanosecond", "nanoseconds"}},
}

// ParseDuration reads a duration as Flink writes them: a whole number and a unit, with or
// without a blank between ("10 s", "5min"). Flink takes a number without a unit for
// milliseconds; that has cost people days, so it is an error here unless it is 0.
func ParseDuration(text string) (time.Duration, error) {
	num, unit, err := splitUnit(text)
	if err != nil {
		return 0, fmt.Errorf("'%s' is no duration, expected a whole number and a unit, as in '10 s' or '5 min'", text)
	}
	if unit == "" {
		if num == 0 {
			return 0, nil
		}
		return 0, fmt.Errorf("'%s' has no unit: write '%d s', or '%d ms' for milliseconds", text, num, num)
	}
	for _, u := range durationUnits {
		for _, l := range u.labels {
			if l != unit {
				continue
			}
			d := time.Duration(num) * u.unit
			if d/u.unit != time.Duration(num) {
				return 0, fmt.Errorf("'%s' is too long, at most 106751 d", text)
			}
			return d, nil
		}
	}
	return 0, fmt.Errorf("'%s' has an unknown unit '%s', expected d, h, min, s, ms, µs or ns", text, unit)
}

// FormatDuration writes a duration with the largest unit that divides it: "90 s", "10 min".
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "0 ms"
	}
	for _, u := range durationUnits {
		if d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + " " + u.labels[0]
		}
	}
	return d.String()
}

var sizeUnits = []struct {
	unit   int64
	labels []string
}{
	{1 << 40, []string{"tb", "t", "terabytes"}},
	{1 << 30, []string{"gb", "g", "gigabytes"}},
	{1 << 20, []string{"mb", "m", "megabytes"}},
	{1 << 10, []string{"kb", "k", "kilobytes"}},
	{1, []string{"b", "bytes"}},
}

// ParseSize reads a memory size ("64 mb"); units are powers of 1,024, as in Flink.
func ParseSize(text string) (int64, error) {
	num, unit, err := splitUnit(text)
	if err != nil {
		return 0, fmt.Errorf("'%s' is no size, expected a whole number and a unit, as in '64 mb'", text)
	}
	if unit == "" {
		if num == 0 {
			return 0, nil
		}
		return 0, fmt.Errorf("'%s' has no unit: write '%d b', '%d kb' or '%d mb'", text, num, num, num)
	}
	for _, u := range sizeUnits {
		for _, l := range u.labels {
			if l != strings.ToLower(unit) {
				continue
			}
			if num > (1<<63-1)/u.unit {
				return 0, fmt.Errorf("'%s' is too large", text)
			}
			return num * u.unit, nil
		}
	}
	return 0, fmt.Errorf("'%s' has an unknown unit '%s', expected b, kb, mb, gb or tb", text, unit)
}

// FormatSize writes a size with the largest unit that divides it.
func FormatSize(n int64) string {
	for _, u := range sizeUnits {
		if n != 0 && n%u.unit == 0 {
			return strconv.FormatInt(n/u.unit, 10) + " " + u.labels[0]
		}
	}
	return strconv.FormatInt(n, 10) + " b"
}

// splitUnit cuts "10 min" into 10 and "min".
func splitUnit(text string) (int64, string, error) {
	t := strings.TrimSpace(text)
	i := 0
	for i < len(t) && t[i] >= '0' && t[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(t[:i], 10, 64)
	return n, strings.TrimSpace(t[i:]), err
}
