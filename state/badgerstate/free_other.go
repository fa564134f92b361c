//go:build !linux && !darwin

package badgerstate

// checkFree does nothing: free space is not known here.
func checkFree(string, int64) error { return nil }
