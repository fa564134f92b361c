package progress

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/job"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestLinesOfAJob(t *testing.T) {
	m := meter{}
	s := job.Status{Name: "etl", State: job.Running, Started: now.Add(-90 * time.Second), RowsIn: 900_000, RowsOut: 1234, Lag: 56789, Watermark: exec.MinWatermark}
	want := []string{"etl  RUNNING  1 min 30 s  in 900,000 (10.0k/s)  out 1,234 (14/s)  lag 56,789", "  no checkpoint yet"}
	if got := m.lines([]job.Status{s}, now); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	s.RowsIn, s.Lag, s.Watermark, s.LateRows, s.StateRows = 3_900_000, -1, now.UnixMilli(), 3, 1000
	s.Checkpoints = job.CheckpointStatus{LastID: 7, LastTook: 12 * time.Millisecond, LastBytes: 1_200_000, LastAt: now.Add(-2 * time.Second)}
	want = []string{"etl  RUNNING  1 min 32 s  in 3,900,000 (1.50M/s)  out 1,234 (0/s)",
		"  watermark 2026-01-02 03:04:05.000  checkpoint 7 (12 ms, 1.2 MB, 4.0 s ago)  state rows 1,000  late 3"}
	if got := m.lines([]job.Status{s}, now.Add(2*time.Second)); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 µs", 20 * time.Microsecond: "20 µs", 20 * time.Millisecond: "20 ms", 1500 * time.Millisecond: "1.5 s",
		59 * time.Second: "59 s", 125 * time.Second: "2 min 5 s", 200 * time.Minute: "3 h 20 min", 72 * time.Hour: "3 d",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -123: "-123"} {
		if got := Grouped(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// What is logged while live lines are shown stands above them, whole.
func TestScreenKeepsLogLinesApart(t *testing.T) {
	var out bytes.Buffer
	s := NewScreen(&out, func() int { return 20 })
	s.Set([]string{"one", strings.Repeat("x", 30)})
	s.Write([]byte("logged\n"))
	s.Keep()
	s.Write([]byte("after\n"))
	live := "one\n" + strings.Repeat("x", 18) + "…\n"
	want := live + "\x1b[2A\r\x1b[J" + "logged\n" + live + "after\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}
