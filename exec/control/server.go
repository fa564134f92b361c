package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/exec/job"
)

// Limits of the server. Requests are small; answers to checkpoint take as long as that.
const (
	maxBody       = 64 << 10
	maxHeader     = 16 << 10
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	idleTimeout   = time.Minute
	closeTimeout  = 2 * time.Second
)

// Server answers for the job of one directory.
type Server struct {
	dir    string
	build  string
	job    Job
	http   *http.Server
	served chan error
}

// Serve opens the control socket of the job directory dir, which the caller has locked, and
// answers on it until Close. build is the version text shown to clients.
func Serve(dir, build string, j Job, log *slog.Logger) (*Server, error) {
	ln, err := listen(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, build: build, job: j, served: make(chan error, 1)}
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       bodyTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() { s.served <- s.http.Serve(ln) }()
	return s, nil
}

// Close stops answering, gives requests under way a moment to end, and removes the socket.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		s.http.Close()
	}
	err := <-s.served
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if rerr := os.Remove(filepath.Join(s.dir, SocketName)); err == nil && !errors.Is(rerr, os.ErrNotExist) {
		err = rerr
	}
	return err
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /versions", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, Versions{API: []int{Version}, Build: s.build, PID: os.Getpid()})
	})
	mux.HandleFunc("GET /v1/jobs", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, []job.Status{s.job.Status()})
	})
	mux.HandleFunc("GET /v1/jobs/{id}", s.forJob(s.describe))
	mux.HandleFunc("GET /v1/jobs/{id}/metrics", s.forJob(s.metrics))
	mux.HandleFunc("POST /v1/jobs/{id}/checkpoint", s.forJob(s.checkpoint))
	mux.HandleFunc("POST /v1/jobs/{id}/savepoint", s.forJob(s.savepoint))
	mux.HandleFunc("POST /v1/jobs/{id}/stop", s.forJob(s.stop))
	mux.HandleFunc("POST /v1/jobs/{id}/cancel", s.forJob(s.cancel))
	mux.HandleFunc("/", s.notFound)
	return guard(mux)
}

// guard refuses what no client of ours sends.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != hostName || r.Header.Get("Origin") != "" {
			fail(w, http.StatusForbidden, CodeRequest, "requests of web pages are refused")
			return
		}
		if r.Method != http.MethodGet {
			if r.Header.Get(requestHeader) == "" {
				fail(w, http.StatusForbidden, CodeRequest, "header "+requestHeader+" is missing")
				return
			}
			if ct := r.Header.Get("Content-Type"); r.ContentLength != 0 && ct != "application/json" {
				fail(w, http.StatusUnsupportedMediaType, CodeRequest, fmt.Sprintf("content type %q, expected application/json", ct))
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// forJob answers 404 for another job than the one served here.
func (s *Server) forJob(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if id := r.PathValue("id"); id != s.job.Status().ID {
			fail(w, http.StatusNotFound, CodeNotFound, fmt.Sprintf("no job %s here, this is job %s", id, s.job.Status().ID))
			return
		}
		h(w, r)
	}
}

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.job.Status())
}

func (s *Server) metrics(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.job.Status().Operators)
}

func (s *Server) cancel(w http.ResponseWriter, r *http.Request) {
	if !body(w, r, &struct{}{}) {
		return
	}
	s.job.Cancel()
	answer(w, http.StatusAccepted, s.job.Status())
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case strings.HasPrefix(first, "v") && first != "v1":
		fail(w, http.StatusNotFound, CodeVersion, fmt.Sprintf("API version %s is not served here, this is sqlstream %s with version %d", first, s.build, Version))
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		fail(w, http.StatusMethodNotAllowed, CodeMethod, "method "+r.Method+" is not served")
	default:
		fail(w, http.StatusNotFound, CodeNotFound, "nothing answers "+r.Method+" "+r.URL.Path)
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here means that the client is gone.
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, code Code, message string) {
	answer(w, status, struct {
		Error Error `json:"error"`
	}{Error{code, message}})
}
