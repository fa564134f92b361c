package doccheck

import (
	"fmt"
	"regexp"
	"strings"
)

// masks are what differs from run to run wherever it stands: instants, identities of jobs and
// files, durations, sizes, rates.
var masks = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "INSTANT"},
	{regexp.MustCompile(`\b[0-9a-f]{32}\b|\b[0-9a-f]{20}\b|\b[0-9a-f]{12}\b|\b[0-9a-f]{8}\b`), "ID"},
	{regexp.MustCompile(`\b\d[\d.,]* ?(ns|µs|ms|s|m|min|h|d)\b`), "DURATION"},
	{regexp.MustCompile(`\b\d[\d.,]* ?([kMGK]i?B|B)\b`), "SIZE"},
	{regexp.MustCompile(`\b\d[\d.,]*[kM]?/s\b`), "RATE"},
	{regexp.MustCompile(` +`), " "},
	{regexp.MustCompile(`--+`), "--"},
}

// number is a number or an identity in blocks in which neither is compared.
var number = regexp.MustCompile(`[0-9a-f]*\d[0-9a-f.,:/-]*`)

// mask replaces what the comparison of lines does not look at.
func mask(line string, numbers bool) string {
	line = strings.TrimRight(line, " \r")
	for _, m := range masks {
		to := m.to
		if to == "ID" && numbers {
			to = "0" // a price has eight digits at times, and an identity may end like a duration
		}
		line = m.re.ReplaceAllString(line, to)
	}
	if numbers {
		line = number.ReplaceAllString(line, "N")
	}
	return line
}

// Match compares what a command printed with what the page says. On the page, "..." within a
// line stands for any text, and a line that is "..." for any lines. Instants, identities,
// durations, sizes, rates and the width of columns are not compared, with numbers set no
// numbers at all.
func Match(want []string, got string, numbers bool) error {
	for len(want) > 0 && strings.TrimSpace(want[len(want)-1]) == "" {
		want = want[:len(want)-1]
	}
	if len(want) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimRight(got, "\n"), "\n")
	for i := range lines {
		lines[i] = mask(lines[i], numbers)
	}
	patterns := make([]*regexp.Regexp, len(want))
	for i, w := range want {
		if strings.TrimSpace(w) == "..." {
			continue
		}
		parts := strings.Split(w, "...")
		for k, part := range parts {
			parts[k] = regexp.QuoteMeta(mask(part+"\x00", numbers))
			parts[k] = strings.TrimSuffix(parts[k], "\x00")
		}
		patterns[i] = regexp.MustCompile("^" + strings.Join(parts, ".*") + " ?$")
	}
	if far := match(patterns, lines, 0); far >= 0 {
		line := "the end"
		if far < len(lines) {
			line = fmt.Sprintf("line %d, %q", far+1, strings.Split(got, "\n")[far])
		}
		return fmt.Errorf("the output differs from the page at %s", line)
	}
	return nil
}

// match is -1 when the patterns cover the lines, else the farthest line that it came to. A
// nil pattern is any number of lines.
func match(patterns []*regexp.Regexp, lines []string, at int) int {
	far := at
	for i, p := range patterns {
		if p == nil {
			for next := at; next <= len(lines); next++ {
				f := match(patterns[i+1:], lines, next)
				if f < 0 {
					return -1
				}
				far = max(far, f)
			}
			return far
		}
		if at >= len(lines) || !p.MatchString(lines[at]) {
			return max(far, at)
		}
		at++
	}
	if at < len(lines) {
		return max(far, at)
	}
	return -1
}
