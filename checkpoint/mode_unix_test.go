//go:build !windows

package checkpoint

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesAndDirectoriesAreTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "job")
	d := openJob(t, dir)
	if err := d.Begin(); err != nil {
		t.Fatal(err)
	}
	s, err := OpenDir(d.Path("checkpoints"), d.Job().ID, DirOptions{Owner: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := writeFile(s, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADirectoryThatEverybodyMayWriteToIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJobDir(dir, "etl", day); err == nil || !strings.Contains(err.Error(), dir+": everybody may write to it") {
		t.Fatal(err)
	}
}
