package eval

import (
	"fmt"

	"github.com/sqlstream/sqlstream/exec"
)

// Error is the failure of an expression on one row: a division by zero, a text that is no
// number. It reaches callers wrapped in an exec.Error of class User.
type Error struct {
	Row  int    // physical row of the batch, -1 when the failing value is a constant
	Func string // canonical name of the function or operator, "CAST" for conversions
	Pos  int    // byte offset of the call in the statement, -1 when unknown
	Msg  string
}

func (e *Error) Error() string {
	if symbolic(e.Func) {
		return "operator " + e.Func + ": " + e.Msg
	}
	return e.Func + ": " + e.Msg
}

// fail records the failure of row i; rows are computed in ascending order, so the first
// one is kept. A kernel goes on with the next row afterwards.
func (f *Frame) fail(i int, format string, args ...any) {
	if f.err == nil {
		f.err = &Error{Row: i, Func: f.name, Pos: f.pos, Msg: fmt.Sprintf(format, args...)}
	}
}

func (f *Frame) failure() error {
	if f.err == nil {
		return nil
	}
	if f.constant {
		f.err.Row = -1
	}
	return &exec.Error{Class: exec.User, Err: f.err}
}
