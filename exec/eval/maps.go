package eval

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sqlstream/sqlstream/exec/eval/regex"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// mapChild is MAP_KEYS (child 0) and MAP_VALUES (1).
func mapChild(child int) func(*Site) (Kernel, error) {
	return buildArray(func(f *Frame, out *vec.Vec, i int) bool {
		m := f.Args[0]
		r := m.at(i)
		span{&m.Kids[child], int(m.Off[r]), int(m.Off[r+1])}.appendTo(out)
		return true
	})
}

func keysType(a []types.Type) types.Type   { return types.ArrayT(*a[0].Key) }
func valuesType(a []types.Type) types.Type { return types.ArrayT(*a[0].Elem) }

func entriesType(a []types.Type) types.Type {
	return types.ArrayT(types.RowT(types.Field{Name: "key", Type: *a[0].Key}, types.Field{Name: "value", Type: *a[0].Elem}))
}

func mapEntries(f *Frame, out *vec.Vec, i int) bool {
	m := f.Args[0]
	r := m.at(i)
	for e := int(m.Off[r]); e < int(m.Off[r+1]); e++ {
		for k := range 2 {
			out.Kids[k].AppendFrom(&m.Kids[k], e)
		}
		out.AppendOpen()
	}
	return true
}

// entry is one entry of a map being built.
type entry struct {
	keys, values *vec.Vec
	at           int
	value        int
}

// appendEntries adds entries to the map; of equal keys the last one counts.
func appendEntries(out *vec.Vec, es []entry) {
	for i, e := range es {
		later := false
		for _, n := range es[i+1:] {
			later = later || equalRow(e.keys, e.at, n.keys, n.at)
		}
		if !later {
			out.Kids[0].AppendFrom(e.keys, e.at)
			out.Kids[1].AppendFrom(e.values, e.value)
		}
	}
}

func mapUnionRule(args []expr.Arg) (Sig, error) {
	for _, a := range args {
		if a.Type.Kind != types.Map {
			return Sig{}, mismatch("MAP_UNION", args)
		}
	}
	return commonRule(0, CommonType, func(t types.Type, a []types.Type) types.Type { return t.WithNull(anyNullable(a)) })(args)
}

func bindMapUnion(*Site) (Kernel, error) {
	return func(f *Frame) error {
		var es []entry
		return fillNested(f, func(i int) bool {
			es = es[:0]
			for _, m := range f.Args {
				r := m.at(i)
				for e := int(m.Off[r]); e < int(m.Off[r+1]); e++ {
					es = append(es, entry{&m.Kids[0], &m.Kids[1], e, e})
				}
			}
			appendEntries(f.Out, es)
			return true
		})
	}, nil
}

func mapFromArraysType(a []types.Type) types.Type { return types.MapT(*a[0].Elem, *a[1].Elem) }

func bindMapFromArrays(*Site) (Kernel, error) {
	return func(f *Frame) error {
		var es []entry
		return fillNested(f, func(i int) bool {
			k, v := f.Args[0].span(i), f.Args[1].span(i)
			if k.len() != v.len() {
				f.fail(i, "%d keys and %d values; the arrays need the same length", k.len(), v.len())
				return false
			}
			es = es[:0]
			for e := range k.len() {
				es = append(es, entry{k.kid, v.kid, k.lo + e, v.lo + e})
			}
			appendEntries(f.Out, es)
			return true
		})
	}, nil
}

// bindSplit splits a string; an empty separator gives UTF-16 units, halves of pairs as '?'.
func bindSplit(*Site) (Kernel, error) {
	return buildArray(func(f *Frame, out *vec.Vec, i int) bool {
		s, sep := f.Args[0].bytes(i), f.Args[1].bytes(i)
		if len(s) == 0 {
			return true
		}
		if len(sep) == 0 {
			for _, u := range utf16.Encode(bytes.Runes(s)) {
				if utf16.IsSurrogate(rune(u)) {
					u = '?'
				}
				out.AppendBytes(utf8.AppendRune(nil, rune(u)))
			}
			return true
		}
		for {
			k := bytes.Index(s, sep)
			if k < 0 {
				out.AppendBytes(s)
				return true
			}
			out.AppendBytes(s[:k])
			s = s[k+len(sep):]
		}
	})(nil)
}

// bindStrToMap splits at two regular expressions, ',' and '=' by default.
func bindStrToMap(s *Site) (Kernel, error) {
	compile := func(p, _ string) (*regex.Regexp, error) { return regex.Compile(p) }
	separators := func(arg int, absent string) *patterns[*regex.Regexp] {
		if arg < len(s.Args) {
			return newPatterns(s, arg, 0, compile)
		}
		re, err := compile(absent, "")
		return &patterns[*regex.Regexp]{fixed: &compiled[*regex.Regexp]{re, err}}
	}
	items, pairs := separators(1, ","), separators(2, "=")
	return func(f *Frame) error {
		var es []entry
		keys, values := vec.New(types.StringT), vec.New(types.StringT)
		return fillNested(f, func(i int) bool {
			list, err1 := items.at(argOr(f, 1), nil, i)
			pair, err2 := pairs.at(argOr(f, 2), nil, i)
			if err1 != nil || err2 != nil {
				f.fail(i, "%v", fmt.Errorf("%w %w", err1, err2))
				return false
			}
			es = es[:0]
			keys.Reset()
			values.Reset()
			text := f.Args[0].bytes(i)
			if len(text) == 0 {
				return true
			}
			for _, item := range javaSplit(list, text, 0) {
				kv := javaSplit(pair, item, 2)
				keys.AppendBytes(kv[0])
				if len(kv) == 2 {
					values.AppendBytes(kv[1])
				} else {
					values.AppendNull()
				}
			}
			for e := range keys.N {
				es = append(es, entry{&keys, &values, e, e})
			}
			appendEntries(f.Out, es)
			return true
		})
	}, nil
}

// javaSplit is String.split: no empty part in front of an empty match, none at the end
// without a limit.
func javaSplit(re *regex.Regexp, s []byte, limit int) [][]byte {
	var parts [][]byte
	last := 0
	re.All(s, func(loc []int) {
		if limit > 0 && len(parts) == limit-1 || loc[1] == 0 {
			return
		}
		parts = append(parts, s[last:loc[0]])
		last = loc[1]
	})
	parts = append(parts, s[last:])
	if limit == 0 {
		for len(parts) > 0 && last > 0 && len(parts[len(parts)-1]) == 0 {
			parts = parts[:len(parts)-1]
		}
	}
	return parts
}

var mapFamily = Family{"Map functions", []Function{
	{Name: "MAP_KEYS", Signature: "MAP_KEYS(map)", Doc: "The keys as an array.",
		Example: "MAP_KEYS(MAP['a', 1])", Result: "[a]", Type: fn(keysType, pMap), Bind: mapChild(0)},
	{Name: "MAP_VALUES", Signature: "MAP_VALUES(map)", Doc: "The values as an array.",
		Example: "MAP_VALUES(MAP['a', 1])", Result: "[1]", Type: fn(valuesType, pMap), Bind: mapChild(1)},
	{Name: "MAP_ENTRIES", Signature: "MAP_ENTRIES(map)", Doc: "The entries as an array of rows.",
		Example: "MAP_ENTRIES(MAP['a', 1])", Result: "[(a, 1)]", Type: fn(entriesType, pMap), Bind: buildArray(mapEntries)},
	{Name: "MAP_UNION", Signature: "MAP_UNION(a, b, ...)", Doc: "The entries of all maps; the last one wins.",
		Example: "MAP_UNION(MAP['a', 1], MAP['b', 2])", Result: "{a=1, b=2}", Type: mapUnionRule, Bind: bindMapUnion},
	{Name: "MAP_FROM_ARRAYS", Signature: "MAP_FROM_ARRAYS(keys, values)", Doc: "A map of two arrays of the same length.",
		Example: "MAP_FROM_ARRAYS(ARRAY['a'], ARRAY[1])", Result: "{a=1}", Type: fn(mapFromArraysType, pArray, pArray), Bind: bindMapFromArrays},
	{Name: "SPLIT", Signature: "SPLIT(s STRING, separator STRING)", Doc: "The parts of s as an array.",
		Example: "SPLIT('a,b', ',')", Result: "[a, b]", Type: fn(ret(types.ArrayT(types.StringT)), pStr, pStr), Bind: bindSplit},
	{Name: "STR_TO_MAP", Signature: "STR_TO_MAP(s STRING [, items STRING [, pairs STRING]])", Doc: "A map of a text like 'a=1,b=2', split at two regular expressions.",
		Example: "STR_TO_MAP('a=1,b=2')", Result: "{a=1, b=2}", Type: fnNull(ret(types.MapT(types.StringT, types.StringT)), pStr, opt(pStr), opt(pStr)), Bind: bindStrToMap},
}}
