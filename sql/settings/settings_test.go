package settings

import (
	"maps"
	"strings"
	"testing"
	"time"
)

func TestSet(t *testing.T) {
	for _, tc := range []struct{ key, value, want, err string }{
		{CheckpointInterval, "10s", "10 s", ""},
		{CheckpointInterval, " 90 sec ", "90 s", ""},
		{CheckpointInterval, "120000 ms", "2 min", ""},
		{CheckpointInterval, "10", "", "option 'execution.checkpointing.interval': '10' has no unit: write '10 s', or '10 ms' for milliseconds"},
		{CheckpointInterval, "5 ms", "", "option 'execution.checkpointing.interval': '5 ms' is too small, expected at least 10 ms"},
		{CheckpointInterval, "5 parsecs", "", "option 'execution.checkpointing.interval': '5 parsecs' has an unknown unit 'parsecs', expected d, h, min, s, ms, µs or ns"},
		{CheckpointInterval, "soon", "", "option 'execution.checkpointing.interval': 'soon' is no duration, expected a whole number and a unit, as in '10 s' or '5 min'"},
		{StateTTL, "0", "0 ms", ""},
		{StateTTL, "9999999999 d", "", "option 'table.exec.state.ttl': '9999999999 d' is too long, at most 106751 d"},
		{CheckpointMode, "exactly-once", "EXACTLY_ONCE", ""},
		{CheckpointMode, "at_least_once", "AT_LEAST_ONCE", ""},
		{CheckpointMode, "EXACTLY", "", "option 'execution.checkpointing.mode': 'EXACTLY' is no value of it; did you mean EXACTLY_ONCE?; expected one of EXACTLY_ONCE, AT_LEAST_ONCE"},
		{"execution.checkpoint.interval", "10 s", "", "unknown option 'execution.checkpoint.interval'; did you mean execution.checkpointing.interval?"},
		{"xyzzy", "1", "", "unknown option 'xyzzy'; SET without arguments lists the options"},
		{DefaultParallelism, "two", "", "option 'parallelism.default': 'two' is no whole number"},
		{DefaultParallelism, "0", "", "option 'parallelism.default': '0' is too small, expected at least 1"},
		{LocalTimeZone, "Europe/Berlin", "Europe/Berlin", ""},
		{LocalTimeZone, "GMT+02:00", "GMT+02:00", ""},
		{LocalTimeZone, "+05:30", "", "option 'table.local-time-zone': '+05:30' is no time zone, expected a region such as 'Europe/Berlin', 'UTC' or 'GMT+02:00'"},
		{MiniBatch, "TRUE", "true", ""},
		{MiniBatch, "yes", "", "option 'table.exec.mini-batch.enabled': 'yes' is no boolean, expected true or false"},
	} {
		var s Settings
		_, err := s.Set(tc.key, tc.value)
		if tc.err != "" {
			if err == nil || err.Error() != tc.err {
				t.Errorf("SET %s = %s: error %v, want %s", tc.key, tc.value, err, tc.err)
			}
			continue
		}
		if err != nil || s.Get(tc.key) != tc.want {
			t.Errorf("SET %s = %s: %q, %v; want %q", tc.key, tc.value, s.Get(tc.key), err, tc.want)
		}
	}
}

func TestOldSpellingSetsTheNewKey(t *testing.T) {
	var s Settings
	notice, err := s.Set("state.checkpoints.dir", "/tmp/chk")
	if err != nil || notice != "'state.checkpoints.dir' is now called 'execution.checkpointing.dir'" {
		t.Fatalf("notice %q, error %v", notice, err)
	}
	if got := s.Get(CheckpointDir); got != "/tmp/chk" {
		t.Errorf("%s = %q", CheckpointDir, got)
	}
	if err := s.Reset("state.checkpoints.dir"); err != nil || s.IsSet(CheckpointDir) {
		t.Errorf("RESET by the old spelling: %v", err)
	}
}

func TestRuntimeHasGoDurations(t *testing.T) {
	var s Settings
	if _, err := s.Set(CheckpointInterval, "2 min"); err != nil {
		t.Fatal(err)
	}
	got := s.Runtime()
	if d, err := time.ParseDuration(got[CheckpointInterval]); err != nil || d != 2*time.Minute {
		t.Errorf("interval %q", got[CheckpointInterval])
	}
	if _, ok := got[ResultMode]; ok {
		t.Error("an option of the shell was handed to the job")
	}
	if _, ok := got[CheckpointDir]; ok {
		t.Error("an option without a value was handed to the job")
	}
}

func TestEveryOptionIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for i := range Options {
		o := &Options[i]
		for _, k := range append([]string{o.Key}, o.Old...) {
			if seen[k] {
				t.Errorf("%s is listed twice", k)
			}
			seen[k] = true
		}
		if o.Doc == "" || !strings.HasSuffix(o.Doc, ".") {
			t.Errorf("%s: documentation %q is no sentence", o.Key, o.Doc)
		}
		if (o.Type == Enum) != (len(o.Enum) > 0) {
			t.Errorf("%s: type %s with values %q", o.Key, o.Type, o.Enum)
		}
		if o.Default != "" {
			if got, err := o.Parse(o.Default); err != nil || got != o.Default {
				t.Errorf("%s: default %q is %q, %v", o.Key, o.Default, got, err)
			}
		}
		if !strings.Contains(Markdown(), "`"+o.Key+"`") {
			t.Errorf("%s is not documented", o.Key)
		}
	}
}

func TestCheckTogether(t *testing.T) {
	var s Settings
	for _, kv := range [][2]string{{DefaultParallelism, "8"}, {MaxParallelism, "4"}} {
		if _, err := s.Set(kv[0], kv[1]); err != nil {
			t.Fatal(err)
		}
	}
	err := s.CheckTogether()
	if want := "'parallelism.default' = '8' is more than 'pipeline.max-parallelism' = '4'"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := s.Set(ResourceParallelism, "2"); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckTogether(); err != nil || s.Parallelism() != 2 {
		t.Errorf("parallelism %d, %v", s.Parallelism(), err)
	}
	s.ResetAll()
	if err := s.CheckTogether(); err != nil {
		t.Errorf("defaults contradict each other: %v", err)
	}
}

func TestMiniBatchNeedsItsLimits(t *testing.T) {
	var s Settings
	for _, step := range []struct{ key, value, want string }{
		{MiniBatch, "true", "'table.exec.mini-batch.enabled' = 'true' needs 'table.exec.mini-batch.allow-latency', for example '2 s'"},
		{MiniBatchLatency, "2 s", "'table.exec.mini-batch.enabled' = 'true' needs 'table.exec.mini-batch.size', for example '2048'"},
		{MiniBatchSize, "100", ""},
	} {
		if _, err := s.Set(step.key, step.value); err != nil {
			t.Fatal(err)
		}
		if err := s.CheckTogether(); err == nil && step.want != "" || err != nil && err.Error() != step.want {
			t.Errorf("with %s: error %v, want %q", step.key, err, step.want)
		}
	}
}

func TestCloneIsIndependent(t *testing.T) {
	var s Settings
	if _, err := s.Set(PipelineName, "a"); err != nil {
		t.Fatal(err)
	}
	c := s.Clone()
	if _, err := c.Set(PipelineName, "b"); err != nil {
		t.Fatal(err)
	}
	if s.Get(PipelineName) != "a" || !maps.Equal(s.values, map[string]string{PipelineName: "a"}) {
		t.Errorf("the original has %v", s.values)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]string{"64mb": "64 mb", "1024 kb": "1 mb", "3": "", "1 x": "", "7 b": "7 b", "0": "0 b"} {
		n, err := ParseSize(text)
		if want == "" {
			if err == nil {
				t.Errorf("ParseSize(%q) = %d, want an error", text, n)
			}
			continue
		}
		if err != nil || FormatSize(n) != want {
			t.Errorf("ParseSize(%q) = %s, %v; want %s", text, FormatSize(n), err, want)
		}
	}
}
