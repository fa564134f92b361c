package json

import (
	"bytes"
	"unicode/utf8"
)

// A shape is the learned layout of records: what stands between the values, byte by byte,
// and how to read each value. Serialisers write the same fields in the same order, so the
// next record mostly has a shape that was seen before, and comparing its literals is much
// cheaper than reading keys. A record that fits a shape is, by construction, one that the
// scan would have read the same way: every literal comes from a record that passed it.
type shape struct {
	steps  []step
	tail   string // after the last value
	states []state
}

// step is one value and the text before it.
type step struct {
	literal string
	how     how
	depth   int // of the objects around it
	node    *node
}

type how uint8

const (
	skipString how = iota // literal ends with the opening quote
	skipInt
	skipOther
	readInt
	readText // opString, opTimestamp, ...: literal ends with the opening quote
	readOther
)

// maxShapes bounds what is tried per record; with more, old ones are replaced now and then.
const maxShapes = 8

type shapes struct {
	known  []shape
	last   int // the one that fitted last
	misses int
	credit int // what trying shapes brought lately, see match
	pause  int // records to read without shapes

	// The record being scanned.
	steps []step
	ends  []int // of literals and values, alternating
	off   bool  // not to be learned
}

// begin starts a record; with enough shapes known only every 64th one that fits none is learned.
func (s *shapes) begin() {
	s.misses++
	s.steps, s.ends = s.steps[:0], s.ends[:0]
	s.off = s.pause > 0 || len(s.known) == maxShapes && s.misses%64 != 0
}

// odd marks the record as one not to learn.
func (s *shapes) odd() { s.off = true }

// maxSteps bounds a shape.
const maxSteps = 512

func (s *shapes) add(d *decoder, how how, n *node, from, to int) {
	if s.off {
		return
	}
	if len(s.steps) == maxSteps {
		s.off = true
		return
	}
	s.steps = append(s.steps, step{how: how, depth: d.depth, node: n})
	s.ends = append(s.ends, from, to)
}

// skipped notes a value that is not wanted.
func (s *shapes) skipped(d *decoder, from, to int) {
	switch c := d.b[from]; {
	case c == '"':
		s.add(d, skipString, nil, from+1, to-1)
	case c == 'n':
		// null is part of the literal: whether it is there makes the shape
	case c == '-' || c >= '0' && c <= '9':
		if _, end := shortInt(d.b, from); end == to {
			s.add(d, skipInt, nil, from, to)
			return
		}
		s.add(d, skipOther, nil, from, to)
	default:
		s.add(d, skipOther, nil, from, to)
	}
}

// read notes a wanted value and what became of it.
func (s *shapes) read(d *decoder, n *node, from, to int) {
	st := d.states[n.slot]
	switch {
	case d.b[from] == 'n':
	case st == value && (n.op == opInt || n.op == opSmall):
		s.add(d, readInt, n, from, to)
	case st == value && d.b[from] == '"':
		s.add(d, readText, n, from+1, to-1)
	default:
		s.add(d, readOther, n, from, to)
	}
}

// learn makes a shape of the record just scanned.
func (s *shapes) learn(d *decoder) {
	if s.off {
		return
	}
	sh := shape{steps: make([]step, len(s.steps)), states: make([]state, len(d.states))}
	at := 0
	for i, st := range s.steps {
		st.literal = string(d.b[at:s.ends[2*i]])
		sh.steps[i] = st
		at = s.ends[2*i+1]
	}
	sh.tail = string(d.b[at:])
	copy(sh.states, d.states)
	if len(s.known) < maxShapes {
		s.known = append(s.known, sh)
		return
	}
	victim := s.misses / 64 % maxShapes
	if victim == s.last {
		victim = (victim + 1) % maxShapes
	}
	s.known[victim] = sh
}

// The account of match: a record that fits saves more than a shape that does not fit costs.
const (
	gain      = 2
	maxCredit = 128
	longPause = 1024
)

// match reads the record by a shape that fits; false leaves the slots undefined. Where
// records have too many shapes, trying them costs more than it brings: then it forgets them
// and stops for a while.
func (s *shapes) match(d *decoder, b []byte) bool {
	if s.pause > 0 {
		s.pause--
		return false
	}
	if len(s.known) == 0 {
		return false
	}
	if s.known[s.last].fits(d, b) {
		s.credit = min(s.credit+gain, maxCredit)
		return true
	}
	s.credit--
	for i := range s.known {
		if i == s.last {
			continue
		}
		if s.known[i].fits(d, b) {
			s.last = i
			s.credit += gain
			return true
		}
		s.credit--
	}
	if s.credit < -maxCredit {
		s.known, s.last, s.credit, s.pause = s.known[:0], 0, 0, longPause
	}
	return false
}

func (sh *shape) fits(d *decoder, b []byte) bool {
	d.raws = d.raws[:0]
	copy(d.states, sh.states)
	p := 0
	for i := range sh.steps {
		st := &sh.steps[i]
		k := len(st.literal)
		if len(b)-p <= k || string(b[p:p+k]) != st.literal {
			return false
		}
		p += k
		switch st.how {
		case readInt:
			v, end := shortInt(b, p)
			if end < 0 || v != v<<(64-st.node.bits)>>(64-st.node.bits) {
				return false
			}
			d.slots[st.node.slot].i = v
			p = end
		case skipInt:
			_, end := shortInt(b, p)
			if end < 0 {
				return false
			}
			p = end
		case skipString, readText:
			n := bytes.IndexByte(b[p:], '"')
			if n < 0 || st.how == skipString && n > 0 && b[p+n-1] == '\\' {
				return false
			}
			if st.how == readText && !sh.text(d, st.node, b, p, p+n) {
				return false
			}
			p += n
		case skipOther:
			d.depth = st.depth
			if p = d.skip(p); p < 0 {
				d.err = nil
				return false
			}
		case readOther:
			d.depth = st.depth
			end := d.plain(p, st.node)
			if end < 0 && d.err == nil {
				if end = d.skip(p); end >= 0 {
					d.setRaw(st.node, p, end)
				}
			}
			if end < 0 {
				d.err = nil
				return false
			}
			p = end
		}
	}
	return string(b[p:]) == sh.tail
}

func (sh *shape) text(d *decoder, n *node, b []byte, p, end int) bool {
	if bytes.IndexByte(b[p:end], '\\') >= 0 {
		return false
	}
	if n.op == opString {
		if !utf8.Valid(b[p:end]) {
			return false
		}
		s := &d.slots[n.slot]
		s.lo, s.to = int32(p), int32(end)
		return true
	}
	return d.text(n, p, end)
}
