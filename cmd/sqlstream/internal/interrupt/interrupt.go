// Package interrupt owns what Ctrl-C means: the first ends the work cleanly, the second the
// process. It imports nothing of ours; the command line imports it.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// echo is how long after the first signal another one is taken for the same: wrappers such as
// make and timeout pass on what the terminal has sent already.
const echo = 300 * time.Millisecond

// code is the shell's code for a process ended by Ctrl-C.
const code = 130

// Context returns a context that the first SIGINT or SIGTERM cancels, with context.Canceled
// as its cause. notice is then called once, with the signal, to tell the user. A second
// signal ends the process at once. stop gives the signals back, except after the first: the
// process is ending then, and stays to be ended at once.
func Context(parent context.Context, notice func(os.Signal)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			first := time.Now()
			notice(s)
			cancel()
			for range signals {
				if time.Since(first) > echo {
					os.Exit(code)
				}
			}
		case <-done:
			signal.Stop(signals)
			cancel()
		}
	}()
	return ctx, sync.OnceFunc(func() { close(done) })
}
