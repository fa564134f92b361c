package evolve

import (
	"fmt"
	"strings"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// otherOperator says in what an operator is another one, "" when it is not.
func (p *pair) otherOperator() string {
	o, n := p.old, p.now
	switch {
	case o.Kind != n.Kind:
		return fmt.Sprintf("it was a %s, now it is a %s", o.Kind, n.Kind)
	case !p.how.window:
		return windowChange(o.Window, n.Window)
	case !p.how.keys:
		return fmt.Sprintf("GROUP BY changed from %s to %s", keyNames(o), keyNames(n))
	}
	return ""
}

func keyNames(o *checkpoint.Operator) string {
	var names []string
	for _, k := range o.Tables[0].Key {
		if k.Form == formColumn {
			names = append(names, k.Name)
		}
	}
	if names == nil {
		return "no column"
	}
	return strings.Join(names, ", ")
}

// window is the text of a window, see planner: kind, size, slide and offset in milliseconds, origin of the time.
type window struct {
	kind                string
	size, slide, offset int64
	time                string
}

func parseWindow(s string) (w window, ok bool) {
	n, err := fmt.Sscanf(s, "%s %d %d %d", &w.kind, &w.size, &w.slide, &w.offset)
	if n < 4 || err != nil {
		return w, false
	}
	parts := strings.SplitN(s, " ", 5)
	if len(parts) == 5 {
		w.time = parts[4]
	}
	return w, true
}

func windowChange(old, now string) string {
	a, ok := parseWindow(old)
	b, ok2 := parseWindow(now)
	switch {
	case !ok || !ok2:
		return "the windows that it is over are others"
	case a.kind != b.kind:
		return fmt.Sprintf("the window changed from %s to %s", a, b)
	case a.size != b.size:
		return fmt.Sprintf("window size changed from %s to %s", duration(a.size), duration(b.size))
	case a.slide != b.slide:
		return fmt.Sprintf("the window's slide changed from %s to %s", duration(a.slide), duration(b.slide))
	case a.offset != b.offset:
		return fmt.Sprintf("the window's offset changed from %s to %s", duration(a.offset), duration(b.offset))
	}
	return "the window is over another time column"
}

func (w window) String() string {
	s := strings.ToUpper(w.kind) + "(size " + duration(w.size)
	if w.kind == "hop" {
		s += ", slide " + duration(w.slide)
	}
	return s + ")"
}

// duration writes milliseconds in the largest unit that fits.
func duration(ms int64) string {
	for _, u := range []struct {
		ms   int64
		name string
	}{{86400_000, "d"}, {3600_000, "h"}, {60_000, "min"}, {1000, "s"}} {
		if ms != 0 && ms%u.ms == 0 {
			return fmt.Sprintf("%d %s", ms/u.ms, u.name)
		}
	}
	return fmt.Sprintf("%d ms", ms)
}
