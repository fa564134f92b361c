// Package fakes3 is an S3 server in memory for tests, with faults: what checkpoints need of the
// protocol, and answers that a real server gives once in a while. Only tests use it.
package fakes3

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Bucket is the only bucket there is.
const Bucket = "bucket"

// Fault is what a request meets.
type Fault int

// The faults.
const (
	None       Fault = iota
	SlowDown         // 503, nothing done
	Internal         // 500, nothing done
	LateError        // done, then 500
	Reset            // the connection ends, nothing done
	LostAnswer       // done, then the connection ends
	CutBody          // half of the answer's body
	Denied           // 403
)

// Server is a running fake.
type Server struct {
	// Fault, when not nil, is asked for every request. Set it before the requests it is for.
	Fault func(r *http.Request) Fault
	// IgnoreConditions makes If-None-Match mean nothing.
	IgnoreConditions bool
	// DropMetadata forgets what writers say about objects.
	DropMetadata bool
	// Page is how many names a listing has at most.
	Page int

	http    *httptest.Server
	mu      sync.Mutex
	objects map[string]object
	uploads map[string]*upload
	ids     int
	log     []string
}

type object struct {
	data []byte
	meta http.Header
}

type upload struct {
	key   string
	parts map[int][]byte
}

// New starts a server; Close ends it.
func New() *Server {
	s := &Server{Page: 1000, objects: map[string]object{}, uploads: map[string]*upload{}}
	s.http = httptest.NewServer(s)
	return s
}

// Close ends the server.
func (s *Server) Close() { s.http.Close() }

// AccessKey and SecretKey are what a client may use; the server does not look.
const AccessKey, SecretKey = "the-access-key", "the-secret-key"

// Options are the session options of a client.
func (s *Server) Options() map[string]string {
	return map[string]string{"s3.endpoint": s.http.URL, "s3.access-key": AccessKey, "s3.secret-key": SecretKey, "s3.path.style.access": "true"}
}

// Keys lists all objects.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

// Holding lists the objects that have a text in them.
func (s *Server) Holding(text string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for k, o := range s.objects {
		if bytes.Contains(o.data, []byte(text)) {
			out = append(out, k)
		}
	}
	return out
}

// Uploads counts multipart uploads that were not completed.
func (s *Server) Uploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

// Requests lists the methods and paths so far.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// ServeHTTP answers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, r.Method+" "+r.URL.Path)
	fault := None
	if s.Fault != nil {
		fault = s.Fault(r)
	}
	switch fault {
	case SlowDown:
		fail(w, http.StatusServiceUnavailable, "SlowDown")
		return
	case Internal:
		fail(w, http.StatusInternalServerError, "InternalError")
		return
	case Denied:
		fail(w, http.StatusForbidden, "AccessDenied")
		return
	case Reset:
		hangUp(w)
		return
	}
	answer := httptest.NewRecorder()
	s.serve(answer, r, body)
	switch fault {
	case LateError:
		fail(w, http.StatusInternalServerError, "InternalError")
		return
	case LostAnswer:
		hangUp(w)
		return
	}
	maps.Copy(w.Header(), answer.Header())
	sent := answer.Body.Bytes()
	if w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(sent)))
	}
	w.WriteHeader(answer.Code)
	if fault == CutBody {
		_, _ = w.Write(sent[:len(sent)/2]) // the client sees a body that is too short
		return
	}
	_, _ = w.Write(sent)
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

type errorBody struct {
	XMLName       xml.Name `xml:"Error"`
	Code, Message string
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(errorBody{Code: code, Message: "the fake says " + code})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(v)
}

func etag(b []byte) string {
	sum := md5.Sum(b)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	switch {
	case bucket != Bucket:
		fail(w, http.StatusNotFound, "NoSuchBucket")
	case key == "" && q.Has("uploads"):
		s.listUploads(w, q)
	case key == "":
		s.list(w, q)
	case r.Method == http.MethodPut && q.Has("partNumber"):
		s.part(w, q, body)
	case r.Method == http.MethodPut:
		s.put(w, r, key, body)
	case r.Method == http.MethodPost && q.Has("uploads"):
		s.ids++
		id := fmt.Sprintf("upload-%d", s.ids)
		s.uploads[id] = &upload{key: key, parts: map[int][]byte{}}
		reply(w, struct {
			XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
			Bucket, Key, UploadId string
		}{Bucket: bucket, Key: key, UploadId: id})
	case r.Method == http.MethodPost:
		s.complete(w, q.Get("uploadId"))
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		if _, ok := s.uploads[q.Get("uploadId")]; !ok {
			fail(w, http.StatusNotFound, "NoSuchUpload")
			return
		}
		delete(s.uploads, q.Get("uploadId"))
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		s.get(w, r, key)
	}
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	if _, ok := s.objects[key]; ok && r.Header.Get("If-None-Match") == "*" && !s.IgnoreConditions {
		fail(w, http.StatusPreconditionFailed, "PreconditionFailed")
		return
	}
	o := object{data: body, meta: http.Header{}}
	for k, v := range r.Header {
		if strings.HasPrefix(k, "X-Amz-Meta-") && !s.DropMetadata {
			o.meta[k] = v
		}
	}
	s.objects[key] = o
	w.Header().Set("ETag", etag(body))
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, key string) {
	o, ok := s.objects[key]
	if !ok {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fail(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	maps.Copy(w.Header(), o.meta)
	w.Header().Set("ETag", etag(o.data))
	w.Header().Set("Last-Modified", "Wed, 25 Nov 2026 08:00:00 GMT")
	b, status := o.data, http.StatusOK
	var from, to int
	if n, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); err == nil && n == 2 {
		if from >= len(b) {
			fail(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
			return
		}
		to = min(to+1, len(b))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(b)))
		b, status = b[from:to], http.StatusPartialContent
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b)
	}
}

func (s *Server) part(w http.ResponseWriter, q url.Values, body []byte) {
	u, ok := s.uploads[q.Get("uploadId")]
	if !ok {
		fail(w, http.StatusNotFound, "NoSuchUpload")
		return
	}
	n, err := strconv.Atoi(q.Get("partNumber"))
	if err != nil {
		fail(w, http.StatusBadRequest, "InvalidArgument")
		return
	}
	u.parts[n] = body
	w.Header().Set("ETag", etag(body))
}

func (s *Server) complete(w http.ResponseWriter, id string) {
	u, ok := s.uploads[id]
	if !ok {
		fail(w, http.StatusNotFound, "NoSuchUpload")
		return
	}
	var all []byte
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		all = append(all, u.parts[n]...)
	}
	s.objects[u.key] = object{data: all, meta: http.Header{}}
	delete(s.uploads, id)
	reply(w, struct {
		XMLName           xml.Name `xml:"CompleteMultipartUploadResult"`
		Bucket, Key, ETag string
	}{Bucket: Bucket, Key: u.key, ETag: etag(all)})
}

type entry struct {
	Key, LastModified, ETag string
	Size                    int
}

type prefixEntry struct{ Prefix string }

func (s *Server) list(w http.ResponseWriter, q url.Values) {
	prefix, after := q.Get("prefix"), q.Get("continuation-token")
	out := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Name, Prefix          string
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []entry
		CommonPrefixes        []prefixEntry
	}{Name: Bucket, Prefix: prefix}
	last, n := "", 0
	for _, k := range slices.Sorted(maps.Keys(s.objects)) {
		rest, ok := strings.CutPrefix(k, prefix)
		name := k
		if i := strings.Index(rest, "/"); ok && q.Get("delimiter") == "/" && i >= 0 {
			name = prefix + rest[:i+1]
		}
		if !ok || name <= after || name == last {
			continue
		}
		if n == s.Page {
			out.IsTruncated, out.NextContinuationToken = true, last
			break
		}
		last = name
		n++
		if name == k {
			o := s.objects[k]
			out.Contents = append(out.Contents, entry{Key: k, LastModified: "2026-11-25T08:00:00.000Z", ETag: etag(o.data), Size: len(o.data)})
		} else {
			out.CommonPrefixes = append(out.CommonPrefixes, prefixEntry{name})
		}
	}
	reply(w, out)
}

type uploadEntry struct{ Key, UploadId, Initiated string }

func (s *Server) listUploads(w http.ResponseWriter, q url.Values) {
	out := struct {
		XMLName                           xml.Name `xml:"ListMultipartUploadsResult"`
		Bucket                            string
		IsTruncated                       bool
		NextKeyMarker, NextUploadIdMarker string `xml:",omitempty"`
		Upload                            []uploadEntry
	}{Bucket: Bucket}
	for _, id := range slices.Sorted(maps.Keys(s.uploads)) {
		u := s.uploads[id]
		if !strings.HasPrefix(u.key, q.Get("prefix")) || id <= q.Get("upload-id-marker") {
			continue
		}
		if len(out.Upload) == s.Page {
			last := out.Upload[len(out.Upload)-1]
			out.IsTruncated, out.NextKeyMarker, out.NextUploadIdMarker = true, last.Key, last.UploadId
			break
		}
		out.Upload = append(out.Upload, uploadEntry{u.key, id, "2026-11-25T08:00:00.000Z"})
	}
	reply(w, out)
}
