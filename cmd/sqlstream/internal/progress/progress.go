// Package progress owns how running jobs look while a person watches: a few lines at the
// bottom of a terminal that are redrawn, or a log line now and then where there is none. It
// imports exec/job for the shape of a status; commands import it.
package progress

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rivo/uniseg"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/job"
)

// Intervals of drawing on a terminal and of log lines elsewhere.
const (
	drawEvery = 500 * time.Millisecond
	logEvery  = 10 * time.Second
)

// Screen is a terminal with live lines at its bottom. Everything else written to that
// terminal goes through Write, above the lines.
type Screen struct {
	mu    sync.Mutex
	out   io.Writer
	width func() int
	lines []string
}

// NewScreen makes a screen of a terminal; width tells its columns, which may change.
func NewScreen(out io.Writer, width func() int) *Screen { return &Screen{out: out, width: width} }

// Write prints whole lines above the live ones.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	n, err := s.out.Write(p)
	s.draw()
	return n, err
}

// Set replaces the live lines.
func (s *Screen) Set(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.lines = lines
	s.draw()
}

// Keep leaves the live lines where they are and starts below them.
func (s *Screen) Keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = nil
}

func (s *Screen) clear() {
	if n := len(s.lines); n > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\r\x1b[J", n) // up n lines, erase to the end of the screen
	}
}

func (s *Screen) draw() {
	var b strings.Builder
	for _, l := range s.lines {
		b.WriteString(cut(l, s.width()-1))
		b.WriteByte('\n')
	}
	io.WriteString(s.out, b.String())
}

func cut(s string, width int) string {
	if width <= 0 || uniseg.StringWidth(s) <= width {
		return s
	}
	var b strings.Builder
	w := 0
	for it := uniseg.NewGraphemes(s); it.Next(); {
		if w+it.Width() > width-1 {
			break
		}
		b.WriteString(it.Str())
		w += it.Width()
	}
	return b.String() + "…"
}

// Watch draws the jobs until stop is called: on screen when there is one, else as lines of
// log. status is asked from Watch's goroutine.
func Watch(status func() []job.Status, screen *Screen, log *slog.Logger) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		every := logEvery
		if screen != nil {
			every = drawEvery
		}
		tick := time.NewTicker(every)
		defer tick.Stop()
		m := meter{}
		for {
			select {
			case <-done:
				if screen != nil {
					screen.Set(m.lines(status(), time.Now()))
					screen.Keep()
				}
				return
			case now := <-tick.C:
				if screen != nil {
					screen.Set(m.lines(status(), now))
					continue
				}
				for _, l := range m.attrs(status(), now) {
					log.Info("progress", l...)
				}
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		wg.Wait()
	})
}

// meter remembers the last counts, for rates.
type meter map[string]sample

type sample struct {
	at      time.Time
	in, out int64
	inRate  float64
	outRate float64
}

// rates are rows per second since the last look.
func (m meter) rates(s *job.Status, now time.Time) (in, out float64) {
	last, ok := m[s.ID+s.Name]
	if !ok {
		last = sample{at: s.Started}
	}
	d := now.Sub(last.at).Seconds()
	if d > 0 {
		last.inRate = float64(max(s.RowsIn-last.in, 0)) / d
		last.outRate = float64(max(s.RowsOut-last.out, 0)) / d
	}
	m[s.ID+s.Name] = sample{now, s.RowsIn, s.RowsOut, last.inRate, last.outRate}
	return last.inRate, last.outRate
}

// lines are two for each job.
func (m meter) lines(list []job.Status, now time.Time) []string {
	var lines []string
	for i := range list {
		s := &list[i]
		in, out := m.rates(s, now)
		head := fmt.Sprintf("%s  %s  %s  in %s (%s)  out %s (%s)", s.Name, s.State, Duration(now.Sub(s.Started)),
			Grouped(s.RowsIn), Rate(in), Grouped(s.RowsOut), Rate(out))
		if s.Lag >= 0 {
			head += "  lag " + Grouped(s.Lag)
		}
		lines = append(lines, head, "  "+strings.Join(details(s, now), "  "))
	}
	return lines
}

// details are what the second line says: what there is to say only.
func details(s *job.Status, now time.Time) []string {
	var d []string
	if w := Watermark(s.Watermark); w != "" {
		d = append(d, "watermark "+w)
	}
	switch c := &s.Checkpoints; {
	case c.LastID > 0:
		d = append(d, fmt.Sprintf("checkpoint %d (%s, %s, %s ago)", c.LastID, Duration(c.LastTook), Bytes(c.LastBytes), Duration(now.Sub(c.LastAt))))
	case s.RestoredFrom > 0:
		d = append(d, fmt.Sprintf("restored from checkpoint %d", s.RestoredFrom))
	default:
		d = append(d, "no checkpoint yet")
	}
	for _, n := range []struct {
		n    int64
		text string
	}{{s.StateRows, "state rows"}, {s.LateRows, "late"}, {s.BadRows, "bad"}, {int64(s.Restarts), "restarts"}, {int64(s.Checkpoints.Failed), "failed checkpoints"}} {
		if n.n > 0 {
			d = append(d, n.text+" "+Grouped(n.n))
		}
	}
	if s.State == job.Restarting && s.LastError != "" {
		d = append(d, s.LastError)
	}
	return d
}

// attrs are the same for a log.
func (m meter) attrs(list []job.Status, now time.Time) [][]any {
	var lines [][]any
	for i := range list {
		s := &list[i]
		in, out := m.rates(s, now)
		l := []any{"job", s.Name, "state", string(s.State), "rows_in", s.RowsIn, "rows_out", s.RowsOut,
			"in_per_s", int64(in), "out_per_s", int64(out), "lag", s.Lag}
		if s.Watermark != exec.MinWatermark {
			l = append(l, "watermark", Watermark(s.Watermark))
		}
		if c := &s.Checkpoints; c.LastID > 0 {
			l = append(l, "checkpoint", c.LastID, "checkpoint_took", c.LastTook.Round(time.Microsecond).String(), "checkpoint_bytes", c.LastBytes)
		}
		if s.StateRows > 0 {
			l = append(l, "state_rows", s.StateRows)
		}
		if s.LateRows > 0 {
			l = append(l, "late_rows", s.LateRows)
		}
		if s.BadRows > 0 {
			l = append(l, "bad_rows", s.BadRows)
		}
		lines = append(lines, l)
	}
	return lines
}

// Rate is rows a second: "12.3k/s".
func Rate(r float64) string {
	switch {
	case r >= 1e6:
		return fmt.Sprintf("%.2fM/s", r/1e6)
	case r >= 1e4:
		return fmt.Sprintf("%.1fk/s", r/1e3)
	}
	return fmt.Sprintf("%.0f/s", r)
}

// Grouped is a number with commas: "1,234,567".
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes is a size: "1.2 MB" of 10^6.
func Bytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}

// Duration is a time as short as it is read: "12 ms", "3.4 s", "2 min 5 s", "3 h 12 min".
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", max(d, 0).Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

// Watermark is the time up to which the input is complete, "" before the first.
func Watermark(w exec.Watermark) string {
	switch w {
	case exec.MinWatermark:
		return ""
	case exec.MaxWatermark:
		return "end of input"
	}
	return time.UnixMilli(w).UTC().Format("2006-01-02 15:04:05.000")
}
