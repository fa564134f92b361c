package datetime

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// item is a run of one pattern letter, or a literal (letter 0).
type item struct {
	letter byte
	count  int
	text   string
	after  bool // a number that another follows directly: it takes exactly count digits
}

// tokenize splits a Java pattern: letters are fields, text in quotes is literal, two quotes
// are one. letters says which exist. Brackets of optional parts are items of their own when
// optional is set.
func tokenize(pattern, letters string, optional bool) ([]item, error) {
	var items []item
	literal := func(s string) {
		if n := len(items); n > 0 && items[n-1].letter == 0 {
			items[n-1].text += s
			return
		}
		items = append(items, item{text: s})
	}
	depth := 0
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := i
			for n < len(pattern) && pattern[n] == c {
				n++
			}
			if strings.IndexByte(letters, c) < 0 {
				return nil, fmt.Errorf("unknown pattern letter %c in %q", c, pattern)
			}
			items = append(items, item{letter: c, count: n - i})
			i = n
		case c == '\'':
			text, n, err := quoted(pattern, i)
			if err != nil {
				return nil, err
			}
			literal(text)
			i = n
		case optional && (c == '[' || c == ']'):
			depth += int('\\') - int(c) // [ is one below, ] one above the backslash
			if depth < 0 {
				return nil, fmt.Errorf("] without [ in %q", pattern)
			}
			items = append(items, item{letter: c})
			i++
		case optional && (c == '{' || c == '}' || c == '#'):
			return nil, fmt.Errorf("reserved character %c in %q", c, pattern)
		default:
			_, w := utf8.DecodeRuneInString(pattern[i:])
			literal(pattern[i : i+w])
			i += w
		}
	}
	for i := range items {
		items[i].after = i+1 < len(items) && numeric(items[i]) && numeric(items[i+1])
	}
	return items, nil
}

// quoted reads the text that begins with the quote at i.
func quoted(pattern string, i int) (text string, next int, err error) {
	if strings.HasPrefix(pattern[i:], "''") {
		return "'", i + 2, nil
	}
	var b strings.Builder
	for n := i + 1; n < len(pattern); n++ {
		if pattern[n] != '\'' {
			b.WriteByte(pattern[n])
			continue
		}
		if n+1 < len(pattern) && pattern[n+1] == '\'' {
			b.WriteByte('\'')
			n++
			continue
		}
		return b.String(), n + 1, nil
	}
	return "", 0, fmt.Errorf("unterminated quote in %q", pattern)
}

// numeric reports items that are written as digits.
func numeric(it item) bool {
	switch it.letter {
	case 'M', 'L':
		return it.count <= 2
	case 'y', 'u', 'Y', 'd', 'D', 'H', 'h', 'K', 'k', 'm', 's', 'S', 'n', 'N', 'A', 'w', 'W', 'F':
		return true
	}
	return false
}

var (
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayNames   = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)

// weekOfYear is the week of the United States: it begins on Sunday, the first one holds
// the 1st of January.
func weekOfYear(days int64) (year int64, week int) {
	year, _, _ = Date(days)
	saturday := days + int64(6-Weekday(days)%7)
	if y, _, _ := Date(saturday); y > year {
		return y, 1
	}
	first := Days(year, 1, 1)
	return year, int(days-first+int64(Weekday(first)%7))/7 + 1
}

func weekOfMonth(days int64) int {
	y, m, d := Date(days)
	return (d-1+Weekday(Days(y, m, 1))%7)/7 + 1
}
