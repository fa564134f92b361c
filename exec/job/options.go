package job

import (
	"fmt"
	"strconv"
	"time"

	"github.com/sqlstream/sqlstream/sql/secret"
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
	}
	o.atLeastOnce = m[settings.CheckpointMode] == "AT_LEAST_ONCE"
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

// masked are options as they may be written where people read them.
func masked(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = secret.Value(k, v)
	}
	return out
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

func (r *reader) keep(key, v string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("option '%s' = '%s': %w", key, v, err)
	}
}
