package s3

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/testsql/fakes3"
)

// fewTries keeps tests of servers that never answer short.
const fewTries = 3

func fake(t *testing.T) *fakes3.Server {
	s := fakes3.New()
	t.Cleanup(s.Close)
	return s
}

func connect(t *testing.T, s *fakes3.Server, more ...string) *Client {
	t.Helper()
	opts := s.Options()
	for i := 0; i < len(more); i += 2 {
		opts[more[i]] = more[i+1]
	}
	c, err := open(t.Context(), "s3://"+fakes3.Bucket+"/p", opts, fewTries)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // always nil
	return c
}

// on makes the first n requests of a method whose key ends in suffix meet a fault.
func on(method, suffix string, n int, f fakes3.Fault) func(*http.Request) fakes3.Fault {
	return func(r *http.Request) fakes3.Fault {
		if n > 0 && r.Method == method && strings.HasSuffix(r.URL.Path, suffix) {
			n--
			return f
		}
		return fakes3.None
	}
}

func content(t *testing.T, c *Client, key string) string {
	t.Helper()
	r, err := c.Open(key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, r.Size())
	if n, err := r.ReadAt(b, 0); n < len(b) {
		t.Fatal(n, err)
	}
	return string(b)
}

func TestAManifestSurvivesFaults(t *testing.T) {
	for name, f := range map[string]fakes3.Fault{
		"throttling": fakes3.SlowDown, "an error": fakes3.Internal, "an error after it was stored": fakes3.LateError,
		"a connection that ends": fakes3.Reset, "an answer that got lost": fakes3.LostAnswer,
	} {
		for _, drop := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				s := fake(t)
				s.DropMetadata = drop
				c := connect(t, s)
				s.Fault = on(http.MethodPut, "MANIFEST", 1, f)
				if err := c.Put("chk-1/MANIFEST", []byte("mine")); err != nil {
					t.Fatal(err)
				}
				if got := content(t, c, "chk-1/MANIFEST"); got != "mine" {
					t.Fatalf("%q", got)
				}
				if err := c.Put("chk-1/MANIFEST", []byte("another")); !errors.Is(err, fs.ErrExist) || errors.Is(err, checkpoint.ErrUndecided) {
					t.Fatal(err)
				}
			})
		}
	}
}

func TestAManifestOfAnotherIsNotTakenForOurs(t *testing.T) {
	s := fake(t)
	first, second := connect(t, s), connect(t, s)
	if err := first.Put("chk-1/MANIFEST", []byte("the same bytes")); err != nil {
		t.Fatal(err)
	}
	s.Fault = on(http.MethodPut, "MANIFEST", 1, fakes3.Reset)
	if err := second.Put("chk-1/MANIFEST", []byte("the same bytes")); !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
}

func TestWhatBecameOfAManifestIsNotGuessed(t *testing.T) {
	all := func(f fakes3.Fault, methods ...string) func(r *http.Request) fakes3.Fault {
		return func(r *http.Request) fakes3.Fault {
			if strings.HasSuffix(r.URL.Path, "MANIFEST") && strings.Contains(strings.Join(methods, " "), r.Method) {
				return f
			}
			return fakes3.None
		}
	}
	for _, c := range []struct {
		name    string
		fault   func(r *http.Request) fakes3.Fault
		unknown bool // else it is known that it failed
	}{
		{"no answer to anything", all(fakes3.LostAnswer, "PUT", "HEAD", "GET"), true},
		{"errors, and it is not there", all(fakes3.Internal, "PUT"), true},
		{"connections end, and it is not there", all(fakes3.Reset, "PUT"), true},
		{"throttled all the time", all(fakes3.SlowDown, "PUT"), false},
		{"denied", all(fakes3.Denied, "PUT"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fake(t)
			cl := connect(t, s)
			s.Fault = c.fault
			err := cl.Put("chk-1/MANIFEST", []byte("m"))
			if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, checkpoint.ErrUndecided) != c.unknown {
				t.Fatalf("undecided %v expected: %v", c.unknown, err)
			}
			if !strings.Contains(err.Error(), "s3://bucket/p/chk-1/MANIFEST") {
				t.Errorf("the error does not name the object: %v", err)
			}
		})
	}
	t.Run("denied after a lost answer", func(t *testing.T) {
		s := fake(t)
		cl := connect(t, s)
		n := 0
		s.Fault = func(r *http.Request) fakes3.Fault {
			if n++; n == 1 {
				return fakes3.Reset
			}
			return fakes3.Denied
		}
		if err := cl.Put("chk-1/MANIFEST", []byte("m")); !errors.Is(err, checkpoint.ErrUndecided) {
			t.Fatal(err)
		}
	})
}

func TestAServerThatIgnoresTheConditionIsRefused(t *testing.T) {
	s := fake(t)
	s.IgnoreConditions = true
	err := connect(t, s).Probe()
	if err == nil || !strings.Contains(err.Error(), "does not refuse to create an object twice") || !strings.Contains(err.Error(), "'s3.conditional-put' = 'false'") {
		t.Fatal(err)
	}
	if keys := s.Keys(); len(keys) > 0 {
		t.Fatal(keys)
	}
	c := connect(t, s, ConditionalPut, "false")
	if err := c.Probe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Put("chk-1/MANIFEST", []byte("m")); err != nil {
		t.Fatal(err)
	}
	if err := c.Put("chk-1/MANIFEST", []byte("n")); !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
}

func TestTheProbeLeavesNothing(t *testing.T) {
	s := fake(t)
	c := connect(t, s)
	if err := c.Put(probe+"0123", []byte("of a start that was killed")); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]fakes3.Fault{"no fault": fakes3.None, "throttling": fakes3.SlowDown, "a lost answer": fakes3.LostAnswer} {
		s.Fault = on(http.MethodPut, "", 1, f)
		if err := c.Probe(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if keys := s.Keys(); len(keys) > 0 {
			t.Fatalf("%s: %v", name, keys)
		}
	}
}

func TestALargeObjectSurvivesFaults(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), (17<<20)/16)
	for _, f := range []fakes3.Fault{fakes3.SlowDown, fakes3.LostAnswer} {
		for _, method := range []string{http.MethodPut, http.MethodPost} { // a part; the beginning
			s := fake(t)
			c := connect(t, s)
			s.Fault = on(method, "large.stf", 1, f)
			upload(t, c, "shared/large.stf", data)
			if got := content(t, c, "shared/large.stf"); got != string(data) {
				t.Fatalf("%s, fault %d: the content is another", method, f)
			}
		}
	}
	s := fake(t)
	c := connect(t, s)
	ends := 0
	s.Fault = func(r *http.Request) fakes3.Fault { // the end
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
			if ends++; ends == 1 {
				return fakes3.LostAnswer
			}
		}
		return fakes3.None
	}
	upload(t, c, "shared/large.stf", data)
	if got := content(t, c, "shared/large.stf"); got != string(data) || s.Uploads() > 0 {
		t.Fatalf("%d bytes, %d uploads left", len(got), s.Uploads())
	}
}

func upload(t *testing.T, c *Client, key string, data []byte) {
	t.Helper()
	w, err := c.Create(key)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	_, err = w.Write(data)
	if err := errors.Join(err, w.Flush()); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestAnUploadThatFailsLeavesNothing(t *testing.T) {
	s := fake(t)
	c := connect(t, s)
	w, err := c.Create("shared/large.stf")
	if err != nil {
		t.Fatal(err)
	}
	s.Fault = func(r *http.Request) fakes3.Fault {
		if r.URL.Query().Get("partNumber") == "2" {
			return fakes3.Denied
		}
		return fakes3.None
	}
	_, err = w.Write(make([]byte, 3*partSize))
	if err = errors.Join(err, w.Flush()); !errors.Is(err, fs.ErrPermission) {
		t.Fatal(err)
	}
	if err := w.Commit(); err == nil {
		t.Fatal("it can be committed after an error")
	}
	w.Abort()
	if keys := s.Keys(); len(keys)+s.Uploads() > 0 {
		t.Fatalf("%v, %d uploads", keys, s.Uploads())
	}
}

func TestLeftoversOfCrashedUploadsAreAborted(t *testing.T) {
	s := fake(t)
	s.Page = 2
	c := connect(t, s)
	for _, key := range []string{"shared/a.stf", "shared/b.stf", "shared/c.stf", "shared/d.stf", "shared/e.stf", "other/f"} {
		w, err := c.Create(key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, partSize)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.AbortUploads("shared/"); err != nil {
		t.Fatal(err)
	}
	if n := s.Uploads(); n != 1 {
		t.Fatalf("%d uploads are left, expected that of another prefix", n)
	}
	// Who may not list them starts all the same.
	s.Fault = func(r *http.Request) fakes3.Fault {
		if r.URL.Query().Has("uploads") {
			return fakes3.Denied
		}
		return fakes3.None
	}
	if err := c.AbortUploads("shared/"); err != nil {
		t.Fatal(err)
	}
}

func TestABodyThatIsCutIsReadOn(t *testing.T) {
	s := fake(t)
	c := connect(t, s)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<15)
	upload(t, c, "shared/a.stf", data)
	s.Fault = on(http.MethodGet, "a.stf", 3, fakes3.CutBody)
	if got := content(t, c, "shared/a.stf"); got != string(data) {
		t.Fatal("the content is another")
	}
	s.Fault = on(http.MethodGet, "a.stf", 1000, fakes3.CutBody)
	r, err := c.Open("shared/a.stf")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.ReadAt(make([]byte, len(data)), 0); err == nil || !strings.Contains(err.Error(), "the answer was cut") {
		t.Fatal(n, err)
	}
}

func TestReadingOnAsksForMoreAtOnce(t *testing.T) {
	s := fake(t)
	c := connect(t, s)
	upload(t, c, "shared/a.stf", make([]byte, 6<<20))
	r, err := c.Open("shared/a.stf")
	if err != nil {
		t.Fatal(err)
	}
	before := len(s.Requests())
	for off := int64(0); off < 6<<20; off += 32 << 10 {
		if _, err := r.ReadAt(make([]byte, 32<<10), off); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Requests()) - before; n > 8 {
		t.Fatalf("%d requests for 6 MiB in order", n)
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	s := fake(t)
	_, err := open(t.Context(), "s3://no-such-bucket/p", s.Options(), fewTries)
	if err == nil || !strings.Contains(err.Error(), "NoSuchBucket") || !strings.Contains(err.Error(), "the bucket is not made by itself") || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	gone := fakes3.New()
	opts := gone.Options()
	gone.Close()
	_, err = open(t.Context(), "s3://bucket/p", opts, fewTries)
	if err == nil || !strings.Contains(err.Error(), opts[Endpoint]) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v", err)
	}
	s.Fault = func(*http.Request) fakes3.Fault { return fakes3.Denied }
	_, err = open(t.Context(), "s3://bucket/p", s.Options(), fewTries)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "s3://bucket/p") {
		t.Errorf("%v", err)
	}
	if text := err.Error(); strings.Contains(text, fakes3.SecretKey) || strings.Contains(text, fakes3.AccessKey) {
		t.Errorf("a key is in %v", err)
	}
}

func TestCredentialsAndServerComeFromTheEnvironment(t *testing.T) {
	s := fake(t)
	opts := s.Options()
	t.Setenv("AWS_ACCESS_KEY_ID", fakes3.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", fakes3.SecretKey)
	t.Setenv("AWS_ENDPOINT_URL_S3", opts[Endpoint])
	c, err := open(t.Context(), "s3p://bucket/p", nil, fewTries)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Put("x", []byte("y")); err != nil {
		t.Fatal(err)
	}
	if c.Location() != "s3://bucket/p" {
		t.Error(c.Location())
	}
}
