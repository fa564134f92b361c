// Package doccheck owns the test that runs the documentation: every command that README.md
// and docs/ show is carried out with the real binary and its output compared, every
// statement is planned, every link leads somewhere. Nobody imports it.
//
// What the test takes from a page:
//
//   - ```console blocks: lines that begin with "$ " are commands, the lines below one are what
//     it prints (standard output and error; nothing there means nothing is compared). All
//     commands of a page are given to one shell, in a directory of the page's own.
//   - ```sql blocks are planned, each after those before it on the page. With file=NAME in
//     the line of the fence the block is also the file NAME of the page's directory.
//   - ```python blocks are in savepoint-format.md only: checkpoint/savepoint runs them.
//   - ```text blocks are not checked, so they show no commands.
//   - Relative links name files and headings that exist.
//
// And from its HTML comments, which readers do not see:
//
//   - <!-- broker --> the page needs a development broker at 127.0.0.1:9092;
//   - <!-- run ... --> commands to carry out there, as in a console block;
//   - <!-- not run: REASON --> the block below is left alone.
//
// How outputs are compared is said at Match, and what is done instead of a command at
// substitutions.
package doccheck

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
)

// Page is a document, its steps in the order of the text.
type Page struct {
	Name   string
	Broker bool
	Steps  []Step
	Links  []Link
	// Anchors are the headings as GitHub's links name them.
	Anchors map[string]bool
}

// Step is one thing to check: a command or a block of SQL.
type Step struct {
	Line    int
	Command string   // or
	SQL     string   // a block of it
	File    string   // the name of the block's file, if it has one
	Want    []string // what the command prints
	Numbers bool     // whether numbers in the output may be others
	NotRun  string   // the reason
}

// Link is a relative link.
type Link struct {
	Line           int
	Target, Anchor string
}

// pythonPage is the page whose Python a test runs.
const pythonPage = "savepoint-format.md"

var (
	comment = regexp.MustCompile(`^<!-- *(broker|run|not run:)(.*)$`)
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`^#+ +(.*)$`)
)

// Parse reads the page at path; name is for messages.
func Parse(path, name string) (*Page, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &Page{Name: name, Anchors: map[string]bool{}}
	lines := strings.Split(string(b), "\n")
	reason := ""
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if m := comment.FindStringSubmatch(line); m != nil {
			switch rest := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(m[2]), "-->")); m[1] {
			case "broker":
				p.Broker = true
			case "not run:":
				if reason = rest; len(reason) < 10 {
					return nil, fmt.Errorf("%s:%d: why is the block not run?", name, i+1)
				}
			case "run":
				end := until(lines, i+1, "-->")
				p.console(i+1, lines[i+1:end], false, "")
				i = end
			}
			continue
		}
		if info, ok := strings.CutPrefix(line, "```"); ok {
			end := until(lines, i+1, "```")
			if err := p.block(i+1, strings.Fields(info), lines[i+1:end], reason); err != nil {
				return nil, err
			}
			i, reason = end, ""
			continue
		}
		if reason != "" && line != "" {
			return nil, fmt.Errorf("%s:%d: 'not run' stands above something that is no block", name, i+1)
		}
		if m := heading.FindStringSubmatch(line); m != nil {
			p.Anchors[anchor(m[1])] = true
		}
		p.links(i+1, line)
	}
	return p, nil
}

// until is the index of the next line that is end, or that of the last line.
func until(lines []string, from int, end string) int {
	for i := from; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) == end {
			return i
		}
	}
	return len(lines) - 1
}

func (p *Page) block(line int, info, lines []string, reason string) error {
	if len(info) == 0 {
		info = []string{"text"}
	}
	switch info[0] {
	case "console":
		p.console(line, lines, len(info) > 1 && info[1] == "numbers", reason)
	case "sql":
		s := Step{Line: line, SQL: strings.Join(lines, "\n") + "\n", NotRun: reason}
		if len(info) > 1 {
			s.File, _ = strings.CutPrefix(info[1], "file=")
		}
		p.Steps = append(p.Steps, s)
	case "text":
		for i, l := range lines {
			if strings.HasPrefix(l, "$ ") {
				return fmt.Errorf("%s:%d: commands belong into a block of console", p.Name, line+1+i)
			}
		}
	case "python":
		if path.Base(p.Name) != pythonPage {
			return fmt.Errorf("%s:%d: python is run in %s only", p.Name, line, pythonPage)
		}
	default:
		return fmt.Errorf("%s:%d: a block of %s is not checked by anything: make it console, sql or text", p.Name, line, info[0])
	}
	return nil
}

func (p *Page) console(line int, lines []string, numbers bool, reason string) {
	first := len(p.Steps)
	for i, l := range lines {
		if c, ok := strings.CutPrefix(l, "$ "); ok {
			p.Steps = append(p.Steps, Step{Line: line + 1 + i, Command: c, Numbers: numbers, NotRun: reason})
		} else if n := len(p.Steps); n > first {
			p.Steps[n-1].Want = append(p.Steps[n-1].Want, l)
		}
	}
}

func (p *Page) links(line int, text string) {
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
			continue
		}
		target, anchor, _ := strings.Cut(m[1], "#")
		p.Links = append(p.Links, Link{Line: line, Target: target, Anchor: anchor})
	}
}

// anchor is the name that GitHub gives a heading.
func anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-', r == '_', r >= '0' && r <= '9', r >= 'a' && r <= 'z', r > 127:
			b.WriteRune(r)
		}
	}
	return b.String()
}
