package job

import (
	"fmt"
	"math"
	"time"

	"github.com/sqlstream/sqlstream/sql/settings"
)

// restarts decides what follows a failure. It is a state machine of one job: failed is called
// once for each failure of a job that has run, in order. giveUp, when not empty, is why there
// is no restart: the strategy and its limit, for the job's last error. Each strategy is Flink's
// of the same name (release 2.2.1), with failures of one restart never counted twice, as a job
// fails as a whole here.
type restarts interface {
	failed(now time.Time) (delay time.Duration, giveUp string)
}

// restartOptions are the options restart-strategy.*.
type restartOptions struct {
	Strategy string // "" the default: exponential delay for jobs with checkpoints

	Attempts int // fixed delay
	Delay    time.Duration

	MaxFailures int // failure rate
	Interval    time.Duration
	RateDelay   time.Duration

	Initial, Max  time.Duration // exponential delay
	Multiplier    float64
	Reset         time.Duration
	Jitter        float64
	ResetAttempts int
}

// restarts makes the strategy of a job. random returns numbers in [0, 1).
func (o *restartOptions) restarts(checkpoints bool, random func() float64) restarts {
	strategy := o.Strategy
	if strategy == "" {
		strategy = settings.RestartNone
		if checkpoints {
			strategy = settings.RestartExponential
		}
	}
	switch strategy {
	case settings.RestartFixedDelay:
		return &fixedDelay{attempts: o.Attempts, delay: o.Delay}
	case settings.RestartFailureRate:
		return &failureRate{max: o.MaxFailures, interval: o.Interval, delay: o.RateDelay}
	case settings.RestartExponential:
		return &exponentialDelay{o: o, random: random}
	}
	return noRestarts{chosen: o.Strategy != ""}
}

// noRestarts ends the job at its first failure.
type noRestarts struct{ chosen bool }

func (n noRestarts) failed(time.Time) (time.Duration, string) {
	if n.chosen {
		return 0, fmt.Sprintf("not restarted: %s = none", settings.RestartStrategy)
	}
	return 0, fmt.Sprintf("not restarted: without %s there is nothing to restart from (%s = none is the default then)",
		settings.CheckpointInterval, settings.RestartStrategy)
}

// fixedDelay restarts a number of times.
type fixedDelay struct {
	attempts int
	delay    time.Duration
	failures int
}

func (f *fixedDelay) failed(time.Time) (time.Duration, string) {
	if f.failures++; f.failures > f.attempts {
		return 0, fmt.Sprintf("failed after %d restarts: %s = fixed-delay, %s = %d", f.attempts, settings.RestartStrategy, settings.FixedDelayAttempts, f.attempts)
	}
	return f.delay, ""
}

// failureRate restarts until there are more than max failures within the interval.
type failureRate struct {
	max      int
	interval time.Duration
	delay    time.Duration
	times    []time.Time // of the last failures, max+1 at most
	restarts int
}

func (f *failureRate) failed(now time.Time) (time.Duration, string) {
	if len(f.times) > f.max {
		f.times = f.times[1:]
	}
	f.times = append(f.times, now)
	if len(f.times) > f.max && now.Sub(f.times[0]) <= f.interval {
		return 0, fmt.Sprintf("failed after %d restarts, with %d failures within %s: %s = failure-rate, %s = %d, %s = %s", f.restarts,
			len(f.times), now.Sub(f.times[0]).Round(100*time.Millisecond), settings.RestartStrategy, settings.FailureRateMax, f.max, settings.FailureRateInterval, settings.FormatDuration(f.interval))
	}
	f.restarts++
	return f.delay, ""
}

// exponentialDelay restarts after a time that grows, and starts anew after a long enough time
// without a failure.
type exponentialDelay struct {
	o       *restartOptions
	random  func() float64
	attempt int       // restarts since the last reset
	next    time.Time // when the last restart was due; zero: none yet
}

func (e *exponentialDelay) failed(now time.Time) (time.Duration, string) {
	if e.attempt > 0 && now.Sub(e.next) >= e.o.Reset {
		e.attempt = 0
	}
	if e.attempt >= e.o.ResetAttempts {
		return 0, fmt.Sprintf("failed after %d restarts, none of them followed by %s without a failure: %s = exponential-delay, %s = %d", e.attempt,
			settings.FormatDuration(e.o.Reset), settings.RestartStrategy, settings.ExponentialAttempts, e.o.ResetAttempts)
	}
	delay := e.delay()
	e.attempt++
	e.next = now.Add(delay)
	return delay, ""
}

// delay is the time before restart attempt (from 0), between the initial and the longest one,
// in milliseconds as Flink's.
func (e *exponentialDelay) delay() time.Duration {
	grown := float64(e.o.Initial.Milliseconds()) * math.Pow(e.o.Multiplier, float64(e.attempt))
	grown = math.Min(grown, float64(e.o.Max.Milliseconds())*2) // infinite soon
	grown += math.Floor(grown*e.o.Jitter) * (2*e.random() - 1)
	return max(e.o.Initial, min(time.Duration(grown)*time.Millisecond, e.o.Max))
}
