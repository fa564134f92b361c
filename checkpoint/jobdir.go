package checkpoint

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

var jobID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func validID(id string) bool { return jobID.MatchString(id) }

// NewJobID makes the id of a new job: 32 hexadecimal digits, as Flink's.
func NewJobID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// ErrLocked is wrapped by LockedError. The process exits with code 73.
var ErrLocked = errors.New("job directory is in use")

// LockedError says that another process runs the job.
type LockedError struct {
	Dir   string
	Owner string // "process 4711 on host since ..." as the owner wrote it, or ""
}

func (e *LockedError) Error() string {
	owner := e.Owner
	if owner == "" {
		owner = "another process"
	}
	return fmt.Sprintf("%s: %v by %s; a job runs once: end it first (sqlstream cancel), or give this job another --dir", e.Dir, ErrLocked, owner)
}

// Unwrap returns ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

const (
	lockFile = "LOCK"
	jobFile  = "job.json"
)

// Job is what the job directory remembers across restarts.
type Job struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	// Incarnation counts the starts of the job, from 1. It stands in every manifest.
	Incarnation uint64 `json:"incarnation"`
	// Published: a manifest was durable once. Until then nothing of the job can be visible
	// anywhere, and a start without checkpoints is a fresh one.
	Published bool `json:"published"`
	// Unfinished are the paths of savepoints that are being written. What a crash leaves there is
	// deleted by the next start.
	Unfinished []string `json:"unfinished,omitempty"`
	// Discarded: the job is over, and its checkpoints are deleted or will be. The next start is
	// that of a new job.
	Discarded bool `json:"discarded,omitempty"`
}

// JobDir is the directory of a job, locked by this process until Close.
type JobDir struct {
	path string
	lock *os.File

	mu   sync.Mutex
	job  Job
	last Job // as the last incarnation left it
}

// OpenJobDir makes or opens a job directory and locks it. now is for the lock's text and a new
// job's date. Call Begin before anything outside hears of the job.
func OpenJobDir(path, name string, now time.Time) (*JobDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("job directory: %w", err)
	}
	if err := checkPrivate(path); err != nil {
		return nil, err
	}
	lock, err := takeLock(path, now)
	if err != nil {
		return nil, err
	}
	d := &JobDir{path: path, lock: lock}
	j, err := ReadJob(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		j = &Job{ID: NewJobID(), Created: now.UTC()}
	case err != nil:
		return nil, errors.Join(err, lock.Close())
	}
	d.job = *j
	d.job.Name = name
	return d, nil
}

// checkPrivate refuses a directory that everybody may write to: what is in it decides what
// the job restores and commits.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("job directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("job directory %s: it is no directory", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("job directory %s: everybody may write to it (mode %s); chmod o-w it, or choose another --dir", path, info.Mode())
	}
	return nil
}

func takeLock(path string, now time.Time) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("job directory: %w", err)
	}
	held, err := tryLock(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("job directory %s cannot be locked (a file system without flock?): %w", path, err), f.Close())
	}
	if held {
		var owner [256]byte
		n, _ := f.ReadAt(owner[:], 0) // best effort: it is for the message only
		return nil, errors.Join(&LockedError{Dir: path, Owner: strings.TrimSpace(string(owner[:n]))}, f.Close())
	}
	host, _ := os.Hostname()
	text := fmt.Sprintf("process %d on %s since %s\n", os.Getpid(), host, now.UTC().Format(time.RFC3339))
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(text), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("job directory: %w", err), f.Close())
	}
	return f, nil
}

// Begin begins the next incarnation, durably: the first one of the job, of this process, or after
// a failure.
func (d *JobDir) Begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := d.job
	d.job.Incarnation++
	if err := d.save(); err != nil {
		d.job = last
		return err
	}
	d.last = last
	return nil
}

// ReadJob reads what a job directory remembers, without locking it.
func ReadJob(path string) (*Job, error) {
	file := filepath.Join(path, jobFile)
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("job directory: %w", err)
	}
	j := &Job{}
	if err := json.Unmarshal(b, j); err != nil || !validID(j.ID) || j.Incarnation == 0 {
		return nil, fmt.Errorf("%s: %w: it is no description of a job (%.60q); restore it from a backup, or start the job from a savepoint in another --dir", file, ErrCorrupt, b)
	}
	return j, nil
}

func (d *JobDir) save() error {
	b, err := json.MarshalIndent(&d.job, "", "  ")
	if err != nil {
		return fmt.Errorf("job directory: %w", err)
	}
	f, err := OSFS(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := replace(f, jobFile, append(b, '\n')); err != nil {
		return fmt.Errorf("job directory %s: %w", d.path, err)
	}
	return nil
}

// replace writes a small file durably over an old one.
func replace(f FS, name string, b []byte) error {
	if err := f.Remove(name + tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	w, err := f.Create(name + tmp)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	if err := f.Rename(name+tmp, name); err != nil {
		return err
	}
	return f.SyncDir(".")
}

// Job describes this incarnation.
func (d *JobDir) Job() Job {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.job
}

// Last describes the incarnation before, as it ended; its Incarnation is 0 when there was none.
func (d *JobDir) Last() Job {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// Path returns the path of something in the directory.
func (d *JobDir) Path(elem ...string) string {
	return filepath.Join(append([]string{d.path}, elem...)...)
}

// MarkPublished remembers that the job has a manifest. It is called after the first one is durable
// and before its transactions are committed; the other calls do nothing.
func (d *JobDir) MarkPublished() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.job.Published {
		return nil
	}
	d.job.Published = true
	if err := d.save(); err != nil {
		d.job.Published = false
		return err
	}
	return nil
}

// Unfinished notes, durably, that a savepoint is being written at a path, or that it is no more.
func (d *JobDir) Unfinished(path string, begun bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := d.job.Unfinished
	d.job.Unfinished = slices.DeleteFunc(slices.Clone(last), func(p string) bool { return p == path })
	if begun {
		d.job.Unfinished = append(d.job.Unfinished, path)
	}
	if err := d.save(); err != nil {
		d.job.Unfinished = last
		return err
	}
	return nil
}

// Discard decides, durably, that the job is over: call it before its first checkpoint is deleted.
func (d *JobDir) Discard() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.job.Discarded = true
	if err := d.save(); err != nil {
		d.job.Discarded = false
		return err
	}
	return nil
}

// Renew makes the directory that of a new job, with an id of its own, once all checkpoints of a
// discarded one are deleted. Begin makes it durable: until then the old one is still over.
func (d *JobDir) Renew(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.job = Job{ID: NewJobID(), Name: d.job.Name, Created: now.UTC()}
}

// Close gives the lock up.
func (d *JobDir) Close() error { return d.lock.Close() }

// ValidJobID reports whether id is one as NewJobID makes them.
func ValidJobID(id string) bool { return validID(id) }
