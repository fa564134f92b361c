// Package exitcode owns what the process returns to its caller: the codes of sysexits.h, so
// that scripts and service managers can tell a typing error from a broker that is down. It
// imports whatever has errors of its own; only the command line imports it.
package exitcode

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"syscall"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/savepoint"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/job"
	"github.com/sqlstream/sqlstream/sql/ast"
)

// The codes. Interrupted is the shell's 128 + SIGINT.
const (
	OK          = 0
	Failure     = 1  // statements of a script failed one by one
	Usage       = 64 // the command line is wrong
	Data        = 65 // the SQL text or a record is wrong
	Internal    = 70 // a bug of sqlstream
	Locked      = 73 // another process has the job directory or port
	IO          = 74 // disk full or unreadable, a file that is not there
	Temporary   = 75 // a system outside failed; the same again may work
	Permission  = 77
	Config      = 78 // configuration, or a restart that needs a decision
	Interrupted = 130
)

// Error is an error with its code.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// With gives err a code; nil stays nil.
func With(code int, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Err: err}
}

// Of returns the code of err. An error that says its code keeps it; otherwise what failed at
// the bottom decides, then the class.
func Of(err error) int {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if _, ok := errors.AsType[*ast.Error](err); ok {
		return Data
	}
	switch {
	case errors.Is(err, checkpoint.ErrLocked):
		return Locked
	case errors.Is(err, job.ErrRefused), errors.Is(err, checkpoint.ErrCorrupt), errors.Is(err, checkpoint.ErrVersion), errors.Is(err, checkpoint.ErrForeign):
		return Config
	case errors.Is(err, checkpoint.ErrUnavailable):
		return Temporary
	}
	if _, ok := errors.AsType[*net.OpError](err); ok && !errors.Is(err, fs.ErrPermission) {
		return Temporary
	}
	switch {
	case errors.Is(err, context.Canceled):
		return Interrupted
	case errors.Is(err, fs.ErrPermission):
		return Permission
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EIO), errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist), errors.Is(err, savepoint.ErrNone):
		return IO
	case errors.Is(err, context.DeadlineExceeded):
		return Temporary
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return IO
	}
	switch exec.ClassOf(err) {
	case exec.User:
		return Data
	case exec.External:
		return Temporary
	}
	return Internal
}
