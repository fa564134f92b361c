package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/job"
)

// CheckpointRequest is the body of POST checkpoint; no body is the zero value.
type CheckpointRequest struct {
	Full bool `json:"full,omitempty"` // all state, not only what changed
}

// CheckpointResult is the answer to POST checkpoint.
type CheckpointResult struct {
	ID uint64 `json:"checkpoint"`
}

// SavepointRequest is the body of POST savepoint. The answer is a job.SavepointStatus: of the
// complete savepoint, or when detached of the one just begun (202), whose end the job's status
// tells. A client that goes away before the end takes the savepoint back.
type SavepointRequest struct {
	job.SavepointRequest
	Detached bool `json:"detached,omitempty"`
}

// StopRequest is the body of POST stop.
type StopRequest struct {
	Drain     bool                  `json:"drain,omitempty"`     // end the input first, for good
	Savepoint *job.SavepointRequest `json:"savepoint,omitempty"` // nil: a checkpoint is enough
	Detached  bool                  `json:"detached,omitempty"`
}

// StopResult is the answer to POST stop: the last checkpoint, or the savepoint. When detached (202)
// the checkpoint is not known yet.
type StopResult struct {
	Checkpoint uint64               `json:"checkpoint,omitempty"`
	Savepoint  *job.SavepointStatus `json:"savepoint,omitempty"`
}

// running answers 409 for a job that is in no state for what.
func (s *Server) running(w http.ResponseWriter, what string) bool {
	st := s.job.Status()
	if st.State != job.Running {
		fail(w, http.StatusConflict, CodeConflict, fmt.Sprintf("job %s is %s; a %s needs it RUNNING", st.Name, st.State, what))
		return false
	}
	return true
}

func (s *Server) checkpoint(w http.ResponseWriter, r *http.Request) {
	var req CheckpointRequest
	if !s.running(w, "checkpoint") || !body(w, r, &req) {
		return
	}
	id, err := s.job.Checkpoint(r.Context(), req.Full)
	if err != nil {
		failed(w, err)
		return
	}
	answer(w, http.StatusOK, CheckpointResult{ID: id})
}

func (s *Server) savepoint(w http.ResponseWriter, r *http.Request) {
	var req SavepointRequest
	if !s.running(w, "savepoint") || !body(w, r, &req) {
		return
	}
	sp, err := s.job.NewSavepoint(req.SavepointRequest)
	if err != nil {
		failed(w, err)
		return
	}
	if req.Detached {
		go func() { _ = sp.Take(context.Background()) }() // the job's status says how it ends
		answer(w, http.StatusAccepted, sp.Status())
		return
	}
	if err := sp.Take(r.Context()); err != nil {
		failed(w, err)
		return
	}
	answer(w, http.StatusOK, sp.Status())
}

func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	var req StopRequest
	if !s.running(w, "stop") || !body(w, r, &req) {
		return
	}
	var result StopResult
	stop := func(ctx context.Context) (err error) {
		result.Checkpoint, err = s.job.Stop(ctx, req.Drain)
		return err
	}
	if req.Savepoint != nil {
		sp, err := s.job.NewSavepoint(*req.Savepoint)
		if err != nil {
			failed(w, err)
			return
		}
		stop = func(ctx context.Context) error {
			err := sp.Stop(ctx, req.Drain)
			st := sp.Status()
			result = StopResult{Checkpoint: st.Checkpoint, Savepoint: &st}
			return err
		}
		st := sp.Status()
		result.Savepoint = &st
	}
	if req.Detached {
		begun := result
		go func() { _ = stop(context.Background()) }()
		answer(w, http.StatusAccepted, begun)
		return
	}
	if err := stop(r.Context()); err != nil {
		failed(w, err)
		return
	}
	answer(w, http.StatusOK, result)
}

// body reads a request's JSON; none is the zero value.
func body(w http.ResponseWriter, r *http.Request, into any) bool {
	b, err := io.ReadAll(r.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		fail(w, http.StatusRequestEntityTooLarge, CodeTooLarge, fmt.Sprintf("the request has more than %d bytes", maxBody))
		return false
	}
	if err == nil && len(b) > 0 {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, CodeRequest, "reading the request: "+err.Error())
		return false
	}
	return true
}

// failed answers that the job tried and could not, or that it was asked for what cannot be.
func failed(w http.ResponseWriter, err error) {
	if exec.ClassOf(err) == exec.User {
		fail(w, http.StatusBadRequest, CodeRequest, err.Error())
		return
	}
	fail(w, http.StatusInternalServerError, CodeUnavailable, err.Error())
}
