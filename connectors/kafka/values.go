package kafka

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
)

// optionReader reads options with their defaults and keeps the first error, so that a list
// of options reads as a list.
type optionReader struct {
	opts connectors.Options
	err  error
}

func (r *optionReader) fail(format string, args ...any) { r.note(exec.Userf(format, args...)) }

func (r *optionReader) note(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *optionReader) text(key, def string) string { return r.opts.Text(key, def) }

func (r *optionReader) enum(key, def string, allowed ...string) string {
	v, err := r.opts.Enum(key, allowed, def)
	r.note(err)
	return v
}

func (r *optionReader) long(key string, def, least int64) int64 {
	n, err := r.opts.Int(key, def, least, math.MaxInt64)
	r.note(err)
	return n
}

func (r *optionReader) int32(key string, def int32) int32 {
	n, err := r.opts.Int(key, int64(def), 0, math.MaxInt32)
	r.note(err)
	return int32(n)
}

func (r *optionReader) boolean(key string, def bool) bool {
	v, err := r.opts.Bool(key, def)
	r.note(err)
	return v
}

func (r *optionReader) duration(key string, def time.Duration) time.Duration {
	d, err := r.opts.Duration(key, def)
	r.note(err)
	return d
}

func (r *optionReader) size(key string, def int64) int64 {
	n, err := r.opts.Size(key, def)
	r.note(err)
	return n
}

// millis reads a Java property in milliseconds.
func (r *optionReader) millis(name string, def time.Duration) time.Duration {
	n, err := r.opts.Int(propPrefix+name, def.Milliseconds(), 0, math.MaxInt64/int64(time.Millisecond))
	r.note(err)
	return time.Duration(n) * time.Millisecond
}

// partitionOffsets reads "partition:0,offset:42;partition:1,offset:300".
func (r *optionReader) partitionOffsets(key string) map[int32]int64 {
	v, ok := r.opts[key]
	if !ok {
		r.fail("option '%s' is missing: expected 'partition:0,offset:42;partition:1,offset:300'", key)
		return nil
	}
	out := map[int32]int64{}
	for _, pair := range strings.Split(v, ";") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		var partition, offset int64 = -1, -1
		for _, kv := range strings.Split(pair, ",") {
			k, val, _ := strings.Cut(strings.TrimSpace(kv), ":")
			n, err := strconv.ParseInt(strings.TrimSpace(val), 10, 64)
			if err != nil || n < 0 {
				partition = -1
				break
			}
			switch strings.TrimSpace(k) {
			case "partition":
				partition = n
			case "offset":
				offset = n
			}
		}
		if partition < 0 || partition > 1<<31-1 || offset < 0 {
			r.fail("option '%s': cannot read '%s'; expected 'partition:0,offset:42;partition:1,offset:300'", key, pair)
			return nil
		}
		if _, dup := out[int32(partition)]; dup {
			r.fail("option '%s' names partition %d twice", key, partition)
			return nil
		}
		out[int32(partition)] = offset
	}
	if len(out) == 0 {
		r.fail("option '%s' = '%s' names no partition; expected 'partition:0,offset:42;partition:1,offset:300'", key, v)
	}
	return out
}
