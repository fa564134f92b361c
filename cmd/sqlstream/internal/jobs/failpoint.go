//go:build failpoints && unix

package jobs

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// FailPointVar names the environment variable that makes a process kill itself at the n-th
// passing of a named step: "after_manifest:3". It is read by binaries built with the tag
// failpoints, for kill tests, and by no other.
const FailPointVar = "SQLSTREAM_FAILPOINT"

// FailPoint reads the variable. Without it the function is nil.
func FailPoint() (func(name string), error) {
	v := os.Getenv(FailPointVar)
	if v == "" {
		return nil, nil
	}
	point, count, ok := strings.Cut(v, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if !ok || err != nil || n < 1 {
		return nil, fmt.Errorf("$%s = '%s': expected name:count", FailPointVar, v)
	}
	var left atomic.Int64
	left.Store(n)
	return func(name string) {
		if name == point && left.Add(-1) == 0 {
			// SIGKILL: no deferred call runs, as in a crash.
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
			select {}
		}
	}, nil
}
