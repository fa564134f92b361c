//go:build linux || darwin

package badgerstate

import (
	"fmt"
	"syscall"
)

// checkFree fails when fewer than need bytes are free where dir is: Badger maps its files, and a
// full disk then kills the process with SIGBUS.
func checkFree(dir string, need int64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("state: free space of %s: %w", dir, err)
	}
	if free := int64(st.Bavail) * int64(st.Bsize); free < need {
		return fmt.Errorf("state: %s has %d MiB free, local state needs %d MiB: free space or point the job directory to a larger disk", dir, free>>20, need>>20)
	}
	return nil
}
