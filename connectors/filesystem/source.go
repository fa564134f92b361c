package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
)

// source lists files; a split is a file.
type source struct {
	*config
	projection []int
	env        connectors.Env
}

// position is where reading of a file stands.
type position struct {
	Offset int64 `json:"offset"` // of the next record
	End    int64 `json:"end"`    // the file's size when it was found: what comes later is not read
}

func (p position) encode() []byte {
	return fmt.Appendf(nil, `{"offset":%d,"end":%d}`, p.Offset, p.End)
}

// Enumerate implements exec.Source: files in order of their paths.
func (s *source) Enumerate(context.Context) ([]exec.Split, error) {
	roots := []string{s.path}
	if strings.ContainsAny(s.path, "*?[") {
		if _, err := os.Lstat(s.path); err != nil {
			matches, err := filepath.Glob(s.path)
			if err != nil {
				return nil, exec.Userf("table %s: option '%s' = '%s': %w", s.table.Name, optPath, s.path, err)
			}
			roots = matches
		}
	}
	var splits []exec.Split
	for _, root := range roots {
		found, err := s.walk(root)
		if err != nil {
			return nil, err
		}
		splits = append(splits, found...)
	}
	slices.SortFunc(splits, func(a, b exec.Split) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(splits, func(a, b exec.Split) bool { return a.ID == b.ID }), nil
}

func (s *source) walk(root string) (splits []exec.Split, err error) {
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != root {
			return nil // renamed or removed meanwhile
		}
		if err != nil {
			return err
		}
		if path != root && hidden(e.Name()) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() || s.pattern != nil && !s.pattern.MatchString(path) {
			return nil
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return nil // a broken link, a pipe
		}
		splits = append(splits, exec.Split{ID: path, Position: position{0, info.Size()}.encode()})
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) && s.monitor > 0 {
		return nil, nil // may appear later
	}
	if err != nil {
		return nil, exec.Userf("table %s: reading '%s': %w", s.table.Name, root, err)
	}
	return splits, nil
}

// hidden reports names that Flink leaves out: files in progress and markers.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }

// Discovered implements exec.Source.
func (s *source) Discovered(sp exec.Split) exec.Split { return sp }

// DiscoverEvery implements exec.Source.
func (s *source) DiscoverEvery() time.Duration { return s.monitor }

// Bounded implements exec.Source.
func (s *source) Bounded() bool { return s.monitor == 0 }

// Close implements exec.Source.
func (s *source) Close() error { return nil }

// Reader implements exec.Source.
func (s *source) Reader(_ context.Context, _ int, env exec.ConnEnv) (exec.Reader, error) {
	r := &reader{source: s, env: env}
	var wanted []int
	for i, p := range s.projection {
		if p < len(s.table.Physical) {
			wanted = append(wanted, p)
			r.physical = append(r.physical, i)
			continue
		}
		m := s.table.Metadata[p-len(s.table.Physical)]
		typ, ok := metadata[m.Key]
		if !ok || typ.Physical() != m.Type.Physical() || typ.UnitsPerSecond() != m.Type.UnitsPerSecond() {
			return nil, exec.Userf("table %s, column %s: '%s' cannot be read as %s%s", s.table.Name, m.Name, m.Key, m.Type, expected(typ, ok))
		}
		r.meta = append(r.meta, metaColumn{at: i, key: m.Key})
	}
	connEnv := s.env
	connEnv.ConnEnv = env
	var err error
	if r.decoder, err = s.decoder(wanted, connEnv); err != nil {
		return nil, exec.Userf("table %s: %w", s.table.Name, err)
	}
	return r, nil
}
