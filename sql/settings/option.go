// Package settings owns the session's options: the explicit list of every key that SET
// accepts (type, default, values, old spellings, documentation), the parsing of their
// values, and the values of one session. Documentation is generated from the list. It
// imports sql/suggest only; planner and command line import it, the runtime does not (it is
// handed a plan.Job's Options, see Settings.Runtime).
package settings

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/sql/suggest"
)

// Type is the type of an option's value, named as in Flink's documentation.
type Type string

// The types. A Duration is a number with a unit ("10 s", "1min"); a MemorySize likewise
// ("64 mb"); both are refused without one, unless they are 0.
const (
	String     Type = "String"
	Int        Type = "Integer"
	Double     Type = "Double"
	Boolean    Type = "Boolean"
	Duration   Type = "Duration"
	Enum       Type = "Enum"
	Zone       Type = "Time zone"
	MemorySize Type = "MemorySize"
)

// Option describes one key of SET.
type Option struct {
	Key     string
	Type    Type
	Default string   // "" none
	Enum    []string // the values of an Enum, upper or lower case as Flink documents them
	Min     string   // the least value, of a type that has an order; "" none
	Max     string   // the greatest value
	Doc     string   // one or two sentences
	Old     []string // earlier spellings of the key, accepted with a notice
	// Runtime options are handed to the job with every plan.
	Runtime bool
	// Refuse names values that Flink knows and this engine does not run, with the reason.
	Refuse map[string]string
	// Refused is why every value but the default is refused: a key of Flink's for something
	// that does not exist here. "" is for keys that run.
	Refused string
	// Same has other spellings of an Enum's values.
	Same map[string]string
	// Notice has what to tell the user who sets a value other than the default, by the value, by
	// its other spelling, or by anyValue: it is accepted because the result is the same without it.
	Notice map[string]string
}

// anyValue stands for every value in Option.Notice.
const anyValue = "*"

// Find returns the option that key names, by its present or an earlier spelling.
func Find(key string) (opt *Option, old bool) {
	for i := range Options {
		o := &Options[i]
		if o.Key == key {
			return o, false
		}
		for _, k := range o.Old {
			if k == key {
				return o, true
			}
		}
	}
	return nil, false
}

// unknown is the error for a key nobody knows.
func unknown(key string) error {
	keys := make([]string, len(Options))
	for i := range Options {
		keys[i] = Options[i].Key
	}
	for _, other := range []string{"state.backend.rocksdb.", "state.backend.forst."} {
		if strings.HasPrefix(key, other) {
			return fmt.Errorf("unknown option '%s'; '%s' = 'badger' keeps state on disk, and '%s' bounds its memory", key, StateBackend, BackendMemory)
		}
	}
	hint := suggest.Hint(key, keys)
	if hint == "" {
		hint = "; SET without arguments lists the options"
	}
	return fmt.Errorf("unknown option '%s'%s", key, hint)
}

// Parse checks value and returns it in its canonical text: enums in the documented case,
// durations and sizes with one unit, booleans as true or false.
func (o *Option) Parse(value string) (string, error) {
	v := strings.TrimSpace(value)
	out, err := o.parse(v)
	if err != nil {
		return "", fmt.Errorf("option '%s': %w", o.Key, err)
	}
	why, refused := o.Refuse[out]
	if o.Refused != "" && out != o.Default {
		why, refused = o.Refused, true
	}
	if refused {
		return "", fmt.Errorf("option '%s' = '%s': %s", o.Key, value, why)
	}
	return out, nil
}

// notice is what to tell the user who wrote value, which reads as canonical.
func (o *Option) notice(value, canonical string) string {
	written := strings.ToLower(strings.TrimSpace(value))
	for _, v := range []string{written, canonical, anyValue} {
		if why, ok := o.Notice[v]; ok && (v == written && v != canonical || canonical != o.Default) {
			return fmt.Sprintf("'%s' = '%s': %s", o.Key, strings.TrimSpace(value), why)
		}
	}
	return ""
}

func (o *Option) parse(v string) (string, error) {
	switch o.Type {
	case Boolean:
		switch strings.ToLower(v) {
		case "true", "false":
			return strings.ToLower(v), nil
		}
		return "", fmt.Errorf("'%s' is no boolean, expected true or false", v)
	case Int:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return "", fmt.Errorf("'%s' is no whole number", v)
		}
		return strconv.FormatInt(n, 10), inRange(o, v, n, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	case Double:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return "", fmt.Errorf("'%s' is no number", v)
		}
		return formatDouble(f), inRange(o, v, f, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	case Duration:
		d, err := ParseDuration(v)
		if err != nil {
			return "", err
		}
		return FormatDuration(d), inRange(o, v, int64(d), func(s string) (int64, error) { d, err := ParseDuration(s); return int64(d), err })
	case MemorySize:
		n, err := ParseSize(v)
		if err != nil {
			return "", err
		}
		return FormatSize(n), inRange(o, v, n, ParseSize)
	case Enum:
		if same, ok := o.Same[strings.ToLower(v)]; ok {
			return same, nil
		}
		for _, e := range o.Enum {
			if strings.EqualFold(strings.ReplaceAll(e, "-", "_"), strings.ReplaceAll(v, "-", "_")) {
				return e, nil
			}
		}
		return "", fmt.Errorf("'%s' is no value of it%s; expected one of %s", v, suggest.Hint(v, o.Enum), strings.Join(o.Enum, ", "))
	case Zone:
		return v, checkZone(v)
	}
	return v, nil
}

func inRange[N int64 | float64](o *Option, v string, n N, parse func(string) (N, error)) error {
	if o.Min != "" {
		if least, err := parse(o.Min); err != nil || n < least {
			return fmt.Errorf("'%s' is too small, expected at least %s", v, o.Min)
		}
	}
	if o.Max != "" {
		if most, err := parse(o.Max); err != nil || n > most {
			return fmt.Errorf("'%s' is too large, expected at most %s", v, o.Max)
		}
	}
	return nil
}

// formatDouble writes a number as Java does: with a point.
func formatDouble(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// checkZone accepts region names ("Europe/Berlin"), UTC and offsets written GMT+02:00, as
// Flink does; three-letter zones and bare offsets are refused there too.
func checkZone(v string) error {
	if _, err := LoadZone(v); err != nil {
		return fmt.Errorf("'%s' is no time zone, expected a region such as 'Europe/Berlin', 'UTC' or 'GMT+02:00'", v)
	}
	return nil
}

// LoadZone returns the location a value of type Zone names.
func LoadZone(v string) (*time.Location, error) {
	if rest, ok := strings.CutPrefix(v, "GMT"); ok && len(rest) == 6 && rest[3] == ':' && (rest[0] == '+' || rest[0] == '-') {
		h, err1 := strconv.Atoi(rest[1:3])
		m, err2 := strconv.Atoi(rest[4:])
		if err1 != nil || err2 != nil || h > 18 || m > 59 {
			return nil, fmt.Errorf("bad offset %q", rest)
		}
		secs := h*3600 + m*60
		if rest[0] == '-' {
			secs = -secs
		}
		return time.FixedZone(v, secs), nil
	}
	if v != "UTC" && v != "GMT" && !strings.Contains(v, "/") {
		return nil, fmt.Errorf("unknown time zone %q", v)
	}
	return time.LoadLocation(v)
}
