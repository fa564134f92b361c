package exec

import (
	"errors"
	"fmt"
	"io/fs"
)

// Class says who can do something about an error.
type Class uint8

// The classes. User: the SQL, the data or the configuration has to change. External: a
// system outside (broker, disk) failed; trying again may help. Internal: a bug of ours.
const (
	Internal Class = iota
	User
	External
)

// Error is an error with a class, a retry hint and the operator it came from.
type Error struct {
	Class Class
	Retry bool   // trying the same again may succeed
	UID   string // operator, "" when none
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Userf makes an error that the user has to act on.
func Userf(format string, args ...any) error {
	return &Error{Class: User, Err: fmt.Errorf(format, args...)}
}

// Deniedf makes an error of a system outside that does not let the user in, or that the
// user's settings do not trust: errors.Is(err, fs.ErrPermission) holds for it.
func Deniedf(format string, args ...any) error {
	return &Error{Class: User, Err: denied{fmt.Errorf(format, args...)}}
}

type denied struct{ error }

func (d denied) Unwrap() error { return d.error }

func (denied) Is(target error) bool { return target == fs.ErrPermission }

// Externalf makes an error of a system outside, worth another try.
func Externalf(format string, args ...any) error {
	return &Error{Class: External, Retry: true, Err: fmt.Errorf(format, args...)}
}

// ClassOf returns the class of err, Internal when it has none.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	return Internal
}

// Retryable reports whether trying again may help.
func Retryable(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Retry
}
