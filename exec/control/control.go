// Package control owns the one way into a running job: a small HTTP/JSON API on a unix
// socket in the job directory, its server and its client. The command line, and later SQL
// statements and the REST server, are clients of it; there is no second way in.
//
//	GET  /versions                     what the server speaks; never changes
//	GET  /v1/jobs                      status of the jobs behind this socket
//	GET  /v1/jobs/{id}                 status of one
//	GET  /v1/jobs/{id}/metrics         its operators' counters
//	POST /v1/jobs/{id}/checkpoint      take a checkpoint now and wait for it
//	POST /v1/jobs/{id}/savepoint       take a savepoint, and wait for it unless detached
//	POST /v1/jobs/{id}/stop            end the job after a last checkpoint or savepoint
//	POST /v1/jobs/{id}/cancel          end the job; its newest checkpoint stays
//
// It imports exec/job for the shape of a status and nothing else of ours. The socket lies in
// a directory of mode 0700 and has mode 0600: who may open it is who may read the job's state.
package control

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/sqlstream/sqlstream/exec/job"
)

// SocketName is the name of the socket in a job directory.
const SocketName = "control.sock"

// Version is the API version this package speaks.
const Version = 1

// Job is what the server needs of a running job. All methods may be called from any
// goroutine, also after the job has ended.
type Job interface {
	Status() job.Status
	// Checkpoint takes a checkpoint, of all state when full is set, and returns its id when it is
	// complete.
	Checkpoint(ctx context.Context, full bool) (uint64, error)
	// NewSavepoint begins a savepoint; the server takes it.
	NewSavepoint(r job.SavepointRequest) (*job.Savepoint, error)
	// Stop ends the job after a last checkpoint, and returns its id.
	Stop(ctx context.Context, drain bool) (uint64, error)
	// Cancel asks the job to end and returns at once.
	Cancel()
}

// Code names the kind of a failure on the wire.
type Code string

// The codes, with the HTTP statuses they are sent under.
const (
	CodeNotFound    Code = "not_found"           // 404: no such job or path
	CodeVersion     Code = "unsupported_version" // 404: path of another API version
	CodeMethod      Code = "method_not_allowed"  // 405
	CodeRequest     Code = "bad_request"         // 400
	CodeTooLarge    Code = "too_large"           // 413
	CodeConflict    Code = "conflict"            // 409: the job is not in a state for it
	CodeUnavailable Code = "failed"              // 500: the job tried and could not
)

// Error is a failure as the server sent it.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// NotRunningError says that nobody serves the socket of a job directory.
type NotRunningError struct{ Dir string }

func (e *NotRunningError) Error() string {
	return fmt.Sprintf("no job is running in %s", e.Dir)
}

// Is makes it a kind of fs.ErrNotExist.
func (e *NotRunningError) Is(target error) bool { return target == fs.ErrNotExist }

// Versions is the answer to GET /versions.
type Versions struct {
	API   []int  `json:"api"`
	Build string `json:"build"`
	PID   int    `json:"pid"`
}

// requestHeader must be on every request that changes something: a header that no web page
// can make a browser send without being asked first.
const requestHeader = "Sqlstream-Request"

// hostName is the Host of every request; another one is a browser led here by a name.
const hostName = "sqlstream"
