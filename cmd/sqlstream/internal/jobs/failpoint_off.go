//go:build !failpoints || !unix

package jobs

// FailPoint returns nil: this binary has no fail points.
func FailPoint() (func(name string), error) { return nil, nil }
