// Package interrupt owns what Ctrl-C means: the first ends the work cleanly, the second the
// process. It imports nothing of ours; the command line imports it.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// code is the shell's code for a process ended by Ctrl-C.
const code = 130

// Context returns a context that the first SIGINT or SIGTERM cancels, with context.Canceled
// as its cause. notice is then called once, with the signal, to tell the user. A second
// signal ends the process at once. stop gives the signals back.
func Context(parent context.Context, notice func(os.Signal)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		seen := false
		for {
			select {
			case s := <-signals:
				if seen {
					os.Exit(code)
				}
				seen = true
				notice(s)
				cancel()
			case <-done:
				return
			}
		}
	})
	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals)
		close(done)
		wg.Wait()
		cancel()
	})
}
