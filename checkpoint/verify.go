package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Report is what Verify found.
type Report struct {
	Epoch    state.Epoch
	Manifest *Manifest // nil: it cannot be read
	SetAside string
	Err      error // of the manifest
	Files    []FileReport
}

// FileReport is what Verify found about one file.
type FileReport struct {
	File state.File
	Err  error
}

// Problem joins everything that is wrong, or is nil.
func (r *Report) Problem() error {
	errs := []error{r.Err}
	for _, f := range r.Files {
		errs = append(errs, f.Err)
	}
	return errors.Join(errs...)
}

// Verify reads a checkpoint as a whole: every checksum, every count.
func Verify(ctx context.Context, s Storage, e state.Epoch, jobID string) (*Report, error) {
	return verify(ctx, s, e, jobID, true)
}

func verify(ctx context.Context, s Storage, e state.Epoch, jobID string, whole bool) (*Report, error) {
	r := &Report{Epoch: e}
	r.SetAside, r.Err = s.Reason(e)
	if r.Err != nil {
		return r, nil
	}
	r.Manifest, r.Err = Read(s, e, jobID)
	if r.Err != nil {
		if errors.Is(r.Err, fs.ErrNotExist) {
			r.Err = fmt.Errorf("%s: there is none: the checkpoint was never completed: %w", manifestPath(s, e), fs.ErrNotExist)
		}
		return r, nil
	}
	for _, f := range r.Manifest.Files {
		err := verifyFile(ctx, s, f, whole)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.Files = append(r.Files, FileReport{f, err})
	}
	for _, c := range r.Manifest.Channels {
		err := verifyChannel(s, c, whole)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.Files = append(r.Files, FileReport{state.File{Name: c.Name, Size: c.Size, CRC32C: c.CRC32C}, err})
	}
	return r, nil
}

func verifyFile(ctx context.Context, s Storage, f state.File, whole bool) error {
	r, err := stf.Open(s, f)
	if err != nil {
		return err
	}
	if whole {
		err = r.Verify(ctx, f)
	}
	return errors.Join(err, r.Close())
}

// wholeBelow is the size in bytes up to which a start reads all files of a checkpoint before it
// chooses it; of larger ones it checks presence, length, footer and index, and the restore
// checks every block as it reads it.
const wholeBelow = 256 << 20

// Find lists the checkpoints of a job for Decide. Checkpoints are verified newest first until
// two usable ones are found (the one to restore and the one to fall back to); of older ones
// only the manifest is read.
func Find(ctx context.Context, s Storage, jobID string) ([]Found, error) {
	epochs, err := s.Epochs()
	if err != nil {
		return nil, err
	}
	out := make([]Found, 0, len(epochs))
	usable := 0
	for _, e := range epochs {
		f := Found{Epoch: e}
		if usable < 2 {
			f, err = find(ctx, s, e, jobID)
		} else {
			f.Manifest, f.Err = Read(s, e, jobID)
			if f.Err == nil {
				f.SetAside, f.Err = s.Reason(e)
			}
		}
		if err != nil {
			return nil, err
		}
		if f.usable() {
			usable++
		}
		out = append(out, f)
	}
	return out, nil
}

func find(ctx context.Context, s Storage, e state.Epoch, jobID string) (Found, error) {
	m, err := Read(s, e, jobID)
	whole := err == nil && m.Bytes() <= wholeBelow
	r, err := verify(ctx, s, e, jobID, whole)
	if err != nil {
		return Found{}, err
	}
	f := Found{Epoch: e, Manifest: r.Manifest, Err: r.Problem(), SetAside: r.SetAside}
	return f, nil
}
