//go:build !failpoints

// Package failpoint lets the kill tests end the process at a named step of the protocol.
// Without the build tag failpoints it does nothing and costs nothing.
package failpoint

// Hook returns nil: this binary has no fail points.
func Hook() func(name string) { return nil }
