package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
	"github.com/sqlstream/sqlstream/state"
)

// writer is one subtask of a sink.
type writer struct {
	table string
	rows  *rows
	out   *outlet
	wait  bool // barriers wait for acknowledgements
}

func (w *writer) Write(ctx context.Context, b *vec.Batch) error {
	if err := w.out.release(ctx); err != nil {
		return w.where(err)
	}
	w.rows.bind(b)
	// The client stamps records that have no time, one clock call each; one a batch will do.
	now := time.Now().Truncate(time.Millisecond)
	for i := range b.Len() {
		row := b.Row(i)
		kind := b.Kind(row)
		switch {
		case kind == vec.Insert:
		case !w.rows.upsert:
			return fmt.Errorf("kafka topic %s, table %s: internal error: a %s row reached an append-only sink", w.out.topic, w.table, vec.KindText(kind))
		case kind == vec.UpdateBefore:
			continue // the row after it has the same key
		}
		s, err := w.out.slot(ctx)
		if err != nil {
			return w.where(err)
		}
		r := kgo.Record{Timestamp: now}
		if s.buf, err = w.rows.encode(s.buf, &r, row, kind); err != nil {
			return fmt.Errorf("table %s: %w", w.table, err)
		}
		r.Partition = w.rows.hint(&r, w.out.sub)
		w.out.commit(s, r)
	}
	if w.out.until == nil {
		// Nothing is kept for later: the barrier finds little to wait for.
		return w.where(w.out.pass(ctx))
	}
	return nil
}

func (w *writer) where(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("kafka topic %s, table %s: %w", w.out.topic, w.table, err)
}

func (w *writer) Barrier(ctx context.Context, e state.Epoch) error {
	if !w.wait {
		return w.where(w.out.pass(ctx))
	}
	return w.where(w.out.barrier(ctx, func() decided { return w.out.group.decision(e) }))
}

// closeTimeout bounds how long a writer waits at its end for what it has sent.
const closeTimeout = 10 * time.Second

// Close waits for what is on its way when no transaction decides about it: a bounded job
// without checkpoints ends without a barrier.
func (w *writer) Close() error {
	if w.out.plain == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return w.where(w.out.flush(ctx))
}

// rows encodes rows as records.
type rows struct {
	upsert         bool
	key, value     format.Encoder
	noKey, noValue format.Nuller // nil where key or value cannot be NULL
	keyAt, valueAt []int         // columns of a batch
	keys, values   vec.Batch
	headers, time  *metaOut
	batch          *vec.Batch
	partitioner    string
	round          int32
}

// metaOut is a metadata column that INSERT writes.
type metaOut struct {
	at  int
	t   types.Type
	loc *time.Location
}

func newRows(cfg *tableConfig, env connectors.Env) (*rows, error) {
	r := &rows{upsert: cfg.upsert, keyAt: cfg.key.columns, valueAt: cfg.value.columns, partitioner: cfg.partitioner}
	var err error
	if r.value, err = cfg.value.format.NewEncoder(cfg.value.schema, cfg.value.options, env); err != nil {
		return nil, fmt.Errorf("table %s, 'format' = '%s': %w", cfg.table.Name, cfg.value.format.Name(), err)
	}
	if cfg.key.format != nil {
		if r.key, err = cfg.key.format.NewEncoder(cfg.key.schema, cfg.key.options, env); err != nil {
			return nil, fmt.Errorf("table %s, 'key.format' = '%s': %w", cfg.table.Name, cfg.key.format.Name(), err)
		}
	}
	r.noKey, _ = r.key.(format.Nuller)
	r.noValue, _ = r.value.(format.Nuller)
	loc := time.UTC
	if env.TimeZone != "" {
		if loc, err = time.LoadLocation(env.TimeZone); err != nil {
			return nil, exec.Userf("time zone %s: %w", env.TimeZone, err)
		}
	}
	at := len(cfg.table.Physical)
	for _, m := range cfg.table.Metadata {
		if m.Virtual {
			continue
		}
		switch m.Key {
		case "headers":
			r.headers = &metaOut{at: at, t: m.Type}
		case "timestamp":
			r.time = &metaOut{at: at, t: m.Type, loc: loc}
		}
		at++
	}
	return r, nil
}

// bind makes views of the batch's columns as key and value see them.
func (r *rows) bind(b *vec.Batch) {
	r.batch = b
	view(&r.values, b, r.valueAt)
	view(&r.keys, b, r.keyAt)
}

func view(v, b *vec.Batch, at []int) {
	v.N, v.Sel, v.Kinds, v.Cols = b.N, b.Sel, b.Kinds, v.Cols[:0]
	for _, i := range at {
		v.Cols = append(v.Cols, b.Cols[i])
	}
}

// encode appends key and value of a row to buf and points r at them.
func (r *rows) encode(buf []byte, rec *kgo.Record, row int, kind vec.Kind) ([]byte, error) {
	var err error
	start := len(buf)
	if r.key != nil {
		if buf, err = r.key.Encode(buf, &r.keys, row); err != nil {
			return buf[:start], err
		}
	}
	mid := len(buf)
	if !r.upsert || kind != vec.Delete {
		if r.noValue == nil || !r.noValue.Null(&r.values, row) {
			if buf, err = r.value.Encode(buf, &r.values, row); err != nil {
				return buf[:start], err
			}
			rec.Value = notNil(buf[mid:len(buf):len(buf)])
		}
	}
	if r.key != nil && (r.noKey == nil || !r.noKey.Null(&r.keys, row)) {
		rec.Key = notNil(buf[start:mid:mid]) // cut out last, as the buffer may have moved
	}
	if h := r.headers; h != nil && !r.batch.Cols[h.at].IsNull(row) {
		rec.Headers = headersOf(&r.batch.Cols[h.at], row)
	}
	if t := r.time; t != nil && !r.batch.Cols[t.at].IsNull(row) {
		rec.Timestamp = timeOf(&r.batch.Cols[t.at], row, t)
	}
	return buf, nil
}

// notNil makes no bytes an empty text, which is not NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func headersOf(v *vec.Vec, row int) []kgo.RecordHeader {
	var out []kgo.RecordHeader
	for i := int(v.Off[row]); i < int(v.Off[row+1]); i++ {
		h := kgo.RecordHeader{Key: string(v.Kids[0].Bytes(i))}
		if !v.Kids[1].IsNull(i) {
			h.Value = append([]byte{}, v.Kids[1].Bytes(i)...)
		}
		out = append(out, h)
	}
	return out
}

// timeOf is the record time of a TIMESTAMP_LTZ, or of a TIMESTAMP in the session's zone.
func timeOf(v *vec.Vec, row int, m *metaOut) time.Time {
	per := m.t.UnitsPerSecond()
	x := vec.Values[int64](v)[row]
	sec, frac := x/per, x%per
	if frac < 0 {
		sec, frac = sec-1, frac+per
	}
	t := time.Unix(sec, frac*(1_000_000_000/per))
	if m.t.Kind != types.Timestamp {
		return t
	}
	u := t.UTC()
	return time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), u.Nanosecond(), m.loc)
}

// hint is the number from which the record's partition is taken, modulo how many there are.
func (r *rows) hint(rec *kgo.Record, subtask int) int32 {
	switch {
	case r.partitioner == "fixed":
		return int32(subtask)
	case r.partitioner == "round-robin":
		r.round = (r.round + 1) & 0x7fffffff
		return r.round
	case rec.Key != nil:
		return keyHash(rec.Key)
	}
	// Without a key: as Kafka's, the same partition for a while, so that batches fill.
	r.round = (r.round + 1) & 0x7fffffff
	return r.round/stickyRecords + int32(subtask)
}

// stickyRecords is how many records without key go to one partition in a row.
const stickyRecords = 128
