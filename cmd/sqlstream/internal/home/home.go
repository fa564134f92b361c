// Package home owns where sqlstream keeps what outlives a process: job directories, the
// development broker's topics, the shell's history. It imports nothing of ours.
package home

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// EnvVar names the directory when no flag does.
const EnvVar = "SQLSTREAM_HOME"

// Home is the directory of one user's jobs.
type Home string

// Locate returns the home directory: flag, else $SQLSTREAM_HOME, else sqlstream in the user's
// state directory ($XDG_STATE_HOME, by default ~/.local/state). It does not make it.
func Locate(flag string) (Home, error) {
	for _, dir := range []string{flag, os.Getenv(EnvVar)} {
		if dir != "" {
			abs, err := filepath.Abs(dir)
			return Home(abs), err
		}
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return Home(filepath.Join(state, "sqlstream")), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("where jobs are kept is unknown: set $" + EnvVar + ", or give --home DIR")
	}
	return Home(filepath.Join(user, ".local", "state", "sqlstream")), nil
}

// Jobs is the directory of the job directories.
func (h Home) Jobs() string { return filepath.Join(string(h), "jobs") }

// Job is the directory of the job called name.
func (h Home) Job(name string) string { return filepath.Join(h.Jobs(), FileName(name)) }

// Register makes a job directory that lies elsewhere known here, so that lists of jobs find
// it: a symbolic link beside the others.
func (h Home) Register(dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil || strings.HasPrefix(abs, h.Jobs()+string(filepath.Separator)) {
		return err
	}
	if err := os.MkdirAll(h.Jobs(), 0o700); err != nil {
		return err
	}
	link := filepath.Join(h.Jobs(), FileName(abs))
	if old, err := os.Readlink(link); err == nil && old == abs {
		return nil
	}
	return os.Symlink(abs, link)
}

// Broker is the directory of the development broker.
func (h Home) Broker() string { return filepath.Join(string(h), "broker") }

// Demo is the home of the demo, apart from the user's own jobs.
func (h Home) Demo() Home { return Home(filepath.Join(string(h), "demo")) }

// History is the shell's history file.
func (h Home) History() string { return filepath.Join(string(h), "history") }

// Make creates the home directory, readable by its user only.
func (h Home) Make() error {
	if err := os.MkdirAll(string(h), 0o700); err != nil {
		return fmt.Errorf("home directory of sqlstream: %w", err)
	}
	return nil
}

// maxName is how long a directory name made from a job's name gets.
const maxName = 80

// FileName turns a job's name into the name of a directory: letters, digits, '.', '_' and
// '-' stay. When anything had to change, a hash of the whole name keeps names apart.
func FileName(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '.' && b.Len() > 0:
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	safe := b.String()
	if safe == name && len(safe) <= maxName && safe != "" {
		return safe
	}
	sum := sha256.Sum256([]byte(name))
	return safe[:min(len(safe), maxName)] + "-" + hex.EncodeToString(sum[:4])
}
