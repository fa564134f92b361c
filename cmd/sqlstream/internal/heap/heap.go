// Package heap owns how much memory the process spends to collect garbage less often. It is
// a property of the process, not of a job, so the launcher of jobs starts it, once.
//
// Go's default is to let the heap grow to twice what is live. That is wrong at both ends: a
// job with little state collects dozens of times a second, which has been measured to double
// the cost of a Kafka client, and one with a gigabyte of state keeps a gigabyte of garbage. Here
// the heap grows to what is live plus a head-room of 8 to 128 MiB, as much as the collector's
// share of the CPU time asks for; idle processes give it back. State lies in memory without
// pointers, so collecting often is cheap even where there is much of it.
//
// GOGC and GOMEMLIMIT in the environment are the user's word and win. Without GOMEMLIMIT the
// soft limit is nine tenths of the machine's or container's memory, the share that the system
// needs left out: near it the collector works harder before anything is killed.
package heap

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	mib = 1 << 20

	least = 8 * mib
	most  = 128 * mib
	start = 64 * mib

	// Above dear the head-room is doubled, below cheap it is halved.
	dear  = 0.04
	cheap = 0.01

	every = time.Second
)

var once sync.Once

// Manage starts the policy for the rest of the process's life; later calls do nothing.
// memory is what the process can have in bytes.
func Manage(memory int64) {
	once.Do(func() {
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(memory / 10 * 9)
		}
		if os.Getenv("GOGC") == "" {
			go new(pacer).run(context.Background(), every)
		}
	})
}

// usage is what the runtime tells; CPU times in seconds since the process started.
type usage struct {
	live    uint64 // bytes marked by the last collection
	gc, all float64
}

// pacer decides on the head-room.
type pacer struct {
	room    uint64
	last    usage
	percent int // as set last
	samples []metrics.Sample
}

func (p *pacer) run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	// What is live is known anew after each collection, and can be ten times what it was
	// before: the percentage must follow at once.
	collected := make(chan struct{}, 1)
	sentinel(ctx, collected)
	p.room = start
	for {
		if next := p.percentage(p.read().live); next != p.percent {
			p.percent = next
			debug.SetGCPercent(next) // stops the world, so not without need
		}
		select {
		case <-ctx.Done():
			return
		case <-collected:
		case <-t.C:
			if p.judge(p.read()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// sentinel signals c after every collection until ctx ends.
func sentinel(ctx context.Context, c chan<- struct{}) {
	runtime.AddCleanup(new([16]byte), func(c chan<- struct{}) {
		select {
		case c <- struct{}{}:
		default:
		}
		if ctx.Err() == nil {
			sentinel(ctx, c)
		}
	}, c)
}

// judge changes the head-room by what collecting cost since the last call. It reports that the
// process has come to rest: what lies around from busier times is then given back at once,
// because an idle process may not collect for minutes.
func (p *pacer) judge(u usage) (rest bool) {
	gc, all := u.gc-p.last.gc, u.all-p.last.all
	p.last = u
	switch {
	case all > 0 && gc > dear*all:
		p.room = min(2*p.room, most)
	case gc < cheap*all || all == 0:
		was := p.room
		p.room = max(p.room/2, least)
		// The runtime counts CPU time at collections: none of it, none of them.
		return all == 0 && was > least && p.room == least
	}
	return false
}

// percentage is the head-room as the runtime wants it.
func (p *pacer) percentage(live uint64) int {
	// A live heap of nothing would make the percentage anything.
	live = max(live, 4*mib)
	percent := max(int(p.room*100/live), 5)
	if d := percent - p.percent; d*10 < p.percent && -d*10 < p.percent {
		return p.percent // a tenth more or less is not worth a stop
	}
	return percent
}

const (
	liveBytes = "/gc/heap/live:bytes"
	gcTotal   = "/cpu/classes/gc/total:cpu-seconds"
	gcIdle    = "/cpu/classes/gc/mark/idle:cpu-seconds"
	userTotal = "/cpu/classes/user:cpu-seconds"
)

// read asks the runtime. Marking in otherwise idle time costs nobody anything.
func (p *pacer) read() usage {
	if p.samples == nil {
		for _, name := range []string{liveBytes, gcTotal, gcIdle, userTotal} {
			p.samples = append(p.samples, metrics.Sample{Name: name})
		}
	}
	metrics.Read(p.samples)
	gc := p.samples[1].Value.Float64() - p.samples[2].Value.Float64()
	return usage{live: p.samples[0].Value.Uint64(), gc: gc, all: gc + p.samples[3].Value.Float64()}
}
