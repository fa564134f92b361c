package topics

import (
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// From is a place in every partition of a topic to start at.
type From struct {
	kind  fromKind
	value int64
}

type fromKind uint8

const (
	fromEarliest fromKind = iota
	fromLatest
	fromOffset // value
	fromMilli  // value: the first record at that time or later
)

// Earliest and Latest are the ends of a topic.
var (
	Earliest = From{kind: fromEarliest}
	Latest   = From{kind: fromLatest}
)

// ParseFrom reads earliest, latest, an offset, or a time (RFC 3339, or @ and milliseconds
// since 1970).
func ParseFrom(s string) (From, error) {
	switch s {
	case "earliest":
		return Earliest, nil
	case "latest":
		return Latest, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return From{fromOffset, n}, nil
	}
	if len(s) > 1 && s[0] == '@' {
		if n, err := strconv.ParseInt(s[1:], 10, 64); err == nil {
			return From{fromMilli, n}, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return From{fromMilli, t.UnixMilli()}, nil
	}
	return From{}, fmt.Errorf("'%s' is no place in a topic, expected earliest, latest, an offset such as 42, a time such as 2024-02-29T12:00:00Z, or @ and milliseconds", s)
}

func (f From) offset() kgo.Offset {
	o := kgo.NewOffset()
	switch f.kind {
	case fromLatest:
		return o.AtEnd()
	case fromOffset:
		return o.At(f.value)
	case fromMilli:
		return o.AfterMilli(f.value)
	}
	return o.AtStart()
}
