package result

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// grid draws a table row by row, without knowing the rows to come. Columns are as wide as
// the rows of the first batch need; when a later value needs more, the table goes on under a
// new header. Only texts are ever cut, at Layout.MaxColumn and where the terminal ends.
type grid struct {
	out    *bufio.Writer
	names  []string
	right  []bool // numbers stand at the right
	cut    []bool // texts may be cut
	widths []int
	kinds  bool
	layout Layout
	n      int64
	cells  []string
	buf    []byte
}

const opName = "op"

// minColumn is the least width a column is cut to for the terminal's sake.
const minColumn = 8

func newGrid(out *bufio.Writer, schema types.Schema, kinds bool, l Layout) *grid {
	g := &grid{out: out, kinds: kinds, layout: l}
	if kinds {
		g.column(opName, false, false)
	}
	for _, f := range schema {
		g.column(f.Name, numeric(f.Type), f.Type.IsString() || f.Type.IsBinary() || f.Type.IsNested())
	}
	g.cells = make([]string, len(g.names))
	return g
}

func (g *grid) column(name string, right, cut bool) {
	g.names = append(g.names, printable(name))
	g.right = append(g.right, right)
	g.cut = append(g.cut, cut)
}

func (g *grid) rows(b *vec.Batch) {
	if g.layout.Expanded {
		for k := range b.Len() {
			g.fill(b, b.Row(k))
			g.record()
		}
		return
	}
	need := append([]int(nil), g.widths...)
	if need == nil {
		need = make([]int, len(g.names))
		for c, n := range g.names {
			need[c] = uniseg.StringWidth(n)
		}
	}
	for k := range b.Len() {
		g.fill(b, b.Row(k))
		for c, text := range g.cells {
			need[c] = max(need[c], uniseg.StringWidth(text))
		}
	}
	g.resize(need)
	for k := range b.Len() {
		g.fill(b, b.Row(k))
		g.row(g.cells)
		g.n++
	}
}

// fill puts the texts of row i into cells.
func (g *grid) fill(b *vec.Batch, i int) {
	c := 0
	if g.kinds {
		g.cells[0] = vec.KindText(b.Kind(i))
		c = 1
	}
	for k := range b.Cols {
		g.buf = appendText(g.buf[:0], &b.Cols[k], i)
		g.cells[c+k] = printable(string(g.buf))
	}
}

// resize makes the columns wide enough and prints the header when they changed.
func (g *grid) resize(need []int) {
	if m := g.layout.MaxColumn; m > 0 {
		for c := range need {
			if g.cut[c] {
				need[c] = min(need[c], max(m, uniseg.StringWidth(g.names[c])))
			}
		}
	}
	if g.layout.Width > 0 {
		g.fit(need)
	}
	if g.widths != nil && equal(need, g.widths) {
		return
	}
	if g.widths != nil {
		g.border()
		for c := range need {
			if need[c] > g.widths[c] && !g.cut[c] {
				need[c] = (need[c] + 3) / 4 * 4 // so that growing numbers make few new headers
			}
		}
	}
	g.widths = need
	g.border()
	g.row(g.names)
	g.border()
}

// fit takes columns from the widest texts until the table fits into the terminal.
func (g *grid) fit(need []int) {
	total := 1
	for _, w := range need {
		total += w + 3
	}
	for ; total > g.layout.Width; total-- {
		widest := -1
		for c := range need {
			if g.cut[c] && need[c] > minColumn && (widest < 0 || need[c] > need[widest]) {
				widest = c
			}
		}
		if widest < 0 {
			return
		}
		need[widest]--
	}
}

func equal(a, b []int) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (g *grid) border() {
	for _, w := range g.widths {
		g.out.WriteByte('+')
		g.out.WriteString(strings.Repeat("-", w+2))
	}
	g.out.WriteString("+\n")
}

func (g *grid) row(cells []string) {
	for c, text := range cells {
		text, w := cutTo(text, g.widths[c])
		pad := strings.Repeat(" ", g.widths[c]-w)
		g.out.WriteString("| ")
		if g.right[c] {
			g.out.WriteString(pad)
		}
		g.out.WriteString(text)
		if !g.right[c] {
			g.out.WriteString(pad)
		}
		g.out.WriteByte(' ')
	}
	g.out.WriteString("|\n")
}

// record prints one row as a list of its columns.
func (g *grid) record() {
	g.n++
	w := 0
	for _, n := range g.names {
		w = max(w, uniseg.StringWidth(n))
	}
	head := fmt.Sprintf("-[ %d ]", g.n)
	fmt.Fprintf(g.out, "%s%s\n", head, strings.Repeat("-", max(w+2-len(head), 3)))
	for c, n := range g.names {
		fmt.Fprintf(g.out, "%s%s | %s\n", n, strings.Repeat(" ", w-uniseg.StringWidth(n)), g.cells[c])
	}
}

func (g *grid) end() {
	if g.layout.Expanded {
		return
	}
	if g.widths == nil {
		g.rows(&vec.Batch{})
	}
	g.border()
}

// cutTo returns s in at most width columns, "…" in the place of what is cut off.
func cutTo(s string, width int) (string, int) {
	w := uniseg.StringWidth(s)
	if w <= width {
		return s, w
	}
	var b strings.Builder
	w = 0
	for it := uniseg.NewGraphemes(s); it.Next(); {
		if w+it.Width() > width-1 {
			break
		}
		b.WriteString(it.Str())
		w += it.Width()
	}
	return b.String() + "…", w + 1
}

// printable replaces what would move the cursor or change the terminal.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r == '\ufffd' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
