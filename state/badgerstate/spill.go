package badgerstate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/ristretto/v2/z"
	"github.com/sqlstream/sqlstream/state"
	"github.com/sqlstream/sqlstream/state/hot"
	"github.com/sqlstream/sqlstream/state/stf"
)

const (
	memTable = 32 << 20
	// stamped is the user meta byte of values that begin with a stamp of 8 bytes.
	stamped = 1
	// bitDelete is Badger's meta byte for a deletion (stable since v1).
	bitDelete = 1
	seqBits   = 20
)

// spill is the local database and the goroutine that feeds it.
type spill struct {
	db    *badger.DB
	dir   string
	store *Store

	mu    sync.Mutex
	cond  sync.Cond
	queue []wave
	stop  bool
	done  chan struct{}
}

// wave is the rows of one sealed epoch.
type wave struct {
	epoch state.Epoch
	rows  []*hot.Rows
	done  func()
}

var _ hot.Cold = (*spill)(nil)

func (s *Store) openSpill() error {
	if err := checkFree(s.opts.Dir, s.opts.MinFree+3*memTable); err != nil {
		return err
	}
	o := badger.DefaultOptions(s.opts.Dir)
	o.SyncWrites = false // the directory is wiped at every start: there is nothing to keep
	o.DetectConflicts = false
	o.NumVersionsToKeep = 1
	o.Compression = options.None
	o.BlockCacheSize, o.IndexCacheSize = 0, 0
	o.MemTableSize = memTable
	o.NumMemtables = 2
	o.NumCompactors = 2
	o.ValueLogFileSize = 16 << 20
	o.MetricsEnabled = false
	o.Logger = badgerLog{s.opts.Log}
	db, err := badger.OpenManaged(o)
	if err != nil {
		return fmt.Errorf("state: local database in %s: %w", s.opts.Dir, err)
	}
	p := &spill{db: db, dir: s.opts.Dir, store: s, done: make(chan struct{})}
	p.cond.L = &p.mu
	s.spill = p
	go p.run()
	return nil
}

// restoreSpill builds the database from the restored files, in one sorted stream.
func (s *Store) restoreSpill() error {
	if err := checkFree(s.opts.Dir, s.opts.MinFree+3*memTable+2*restoredBytes(s.opts.Restore, s.opts.Range)); err != nil {
		return err
	}
	if err := s.openSpill(); err != nil {
		return err
	}
	w := s.spill.db.NewStreamWriter()
	if err := w.Prepare(); err != nil {
		return fmt.Errorf("state: restore into %s: %w", s.opts.Dir, err)
	}
	if err := s.stream(w); err != nil {
		w.Cancel()
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("state: restore into %s: %w", s.opts.Dir, err)
	}
	s.bulk, s.marked = true, true
	s.set.SetCold(s.spill)
	return nil
}

func (s *Store) stream(w *badger.StreamWriter) error {
	const batch = 1 << 20
	buf := z.NewBuffer(2*batch, "restore")
	defer func() { buf.Release() }()
	flush := func() error {
		if err := w.Write(buf); err != nil {
			return fmt.Errorf("state: restore into %s: %w", s.opts.Dir, err)
		}
		buf.Reset()
		return nil
	}
	for _, t := range s.merge.Tables() {
		id := stf.IDOf(t.UID, t.ID)
		it := s.merge.Iter(id, s.opts.Range)
		for it.Next() {
			if len(it.Value()) > hot.MaxEvicted {
				continue
			}
			kv := pb.KV{Key: key(nil, id, it.Group(), it.Key()), Value: it.Value(), Version: 1, StreamId: 1}
			if it.Stamp() != 0 {
				kv.Value = append(binary.BigEndian.AppendUint64(nil, uint64(it.Stamp())), it.Value()...)
				kv.UserMeta = []byte{stamped}
			}
			badger.KVToBuffer(&kv, buf)
			if buf.LenNoPadding() > batch {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		if it.Err() != nil {
			return it.Err()
		}
	}
	return flush()
}

func key(dst []byte, t stf.TableID, g state.KeyGroup, user []byte) []byte {
	dst = append(dst, t[:]...)
	dst = append(dst, byte(g>>8), byte(g))
	return append(dst, user...)
}

// enqueue hands a wave over, unless the database is closed; its done is called when it is
// applied, never if that fails.
func (p *spill) enqueue(w wave) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop {
		return false
	}
	p.queue = append(p.queue, w)
	p.cond.Signal()
	return true
}

// run applies waves in order of their epochs, one at a time.
func (p *spill) run() {
	defer close(p.done)
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.stop {
			p.cond.Wait()
		}
		if p.stop {
			p.mu.Unlock()
			return
		}
		w := p.queue[0]
		p.queue = p.queue[1:]
		p.mu.Unlock()
		if err := p.apply(w); err != nil {
			// The rows stay pinned in memory: they must not be evicted.
			p.store.fail(err)
			return
		}
		w.done()
	}
}

func (p *spill) apply(w wave) error {
	var bytes int64
	for _, r := range w.rows {
		for i := range r.Len() {
			row := r.At(i)
			bytes += int64(len(row.Key) + len(row.Value))
		}
	}
	if err := checkFree(p.dir, p.store.opts.MinFree+3*memTable+2*bytes); err != nil {
		return err
	}
	ts := uint64(w.epoch)<<seqBits | 1
	load := p.db.NewKVLoader(16)
	for _, r := range w.rows {
		for i := range r.Len() {
			row := r.At(i)
			kv := pb.KV{Key: key(nil, r.ID, row.Group, row.Key), Value: row.Value, Version: ts}
			switch {
			case row.Deleted || len(row.Value) > hot.MaxEvicted:
				// Large values would go to Badger's value log, which needs garbage collection:
				// they stay in memory.
				kv.Value, kv.Meta = nil, []byte{bitDelete}
			case row.Stamp != 0:
				kv.Value = append(binary.BigEndian.AppendUint64(nil, uint64(row.Stamp)), row.Value...)
				kv.UserMeta = []byte{stamped}
			}
			if err := load.Set(&kv); err != nil {
				return errors.Join(p.wrap(err), load.Finish())
			}
		}
	}
	if err := load.Finish(); err != nil {
		return p.wrap(err)
	}
	p.db.SetDiscardTs(ts) // only the present is ever read
	return nil
}

func (p *spill) wrap(err error) error {
	return fmt.Errorf("state: local database in %s: %w", p.dir, err)
}

// Get reads one record.
func (p *spill) Get(t stf.TableID, g state.KeyGroup, user []byte) ([]byte, int64, bool, error) {
	txn := p.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	item, err := txn.Get(key(nil, t, g, user))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, 0, false, nil
	}
	if err != nil {
		return nil, 0, false, p.wrap(err)
	}
	val, err := item.ValueCopy(nil)
	if err != nil {
		return nil, 0, false, p.wrap(err)
	}
	val, stamp, err := p.unpack(item, val)
	return val, stamp, err == nil, err
}

func (p *spill) unpack(item *badger.Item, val []byte) ([]byte, int64, error) {
	if item.UserMeta() != stamped {
		return val, 0, nil
	}
	if len(val) < 8 {
		return nil, 0, p.wrap(fmt.Errorf("the value of key %x has %d bytes, but must begin with a time stamp", item.Key(), len(val)))
	}
	return val[8:], int64(binary.BigEndian.Uint64(val)), nil
}

// Scan reads the records of a table whose keys start with prefix.
func (p *spill) Scan(t stf.TableID, prefix []byte, fn func(state.KeyGroup, []byte, []byte, int64) error) error {
	txn := p.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: t[:]})
	defer it.Close()
	visit := func(seek []byte) error {
		for it.Seek(seek); it.ValidForPrefix(seek); it.Next() {
			item := it.Item()
			err := item.Value(func(raw []byte) error {
				val, stamp, err := p.unpack(item, raw)
				if err != nil {
					return err
				}
				k := item.Key()
				return fn(state.KeyGroup(binary.BigEndian.Uint16(k[len(t):])), k[len(t)+2:], val, stamp)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	if len(prefix) == 0 {
		return visit(t[:])
	}
	var seek []byte
	for g := p.store.opts.Range.Lo; g < p.store.opts.Range.Hi; g++ {
		seek = key(seek[:0], t, g, prefix)
		if err := visit(seek); err != nil {
			return err
		}
	}
	return nil
}

func (p *spill) close() error {
	p.mu.Lock()
	p.stop = true
	p.cond.Signal()
	p.mu.Unlock()
	<-p.done
	if err := p.db.Close(); err != nil {
		return p.wrap(err)
	}
	return nil
}

// badgerLog passes Badger's warnings and errors on; its chatter is dropped.
type badgerLog struct{ log *slog.Logger }

func (l badgerLog) Errorf(f string, a ...any)   { l.put(slog.LevelError, f, a) }
func (l badgerLog) Warningf(f string, a ...any) { l.put(slog.LevelWarn, f, a) }
func (badgerLog) Infof(string, ...any)          {}
func (badgerLog) Debugf(string, ...any)         {}

func (l badgerLog) put(level slog.Level, f string, a []any) {
	if l.log != nil {
		l.log.Log(nil, level, "badger: "+strings.TrimSpace(fmt.Sprintf(f, a...)))
	}
}
