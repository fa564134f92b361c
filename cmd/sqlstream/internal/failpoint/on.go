//go:build failpoints

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Hook reads SQLSTREAM_FAILPOINT=name:n and returns a function that kills the process, as
// kill -9 would, when the step called name is reached for the n-th time.
func Hook() func(name string) {
	name, count, _ := strings.Cut(os.Getenv("SQLSTREAM_FAILPOINT"), ":")
	if name == "" {
		return nil
	}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	var left atomic.Int64
	left.Store(n)
	return func(at string) {
		if at != name || left.Add(-1) != 0 {
			return
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing may happen between the signal and the end
	}
}
