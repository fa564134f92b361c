package job

import (
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/sql/settings"
)

func TestOptionsOfAPlan(t *testing.T) {
	o, err := readOptions(map[string]string{
		settings.CheckpointInterval: "10s", settings.CheckpointMinPause: "1s", settings.CheckpointTimeout: "2m0s", settings.CheckpointTolerable: "3",
		settings.CheckpointMaxConcurrent: "2", settings.AlignedTimeout: "30s",
		settings.CheckpointMode: "AT_LEAST_ONCE", settings.CheckpointRetained: "5", settings.CheckpointDir: "chk", settings.LocalTimeZone: "Europe/Berlin",
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (checkpointing{Interval: 10 * time.Second, MinPause: time.Second, Timeout: 2 * time.Minute, Tolerable: 3, Concurrent: 2, AlignedTimeout: 30 * time.Second}); o.checkpoints != want {
		t.Errorf("checkpoints %+v, want %+v", o.checkpoints, want)
	}
	if !o.atLeastOnce || o.retained != 5 || o.dir != "chk" || o.zone.String() != "Europe/Berlin" {
		t.Errorf("%+v", o)
	}
}

func TestOptionsThatAreNotThere(t *testing.T) {
	o, err := readOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := (checkpointing{Timeout: 10 * time.Minute, Concurrent: 1}); o.checkpoints != want {
		t.Errorf("checkpoints %+v, want %+v", o.checkpoints, want)
	}
	if o.atLeastOnce || o.retained != 1 || o.dir != "" || o.zone != time.UTC {
		t.Errorf("%+v", o)
	}
}

func TestBarriersDoNotOvertakeBarriers(t *testing.T) {
	o, err := readOptions(map[string]string{settings.Unaligned: "true", settings.CheckpointMaxConcurrent: "2"})
	if err != nil || !o.checkpoints.Unaligned || o.checkpoints.Concurrent != 1 {
		t.Errorf("%+v, %v", o.checkpoints, err)
	}
}

func TestOptionsThatCannotBeRead(t *testing.T) {
	for key, value := range map[string]string{
		settings.CheckpointInterval: "10 parsecs", settings.CheckpointTolerable: "many", settings.LocalTimeZone: "Mars/Olympus",
	} {
		if _, err := readOptions(map[string]string{key: value}); err == nil || !strings.Contains(err.Error(), value) {
			t.Errorf("%s = %s: error %v", key, value, err)
		}
	}
}
