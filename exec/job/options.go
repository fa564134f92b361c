package job

import (
	"fmt"
	"strconv"
	"time"

	"github.com/sqlstream/sqlstream/sql/settings"
)

// options are the session options of a plan that the runtime reads.
type options struct {
	checkpoints checkpointing
	atLeastOnce bool // execution.checkpointing.mode
	retained    int
	dir         string // execution.checkpointing.dir, "" = in the job directory
	zone        *time.Location
}

func readOptions(m map[string]string) (*options, error) {
	o := &options{}
	r := reader{m: m}
	o.checkpoints = checkpointing{
		Interval:  r.duration(settings.CheckpointInterval),
		MinPause:  r.duration(settings.CheckpointMinPause),
		Timeout:   r.duration(settings.CheckpointTimeout),
		Tolerable: r.number(settings.CheckpointTolerable),

		Concurrent:     max(r.number(settings.CheckpointMaxConcurrent), 1),
		Unaligned:      r.flag(settings.Unaligned),
		AlignedTimeout: r.duration(settings.AlignedTimeout),
	}
	o.atLeastOnce = m[settings.CheckpointMode] == "AT_LEAST_ONCE"
	if o.atLeastOnce {
		o.checkpoints.Unaligned = false // nothing holds barriers up
	}
	if o.checkpoints.Unaligned {
		o.checkpoints.Concurrent = 1 // what a barrier overtakes may not be another barrier
	}
	o.retained = max(r.number(settings.CheckpointRetained), 1)
	o.dir = m[settings.CheckpointDir]
	if o.checkpoints.Timeout == 0 {
		o.checkpoints.Timeout = 10 * time.Minute
	}
	zone, err := settings.LoadZone(m[settings.LocalTimeZone])
	if m[settings.LocalTimeZone] == "" {
		zone, err = time.UTC, nil
	}
	o.zone = zone
	if r.err == nil {
		r.err = err
	}
	return o, r.err
}

// reader reads values in the form of settings.Runtime and keeps the first error.
type reader struct {
	m   map[string]string
	err error
}

func (r *reader) duration(key string) time.Duration {
	v := r.m[key]
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	r.keep(key, v, err)
	return d
}

func (r *reader) number(key string) int {
	v := r.m[key]
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	r.keep(key, v, err)
	return n
}

func (r *reader) flag(key string) bool {
	v := r.m[key]
	if v == "" {
		return false
	}
	b, err := strconv.ParseBool(v)
	r.keep(key, v, err)
	return b
}

func (r *reader) keep(key, v string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("option '%s' = '%s': %w", key, v, err)
	}
}
