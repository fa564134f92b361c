package heap

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// feed runs the pacer over seconds of the same load.
func feed(p *pacer, seconds int, live uint64, share float64) int {
	for range seconds {
		p.judge(usage{gc: p.last.gc + share, all: p.last.all + 1})
		p.percent = p.percentage(live)
	}
	return p.percent
}

func TestHeadRoom(t *testing.T) {
	for _, c := range []struct {
		name  string
		live  uint64
		share float64 // of the collector
		want  uint64  // head-room
	}{
		{"a busy collector gets the most", 20 * mib, 0.10, most},
		{"a cheap one gives back", 20 * mib, 0.001, least},
		{"in between nothing changes", 20 * mib, 0.02, start},
		{"much state does not mean much garbage", 1024 * mib, 0.10, most},
		{"an empty heap", 0, 0.001, least},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &pacer{room: start}
			percent := feed(p, 10, c.live, c.share)
			if p.room != c.want {
				t.Errorf("head-room %d MiB, want %d", p.room/mib, c.want/mib)
			}
			live := max(c.live, 4*mib)
			if got := live * uint64(percent) / 100; got > c.want*11/10 || got < c.want*8/10 {
				t.Errorf("GOGC=%d of %d MiB is %d MiB, want about %d", percent, live/mib, got/mib, c.want/mib)
			}
		})
	}
}

func TestIdleGivesBack(t *testing.T) {
	p := &pacer{room: start}
	feed(p, 10, 50*mib, 0.10)
	if p.room != most {
		t.Fatalf("head-room %d MiB under load, want %d", p.room/mib, most/mib)
	}
	feed(p, 5, 50*mib, 0)
	if p.room != least {
		t.Errorf("head-room %d MiB when idle, want %d", p.room/mib, least/mib)
	}
}

func TestRest(t *testing.T) {
	p := &pacer{room: start}
	feed(p, 3, 50*mib, 0.10)
	rests := 0
	for range 20 { // no collection, no CPU time counted
		if p.judge(p.last) {
			rests++
		}
	}
	if rests != 1 {
		t.Errorf("an idle process came to rest %d times, want once", rests)
	}
	feed(p, 1, 50*mib, 0.10)
	if p.judge(usage{gc: p.last.gc, all: p.last.all + 1}) {
		t.Error("a process that works without much garbage is not at rest")
	}
}

func TestSmallChangesAreNotMade(t *testing.T) {
	p := &pacer{room: start}
	was := feed(p, 3, 100*mib, 0.02)
	if got := feed(p, 3, 105*mib, 0.02); got != was {
		t.Errorf("GOGC went from %d to %d for 5 %% more live heap", was, got)
	}
	if got := feed(p, 3, 200*mib, 0.02); got == was {
		t.Errorf("GOGC stays %d though the live heap doubled", was)
	}
}

func TestRunSetsThePercentage(t *testing.T) {
	old := debug.SetGCPercent(100)
	defer debug.SetGCPercent(old)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := &pacer{}
	p.run(ctx, time.Hour)
	if got := debug.SetGCPercent(100); got != p.percent || got <= 0 {
		t.Errorf("the runtime has GOGC=%d, the pacer decided on %d", got, p.percent)
	}
	runtime.GC() // the runtime counts CPU time at collections
	if u := p.read(); u.all <= 0 || u.gc < 0 {
		t.Errorf("the runtime's metrics read as %+v", u)
	}
}
