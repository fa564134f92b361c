package bind

import (
	"slices"

	"github.com/sqlstream/sqlstream/sql/ast"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
)

// likeDefaults is what LIKE does with each feature when nothing is said: everything is
// included; options, generated and metadata columns of the new table win over equal ones
// (Flink's SqlTableLike).
var likeDefaults = map[string]string{
	"CONSTRAINTS": "INCLUDING", "PARTITIONS": "INCLUDING", "DISTRIBUTION": "INCLUDING", "WATERMARKS": "INCLUDING",
	"GENERATED": "INCLUDING", "METADATA": "INCLUDING", "OPTIONS": "OVERWRITING",
}

// like copies from the table of LIKE what its options say.
func (b *binder) like(t *catalog.Table, c *ast.CreateTable) error {
	obj, path, err := b.lookup(c.Like.Table)
	if err != nil {
		return err
	}
	base, ok := obj.(*catalog.Table)
	if !ok {
		return b.errorf(c.Like.Table.Pos(), "%s is a view, LIKE needs a table", path.Short())
	}
	strategy, err := b.likeOptions(c.Like.Options)
	if err != nil {
		return err
	}
	declared := map[string]*ast.Column{}
	for _, col := range c.Columns {
		declared[col.Name.Name] = col
	}
	for _, col := range base.Columns {
		feature := map[catalog.ColumnKind]string{catalog.Computed: "GENERATED", catalog.Metadata: "METADATA"}[col.Kind]
		if feature != "" && strategy[feature] == "EXCLUDING" {
			continue
		}
		if own := declared[col.Name]; own != nil {
			ownKind := map[ast.ColumnKind]catalog.ColumnKind{ast.Physical: catalog.Physical, ast.Computed: catalog.Computed, ast.Metadata: catalog.Metadata}[own.Kind]
			if feature != "" && ownKind == col.Kind && strategy[feature] == "OVERWRITING" {
				continue // the new table's own follows
			}
			e := b.errorf(own.Name.Pos(), "column %s exists in %s already", own.Name, path.Short())
			if feature != "" {
				e.Hint = "write OVERWRITING " + feature + " or EXCLUDING " + feature
			}
			return e
		}
		if strategy["WATERMARKS"] == "EXCLUDING" || strategy["WATERMARKS"] == "OVERWRITING" && len(c.Watermarks) > 0 {
			if base.Watermark != nil && col.Name == base.Watermark.Column {
				col.Type = col.Type.WithoutAttr()
			}
		}
		t.Columns = append(t.Columns, col)
	}
	if base.Watermark != nil && (strategy["WATERMARKS"] == "INCLUDING" || strategy["WATERMARKS"] == "OVERWRITING" && len(c.Watermarks) == 0) {
		w := *base.Watermark
		w.Expr = byName(w.Expr, t.Schema().Index)
		t.Watermark = &w
	}
	if strategy["CONSTRAINTS"] == "INCLUDING" {
		t.PrimaryKey, t.KeyName = slices.Clone(base.PrimaryKey), base.KeyName
	}
	if strategy["PARTITIONS"] == "INCLUDING" {
		t.PartitionKeys = base.PartitionKeys
	}
	if strategy["OPTIONS"] != "EXCLUDING" {
		t.Options = slices.Clone(base.Options)
		for _, o := range c.Options {
			if strategy["OPTIONS"] == "INCLUDING" && base.Option(o.Key.Value) != "" {
				return b.errorf(o.Pos(), "option '%s' is set in %s already", o.Key.Value, path.Short()).WithHint("write OVERWRITING OPTIONS")
			}
		}
		for i := range t.Options {
			t.Options[i].Pos = c.Like.Pos()
		}
	}
	t.Comment = base.Comment
	return nil
}

// rebase makes inherited computed columns read the stored columns of their new table, which
// may stand elsewhere than in the old one.
func rebase(t *catalog.Table) {
	stored := t.Stored()
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Kind == catalog.Computed && c.Expr != nil {
			c.Expr = byName(c.Expr, stored.Index)
		}
	}
}

// byName gives each column of e the index that its name has now.
func byName(e expr.Expr, index func(string) int) expr.Expr {
	return expr.Map(e, func(e expr.Expr) expr.Expr {
		if c, ok := e.(*expr.Column); ok {
			d := *c
			d.Index = index(c.Name)
			return &d
		}
		return e
	})
}

func (b *binder) likeOptions(opts []ast.LikeOption) (map[string]string, error) {
	out := map[string]string{}
	for f, s := range likeDefaults {
		out[f] = s
	}
	given := map[string]bool{}
	for _, o := range opts {
		if o.Feature == "ALL" {
			if o.Strategy == "OVERWRITING" {
				return nil, b.errorf(o.Pos(), "OVERWRITING ALL is not possible, name the feature")
			}
			for f := range out {
				if !given[f] {
					out[f] = o.Strategy
				}
			}
			continue
		}
		if o.Strategy == "OVERWRITING" && (o.Feature == "CONSTRAINTS" || o.Feature == "PARTITIONS" || o.Feature == "DISTRIBUTION") {
			return nil, b.errorf(o.Pos(), "OVERWRITING %s is not possible, write EXCLUDING %s and declare them anew", o.Feature, o.Feature)
		}
		if given[o.Feature] {
			return nil, b.errorf(o.Pos(), "LIKE says twice what to do with %s", o.Feature)
		}
		given[o.Feature] = true
		out[o.Feature] = o.Strategy
	}
	return out, nil
}
