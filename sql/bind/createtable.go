package bind

import (
	"slices"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// maxColumns is the most columns a table may have.
const maxColumns = 4096

// Table binds CREATE TABLE.
func Table(env Env, c *ast.CreateTable) (*catalog.Table, error) {
	b := newBinder(env)
	switch {
	case c.As != nil:
		return nil, b.notYet(c.As.Pos(), "CREATE TABLE .. AS query")
	case c.OrReplace:
		return nil, b.errorf(c.Pos(), "CREATE OR REPLACE TABLE goes with AS query only").WithHint("DROP the table first")
	case c.Distribution != nil:
		return nil, b.notYet(c.Distribution.Pos(), "DISTRIBUTED")
	}
	path, err := b.Catalog.Resolve(c.Name.Names())
	if err != nil {
		return nil, b.errorf(c.Name.Pos(), "%s", err)
	}
	t := &catalog.Table{Path: path, Temporary: c.Temporary}
	if c.Like != nil {
		if err := b.like(t, c); err != nil {
			return nil, err
		}
	}
	inherited := len(t.Columns)
	if err := b.columns(t, c.Columns); err != nil {
		return nil, err
	}
	rebase(t)
	if err := b.primaryKey(t, c.PrimaryKey); err != nil {
		return nil, err
	}
	if err := b.computed(t, c.Columns, inherited); err != nil {
		return nil, err
	}
	if err := b.watermark(t, c.Watermarks); err != nil {
		return nil, err
	}
	for _, p := range c.PartitionedBy {
		if t.Column(p.Name) == nil {
			return nil, b.noColumn(p, t)
		}
	}
	if len(c.PartitionedBy) > 0 {
		t.PartitionKeys = identNames(c.PartitionedBy)
	}
	if c.Comment != nil {
		t.Comment = c.Comment.Value
	}
	if err := b.options(t, c.Options); err != nil {
		return nil, err
	}
	if len(t.Columns) == 0 {
		return nil, b.errorf(c.Pos(), "table %s has no columns", path.Short())
	}
	return t, nil
}

func identNames(ids []ast.Ident) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Name
	}
	return out
}

func (b *binder) noColumn(name ast.Ident, t *catalog.Table) *ast.Error {
	e := b.errorf(name.Pos(), "table %s has no column %s", t.Path.Name, name)
	e.Hint = hintNames(name.Name, t.Schema().Names())
	return e
}

// columns adds the declared columns; computed ones get their expressions later, when all
// names are known.
func (b *binder) columns(t *catalog.Table, cols []*ast.Column) error {
	if len(t.Columns)+len(cols) > maxColumns {
		return b.errorf(cols[0].Pos(), "table %s has %d columns, at most %d are possible", t.Path.Name, len(t.Columns)+len(cols), maxColumns)
	}
	seen := make(map[string]bool, len(cols))
	for _, c := range t.Columns {
		seen[c.Name] = true
	}
	for _, c := range cols {
		if seen[c.Name.Name] {
			return b.errorf(c.Name.Pos(), "column %s is declared twice", c.Name)
		}
		seen[c.Name.Name] = true
		out := catalog.Column{Name: c.Name.Name}
		if c.Comment != nil {
			out.Comment = c.Comment.Value
		}
		switch c.Kind {
		case ast.Computed:
			out.Kind = catalog.Computed
		case ast.Metadata:
			out.Kind, out.MetaKey, out.Virtual = catalog.Metadata, c.Name.Name, c.Virtual
			if c.Key != nil {
				out.MetaKey = c.Key.Value
			}
		case ast.NameOnly:
			return b.errorf(c.Pos(), "column %s lacks a type", c.Name)
		}
		if c.Type != nil {
			out.Type = declared(c.Type.Type)
		}
		t.Columns = append(t.Columns, out)
	}
	return nil
}

// primaryKey checks the key; its columns are NOT NULL from then on, as in Flink.
func (b *binder) primaryKey(t *catalog.Table, pk *ast.PrimaryKey) error {
	if pk == nil {
		return nil
	}
	if len(t.PrimaryKey) > 0 {
		return b.errorf(pk.Pos(), "the table of LIKE has a primary key already").WithHint("write EXCLUDING CONSTRAINTS")
	}
	if pk.Constraint != nil {
		t.KeyName = pk.Constraint.Name
	}
	for _, name := range pk.Columns {
		c := t.Column(name.Name)
		switch {
		case c == nil:
			return b.noColumn(name, t)
		case c.Kind != catalog.Physical:
			return b.errorf(name.Pos(), "column %s is not stored in the records, it cannot be in the PRIMARY KEY", name)
		case slices.Contains(t.PrimaryKey, name.Name):
			return b.errorf(name.Pos(), "column %s is in the PRIMARY KEY twice", name)
		}
		c.Type.NotNull = true
		t.PrimaryKey = append(t.PrimaryKey, name.Name)
	}
	return nil
}

// computed binds the computed columns over the stored ones: they do not see each other, as
// in Flink.
func (b *binder) computed(t *catalog.Table, cols []*ast.Column, first int) error {
	stored := t.Stored()
	sc := &scope{columns: stored, clause: "a computed column"}
	for _, c := range t.Columns {
		if c.Kind == catalog.Computed {
			sc.computed = append(sc.computed, c.Name)
		}
	}
	for i, c := range cols {
		if c.Kind != ast.Computed {
			continue
		}
		e, err := b.expr(c.Expr, sc)
		if err != nil {
			return err
		}
		if err := b.typeKnown(e, c.Expr.Pos()); err != nil {
			return err
		}
		col := &t.Columns[first+i]
		col.Type, col.Expr, col.Text = e.Type(), withoutPlace(e), ast.Print(c.Expr)
	}
	return nil
}

// watermark binds WATERMARK FOR over all columns of the table.
func (b *binder) watermark(t *catalog.Table, ws []*ast.Watermark) error {
	if len(ws) == 0 {
		return nil
	}
	w := ws[0]
	switch {
	case len(ws) > 1:
		return b.errorf(ws[1].Pos(), "a table has one WATERMARK only")
	case t.Watermark != nil:
		return b.errorf(w.Pos(), "the table of LIKE has a watermark already").WithHint("write OVERWRITING WATERMARKS or EXCLUDING WATERMARKS")
	case len(w.Column) > 1:
		return b.errorf(w.Column.Pos(), "the watermark's column must be a column of the table, not a field of one").
			WithHint("declare a computed column: ts AS %s", w.Column)
	}
	c := t.Column(w.Column[0].Name)
	if c == nil {
		return b.noColumn(w.Column[0], t)
	}
	if !c.Type.IsTimestamp() || c.Type.Precision > 3 {
		return b.errorf(w.Column.Pos(), "the watermark's column must be TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p up to 3, %s is %s", w.Column, c.Type.Nullable())
	}
	if c.Type.Attr == types.ProcTime {
		return b.errorf(w.Column.Pos(), "%s is processing time, it has no watermark", w.Column)
	}
	e, err := b.expr(w.Expr, &scope{columns: t.Schema(), clause: "WATERMARK"})
	if err != nil {
		return err
	}
	if et := e.Type(); et.Kind != c.Type.Kind || et.Precision > 3 {
		return b.errorf(w.Expr.Pos(), "the watermark must have the type of its column, %s; this is %s", c.Type.Nullable(), et.Nullable())
	}
	c.Type.Attr = types.RowTime
	t.Watermark = &catalog.Watermark{Column: c.Name, Expr: withoutPlace(e), Text: ast.Print(w.Expr)}
	return nil
}

// options adds WITH (..).
func (b *binder) options(t *catalog.Table, opts []ast.Option) error {
	seen := map[string]bool{}
	for _, o := range opts {
		if seen[o.Key.Value] {
			return b.errorf(o.Pos(), "option '%s' is given twice", o.Key.Value)
		}
		seen[o.Key.Value] = true
		t.Options = slices.DeleteFunc(t.Options, func(old catalog.Option) bool { return old.Key == o.Key.Value })
		t.Options = append(t.Options, catalog.Option{Key: o.Key.Value, Value: o.Value.Value, Pos: o.Pos()})
	}
	return nil
}

// withoutPlace drops the offsets of an expression that is kept: later they would point into
// another text.
func withoutPlace(e expr.Expr) expr.Expr {
	return expr.Map(e, func(e expr.Expr) expr.Expr {
		switch n := e.(type) {
		case *expr.Column:
			c := *n
			c.Offset = -1
			return &c
		case *expr.Literal:
			c := *n
			c.Offset = -1
			return &c
		case *expr.Call:
			n.Offset = -1
		case *expr.Cast:
			n.Offset = -1
		case *expr.Case:
			n.Offset = -1
		case *expr.Field:
			n.Offset = -1
		}
		return e
	})
}

// View binds CREATE VIEW: the query is checked now and bound again at each use.
func View(env Env, c *ast.CreateView) (*catalog.View, error) {
	b := newBinder(env)
	path, err := b.Catalog.Resolve(c.Name.Names())
	if err != nil {
		return nil, b.errorf(c.Name.Pos(), "%s", err)
	}
	n, err := b.query(c.Query)
	if err != nil {
		return nil, err
	}
	if len(c.Columns) == 0 {
		if err := b.namedTwice(c.Query); err != nil {
			return nil, err
		}
	}
	if n, err = b.rename(n, c.Columns, c.Pos()); err != nil {
		return nil, err
	}
	start, end := c.Query.Range()
	v := &catalog.View{Path: path, Temporary: c.Temporary, Query: c.Query, Source: env.Source, Text: env.Source.Text[start:end],
		Database: env.Catalog.Database(), Out: n.Schema(), Uses: *b.uses}
	if len(c.Columns) > 0 {
		v.Columns = identNames(c.Columns)
	}
	if c.Comment != nil {
		v.Comment = c.Comment.Value
	}
	return v, nil
}

// namedTwice refuses a select list with two columns of one name, which a query may have but
// a view may not.
func (b *binder) namedTwice(q *ast.Query) error {
	sel, ok := q.Body.(*ast.Select)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for _, it := range sel.Items {
		var name ast.Ident
		switch e := it.Expr.(type) {
		case *ast.ColumnRef:
			name = e.Path.Last()
		case *ast.Field:
			name = e.Name
		}
		if it.Alias != nil {
			name = *it.Alias
		}
		if name.Name != "" && seen[name.Name] {
			return b.errorf(name.Pos(), "the view has two columns called %s", name).WithHint("name one with AS")
		}
		seen[name.Name] = true
	}
	return nil
}

// Describe returns the columns a view has now.
func Describe(env Env, v *catalog.View) (types.Schema, error) {
	b := newBinder(env)
	r, err := b.table(&ast.TableName{At: -1, Path: ast.Path{ast.NewIdent(v.Path.Catalog), ast.NewIdent(v.Path.Database), ast.NewIdent(v.Path.Name)}})
	if err != nil {
		return nil, err
	}
	return r.node.Schema(), nil
}
