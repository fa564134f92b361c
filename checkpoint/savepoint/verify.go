package savepoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/stf"
)

// Report is what Verify found.
type Report struct {
	Location string
	Manifest *checkpoint.Manifest // nil: it cannot be read
	Err      error                // of the manifest
	Files    []FileReport
	// Others are files in the place that are not the savepoint's. They do no harm, but it
	// cannot be disposed of.
	Others []string
}

// FileReport is what Verify found about one file.
type FileReport struct {
	Name       string
	Rows, Size int64 // as the manifest says
	Err        error
}

// Problem joins everything that is wrong, or is nil.
func (r *Report) Problem() error {
	errs := []error{r.Err}
	for _, f := range r.Files {
		errs = append(errs, f.Err)
	}
	return errors.Join(errs...)
}

// Verify reads a savepoint as a whole: every checksum, every count, every row. The error is
// about reading as such, not about what was read.
func Verify(ctx context.Context, place checkpoint.Place) (*Report, error) {
	r := &Report{Location: place.Location()}
	if r.Manifest, r.Err = Read(place); r.Err != nil {
		return r, nil
	}
	m := r.Manifest
	for _, f := range m.Rows {
		r.Files = append(r.Files, FileReport{Name: f.Name, Rows: f.Rows, Size: f.Size, Err: verifyRows(ctx, place, m, f)})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	for _, f := range m.Files {
		r.Files = append(r.Files, FileReport{Name: f.Name, Rows: f.Entries, Size: f.Size, Err: verifyFile(ctx, place, f)})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	names, err := place.Names()
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if n != ManifestName && !slices.ContainsFunc(r.Files, func(f FileReport) bool { return f.Name == n }) {
			r.Others = append(r.Others, n)
		}
	}
	slices.Sort(r.Others)
	return r, nil
}

func verifyRows(ctx context.Context, place checkpoint.Place, m *checkpoint.Manifest, f checkpoint.RowFile) error {
	r, err := openRows(place, m, f)
	if err != nil {
		return err
	}
	for r.Next() {
		if r.count%batchRows == 0 && ctx.Err() != nil {
			break
		}
	}
	return errors.Join(r.Err(), r.close())
}

func verifyFile(ctx context.Context, place checkpoint.Place, f state.File) error {
	r, err := stf.Open(place, f)
	if err != nil {
		return err
	}
	return errors.Join(r.Verify(ctx, f), r.Close())
}

// Write prints the result for people.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	bad, rows, size := 0, int64(0), int64(0)
	for _, f := range r.Files {
		rows, size = rows+f.Rows, size+f.Size
		if f.Err != nil {
			bad++
			fmt.Fprintf(&b, "  BAD %v\n", f.Err)
		}
	}
	switch {
	case r.Err != nil:
		fmt.Fprintf(&b, "savepoint in %s: BAD\n  %v\n", r.Location, r.Err)
	case bad > 0:
		fmt.Fprintf(&b, "savepoint in %s: BAD, %d of %d files are damaged\n", r.Location, bad, len(r.Files))
	default:
		fmt.Fprintf(&b, "savepoint in %s: ok, %s, manifest and %d files, %d rows, %s read and checked\n",
			r.Location, r.Manifest.Layout, len(r.Files), rows, checkpoint.FormatSize(size))
	}
	if len(r.Others) > 0 {
		fmt.Fprintf(&b, "  files that are not the savepoint's: %s\n", strings.Join(r.Others, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
