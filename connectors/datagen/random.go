package datagen

import (
	"math"
	"math/bits"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/format/text"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

const (
	kindRandom   = "random"
	kindSequence = "sequence"

	maxTextLength = 1 << 20
)

var kinds = []string{kindRandom, kindSequence}

// mix is splitmix64's finaliser: a good 64-bit hash of x.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below maps a hash to [0, n).
func below(h, n uint64) uint64 {
	hi, _ := bits.Mul64(h, n)
	return hi
}

// unit maps a hash to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// newGenerator makes the generator of one field; end is how many rows a sequence has, -1 for
// no end.
func newGenerator(o connectors.Options, prefix string, t types.Type, seed uint64) (g generator, end int64, err error) {
	end = -1
	kind, err := o.Enum(prefix+".kind", kinds, kindRandom)
	if err != nil {
		return nil, end, err
	}
	rate, err := o.Float(prefix+".null-rate", 0)
	if err == nil && (rate < 0 || rate > 1 || rate > 0 && t.NotNull) {
		err = exec.Userf("option '%s.null-rate' = %v: expected 0 to 1, and 0 for a column that is NOT NULL", prefix, rate)
	}
	if err != nil {
		return nil, end, err
	}
	if kind == kindSequence {
		g, end, err = sequence(o, prefix, t)
	} else {
		g, err = random(o, prefix, t, seed)
	}
	if err != nil || rate == 0 {
		return g, end, err
	}
	value := g
	return func(v *vec.Vec, i, now int64) {
		if unit(mix(seed^0x6e756c6c+uint64(i))) < rate {
			v.AppendNull()
			return
		}
		value(v, i, now)
	}, end, nil
}

func sequence(o connectors.Options, prefix string, t types.Type) (generator, int64, error) {
	if !t.IsNumeric() && !t.IsString() {
		return nil, -1, exec.Userf("option '%s.kind': %s has no sequence, only numbers and strings have", prefix, t)
	}
	for _, key := range []string{prefix + ".start", prefix + ".end"} {
		if _, ok := o[key]; !ok {
			return nil, -1, exec.Userf("option '%s' is missing: a sequence needs a start and an end", key)
		}
	}
	first, err := o.Int(prefix+".start", 0, math.MinInt64/2, math.MaxInt64/2)
	if err != nil {
		return nil, -1, err
	}
	last, err := o.Int(prefix+".end", 0, first, math.MaxInt64/2)
	if err != nil {
		return nil, -1, err
	}
	var buf []byte
	return func(v *vec.Vec, i, _ int64) {
		if t.IsString() {
			buf = text.AppendDecimal(buf[:0], dec128(first+i), 0)
			v.AppendBytes(buf)
			return
		}
		appendNumber(v, t, first+i)
	}, last - first + 1, nil
}

func dec128(i int64) vec.Dec128 { return vec.Dec128{Lo: uint64(i), Hi: i >> 63} }

// appendNumber appends a whole number, cut to the type.
func appendNumber(v *vec.Vec, t types.Type, i int64) {
	switch t.Kind {
	case types.TinyInt:
		vec.Append(v, int8(i))
	case types.SmallInt:
		vec.Append(v, int16(i))
	case types.Int:
		vec.Append(v, int32(i))
	case types.BigInt:
		vec.Append(v, i)
	case types.Float:
		vec.Append(v, float32(i))
	case types.Double:
		vec.Append(v, float64(i))
	case types.Decimal:
		d, st := text.Decimal(text.AppendDecimal(nil, dec128(i), 0), t.Precision, t.Scale)
		if st != text.DecimalOK {
			v.AppendNull() // does not fit
			return
		}
		vec.Append(v, d)
	}
}

func random(o connectors.Options, prefix string, t types.Type, seed uint64) (generator, error) {
	switch {
	case t.IsInteger():
		return randomInteger(o, prefix, t, seed)
	case t.Kind == types.Float, t.Kind == types.Double, t.Kind == types.Decimal:
		return randomNumber(o, prefix, t, seed)
	case t.IsString(), t.IsBinary():
		return randomText(o, prefix, t, seed)
	case t.IsTimestamp():
		past, err := o.Duration(prefix+".max-past", 0)
		units := t.UnitsPerSecond()
		return func(v *vec.Vec, i, now int64) {
			vec.Append(v, (now-int64(below(mix(seed+uint64(i)), uint64(past.Milliseconds())+1)))*(units/1000))
		}, err
	}
	switch t.Kind {
	case types.Boolean:
		return func(v *vec.Vec, i, _ int64) { v.AppendBool(mix(seed+uint64(i))>>63 == 1) }, nil
	case types.Date:
		return func(v *vec.Vec, _, now int64) { vec.Append(v, int32(now/86_400_000)) }, nil
	case types.Time:
		return func(v *vec.Vec, _, now int64) { vec.Append(v, int32(now%86_400_000)) }, nil
	case types.IntervalYearMonth:
		return func(v *vec.Vec, i, _ int64) { vec.Append(v, int32(below(mix(seed+uint64(i)), 120_000))) }, nil
	case types.IntervalDayTime:
		return func(v *vec.Vec, i, _ int64) { vec.Append(v, int64(mix(seed+uint64(i))>>24)) }, nil
	case types.Array, types.Multiset, types.Map, types.Row:
		return randomNested(o, prefix, t, seed)
	}
	return nil, exec.Userf("%s: 'datagen' cannot make values of type %s", prefix, t)
}

func randomInteger(o connectors.Options, prefix string, t types.Type, seed uint64) (generator, error) {
	width := t.Physical().Width() * 8
	least, most := int64(-1)<<(width-1), int64(1)<<(width-1)-1
	lo, err := o.Int(prefix+".min", least, least, most)
	if err != nil {
		return nil, err
	}
	hi, err := o.Int(prefix+".max", most, lo, most)
	if err != nil {
		return nil, err
	}
	n := uint64(hi-lo) + 1 // 0: all 64 bits
	return func(v *vec.Vec, i, _ int64) {
		h := mix(seed + uint64(i))
		if n != 0 {
			h = below(h, n)
		}
		appendNumber(v, t, lo+int64(h))
	}, nil
}

func randomNumber(o connectors.Options, prefix string, t types.Type, seed uint64) (generator, error) {
	least, most := -math.MaxFloat64/2, math.MaxFloat64/2
	switch t.Kind {
	case types.Float:
		least, most = -math.MaxFloat32, math.MaxFloat32
	case types.Decimal:
		most = math.Pow10(t.Precision-t.Scale) - math.Pow10(-t.Scale)
		least = -most
	}
	lo, err := o.Float(prefix+".min", least)
	if err != nil {
		return nil, err
	}
	hi, err := o.Float(prefix+".max", most)
	if err == nil && !(lo >= least && hi <= most && lo <= hi) {
		err = exec.Userf("options '%s.min' = %v and '.max' = %v: expected a range inside of %v to %v", prefix, lo, hi, least, most)
	}
	if err != nil {
		return nil, err
	}
	var buf []byte
	return func(v *vec.Vec, i, _ int64) {
		f := lo + unit(mix(seed+uint64(i)))*(hi-lo)
		switch t.Kind {
		case types.Float:
			vec.Append(v, float32(f))
		case types.Double:
			vec.Append(v, f)
		default:
			buf = text.AppendFloat(buf[:0], f, 64)
			d, st := text.Decimal(buf, t.Precision, t.Scale)
			if st != text.DecimalOK { // rounded up to one digit more
				d = vec.Dec128{}
			}
			vec.Append(v, d)
		}
	}, nil
}

func randomText(o connectors.Options, prefix string, t types.Type, seed uint64) (generator, error) {
	def := int64(min(t.Length, 100))
	if t.Length != types.MaxLength {
		def = int64(min(t.Length, maxTextLength))
	}
	n, err := o.Int(prefix+".length", def, 0, int64(min(t.Length, maxTextLength)))
	if err != nil {
		return nil, err
	}
	vary, err := o.Bool(prefix+".var-len", false)
	if err != nil {
		return nil, err
	}
	width := 8 // of a hash that go into one byte of text
	if t.IsString() {
		width = 4
	}
	var buf []byte
	return func(v *vec.Vec, i, _ int64) {
		size, h := n, mix(seed+uint64(i))
		if vary && n > 0 {
			size = 1 + int64(below(mix(h^0x6c656e), uint64(n)))
		}
		buf = buf[:0]
		for word, left := uint64(0), 0; int64(len(buf)) < size; left-- {
			if left == 0 {
				h = mix(h)
				word, left = h, 64/width
			}
			if t.IsString() {
				buf = append(buf, "0123456789abcdef"[word&15])
			} else {
				buf = append(buf, byte(word))
			}
			word >>= width
		}
		v.AppendBytes(buf)
	}, nil
}

// randomNested makes containers; element j of row i is value i*length+j of the element's generator.
func randomNested(o connectors.Options, prefix string, t types.Type, seed uint64) (generator, error) {
	type part struct {
		name string
		typ  types.Type
	}
	var parts []part
	switch t.Kind {
	case types.Array:
		parts = []part{{".element", *t.Elem}}
	case types.Multiset:
		parts = []part{{".element", *t.Elem}}
	case types.Map:
		parts = []part{{".key", *t.Key}, {".value", *t.Elem}}
	default:
		for _, f := range t.Fields {
			parts = append(parts, part{"." + f.Name, f.Type})
		}
	}
	gens := make([]generator, len(parts))
	for i, p := range parts {
		g, end, err := newGenerator(o, prefix+p.name, p.typ, mix(seed+uint64(i)+1))
		if err != nil {
			return nil, err
		}
		if end >= 0 && t.Kind != types.Row {
			return nil, exec.Userf("option '%s%s.kind': elements cannot be a sequence", prefix, p.name)
		}
		gens[i] = g
	}
	if t.Kind == types.Row {
		return func(v *vec.Vec, i, now int64) {
			for k, g := range gens {
				g(&v.Kids[k], i, now)
			}
			v.AppendOpen()
		}, nil
	}
	n, err := o.Int(prefix+".length", 3, 0, maxTextLength)
	return func(v *vec.Vec, i, now int64) {
		for j := range n {
			for k, g := range gens {
				g(&v.Kids[k], i*n+j, now)
			}
			if t.Kind == types.Multiset {
				vec.Append(&v.Kids[1], int32(1+below(mix(seed^uint64(i*n+j)), 10)))
			}
		}
		v.AppendOpen()
	}, err
}
