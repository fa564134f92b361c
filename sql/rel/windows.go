package rel

import (
	"fmt"
	"time"

	"github.com/sqlstream/sqlstream/sql/expr"
)

// Property says that a column holds a bound of the window a row belongs to.
type Property struct {
	Bound Bound
	// Spec identifies the window function and what it was applied to; columns with equal
	// specs speak of the same windows.
	Spec string
	Size time.Duration // of the window
}

// Properties returns which columns of n are window bounds, by index. They come from a
// window function and pass unchanged through projections, filters, unions of equal windows
// and window aggregates (Flink's FlinkRelMdWindowProperties).
func Properties(n Node) map[int]Property {
	switch n := n.(type) {
	case *Window:
		out := Properties(n.Input)
		if out == nil {
			out = map[int]Property{}
		}
		spec := fmt.Sprintf("%d|%d|%d|%d|%s", n.Kind, n.Size, n.Slide, n.Shift, n.Input.Schema()[n.Time].Type.Nullable())
		for b, i := Start, len(n.Input.Schema()); b <= Time; b++ {
			out[i+int(b)] = Property{b, spec, n.Size}
		}
		return out
	case *Filter:
		return Properties(n.Input)
	case *Project:
		in, out := Properties(n.Input), map[int]Property{}
		for i, e := range n.Exprs {
			if c, ok := e.(*expr.Column); ok {
				if p, ok := in[c.Index]; ok {
					out[i] = p
				}
			}
		}
		return out
	case *Union:
		out := Properties(n.In[0])
		for _, in := range n.In[1:] {
			props := Properties(in)
			for i, p := range out {
				if props[i] != p {
					delete(out, i)
				}
			}
		}
		return out
	case *Aggregate:
		in, out := Properties(n.Input), map[int]Property{}
		if !IsWindowed(n.Keys, in) {
			return nil
		}
		for i, k := range n.Keys {
			if p, ok := in[k]; ok {
				out[i] = p
			}
		}
		return out
	case *WindowAggregate:
		out := map[int]Property{}
		for i, b := range n.Bounds {
			out[len(n.Keys)+len(n.Aggs)+i] = Property{b, n.Spec, n.Size}
		}
		return out
	}
	return nil
}

// IsWindowed reports whether grouping by keys is a window aggregate: both the start and the
// end of one window are among them. One of the two alone is an ordinary group, as in Flink.
func IsWindowed(keys []int, props map[int]Property) bool {
	for _, k := range keys {
		p, ok := props[k]
		if !ok || p.Bound != Start {
			continue
		}
		for _, l := range keys {
			if q, ok := props[l]; ok && q.Bound == End && q.Spec == p.Spec {
				return true
			}
		}
	}
	return false
}
