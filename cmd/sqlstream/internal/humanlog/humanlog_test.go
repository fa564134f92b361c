package humanlog

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	var out strings.Builder
	log := slog.New(New(&out, slog.LevelInfo)).With("job", "etl")
	log.Debug("not shown")
	log.Info("job started", "start", "from checkpoint 7", "n", 3)
	log.WithGroup("kafka").Warn("again", "err", errors.New("a=b\x1b[2J"), "empty", "")
	got := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d `).ReplaceAllString(out.String(), "T ")
	want := "T job started  job=etl start=\"from checkpoint 7\" n=3\n" +
		"T WARN again  job=etl kafka.err=\"a=b\\x1b[2J\" kafka.empty=\"\"\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
