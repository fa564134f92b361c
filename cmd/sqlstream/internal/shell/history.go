package shell

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sqlstream/sqlstream/sql/secret"
)

// maxHistory is how many inputs are kept.
const maxHistory = 2000

// History keeps inputs in a file, one JSON string a line, readable by its user only. The
// values of secret options are masked before they are kept.
type History struct {
	path  string
	lines []string
}

// OpenHistory reads the history file; one that is not there yet is empty.
func OpenHistory(path string) (*History, error) {
	h := &History{path: path}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, fmt.Errorf("history: %w", err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 4<<20)
	for sc.Scan() {
		var line string
		if json.Unmarshal(sc.Bytes(), &line) == nil {
			h.lines = append(h.lines, line)
		}
	}
	if len(h.lines) > maxHistory {
		h.lines = h.lines[len(h.lines)-maxHistory:]
		return h, errors.Join(sc.Err(), h.rewrite())
	}
	return h, sc.Err()
}

func (h *History) rewrite() error {
	var b []byte
	for _, l := range h.lines {
		b = append(b, encode(l)...)
	}
	tmp := h.path + ".tmp"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return os.Rename(tmp, h.path)
}

func encode(line string) []byte {
	b, err := json.Marshal(line)
	if err != nil { // a string cannot fail
		return nil
	}
	return append(b, '\n')
}

// Write adds an input; the same twice in a row is kept once. It returns the number of lines.
func (h *History) Write(line string) (int, error) {
	line = secret.SQL(line)
	if n := len(h.lines); line == "" || n > 0 && h.lines[n-1] == line {
		return n, nil
	}
	h.lines = append(h.lines, line)
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return len(h.lines), err
	}
	f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return len(h.lines), err
	}
	_, err = f.Write(encode(line))
	return len(h.lines), errors.Join(err, f.Close())
}

// GetLine returns input i, the oldest is 0.
func (h *History) GetLine(i int) (string, error) {
	if i < 0 || i >= len(h.lines) {
		return "", fmt.Errorf("no history line %d of %d", i, len(h.lines))
	}
	return h.lines[i], nil
}

// Len is the number of inputs kept.
func (h *History) Len() int { return len(h.lines) }

// Dump returns all inputs.
func (h *History) Dump() any { return h.lines }
