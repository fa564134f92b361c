package settings

import (
	"fmt"
	"maps"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Settings are the option values of one session. The zero value has every default. Not safe
// for concurrent use.
type Settings struct {
	values map[string]string // key -> canonical text; only what was set
}

// Clone returns an independent copy.
func (s *Settings) Clone() *Settings { return &Settings{values: maps.Clone(s.values)} }

// Set checks and stores a value. The notice, when not empty, is for the user: an earlier
// spelling of a key was used, or a value that changes nothing here.
func (s *Settings) Set(key, value string) (notice string, err error) {
	o, old := Find(key)
	if o == nil {
		return "", unknown(key)
	}
	v, err := o.Parse(value)
	if err != nil {
		return "", err
	}
	if s.values == nil {
		s.values = map[string]string{}
	}
	s.values[o.Key] = v
	notice = o.notice(value, v)
	if old {
		now := fmt.Sprintf("'%s' is now called '%s'", key, o.Key)
		if notice != "" {
			now += "; "
		}
		notice = now + notice
	}
	return notice, nil
}

// Reset gives one option its default again.
func (s *Settings) Reset(key string) error {
	o, _ := Find(key)
	if o == nil {
		return unknown(key)
	}
	delete(s.values, o.Key)
	return nil
}

// ResetAll gives every option its default again.
func (s *Settings) ResetAll() { clear(s.values) }

// Get returns the value of a known key in its canonical text, or its default; "" when the
// option has no value.
func (s *Settings) Get(key string) string {
	if v, ok := s.values[key]; ok {
		return v
	}
	o, _ := Find(key)
	if o == nil {
		return ""
	}
	return o.Default
}

// IsSet reports whether the session gave key a value.
func (s *Settings) IsSet(key string) bool { _, ok := s.values[key]; return ok }

// Int returns the value of an Int option, 0 when it has none.
func (s *Settings) Int(key string) int {
	n, err := strconv.Atoi(s.Get(key))
	if err != nil {
		return 0
	}
	return n
}

// Bool returns the value of a Boolean option.
func (s *Settings) Bool(key string) bool { return s.Get(key) == "true" }

// Double returns the value of a Double option, 0 when it has none.
func (s *Settings) Double(key string) float64 {
	f, err := strconv.ParseFloat(s.Get(key), 64)
	if err != nil {
		return 0
	}
	return f
}

// Duration returns the value of a Duration option, 0 when it has none.
func (s *Settings) Duration(key string) time.Duration {
	d, err := ParseDuration(s.Get(key))
	if err != nil {
		return 0
	}
	return d
}

// TimeZone returns the value of table.local-time-zone.
func (s *Settings) TimeZone() string { return s.Get(LocalTimeZone) }

// Parallelism is the number of subtasks of an operator: table.exec.resource.default-parallelism
// where it is set, else parallelism.default.
func (s *Settings) Parallelism() int {
	if p := s.Int(ResourceParallelism); p > 0 {
		return p
	}
	return s.Int(DefaultParallelism)
}

// Pair is a key and its value.
type Pair struct{ Key, Value string }

// All returns every option that has a value, set or default, by key: what SET prints.
func (s *Settings) All() []Pair {
	var out []Pair
	for i := range Options {
		if v := s.Get(Options[i].Key); v != "" {
			out = append(out, Pair{Options[i].Key, v})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// Runtime returns the values, set or default, of the options that a job reads: a
// plan.Job's Options. Durations are in the form of time.ParseDuration ("10s"), sizes are
// plain bytes. A key without a value is left out.
func (s *Settings) Runtime() map[string]string {
	out := map[string]string{}
	for i := range Options {
		o := &Options[i]
		v := s.Get(o.Key)
		if !o.Runtime || v == "" {
			continue
		}
		switch o.Type {
		case Duration:
			v = s.Duration(o.Key).String()
		case MemorySize:
			if n, err := ParseSize(v); err == nil {
				v = strconv.FormatInt(n, 10)
			}
		}
		out[o.Key] = v
	}
	return out
}

// Markdown renders the documentation of all options as a table.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
	for i := range Options {
		o := &Options[i]
		typ := string(o.Type)
		if o.Type == Enum {
			typ = "`" + strings.Join(o.Enum, "` \\| `") + "`"
		}
		def := "(none)"
		if o.Default != "" {
			def = "`" + o.Default + "`"
		}
		doc := o.Doc
		if o.Min != "" {
			doc += " At least " + o.Min + "."
		}
		if o.Max != "" && o.Type != Int {
			doc += " At most " + o.Max + "."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", o.Key, typ, def, doc)
	}
	return b.String()
}
