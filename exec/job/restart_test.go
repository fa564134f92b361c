package job

import (
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/sql/settings"
)

// defaults are the options that a session hands to every job.
func defaults(t *testing.T, set ...string) map[string]string {
	t.Helper()
	var s settings.Settings
	for i := 0; i < len(set); i += 2 {
		if _, err := s.Set(set[i], set[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return s.Runtime()
}

// A step is a failure so long after the restart before it, and what follows.
type step struct {
	after time.Duration
	delay time.Duration
	end   string
}

func TestRestartStrategies(t *testing.T) {
	const (
		fixed = "failed after 2 restarts: restart-strategy.type = fixed-delay, restart-strategy.fixed-delay.attempts = 2"
		rate  = "failed after 2 restarts, with 3 failures within 4s: restart-strategy.type = failure-rate, restart-strategy.failure-rate.max-failures-per-interval = 2, restart-strategy.failure-rate.failure-rate-interval = 10 s"
		late  = "failed after 4 restarts, with 3 failures within 10s: restart-strategy.type = failure-rate, restart-strategy.failure-rate.max-failures-per-interval = 2, restart-strategy.failure-rate.failure-rate-interval = 10 s"
		grown = "failed after 2 restarts, none of them followed by 1 h without a failure: restart-strategy.type = exponential-delay, restart-strategy.exponential-delay.attempts-before-reset-backoff = 2"
	)
	s, ms := time.Second, time.Millisecond
	middle := func() float64 { return 0.5 }
	for _, tc := range []struct {
		name        string
		set         []string
		checkpoints bool
		random      func() float64
		steps       []step
	}{
		{"without checkpoints there are none", nil, false, middle, []step{
			{end: "not restarted: without execution.checkpointing.interval there is nothing to restart from (restart-strategy.type = none is the default then)"}}},
		{"none", []string{settings.RestartStrategy, "off"}, true, middle, []step{{end: "not restarted: restart-strategy.type = none"}}},
		{"fixed delay has one attempt by default", []string{settings.RestartStrategy, "fixed-delay"}, true, middle, []step{
			{delay: s}, {after: time.Hour, end: "failed after 1 restarts: restart-strategy.type = fixed-delay, restart-strategy.fixed-delay.attempts = 1"}}},
		{"fixed delay", []string{settings.RestartStrategy, "fixed-delay", settings.FixedDelayAttempts, "2", settings.FixedDelay, "250 ms"}, false, middle, []step{
			{delay: 250 * ms}, {after: 24 * time.Hour, delay: 250 * ms}, {end: fixed}}},
		{"failure rate: too many in the interval", []string{settings.RestartStrategy, "failure-rate", settings.FailureRateMax, "2", settings.FailureRateInterval, "10 s"}, true, middle, []step{
			{delay: s}, {after: s, delay: s}, {after: s, end: rate}}},
		{"failure rate: the interval slides", []string{settings.RestartStrategy, "failure-rate", settings.FailureRateMax, "2", settings.FailureRateInterval, "10 s"}, true, middle, []step{
			{delay: s}, {after: 5 * s, delay: s}, {after: 5 * s, delay: s}, {after: 4 * s, delay: s}, {after: 4 * s, end: late}}},
		{"exponential delay is the default of jobs with checkpoints", nil, true, middle, []step{
			{delay: s}, {delay: 1500 * ms}, {delay: 2250 * ms}, {delay: 3375 * ms}}},
		{"exponential delay has an end", []string{settings.ExponentialInitial, "10 s", settings.ExponentialMultiplier, "3"}, true, middle, []step{
			{delay: 10 * s}, {delay: 30 * s}, {delay: 60 * s}, {delay: 60 * s}}},
		{"exponential delay begins anew", nil, true, middle, []step{
			{delay: s}, {after: time.Hour - ms, delay: 1500 * ms}, {after: time.Hour, delay: s}, {delay: 1500 * ms}}},
		{"exponential delay gives up", []string{settings.ExponentialAttempts, "2"}, true, middle, []step{
			{delay: s}, {delay: 1500 * ms}, {after: time.Minute, end: grown}}},
		{"a reset gives the attempts back", []string{settings.ExponentialAttempts, "2"}, true, middle, []step{
			{delay: s}, {delay: 1500 * ms}, {after: time.Hour, delay: s}, {delay: 1500 * ms}, {end: grown}}},
		{"jitter adds", nil, true, func() float64 { return 0.9999999 }, []step{
			{delay: 1099 * ms}, {delay: 1649 * ms}}},
		{"jitter takes away, never below the first", nil, true, func() float64 { return 0 }, []step{
			{delay: s}, {delay: 1350 * ms}}},
		{"jitter never passes the longest", []string{settings.ExponentialInitial, "1 min"}, true, func() float64 { return 0.9999999 }, []step{
			{delay: time.Minute}, {delay: time.Minute}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, err := readOptions(defaults(t, tc.set...))
			if err != nil {
				t.Fatal(err)
			}
			r := o.restart.restarts(tc.checkpoints, tc.random)
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for i, st := range tc.steps {
				now = now.Add(st.after)
				delay, end := r.failed(now)
				if delay != st.delay || end != st.end {
					t.Fatalf("failure %d: restart after %s, %q; want %s, %q", i, delay, end, st.delay, st.end)
				}
				now = now.Add(delay)
			}
		})
	}
}

func TestExponentialDelayDoesNotOverflow(t *testing.T) {
	o, err := readOptions(defaults(t))
	if err != nil {
		t.Fatal(err)
	}
	r := o.restart.restarts(true, func() float64 { return 0.5 })
	now := time.Time{}
	for i := range 5000 {
		delay, end := r.failed(now)
		if end != "" || delay < time.Second || delay > time.Minute {
			t.Fatalf("failure %d: %s, %q", i, delay, end)
		}
		now = now.Add(delay)
	}
}
