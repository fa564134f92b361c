package random

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"time"
)

// Query is a random query with the rows it reads and the rows it must leave.
type Query struct {
	SQL  string
	Rows [][]any // of the table, in order of arrival; int64, int32, string, bool, nil, or time in ms
	Want []string
}

// TableDDL is the columns of the table "t" that queries read, with a watermark that makes no
// row late: the naive evaluator knows no lateness.
func TableDDL() string {
	var cols []string
	for _, c := range columns {
		cols = append(cols, "`"+c.name+"` "+c.sql)
	}
	return "CREATE TABLE t (" + strings.Join(cols, ", ") + ", WATERMARK FOR `ts` AS `ts` - INTERVAL '1' HOUR)"
}

// JSON writes a row of the table as one line for the json format.
func JSON(row []any) string {
	var parts []string
	for i, c := range columns {
		var v string
		switch x := row[i].(type) {
		case nil:
			v = "null"
		case string:
			v = fmt.Sprintf("%q", x)
		case int64:
			if v = fmt.Sprint(x); c.kind == kTime {
				v = `"` + timeText(x) + `"`
			}
		default:
			v = fmt.Sprint(x)
		}
		parts = append(parts, fmt.Sprintf("%q:%s", c.name, v))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func timeText(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000") }

// Text writes a result value as the comparison sees it.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

// base is 2024-02-29 00:00:00 UTC.
const base = int64(1709164800000)

// New makes the query of a seed.
func New(seed uint64) *Query {
	g := gen{rand.New(rand.NewPCG(seed, 7))}
	q := &Query{Rows: g.rows(20 + g.pick(200))}
	switch g.pick(4) {
	case 0:
		g.project(q)
	case 1:
		g.union(q)
	case 2:
		g.group(q, 0)
	case 3:
		g.group(q, 1+g.pick(2))
	}
	sort.Strings(q.Want)
	return q
}

func (g gen) rows(n int) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		row := []any{int64(i), int64(g.pick(7) - 3), int32(g.pick(5)), words[g.pick(len(words))], g.pick(2) == 0, base + int64(i)*250 + int64(g.pick(3000))}
		for c := 1; c < timeColumn; c++ {
			if g.pick(8) == 0 {
				row[c] = nil
			}
		}
		rows[i] = row
	}
	return rows
}

// selection is a select list and a filter over the table.
type selection struct {
	items []node
	where *node
}

func (g gen) selection(kinds []kind) selection {
	s := selection{}
	for _, k := range kinds {
		s.items = append(s.items, g.expr(k, 3))
	}
	if g.pick(3) > 0 {
		w := g.expr(kBool, 3)
		s.where = &w
	}
	return s
}

func (s selection) sql() string {
	var items []string
	for i, n := range s.items {
		items = append(items, fmt.Sprintf("%s AS c%d", n.sql, i))
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM t" + whereSQL(s.where)
}

func whereSQL(w *node) string {
	if w == nil {
		return ""
	}
	return " WHERE " + w.sql
}

func keep(w *node, row []any) bool { return w == nil || w.eval(values(row)) == true }

func values(row []any) []value {
	out := make([]value, len(row))
	for i, v := range row {
		out[i] = v
	}
	return out
}

func (s selection) run(rows [][]any) (out [][]value) {
	for _, r := range rows {
		if !keep(s.where, r) {
			continue
		}
		line := make([]value, len(s.items))
		for i, n := range s.items {
			line[i] = n.eval(values(r))
		}
		out = append(out, line)
	}
	return out
}

func (q *Query) add(line []value) {
	parts := make([]string, len(line))
	for i, v := range line {
		parts[i] = Text(v)
	}
	q.Want = append(q.Want, strings.Join(parts, ", "))
}

func (g gen) kinds(n int) []kind {
	ks := make([]kind, n)
	for i := range ks {
		ks[i] = kind(g.pick(4))
	}
	return ks
}

func (g gen) project(q *Query) {
	s := g.selection(g.kinds(1 + g.pick(4)))
	q.SQL = s.sql()
	for _, line := range s.run(q.Rows) {
		q.add(line)
	}
}

func (g gen) union(q *Query) {
	ks := g.kinds(1 + g.pick(3))
	var parts []string
	for range 2 + g.pick(2) {
		s := g.selection(ks)
		parts = append(parts, s.sql())
		for _, line := range s.run(q.Rows) {
			q.add(line)
		}
	}
	q.SQL = strings.Join(parts, " UNION ALL ")
}

// aggregate is an aggregate call: SQL, and its value over the rows of a group.
type aggregate struct {
	sql  string
	eval func(rows [][]value) value
}

func (g gen) aggregate() aggregate {
	arg := g.expr([]kind{kBigint, kInt, kString}[g.pick(3)], 2)
	names := []string{"COUNT", "MIN", "MAX"}
	if arg.kind != kString {
		names = append(names, "SUM", "AVG")
	}
	name := names[g.pick(len(names))]
	distinct := g.pick(4) == 0
	var filter *node
	if g.pick(3) == 0 {
		f := g.expr(kBool, 2)
		filter = &f
	}
	star := name == "COUNT" && !distinct && g.pick(2) == 0
	inner := arg.sql
	switch {
	case star:
		inner = "*"
	case distinct:
		inner = "DISTINCT " + inner
	}
	sql := name + "(" + inner + ")"
	if filter != nil {
		sql += " FILTER (WHERE " + filter.sql + ")"
	}
	return aggregate{sql, func(rows [][]value) value {
		var vals []value
		seen := map[value]bool{}
		for _, r := range rows {
			if filter != nil && filter.eval(r) != true {
				continue
			}
			v := value(int64(0))
			if !star {
				if v = arg.eval(r); v == nil || distinct && seen[v] {
					continue
				}
			}
			seen[v] = true
			vals = append(vals, v)
		}
		return fold(name, vals)
	}}
}

// fold computes an aggregate over values without NULL.
func fold(name string, vals []value) value {
	if name == "COUNT" {
		return int64(len(vals))
	}
	if len(vals) == 0 {
		return nil
	}
	best := vals[0]
	var sum int64
	for _, v := range vals {
		c := compare(v, best)
		if name == "MIN" && c < 0 || name == "MAX" && c > 0 {
			best = v
		}
		switch x := v.(type) {
		case int64:
			sum += x
		case int32:
			sum += int64(x)
		}
	}
	_, narrow := vals[0].(int32)
	switch name {
	case "AVG":
		// Flink sums the values of an AVG in BIGINT and divides towards zero.
		sum /= int64(len(vals))
	case "MIN", "MAX":
		return best
	}
	if narrow {
		return int32(sum)
	}
	return sum
}

// group draws GROUP BY over all time (slices = 0) or over windows: a row falls into as many.
func (g gen) group(q *Query, slices int) {
	var keys []node
	for range g.pick(3) {
		keys = append(keys, g.expr([]kind{kBigint, kInt, kString, kBool}[g.pick(4)], 1))
	}
	var aggs []aggregate
	for range 1 + g.pick(3) {
		aggs = append(aggs, g.aggregate())
	}
	var where *node
	if g.pick(2) == 0 {
		w := g.expr(kBool, 2)
		where = &w
	}
	slide := int64(2000)
	from, by := "t", []string{}
	switch slices {
	case 1:
		from = "TABLE(TUMBLE(TABLE t, DESCRIPTOR(`ts`), INTERVAL '2' SECOND))"
	case 2:
		from = "TABLE(HOP(TABLE t, DESCRIPTOR(`ts`), INTERVAL '2' SECOND, INTERVAL '4' SECOND))"
	}
	var items []string
	if slices > 0 {
		items, by = []string{"CAST(window_start AS STRING)"}, []string{"window_start", "window_end"}
	}
	for _, k := range keys {
		items, by = append(items, k.sql), append(by, k.sql)
	}
	for _, a := range aggs {
		items = append(items, a.sql)
	}
	q.SQL = "SELECT " + strings.Join(items, ", ") + " FROM " + from + whereSQL(where)
	if len(by) > 0 {
		q.SQL += " GROUP BY " + strings.Join(by, ", ")
	}

	groups := map[string][][]value{}
	heads := map[string][]value{}
	for _, r := range q.Rows {
		if !keep(where, r) {
			continue
		}
		v := values(r)
		for w := range max(slices, 1) {
			var head []value
			if slices > 0 {
				end := (r[timeColumn].(int64)/slide + 1 + int64(w)) * slide
				head = append(head, timeText(end-slide*int64(slices)))
			}
			for _, k := range keys {
				head = append(head, k.eval(v))
			}
			id := identity(head)
			groups[id], heads[id] = append(groups[id], v), head
		}
	}
	for id, rows := range groups {
		line := append([]value{}, heads[id]...)
		for _, a := range aggs {
			line = append(line, a.eval(rows))
		}
		q.add(line)
	}
}

// identity is a text that is equal for equal keys, NULLs included.
func identity(head []value) string {
	var b []byte
	for _, v := range head {
		t := Text(v)
		b = binary.AppendUvarint(b, uint64(len(t)))
		b = append(b, t...)
	}
	return string(b)
}
