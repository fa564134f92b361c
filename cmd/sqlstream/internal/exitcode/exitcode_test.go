package exitcode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/sql/ast"
)

func TestOf(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, OK},
		{"a store that is away", fmt.Errorf("s3://bucket/x: %w: %w", checkpoint.ErrUnavailable, fs.ErrPermission), Temporary},
		{"a code wins over what is inside", With(Config, fs.ErrPermission), Config},
		{"a wrapped code", fmt.Errorf("job: %w", With(Locked, errors.New("locked"))), Locked},
		{"the user's SQL", exec.Userf("no table %s", "t"), Data},
		{"SQL text", fmt.Errorf("job: %w", ast.Source{Text: "x"}.Errorf(0, "no")), Data},
		{"a job that runs already", &exec.Error{Class: exec.User, Err: &checkpoint.LockedError{Dir: "d"}}, Locked},
		{"a checkpoint that is damaged", fmt.Errorf("x: %w", checkpoint.ErrCorrupt), Config},
		{"a broker that is down", exec.Externalf("kafka: %w", refused), Temporary},
		{"a broker that refuses the user", fmt.Errorf("job: %w", exec.Deniedf("kafka: %w", refused)), Permission},
		{"a file that is not there", &fs.PathError{Op: "open", Path: "x.sql", Err: syscall.ENOENT}, IO},
		{"a user's error about a file", exec.Userf("cannot read: %w", &fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}), Permission},
		{"disk full", fmt.Errorf("write: %w", syscall.ENOSPC), IO},
		{"Ctrl-C", context.Canceled, Interrupted},
		{"too late", context.DeadlineExceeded, Temporary},
		{"anything else", errors.New("nil map"), Internal},
	} {
		if got := Of(tt.err); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
	if With(Config, nil) != nil {
		t.Error("With(code, nil) is not nil")
	}
}
