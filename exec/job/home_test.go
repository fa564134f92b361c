package job

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/exec"
)

func TestAStoreThatDoesNotServeIsNoBugAndTriedAgain(t *testing.T) {
	away := fmt.Errorf("s3://bucket/x: LIST: %w: connection refused", checkpoint.ErrUnavailable)
	for _, c := range []struct {
		err   error
		class exec.Class
		retry bool
	}{
		{away, exec.External, true},
		{fmt.Errorf("restoring: %w", away), exec.External, true},
		{&exec.Error{Class: exec.Internal, Err: away}, exec.External, true},
		{errors.New("something else"), exec.Internal, false},
		{nil, exec.Internal, false},
	} {
		got := unavailable(c.err)
		if exec.ClassOf(got) != c.class || exec.Retryable(got) != c.retry || (got == nil) != (c.err == nil) {
			t.Errorf("%v: class %v, retry %v", c.err, exec.ClassOf(got), exec.Retryable(got))
		}
	}
}
