package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

func openJob(t *testing.T, dir string) *JobDir {
	t.Helper()
	d, err := OpenJobDir(dir, "etl", day)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestEveryStartIsANewIncarnationOfTheSameJob(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "job")
	var id string
	for n := uint64(1); n <= 3; n++ {
		d := openJob(t, dir)
		if err := d.Begin(); err != nil {
			t.Fatal(err)
		}
		j := d.Job()
		if id == "" {
			id = j.ID
		}
		if j.Incarnation != n || j.ID != id || !validID(id) || j.Name != "etl" || !j.Created.Equal(day) || d.Last().Incarnation != n-1 {
			t.Fatalf("start %d: %+v after %+v", n, j, d.Last())
		}
		if err := d.MarkPublished(); err != nil {
			t.Fatal(err)
		}
		if d.Last().Published != (n > 1) {
			t.Fatalf("start %d: %+v before", n, d.Last())
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASecondOwnerIsRefusedAndToldWhoTheFirstIs(t *testing.T) {
	dir := t.TempDir()
	d := openJob(t, dir)
	_, err := OpenJobDir(dir, "etl", day)
	host, _ := os.Hostname()
	want := fmt.Sprintf("%s: job directory is in use by process %d on %s since 2026-11-25T09:00:00Z; a job runs once: end it first (sqlstream cancel), or give this job another --dir", dir, os.Getpid(), host)
	if !errors.Is(err, ErrLocked) || err.Error() != want {
		t.Fatalf("got %v\nexpected %s", err, want)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	openJob(t, dir)
}

// TestTheLockOfAKilledProcessIsFree starts itself once more as the process that is killed.
func TestTheLockOfAKilledProcessIsFree(t *testing.T) {
	if dir := os.Getenv("CHECKPOINT_LOCK_DIR"); dir != "" {
		if _, err := OpenJobDir(dir, "etl", day); err != nil {
			t.Fatal(err)
		}
		fmt.Println("locked")
		select {}
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestTheLockOfAKilledProcessIsFree$")
	cmd.Env = append(os.Environ(), "CHECKPOINT_LOCK_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 7)
	if _, err := out.Read(buf); err != nil || string(buf) != "locked\n" {
		t.Fatal(string(buf), err)
	}
	if _, err := OpenJobDir(dir, "etl", day); !errors.Is(err, ErrLocked) {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	openJob(t, dir)
}

func TestADamagedJobFileIsNamed(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"id":"x","incarnation":1}`, `{"id":"0123456789abcdef0123456789abcdef","incarnation":0}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, jobFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenJobDir(dir, "etl", day); !errors.Is(err, ErrCorrupt) || !strings.HasPrefix(err.Error(), filepath.Join(dir, jobFile)+": ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLinksAndForeignNamesAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenDir(dir, testJob, DirOptions{Owner: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	root := filepath.Join(dir, testJob)
	secret := filepath.Join(dir, "secret")
	for _, f := range []func() error{
		func() error { return os.WriteFile(secret, []byte("secret"), 0o600) },
		func() error { return os.Symlink(secret, filepath.Join(root, "shared", "link.stf")) },
		func() error { return os.Mkdir(filepath.Join(root, "shared", "dir.stf"), 0o700) },
		func() error { return os.Symlink("/dev/zero", filepath.Join(root, "shared", "zero.stf")) },
		func() error { return os.MkdirAll(filepath.Join(root, "chk-007"), 0o700) },
		func() error { return os.MkdirAll(filepath.Join(root, "chk-x"), 0o700) },
		func() error { return os.WriteFile(filepath.Join(root, "README"), nil, 0o600) },
		func() error { return os.WriteFile(filepath.Join(root, "shared", "notes.txt.tmp"), nil, 0o600) },
		func() error { return os.WriteFile(filepath.Join(root, "shared", "a-1.stf.tmp"), nil, 0o600) },
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"link.stf", "dir.stf", "zero.stf", "../../secret", "/etc/passwd", "..", ""} {
		if _, err := s.Open(n); err == nil {
			t.Errorf("%q can be opened", n)
		}
	}
	if es, err := s.Epochs(); err != nil || len(es) != 0 {
		t.Errorf("epochs %v, err %v", es, err)
	}
	again, err := OpenDir(dir, testJob, DirOptions{})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if _, err := os.Stat(filepath.Join(root, "shared", "a-1.stf.tmp")); err != nil {
		t.Error("somebody who is not the owner deleted a file that is being written")
	}
	again, err = OpenDir(dir, testJob, DirOptions{Owner: true})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if _, err := os.Stat(filepath.Join(root, "shared", "a-1.stf.tmp")); err == nil {
		t.Error("the owner left what a crash left")
	}
	if _, err := os.Stat(filepath.Join(root, "shared", "notes.txt.tmp")); err != nil {
		t.Error("a foreign file was deleted")
	}
}

func TestAManifestIsWrittenOnce(t *testing.T) {
	s, _ := three(t)
	if err := s.Put(3, []byte("x")); !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	if _, err := Read(s, 3, testJob); err != nil {
		t.Fatal(err)
	}
}

func TestSetAsideStaysSetAside(t *testing.T) {
	s, _ := three(t)
	if err := s.SetAside(3, "its output was aborted"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetAside(3, "again"); err != nil {
		t.Fatal(err)
	}
	found, d := decideOn(t, s)
	if d.From != 2 || found[0].SetAside != "its output was aborted" {
		t.Fatal(d, found[0].SetAside)
	}
}
