package savepoint

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// Copy copies a savepoint, file by file, into an empty place. What it reads is checked against
// the sizes and checksums of the manifest; nothing is left at the destination after an error.
// progress, when not nil, is called with the bytes copied so far.
func Copy(ctx context.Context, from, to checkpoint.Place, progress func(bytes int64)) (*checkpoint.Manifest, error) {
	m, err := Read(from)
	if err != nil {
		return nil, err
	}
	if err := wantEmpty(to); err != nil {
		return nil, err
	}
	w := &writer{dst: to, m: m, opt: Options{Progress: func(_, n int64) {
		if progress != nil {
			progress(n)
		}
	}}}
	if err := w.copyFiles(ctx, from); err != nil {
		return nil, errors.Join(fmt.Errorf("copy to %s: %w", to.Location(), err), w.undo())
	}
	return m, nil
}

func (w *writer) copyFiles(ctx context.Context, from checkpoint.Place) error {
	for _, f := range w.m.Rows {
		if err := w.copyFile(ctx, from, f.Name, f.Size, f.CRC32C); err != nil {
			return err
		}
	}
	for _, f := range w.m.Files {
		if err := w.copyFile(ctx, from, f.Name, f.Size, f.CRC32C); err != nil {
			return err
		}
	}
	return w.publish(ctx)
}

func (w *writer) copyFile(ctx context.Context, from checkpoint.Place, name string, size int64, crc uint32) error {
	r, err := from.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	if r.Size() != size {
		return fmt.Errorf("%s/%s: %w: it has %d bytes, the manifest says %d", from.Location(), name, checkpoint.ErrCorrupt, r.Size(), size)
	}
	fw, err := w.create(name)
	if err != nil {
		return err
	}
	defer fw.Abort()
	src := io.NewSectionReader(r, 0, size)
	buf := make([]byte, 1<<20)
	var sum uint32
	for n := int64(0); n < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), size-n)]
		if _, err := io.ReadFull(src, b); err != nil {
			return fmt.Errorf("%s/%s: %w", from.Location(), name, err)
		}
		sum = crc32.Update(sum, castagnoli, b)
		if _, err := fw.Write(b); err != nil {
			return err
		}
		n += int64(len(b))
		w.progress(0, n)
	}
	if sum != crc {
		return fmt.Errorf("%s/%s: %w: its CRC32C is %08x, the manifest says %08x", from.Location(), name, checkpoint.ErrCorrupt, sum, crc)
	}
	w.nbytes += size
	return fw.Commit()
}

// Dispose deletes a savepoint, its manifest first, or what is left of one that was never
// completed. It refuses a place that holds anything else.
func Dispose(place checkpoint.Place) error {
	names, err := place.Names()
	if err != nil {
		return err
	}
	ours := false
	for _, n := range names {
		if n != ManifestName && !dataName.MatchString(n) {
			return fmt.Errorf("%s holds %q, which is not a savepoint's; nothing is deleted: remove it or delete the directory by hand", place.Location(), n)
		}
		ours = true
	}
	if !ours {
		return fmt.Errorf("%w in %s: it is empty or does not exist", ErrNone, place.Location())
	}
	if err := place.Remove(ManifestName); err != nil {
		return err
	}
	return place.Delete()
}
