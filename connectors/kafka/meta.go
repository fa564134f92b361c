package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// setter appends a record's metadata to a column.
type setter func(r *kgo.Record, v *vec.Vec)

// metaSetter returns how a metadata column is filled, nil when its type cannot take it. loc
// is the session's zone for TIMESTAMP columns without zone.
func metaSetter(m connectors.MetaColumn, loc *time.Location) setter {
	switch m.Key {
	case "topic":
		if m.Type.IsString() {
			return func(r *kgo.Record, v *vec.Vec) { v.AppendString(r.Topic) }
		}
	case "partition":
		return intSetter(m.Type, types.Int, func(r *kgo.Record) (int64, bool) { return int64(r.Partition), true })
	case "offset":
		return intSetter(m.Type, types.BigInt, func(r *kgo.Record) (int64, bool) { return r.Offset, true })
	case "leader-epoch":
		return intSetter(m.Type, types.Int, func(r *kgo.Record) (int64, bool) { return int64(r.LeaderEpoch), r.LeaderEpoch >= 0 })
	case "headers":
		if m.Type.Kind == types.Map && m.Type.Key.IsString() && m.Type.Elem.IsBinary() {
			return appendHeaders
		}
	case "timestamp":
		return timestampSetter(m.Type, loc)
	case "timestamp-type":
		if m.Type.IsString() {
			return func(r *kgo.Record, v *vec.Vec) { v.AppendString(timestampType(r)) }
		}
	}
	return nil
}

// intSetter fills INT and BIGINT columns, at least as wide as the metadata's own type.
func intSetter(t types.Type, least types.Kind, get func(*kgo.Record) (int64, bool)) setter {
	if t.Kind < least {
		return nil
	}
	switch t.Kind {
	case types.Int:
		return func(r *kgo.Record, v *vec.Vec) {
			if x, ok := get(r); ok {
				vec.Append(v, int32(x))
			} else {
				v.AppendNull()
			}
		}
	case types.BigInt:
		return func(r *kgo.Record, v *vec.Vec) {
			if x, ok := get(r); ok {
				vec.Append(v, x)
			} else {
				v.AppendNull()
			}
		}
	}
	return nil
}

func timestampSetter(t types.Type, loc *time.Location) setter {
	perMilli := int64(1)
	if t.IsTimestamp() {
		perMilli = t.UnitsPerSecond() / 1000
	}
	switch t.Kind {
	case types.TimestampLTZ:
		return func(r *kgo.Record, v *vec.Vec) { vec.Append(v, r.Timestamp.UnixMilli()*perMilli) }
	case types.Timestamp:
		if loc == nil {
			loc = time.UTC
		}
		return func(r *kgo.Record, v *vec.Vec) {
			_, offset := r.Timestamp.In(loc).Zone()
			vec.Append(v, (r.Timestamp.UnixMilli()+int64(offset)*1000)*perMilli)
		}
	}
	return nil
}

// appendHeaders fills a MAP; of headers with the same key the last one counts, as in a Java map.
func appendHeaders(r *kgo.Record, v *vec.Vec) {
	for i, h := range r.Headers {
		last := true
		for _, later := range r.Headers[i+1:] {
			last = last && later.Key != h.Key
		}
		if !last {
			continue
		}
		v.Kids[0].AppendString(h.Key)
		if h.Value == nil {
			v.Kids[1].AppendNull()
		} else {
			v.Kids[1].AppendBytes(h.Value)
		}
	}
	v.AppendOpen()
}

func timestampType(r *kgo.Record) string {
	switch r.Attrs.TimestampType() {
	case 0:
		return "CreateTime"
	case 1:
		return "LogAppendTime"
	}
	return "NoTimestampType"
}
