package stores_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/sqlstream/sqlstream/checkpoint"
	"github.com/sqlstream/sqlstream/checkpoint/stores"
	"github.com/sqlstream/sqlstream/state"
)

// must stops at an error that a step must not have.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, expected %v", err, target)
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b) // never fails
	return b
}

func write(t *testing.T, f state.Files, name string, b []byte) {
	t.Helper()
	w, err := f.Create(name)
	must(t, err)
	defer w.Abort()
	for chunk := range slices.Chunk(b, 100_001) {
		_, err := w.Write(chunk)
		must(t, err)
	}
	must(t, w.Commit())
}

func read(t *testing.T, f state.Files, name string) []byte {
	t.Helper()
	r, err := f.Open(name)
	must(t, err)
	b := make([]byte, r.Size())
	if n, err := r.ReadAt(b, 0); n < len(b) {
		t.Fatalf("%s: %d of %d bytes: %v", name, n, len(b), err)
	}
	must(t, r.Close())
	return b
}

func sorted(t *testing.T, names []string, err error) []string {
	t.Helper()
	must(t, err)
	slices.Sort(names)
	return names
}

func TestAnEmptyStorageHasNothing(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		for _, o := range []checkpoint.DirOptions{{}, {Owner: true}} {
			s := open(t, uri, opts, o)
			if names, err := s.Names(); len(names) > 0 || err != nil {
				t.Fatal(names, err)
			}
			if epochs, err := s.Epochs(); len(epochs) > 0 || err != nil {
				t.Fatal(epochs, err)
			}
			_, err := s.Get(1)
			want(t, err, fs.ErrNotExist)
			_, err = s.Open("a.stf")
			want(t, err, fs.ErrNotExist)
			if reason, err := s.Reason(1); reason != "" || err != nil {
				t.Fatal(reason, err)
			}
			must(t, s.Remove("a.stf"))
			must(t, s.Delete(1))
		}
	})
}

func TestAStateFileIsThereWhenItIsCommittedAndNotBefore(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		s := owner(t, uri, opts)
		w, err := s.Create("a.stf")
		must(t, err)
		_, err = w.Write([]byte("some bytes"))
		must(t, err)
		_, err = s.Open("a.stf")
		want(t, err, fs.ErrNotExist)
		if names, err := s.Names(); len(names) > 0 || err != nil {
			t.Fatal(names, err)
		}
		must(t, w.Commit())
		w.Abort() // does nothing any more
		if w.Commit() == nil {
			t.Fatal("it can be committed twice")
		}
		if got := read(t, s, "a.stf"); string(got) != "some bytes" {
			t.Fatalf("%q", got)
		}
		_, err = s.Create("a.stf")
		want(t, err, fs.ErrExist)

		w, err = s.Create("b.stf")
		must(t, err)
		_, err = w.Write([]byte("dropped"))
		must(t, err)
		w.Abort()
		if names, err := s.Names(); !slices.Equal(names, []string{"a.stf"}) || err != nil {
			t.Fatal(names, err)
		}
		write(t, s, "b.stf", nil) // an empty one, at the second attempt
		if got := read(t, s, "b.stf"); len(got) != 0 {
			t.Fatalf("%q", got)
		}
		must(t, s.Remove("a.stf"))
		must(t, s.Remove("a.stf"))
		_, err = s.Open("a.stf")
		want(t, err, fs.ErrNotExist)
		for _, bad := range []string{"", "../a.stf", "x/a.stf", "a", ".a.stf"} {
			if _, err := s.Create(bad); err == nil {
				t.Errorf("%q is accepted as a name", bad)
			}
		}
	})
}

func TestALargeFileIsReadBackFromAnywhere(t *testing.T) {
	content := noise(21<<20 + 12345) // two parts and a bit
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		s := owner(t, uri, opts)
		write(t, s, "large.stf", content)
		if got := read(t, s, "large.stf"); !bytes.Equal(got, content) {
			t.Fatal("the content is another")
		}
		r, err := s.Open("large.stf")
		must(t, err)
		defer r.Close()
		if r.Size() != int64(len(content)) {
			t.Fatalf("%d bytes, expected %d", r.Size(), len(content))
		}
		var readers sync.WaitGroup
		for seed := range uint64(3) {
			readers.Go(func() {
				rng := rand.New(rand.NewPCG(seed, 7))
				for range 60 {
					off := rng.IntN(len(content))
					b := make([]byte, rng.IntN(70_000))
					n, err := r.ReadAt(b, int64(off))
					if !bytes.Equal(b[:n], content[off:off+n]) || n < len(b) && (off+n < len(content) || !errors.Is(err, io.EOF)) {
						t.Errorf("%d bytes at %d: %d, %v", len(b), off, n, err)
					}
				}
			})
		}
		readers.Wait()
		if n, err := r.ReadAt(make([]byte, 5), r.Size()); n != 0 || !errors.Is(err, io.EOF) {
			t.Fatal(n, err)
		}
		must(t, s.Remove("large.stf"))
	})
}

func TestAManifestIsWrittenOnce(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		s := owner(t, uri, opts)
		for _, e := range []state.Epoch{2, 10, 9} {
			must(t, s.Put(e, fmt.Appendf(nil, "manifest %d", e)))
		}
		want(t, s.Put(9, []byte("another")), fs.ErrExist)
		if b, err := s.Get(9); string(b) != "manifest 9" || err != nil {
			t.Fatalf("%q, %v", b, err)
		}
		if epochs, err := s.Epochs(); !slices.Equal(epochs, []state.Epoch{10, 9, 2}) || err != nil {
			t.Fatal(epochs, err)
		}
		must(t, s.SetAside(10, "its output is lost"))
		must(t, s.SetAside(10, "another reason"))
		if reason, err := s.Reason(10); reason != "its output is lost" || err != nil {
			t.Fatalf("%q, %v", reason, err)
		}
		for _, e := range []state.Epoch{10, 2} {
			must(t, s.Delete(e))
			must(t, s.Delete(e))
		}
		if epochs, err := s.Epochs(); !slices.Equal(epochs, []state.Epoch{9}) || err != nil {
			t.Fatal(epochs, err)
		}
		_, err := s.Get(10)
		want(t, err, fs.ErrNotExist)
	})
}

func TestACheckpointThatIsSetAsideIsNotPublished(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		if uri[0] == '/' || uri[:4] == "file" || uri[:2] == "s3" {
			t.Skip("only HDFS publishes by the rename of a directory; elsewhere the job's lock and the epochs see to it")
		}
		s := owner(t, uri, opts)
		must(t, s.SetAside(4, "no good"))
		want(t, s.Put(4, []byte("late")), fs.ErrExist)
	})
}

func TestOfTwoIncarnationsOneWins(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		if uri[0] == '/' || uri[:4] == "file" {
			t.Skip("on a disk the lock of the job directory keeps the second one out")
		}
		first, second := owner(t, uri, opts), owner(t, uri, opts)
		for e := state.Epoch(1); e <= 25; e++ {
			var errs [2]error
			var both sync.WaitGroup
			for i, s := range []checkpoint.Storage{first, second} {
				both.Go(func() { errs[i] = s.Put(e, fmt.Appendf(nil, "of incarnation %d", i)) })
			}
			both.Wait()
			winner := slices.IndexFunc(errs[:], func(err error) bool { return err == nil })
			if winner < 0 || !errors.Is(errs[1-winner], fs.ErrExist) {
				t.Fatalf("epoch %d: %v", e, errs)
			}
			if b, err := first.Get(e); string(b) != fmt.Sprintf("of incarnation %d", winner) || err != nil {
				t.Fatalf("epoch %d: %d won, there is %q, %v", e, winner, b, err)
			}
		}
	})
}

func TestTheNextOwnerDeletesWhatACrashLeft(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		s := owner(t, uri, opts)
		must(t, s.Put(3, []byte("whole")))
		w, err := s.Create("a.stf")
		must(t, err)
		_, err = w.Write(noise(9 << 20))
		must(t, err)
		// Neither Commit nor Abort: the process is gone.
		next := owner(t, uri, opts)
		if names, err := next.Names(); len(names) > 0 || err != nil {
			t.Fatal(names, err)
		}
		if epochs, err := next.Epochs(); !slices.Equal(epochs, []state.Epoch{3}) || err != nil {
			t.Fatal(epochs, err)
		}
		write(t, next, "a.stf", []byte("new"))
		if got := read(t, next, "a.stf"); string(got) != "new" {
			t.Fatalf("%q", got)
		}
		w.Abort()
	})
}

func TestListingsAreWhole(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		s := owner(t, uri, opts)
		var files []string
		for i := range 23 {
			name := fmt.Sprintf("f%02d.stf", i)
			files = append(files, name)
			write(t, s, name, []byte("x"))
			must(t, s.Put(state.Epoch(i+1), []byte("m")))
		}
		names, err := s.Names()
		if got := sorted(t, names, err); !slices.Equal(got, files) {
			t.Fatal(got)
		}
		if epochs, err := s.Epochs(); len(epochs) != 23 || epochs[0] != 23 || err != nil {
			t.Fatal(epochs, err)
		}
	})
}

func TestFailPointsAreCalledInOrder(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		var got []string
		s := open(t, uri, opts, checkpoint.DirOptions{Owner: true, FailPoint: func(n string) { got = append(got, n) }})
		write(t, s, "a.stf", noise(300_000))
		must(t, s.Put(1, []byte("manifest")))
		if expected := slices.Concat(checkpoint.Points, checkpoint.Points[1:]); !slices.Equal(got, expected) {
			t.Fatalf("got %v, expected %v", got, expected)
		}
	})
}

func TestAPlaceHoldsFiles(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		at := stores.Join(uri, "savepoints", "savepoint-1")
		p, err := stores.Place(t.Context(), at, opts)
		must(t, err)
		defer p.Close()
		if names, err := p.Names(); len(names) > 0 || err != nil {
			t.Fatal(names, err)
		}
		must(t, p.Delete())
		write(t, p, "manifest.json", []byte("{}"))
		write(t, p, "groups.arrow", noise(1<<20))
		_, err = p.Create("groups.arrow")
		want(t, err, fs.ErrExist)
		w, err := p.Create("dropped.arrow")
		must(t, err)
		w.Abort()
		names, err := p.Names()
		if got := sorted(t, names, err); !slices.Equal(got, []string{"groups.arrow", "manifest.json"}) {
			t.Fatal(got)
		}
		if got := read(t, p, "groups.arrow"); !bytes.Equal(got, noise(1<<20)) {
			t.Fatal("the content is another")
		}
		for _, bad := range []string{"", "a/b", "../x"} {
			if _, err := p.Create(bad); err == nil {
				t.Errorf("%q is accepted as a name", bad)
			}
		}
		deeper, err := stores.Place(t.Context(), stores.Join(at, "deeper"), opts)
		must(t, err)
		defer deeper.Close()
		write(t, deeper, "other.txt", []byte("mine"))
		must(t, p.Remove("groups.arrow"))
		must(t, p.Delete())
		must(t, p.Delete())
		_, err = p.Open("manifest.json")
		want(t, err, fs.ErrNotExist)
		if got := read(t, deeper, "other.txt"); string(got) != "mine" {
			t.Fatalf("%q", got)
		}
		must(t, deeper.Delete())
		must(t, p.Delete())
		if names, err := p.Names(); len(names) > 0 || err != nil {
			t.Fatal(names, err)
		}
	})
}

func TestSeveralTasksWriteAtOnce(t *testing.T) {
	each(t, func(t *testing.T, uri string, opts map[string]string) {
		s := owner(t, uri, opts)
		var tasks sync.WaitGroup
		for i := range 8 {
			tasks.Go(func() {
				name := fmt.Sprintf("task-%d.stf", i)
				w, err := s.Create(name)
				if err != nil {
					t.Error(err)
					return
				}
				defer w.Abort()
				if _, err := w.Write(noise(100_000 + i)); err != nil {
					t.Error(err)
					return
				}
				if err := w.Commit(); err != nil {
					t.Error(err)
					return
				}
				r, err := s.Open(name)
				if err != nil {
					t.Error(err)
					return
				}
				b := make([]byte, r.Size())
				if n, err := r.ReadAt(b, 0); n < len(b) || !bytes.Equal(b, noise(100_000+i)) {
					t.Errorf("%s: %d bytes, %v", name, n, err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		tasks.Wait()
		if names, err := s.Names(); len(names) != 8 || err != nil {
			t.Fatal(names, err)
		}
	})
}
