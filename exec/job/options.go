package job

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/sqlstream/sqlstream/sql/secret"
	"github.com/sqlstream/sqlstream/sql/settings"
)

// options are the session options of a plan that the runtime reads.
type options struct {
	checkpoints  checkpointing
	atLeastOnce  bool // execution.checkpointing.mode
	retained     int
	retention    string // execution.checkpointing.externalized-checkpoint-retention
	full         bool   // execution.checkpointing.incremental is false
	stopAtFinish bool   // execution.checkpointing.checkpoints-after-tasks-finish is false
	dir          string // execution.checkpointing.dir, "" = in the job directory
	hashmap      bool   // state.backend.type
	memory       int64  // state.backend.badger.memory, 0: by the machine
	restart      restartOptions
	from         string // execution.state-recovery.path
	claim        bool   // the snapshot becomes the job's own: it is deleted when the job has a checkpoint
	nonRestored  bool   // execution.state-recovery.ignore-unclaimed-state
	zone         *time.Location
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
	o.retention = cmp.Or(m[settings.CheckpointRetention], settings.RetainOnCancellation)
	o.full = m[settings.CheckpointIncremental] == "false"
	o.stopAtFinish = m[settings.CheckpointAfterFinish] == "false"
	o.dir = m[settings.CheckpointDir]
	o.nonRestored = m[settings.RecoveryIgnoreUnclaimed] == "true"
	o.from, o.claim = m[settings.RecoveryPath], m[settings.RecoveryClaimMode] == "CLAIM"
	o.hashmap = m[settings.StateBackend] == settings.BackendHashmap
	o.memory = int64(r.number(settings.BackendMemory))
	o.restart = restartOptions{
		Strategy: m[settings.RestartStrategy],
		Attempts: r.number(settings.FixedDelayAttempts), Delay: r.duration(settings.FixedDelay),
		MaxFailures: r.number(settings.FailureRateMax), Interval: r.duration(settings.FailureRateInterval), RateDelay: r.duration(settings.FailureRateDelay),
		Initial: r.duration(settings.ExponentialInitial), Max: r.duration(settings.ExponentialMax), Multiplier: r.double(settings.ExponentialMultiplier),
		Reset: r.duration(settings.ExponentialReset), Jitter: r.double(settings.ExponentialJitter), ResetAttempts: r.number(settings.ExponentialAttempts),
	}
	if o.restart.Max == 0 { // a plan without the session's options
		o.restart.Initial, o.restart.Max, o.restart.Multiplier, o.restart.Reset, o.restart.ResetAttempts = time.Second, time.Minute, 1.5, time.Hour, math.MaxInt32
	}
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

func (r *reader) double(key string) float64 {
	v := r.m[key]
	if v == "" {
		return 0
	}
	f, err := strconv.ParseFloat(v, 64)
	r.keep(key, v, err)
	return f
}

func (r *reader) flag(key string) bool {
	v := r.m[key]
	if v == "" {
		return false
	}
	on, err := strconv.ParseBool(v)
	r.keep(key, v, err)
	return on
}

func (r *reader) keep(key, v string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("option '%s' = '%s': %w", key, v, err)
	}
}
