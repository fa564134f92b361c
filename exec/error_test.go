package exec

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestClassAndRetryComeFromTheErrorInside(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		class Class
		retry bool
	}{
		{"nothing said: a bug", io.EOF, Internal, false},
		{"the user's", Userf("no column %s", "a"), User, false},
		{"of a system outside", Externalf("broker down"), External, true},
		{"wrapped", fmt.Errorf("table t: %w", Externalf("broker down")), External, true},
		{"joined", errors.Join(io.EOF, Userf("no")), User, false},
		{"the outermost counts", &Error{Class: External, Err: Userf("no")}, External, false},
		{"none", nil, Internal, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ClassOf(tt.err); got != tt.class {
				t.Errorf("class %d, want %d", got, tt.class)
			}
			if got := Retryable(tt.err); got != tt.retry {
				t.Errorf("retry %v, want %v", got, tt.retry)
			}
		})
	}
}

func TestErrorsKeepTextAndCause(t *testing.T) {
	err := Externalf("reading %s: %w", "t", io.ErrUnexpectedEOF)
	if got := err.Error(); got != "reading t: unexpected EOF" {
		t.Errorf("text %q", got)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
}
