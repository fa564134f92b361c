package connectors

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/secret"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/sql/suggest"
)

// The accessors below return def when the option is not there, and an error that names the
// option, what was found and what was expected when its text is wrong. Texts are read as
// Flink reads them, with one exception: a Duration or MemorySize needs a unit.

// Text returns the option's text.
func (o Options) Text(key, def string) string {
	if v, ok := o[key]; ok {
		return v
	}
	return def
}

// Bool reads a Boolean.
func (o Options) Bool(key string, def bool) (bool, error) {
	v, ok := o[key]
	if !ok {
		return def, nil
	}
	switch strings.ToLower(strings.TrimSpace(v)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return def, wrong(key, v, "expected true or false")
}

// Int reads an Int or Long within [least, most].
func (o Options) Int(key string, def, least, most int64) (int64, error) {
	v, ok := o[key]
	if !ok {
		return def, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil {
		return def, wrong(key, v, "expected a whole number")
	}
	if n < least || n > most {
		return def, wrong(key, v, fmt.Sprintf("expected %d to %d", least, most))
	}
	return n, nil
}

// Float reads a Double.
func (o Options) Float(key string, def float64) (float64, error) {
	v, ok := o[key]
	if !ok {
		return def, nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil {
		return def, wrong(key, v, "expected a number")
	}
	return f, nil
}

// Duration reads a Duration: "10 s", "5min".
func (o Options) Duration(key string, def time.Duration) (time.Duration, error) {
	v, ok := o[key]
	if !ok {
		return def, nil
	}
	d, err := settings.ParseDuration(v)
	if err != nil {
		return def, exec.Userf("option '%s': %w", key, err)
	}
	return d, nil
}

// Size reads a MemorySize in bytes: "64 mb".
func (o Options) Size(key string, def int64) (int64, error) {
	v, ok := o[key]
	if !ok {
		return def, nil
	}
	n, err := settings.ParseSize(v)
	if err != nil {
		return def, exec.Userf("option '%s': %w", key, err)
	}
	return n, nil
}

// Enum reads one of values, in any case and with '_' for '-'; it returns the value as listed.
func (o Options) Enum(key string, values []string, def string) (string, error) {
	v, ok := o[key]
	if !ok {
		return def, nil
	}
	norm := func(s string) string { return strings.ToLower(strings.ReplaceAll(strings.TrimSpace(s), "_", "-")) }
	for _, e := range values {
		if norm(e) == norm(v) {
			return e, nil
		}
	}
	return def, wrong(key, v, "expected one of "+strings.Join(values, ", ")+suggest.Hint(v, values))
}

// List reads values separated by ';', blanks around them cut.
func (o Options) List(key string) []string {
	v, ok := o[key]
	if !ok {
		return nil
	}
	parts := strings.Split(v, ";")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// Under returns the options whose keys start with prefix, without it: Under("json.") of
// 'json.ignore-parse-errors' has 'ignore-parse-errors'.
func (o Options) Under(prefix string) Options {
	sub := Options{}
	for k, v := range o {
		if rest, ok := strings.CutPrefix(k, prefix); ok && rest != "" {
			sub[rest] = v
		}
	}
	return sub
}

// Keys returns the keys in order.
func (o Options) Keys() []string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// String prints the options in order as in a WITH clause, secrets masked.
func (o Options) String() string {
	parts := make([]string, 0, len(o))
	for _, k := range o.Keys() {
		v := secret.Value(k, o[k])
		parts = append(parts, "'"+k+"' = '"+strings.ReplaceAll(v, "'", "''")+"'")
	}
	return strings.Join(parts, ", ")
}

// GoString keeps secrets out of %#v too.
func (o Options) GoString() string { return o.String() }

// wrong is the error of an option whose text cannot be read. Its value is a secret only if
// its key says so.
func wrong(key, value, expected string) error {
	return exec.Userf("option '%s' = '%s': %s", key, secret.Value(key, value), expected)
}
