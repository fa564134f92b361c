package nexmark

import "strconv"

// AppendJSON appends event n as a JSON object without a line end, in the form of the
// benchmark's Kafka topics: event_type and one of person, auction and bid; the others are
// null. No text of an event needs an escape.
func (g *Generator) AppendJSON(dst []byte, n int64) []byte {
	kind := KindOf(n)
	dst = append(dst, `{"event_type":`...)
	dst = strconv.AppendInt(dst, int64(kind), 10)
	for k := range kinds {
		dst = append(dst, `,"`...)
		dst = append(dst, kinds[k].name...)
		if Kind(k) != kind {
			dst = append(dst, `":null`...)
			continue
		}
		dst = append(dst, `":{`...)
		for i := range kinds[k].fields {
			f := &kinds[k].fields[i]
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, '"')
			dst = append(dst, f.name...)
			dst = append(dst, `":`...)
			switch {
			case f.number != nil:
				dst = strconv.AppendInt(dst, f.number(g, n), 10)
			case f.time != nil:
				dst = append(g.stamp.Append(append(dst, '"'), f.time(g, n)), '"')
			default:
				dst = append(f.text(g, append(dst, '"'), n), '"')
			}
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}
