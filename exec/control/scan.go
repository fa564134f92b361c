package control

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/sqlstream/sqlstream/exec/job"
)

// Found is one job directory.
type Found struct {
	Dir     string
	Running bool
	Jobs    []job.Status // when it runs and answered
	Err     error        // it seems to run, but did not answer
}

// maxScan bounds how many job directories are asked at one time.
const maxScan = 16

// Scan asks every job directory in root (one level down) and returns them by name. A root
// that does not exist has none.
func Scan(ctx context.Context, root string) ([]Found, error) {
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, e := range entries {
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 {
			found = append(found, Found{Dir: filepath.Join(root, e.Name())})
		}
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxScan)
	for i := range found {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i].ask(ctx)
		})
	}
	wg.Wait()
	slices.SortFunc(found, func(a, b Found) int { return strings.Compare(a.Dir, b.Dir) })
	return found, nil
}

func (f *Found) ask(ctx context.Context) {
	c, err := Dial(ctx, f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	f.Running = true
	if err != nil {
		f.Err = err
		return
	}
	defer c.Close()
	f.Jobs, f.Err = c.Jobs(ctx)
}
