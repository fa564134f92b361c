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

func TestOldSpellingsOfCheckpointsAndState(t *testing.T) {
	for old, want := range map[string]string{
		"state.checkpoints.dir":                                          CheckpointDir,
		"state.savepoints.dir":                                           SavepointDir,
		"state.backend":                                                  StateBackend,
		"state.backend.incremental":                                      CheckpointIncremental,
		"state.backend.local-recovery":                                   "execution.checkpointing.local-backup.enabled",
		"state.checkpoints.num-retained":                                 CheckpointRetained,
		"execution.checkpointing.unaligned":                              Unaligned,
		"execution.checkpointing.alignment-timeout":                      AlignedTimeout,
		"execution.savepoint.path":                                       RecoveryPath,
		"execution.savepoint-restore-mode":                               RecoveryClaimMode,
		"execution.savepoint.ignore-unclaimed-state":                     RecoveryIgnoreUnclaimed,
		"restart-strategy":                                               RestartStrategy,
		"execution.checkpointing.checkpoints-after-tasks-finish.enabled": CheckpointAfterFinish,
	} {
		o, isOld := Find(old)
		if o == nil || !isOld || o.Key != want {
			t.Errorf("%s: %v, want an earlier spelling of %s", old, o, want)
		}
	}
}

func TestValuesOfCheckpointsStateAndRestarts(t *testing.T) {
	for _, tc := range []struct{ key, value, want, notice, err string }{
		{key: StateBackend, value: "hashmap", want: "hashmap"},
		{key: StateBackend, value: "RocksDB", want: "badger", notice: "'state.backend.type' = 'RocksDB': the store that spills to the local disk is called 'badger' here, and is used"},
		{key: StateBackend, value: "forst", want: "badger", notice: "'state.backend.type' = 'forst': the store that spills to the local disk is called 'badger' here, and is used"},
		{key: "state.backend", value: "rocksdb", want: "badger", notice: "'state.backend' is now called 'state.backend.type'; 'state.backend.type' = 'rocksdb': the store that spills to the local disk is called 'badger' here, and is used"},
		{key: StateBackend, value: "badger", want: "badger"},
		{key: BackendMemory, value: "64 mb", want: "64 mb"},
		{key: BackendMemory, value: "1 kb", err: "option 'state.backend.badger.memory': '1 kb' is too small, expected at least 1 mb"},
		{key: "state.backend.rocksdb.memory.managed", value: "true", err: "unknown option 'state.backend.rocksdb.memory.managed'; 'state.backend.type' = 'badger' keeps state on disk, and 'state.backend.badger.memory' bounds its memory"},
		{key: "execution.checkpointing.num-retained-checkpoint", value: "3", err: "unknown option 'execution.checkpointing.num-retained-checkpoint'; did you mean execution.checkpointing.num-retained or execution.checkpointing.tolerable-failed-checkpoints?"},
		{key: CheckpointRetention, value: "delete-on-cancellation", want: "DELETE_ON_CANCELLATION"},
		{key: "execution.checkpointing.interval-during-backlog", value: "1 min", err: "option 'execution.checkpointing.interval-during-backlog' = '1 min': sources do not report a backlog here, so one interval holds all the time; leave it out"},
		{key: "execution.checkpointing.storage", value: "jobmanager", err: "option 'execution.checkpointing.storage' = 'jobmanager': checkpoints in memory end with the process and would restore nothing; leave it out, and they lie in the job directory"},
		{key: "execution.checkpointing.local-backup.enabled", value: "true", want: "true", notice: "'execution.checkpointing.local-backup.enabled' = 'true': " + noLocal},
		{key: "execution.checkpointing.local-backup.enabled", value: "false", want: "false"},
		{key: "execution.checkpointing.data-inline-threshold", value: "20kb", want: "20 kb"},
		{key: "execution.checkpointing.data-inline-threshold", value: "2 mb", err: "option 'execution.checkpointing.data-inline-threshold': '2 mb' is too large, expected at most 1 mb"},
		{key: "execution.checkpointing.file-merging.enabled", value: "true", want: "true", notice: "'execution.checkpointing.file-merging.enabled' = 'true': " + noMerging},
		{key: RecoveryClaimMode, value: "claim", want: "CLAIM"},
		{key: RecoveryClaimMode, value: "LEGACY", err: "option 'execution.state-recovery.claim-mode' = 'LEGACY': nobody would own the snapshot's files, so nobody could ever delete them; Flink drops it too. Use NO_CLAIM to leave the snapshot alone, CLAIM to hand it over"},
		{key: "execution.state-recovery.without-channel-state.checkpoint-id", value: "-1", want: "-1"},
		{key: "execution.state-recovery.without-channel-state.checkpoint-id", value: "7", err: "option 'execution.state-recovery.without-channel-state.checkpoint-id' = '7': rows that the checkpoint holds would be lost without a trace; restore another checkpoint, or start with --fresh"},
		{key: RestartStrategy, value: "off", want: "none"},
		{key: RestartStrategy, value: "disable", want: "none"},
		{key: "restart-strategy", value: "fixeddelay", want: "fixed-delay", notice: "'restart-strategy' is now called 'restart-strategy.type'"},
		{key: RestartStrategy, value: "failure_rate", want: "failure-rate"},
		{key: RestartStrategy, value: "sometimes", err: "option 'restart-strategy.type': 'sometimes' is no value of it; expected one of none, fixed-delay, failure-rate, exponential-delay"},
		{key: ExponentialMultiplier, value: "2", want: "2.0"},
		{key: ExponentialMultiplier, value: "twice", err: "option 'restart-strategy.exponential-delay.backoff-multiplier': 'twice' is no number"},
		{key: ExponentialJitter, value: "1.5", err: "option 'restart-strategy.exponential-delay.jitter-factor': '1.5' is too large, expected at most 1"},
	} {
		var s Settings
		notice, err := s.Set(tc.key, tc.value)
		if tc.err != "" {
			if err == nil || err.Error() != tc.err {
				t.Errorf("SET %s = %s: error %v, want %s", tc.key, tc.value, err, tc.err)
			}
			continue
		}
		o, _ := Find(tc.key)
		if err != nil || s.Get(o.Key) != tc.want || notice != tc.notice {
			t.Errorf("SET %s = %s: %q, notice %q, %v; want %q, %q", tc.key, tc.value, s.Get(o.Key), notice, err, tc.want, tc.notice)
		}
	}
}

func TestCheckpointOptionsThatContradictEachOther(t *testing.T) {
	for _, tc := range []struct {
		set  [][2]string
		want string
	}{
		{[][2]string{{CheckpointMinPause, "1 s"}, {CheckpointMaxConcurrent, "2"}},
			"'execution.checkpointing.max-concurrent-checkpoints' = '2' cannot be used with 'execution.checkpointing.min-pause': a pause means one checkpoint at a time"},
		{[][2]string{{Unaligned, "true"}, {CheckpointMaxConcurrent, "2"}},
			"'execution.checkpointing.max-concurrent-checkpoints' = '2' cannot be used with 'execution.checkpointing.unaligned.enabled': rows in flight can be part of one checkpoint at a time"},
		{[][2]string{{Unaligned, "true"}, {CheckpointMode, "AT_LEAST_ONCE"}},
			"'execution.checkpointing.unaligned.enabled' = 'true' needs 'execution.checkpointing.mode' = 'EXACTLY_ONCE': without alignment there is nothing to overtake"},
		{[][2]string{{AlignedTimeout, "1 s"}}, ""},
		{[][2]string{{ExponentialInitial, "2 min"}, {RestartStrategy, "none"}}, ""},
		{[][2]string{{BackendMemory, "64 mb"}, {StateBackend, "hashmap"}},
			"'state.backend.badger.memory' cannot be used with 'state.backend.type' = 'hashmap', which keeps all state in memory"},
		{[][2]string{{ExponentialInitial, "2 min"}},
			"'restart-strategy.exponential-delay.initial-backoff' = '2 min' is more than 'restart-strategy.exponential-delay.max-backoff' = '1 min'"},
		{[][2]string{{ExponentialMultiplier, "1.0"}},
			"'restart-strategy.exponential-delay.backoff-multiplier' = '1.0' must be more than 1, or the time before a restart would not grow; for the same time always, 'restart-strategy.type' = 'fixed-delay'"},
		{[][2]string{{Unaligned, "true"}, {AlignedTimeout, "1 s"}, {CheckpointMinPause, "1 s"}}, ""},
		{[][2]string{{CheckpointMaxConcurrent, "3"}}, ""},
	} {
		var s Settings
		for _, kv := range tc.set {
			if _, err := s.Set(kv[0], kv[1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.CheckTogether(); err == nil && tc.want != "" || err != nil && err.Error() != tc.want {
			t.Errorf("%v: error %v, want %q", tc.set, err, tc.want)
		}
	}
}
