//go:build !windows

package checkpoint

import "os"

func syncDir(d *os.File) error { return d.Sync() }
