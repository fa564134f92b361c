package evolve

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"

	"github.com/sqlstream/sqlstream/sql/types"
)

// sum is an aggregate at work on the different values of one group.
type sum struct {
	derivation
	was    types.Type // of the value in keys
	n      int64
	int    int64
	f32    float32
	f64    float64
	dec    decimal
	best   []byte
	key    []byte
	image  []byte
	better func(c int) bool
}

func newSum(d derivation, was types.Type) (*sum, error) {
	s := &sum{derivation: d, was: was, image: make([]byte, d.to.Size)}
	switch d.fn {
	case "", "COUNT", "SUM", "AVG":
	case "MIN":
		s.better = func(c int) bool { return c < 0 }
	case "MAX":
		s.better = func(c int) bool { return c > 0 }
	default:
		return nil, errors.New("no way to make " + d.to.Name + " of different values")
	}
	return s, nil
}

func (s *sum) reset() {
	s.n, s.int, s.f32, s.f64, s.dec, s.best = 0, 0, 0, 0, decimal{}, s.best[:0]
}

// add counts an entry in, if its counters or bits say that it is there.
func (s *sum) add(entry, value []byte) error {
	there := false
	for _, u := range s.uses {
		if u.Kind == slotSeen {
			there = there || entry[u.Offset]>>u.Bit&1 != 0
		} else {
			there = there || binary.LittleEndian.Uint64(entry[u.Offset:]) != 0
		}
	}
	if !there {
		return nil
	}
	s.n++
	if s.fn == "" || s.fn == "COUNT" {
		return nil
	}
	var rest []byte
	var err error
	if s.key, rest, err = widenKey(s.key[:0], s.was, s.is, value); err != nil {
		return err
	}
	if len(rest) > 0 || s.key[0] == tagNull {
		return errors.New("a table of values has an entry that is no value: the snapshot is damaged")
	}
	if s.better != nil {
		if len(s.best) == 0 || s.better(compareKeys(s.is, s.key, s.best)) {
			s.best = append(s.best[:0], s.key...)
		}
		return nil
	}
	first := s.n == 1 && !s.zero
	switch x := s.key[1:]; {
	case s.is.IsInteger():
		s.int += keyInt(s.is, x)
	case s.is.Kind == types.Float:
		if s.f32 += keyFloat(x); first {
			s.f32 = keyFloat(x)
		}
	case s.is.Kind == types.Double:
		if s.f64 += keyDouble(x); first {
			s.f64 = keyDouble(x)
		}
	default:
		s.dec = s.dec.add(keyDecimal(s.is, x))
	}
	return nil
}

// compareKeys orders two values by their key form, strings by their bytes.
func compareKeys(t types.Type, a, b []byte) int {
	if t.Physical() == types.PhysBytes {
		_, v := binary.Uvarint(a[1:])
		_, w := binary.Uvarint(b[1:])
		return bytes.Compare(a[1+v:], b[1+w:])
	}
	return bytes.Compare(a, b)
}

// result is the slot, and what lies behind the fixed part.
func (s *sum) result() (image, tail []byte) {
	clear(s.image)
	last := s.image[len(s.image)-8:]
	binary.LittleEndian.PutUint64(last, uint64(s.n))
	switch {
	case s.better != nil:
		return s.image, s.best
	case len(s.image) == 8:
	case s.is.IsInteger():
		binary.LittleEndian.PutUint64(s.image, uint64(s.int))
	case s.is.Kind == types.Float:
		binary.LittleEndian.PutUint32(s.image, math.Float32bits(s.f32))
	case s.is.Kind == types.Double:
		binary.LittleEndian.PutUint64(s.image, math.Float64bits(s.f64))
	default:
		s.dec.put(s.image)
	}
	return s.image, nil
}
