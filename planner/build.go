package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sqlstream/sqlstream/planner/plan"
	"github.com/sqlstream/sqlstream/sql/catalog"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/rel"
	"github.com/sqlstream/sqlstream/sql/secret"
	"github.com/sqlstream/sqlstream/sql/settings"
	"github.com/sqlstream/sqlstream/sql/types"
)

// builder turns trees into the nodes of one job.
type builder struct {
	Request
	job   *plan.Job
	ids   map[rel.Node]*identity
	scans map[*rel.Scan]int // the Source made for a shared scan
	// tables are those of the scans, with the identity that the connector gave.
	tables map[*rel.Scan]plan.Table
	facts  []*facts // by node ID
}

// facts is what the builder knows of a node beside the plan.
type facts struct {
	id     *identity
	text   string // what the UID is the hash of
	sink   string // identity of the sink it feeds first
	uid    string // Sink: what its table's option says
	source SourceInfo
	dest   SinkInfo
	table  *catalog.Table // Source, Sink
	pos    int
	// otherKey: a sink that takes upserts by another key than the query's.
	otherKey bool
	spread   []int // columns whose hash decides the subtask a row is in; nil: nothing does
}

// maxLine is how many characters of a line of SQL a node keeps.
const maxLine = 160

// line is the line of the SQL text around an offset, for people.
func (b *builder) line(pos int) string {
	text := b.Source.Text
	pos = min(pos, len(text))
	start := strings.LastIndexByte(text[:pos], '\n') + 1
	end := len(text)
	if n := strings.IndexByte(text[pos:], '\n'); n >= 0 {
		end = pos + n
	}
	line := []rune(strings.TrimSpace(secret.SQL(text[start:end])))
	if len(line) > maxLine {
		line = append(line[:maxLine-1], '…')
	}
	return string(line)
}

// add appends a node over the given inputs.
func (b *builder) add(n rel.Node, op plan.Op, schema types.Schema, pos int, inputs ...int) int {
	node := &plan.Node{ID: len(b.job.Nodes), Op: op, Schema: schema, Parallelism: b.job.Parallelism}
	for _, in := range inputs {
		node.Inputs = append(node.Inputs, plan.Input{Node: in})
	}
	if pos >= 0 {
		node.Line, node.Col = b.Source.Position(pos)
		node.SQL = b.line(pos)
	}
	f := &facts{pos: pos}
	if n != nil {
		f.id = b.identity(n)
	}
	b.job.Nodes, b.facts = append(b.job.Nodes, node), append(b.facts, f)
	return node.ID
}

// node builds the operators of a tree and returns the last one, whose columns are the tree's.
func (b *builder) node(n rel.Node) (int, error) {
	switch n := n.(type) {
	case *rel.Scan:
		return b.scan(n)
	case *rel.Values:
		return b.add(n, &plan.Values{Rows: n.Rows}, n.Out, n.Offset), nil
	case *rel.Project:
		return b.calc(n, n.Exprs, n.Input)
	case *rel.Filter:
		s := n.Schema()
		exprs := make([]expr.Expr, len(s))
		for i := range s {
			exprs[i] = rel.Ref(s, i)
		}
		return b.calc(n, exprs, n)
	case *rel.Union:
		return b.union(n)
	}
	in, err := b.node(n.Inputs()[0])
	if err != nil {
		return 0, err
	}
	switch n := n.(type) {
	case *rel.Window:
		op := &plan.WindowAssign{Window: b.window(n, n.Input.Schema())}
		return b.add(n, op, n.Out, n.Offset, in), nil
	case *rel.Aggregate:
		op := &plan.GroupAggregate{Keys: n.Keys, Aggs: n.Aggs, TTL: b.Settings.Duration(settings.StateTTL)}
		if n.TTL != nil {
			op.TTL = *n.TTL
		}
		if b.Settings.Bool(settings.MiniBatch) {
			op.MiniBatch = plan.MiniBatch{Rows: b.Settings.Int(settings.MiniBatchSize), Latency: b.Settings.Duration(settings.MiniBatchLatency)}
		}
		return b.add(n, op, n.Out, n.Offset, in), nil
	case *rel.WindowAggregate:
		op := &plan.WindowAggregate{Keys: n.Keys, Aggs: n.Aggs, Props: props(n.Bounds)}
		if n.Window != nil {
			op.Window = b.window(n.Window, n.Input.Schema())
		} else {
			op.Attached, op.Start, op.End, op.Window.Time, op.Window.Size = true, n.Start, n.End, n.Time, n.Size
			op.Window.LTZ, op.Window.Processing = b.attached(n)
		}
		return b.add(n, op, n.Out, n.Offset, in), nil
	}
	return 0, b.errorf(n.Pos(), "%T has no operator", n)
}

// calc makes one operator of a projection, which may have no columns, and the filter below
// it.
func (b *builder) calc(n rel.Node, exprs []expr.Expr, below rel.Node) (int, error) {
	op := &plan.Calc{Exprs: exprs}
	if f, ok := below.(*rel.Filter); ok {
		op.Filter, below = f.Cond, f.Input
	}
	in, err := b.node(below)
	if err != nil || op.Filter == nil && passes(op.Exprs, len(below.Schema())) {
		return in, err
	}
	return b.add(n, op, n.Schema(), n.Pos(), in), nil
}

// passes reports whether exprs are the columns of the input as they are: a projection that
// only renames needs no operator.
func passes(exprs []expr.Expr, width int) bool {
	if len(exprs) != width {
		return false
	}
	for i, e := range exprs {
		if c, ok := e.(*expr.Column); !ok || c.Index != i {
			return false
		}
	}
	return true
}

func (b *builder) union(n *rel.Union) (int, error) {
	var inputs []int
	for _, in := range n.In {
		i, err := b.node(in)
		if err != nil {
			return 0, err
		}
		inputs = append(inputs, i)
	}
	return b.add(n, &plan.Union{}, n.Out, n.Offset, inputs...), nil
}

func (b *builder) window(w *rel.Window, in types.Schema) plan.Window {
	t := in[w.Time].Type
	out := plan.Window{Kind: plan.Tumble, Time: w.Time, Size: w.Size, Slide: w.Slide, Offset: w.Shift,
		Processing: t.Attr == types.ProcTime, LTZ: t.Kind == types.TimestampLTZ}
	if w.Kind == rel.Hop {
		out.Kind = plan.Hop
	}
	return out
}

// attached says what time the windows of an attached aggregate are of: that of the window
// function below.
func (b *builder) attached(n *rel.WindowAggregate) (ltz, processing bool) {
	rel.Walk(n.Input, func(m rel.Node) {
		var w *rel.Window
		switch m := m.(type) {
		case *rel.Window:
			w = m
		case *rel.WindowAggregate:
			w = m.Window
		}
		if w != nil {
			t := w.Input.Schema()
			if m, ok := m.(*rel.WindowAggregate); ok {
				t = m.Input.Schema()
			}
			ltz = ltz || t[w.Time].Type.Kind == types.TimestampLTZ
			processing = processing || t[w.Time].Type.Attr == types.ProcTime
		}
	})
	return ltz, processing
}

func props(bounds []rel.Bound) []plan.WindowProp {
	var out []plan.WindowProp
	for _, b := range bounds {
		out = append(out, [...]plan.WindowProp{rel.Start: plan.WindowStart, rel.End: plan.WindowEnd, rel.Time: plan.WindowTime}[b])
	}
	return out
}

// PlanTable is a catalog table as connectors and the runtime see it, with options after
// hints.
func PlanTable(t *catalog.Table, options map[string]string) plan.Table {
	out := plan.Table{Path: t.Path.String(), Connector: options["connector"], Options: maps.Clone(options),
		Physical: t.PhysicalSchema(), Key: slices.Clone(t.PrimaryKey)}
	for _, c := range t.MetadataColumns() {
		out.Metadata = append(out.Metadata, plan.MetaColumn{Name: c.Name, Key: c.MetaKey, Type: c.Type.WithoutAttr(), Virtual: c.Virtual})
	}
	return out
}

// scan makes the Source of a shared scan, once.
func (b *builder) scan(n *rel.Scan) (int, error) {
	if id, ok := b.scans[n]; ok {
		return id, nil
	}
	table := PlanTable(n.Table, n.Options)
	if err := b.checkOptions(&table, n.Table, n.Offset); err != nil {
		return 0, err
	}
	info, err := b.Connectors.Source(table)
	if err != nil {
		return 0, b.errorf(n.Offset, "table %s cannot be read: %s", n.Table.Path.Short(), reason(err, n.Table))
	}
	if info.Changes == plan.UpsertMode {
		return 0, b.errorf(n.Offset, "reading the upsert table %s is not supported yet (ChangelogNormalize)", n.Table.Path.Short())
	}
	table.Identity = info.Identity
	physical := len(table.Physical)
	op := &plan.Source{Table: table, Filter: n.Filter}
	reads := map[int]int{} // stored column -> its place in Read
	read := func(stored int) expr.Expr {
		if _, ok := reads[stored]; !ok {
			reads[stored] = len(op.Read)
			op.Read = append(op.Read, stored)
		}
		if stored < physical {
			f := table.Physical[stored]
			return &expr.Column{Index: reads[stored], Name: f.Name, Typ: f.Type, Offset: -1}
		}
		m := &op.Table.Metadata[stored-physical]
		native, ok := info.Metadata[m.Key]
		if !ok {
			native = m.Type
		}
		c := &expr.Column{Index: reads[stored], Name: m.Name, Typ: native, Offset: -1}
		if native.Same(m.Type) {
			return c
		}
		return &expr.Cast{Arg: c, Typ: m.Type, Offset: -1}
	}
	stored := n.Table.Stored()
	for _, ci := range n.Cols {
		c := n.Table.Columns[ci]
		if c.Kind != catalog.Computed {
			op.Columns = append(op.Columns, read(stored.Index(c.Name)))
			continue
		}
		op.Columns = append(op.Columns, expr.Map(c.Expr, func(e expr.Expr) expr.Expr {
			if col, ok := e.(*expr.Column); ok {
				return read(col.Index)
			}
			return e
		}))
	}
	if err := b.sourceMetadata(op, info, n); err != nil {
		return 0, err
	}
	sortReads(op)
	if op.Watermark, err = b.watermark(n); err != nil {
		return 0, err
	}
	b.tables[n] = op.Table
	id := b.add(n, op, n.Out, n.Offset)
	b.facts[id].source, b.facts[id].table = info, n.Table
	b.scans[n] = id
	return id, nil
}

// sourceMetadata gives metadata columns the types the connector has for them.
func (b *builder) sourceMetadata(op *plan.Source, info SourceInfo, n *rel.Scan) error {
	for i := range op.Table.Metadata {
		m := &op.Table.Metadata[i]
		native, ok := info.Metadata[m.Key]
		if !ok {
			if !slices.Contains(op.Read, len(op.Table.Physical)+i) {
				continue
			}
			return b.errorf(n.Offset, "table %s: column %s reads the metadata key '%s', which connector '%s' does not have; it has %s",
				n.Table.Path, types.QuoteIdent(m.Name), m.Key, op.Table.Connector, metadataKeys(info.Metadata))
		}
		m.Type = native
	}
	return nil
}

func metadataKeys(m map[string]types.Type) string {
	if len(m) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// sortReads puts Read in ascending order, so that a plan does not depend on which
// expression comes first.
func sortReads(op *plan.Source) {
	sorted := slices.Sorted(slices.Values(op.Read))
	to := make([]int, len(op.Read))
	for i, r := range op.Read {
		to[i] = slices.Index(sorted, r)
	}
	for i, e := range op.Columns {
		op.Columns[i] = expr.Map(e, func(e expr.Expr) expr.Expr {
			if c, ok := e.(*expr.Column); ok {
				d := *c
				d.Index = to[c.Index]
				return &d
			}
			return e
		})
	}
	op.Read = sorted
}

func (b *builder) watermark(n *rel.Scan) (*plan.Watermark, error) {
	w := n.Table.Watermark
	if w == nil || !n.Timed {
		return nil, nil
	}
	at := map[int]int{}
	for i, c := range n.Cols {
		at[c] = i
	}
	e := expr.Map(w.Expr, func(e expr.Expr) expr.Expr {
		if c, ok := e.(*expr.Column); ok {
			d := *c
			d.Index = at[c.Index]
			return &d
		}
		return e
	})
	out := &plan.Watermark{Column: n.Out.Index(w.Column), Expr: e, IdleTimeout: b.Settings.Duration(settings.SourceIdleTimeout)}
	for key, to := range map[string]*time.Duration{IdleTimeout: &out.IdleTimeout, MaxFuture: &out.MaxFuture} {
		if text, ok := n.Options[key]; ok {
			var err error
			if *to, err = settings.ParseDuration(text); err != nil {
				return nil, b.errorf(n.Offset, "table %s: option '%s': %s", n.Table.Path.Short(), key, err)
			}
		}
	}
	return out, nil
}

// sink builds one INSERT or SELECT.
func (b *builder) sink(s *rel.Sink, root rel.Node) error {
	first := len(b.job.Nodes)
	var op plan.Sink
	f := &facts{pos: s.Offset}
	if s.Table == nil {
		op.Collect = true
	} else {
		table := PlanTable(s.Table, s.Options)
		f.uid = table.Options[SinkUID]
		if err := b.checkOptions(&table, s.Table, s.Offset); err != nil {
			return err
		}
		info, err := b.Connectors.Sink(table)
		if err != nil {
			return b.errorf(s.Offset, "table %s cannot be written: %s", s.Table.Path.Short(), reason(err, s.Table))
		}
		if err := b.exactlyOnce(s, info); err != nil {
			return err
		}
		table.Identity = info.Identity
		op.Table = table
		if root, err = b.sinkMetadata(&op, info, s, root); err != nil {
			return err
		}
		f.dest, f.table = info, s.Table
		for _, k := range s.Table.PrimaryKey {
			op.Key = append(op.Key, s.Table.SinkSchema().Index(k))
		}
		if b.Settings.Get(settings.NotNullEnforcer) == "DROP" {
			op.NotNull = plan.NotNullDrop
		}
	}
	in, err := b.node(root)
	if err != nil {
		return err
	}
	schema := root.Schema()
	if s.Table != nil {
		schema = sinkSchema(op.Table)
	}
	id := b.add(nil, &op, schema, s.Offset, in)
	b.facts[id] = f
	f.id = b.identity(root)
	name := "select"
	if s.Table != nil {
		name = tableIdentity(op.Table)
	}
	if f.uid != "" {
		name = hinted(f.uid) // so that operators that share a text with others are told apart by it too
	}
	for i := first; i <= id; i++ {
		b.facts[i].sink = name
	}
	return nil
}

// sinkSchema is the physical columns and the metadata columns that are written.
func sinkSchema(t plan.Table) types.Schema {
	s := slices.Clone(t.Physical)
	for _, m := range t.Metadata {
		if !m.Virtual {
			s = append(s, types.Field{Name: m.Name, Type: m.Type})
		}
	}
	return s
}

// sinkMetadata gives written metadata columns the types the connector has for them.
func (b *builder) sinkMetadata(op *plan.Sink, info SinkInfo, s *rel.Sink, root rel.Node) (rel.Node, error) {
	schema := root.Schema()
	exprs, cast := make([]expr.Expr, len(schema)), false
	for i := range schema {
		exprs[i] = rel.Ref(schema, i)
	}
	at := len(op.Table.Physical)
	for i := range op.Table.Metadata {
		m := &op.Table.Metadata[i]
		if m.Virtual {
			continue
		}
		native, ok := info.Metadata[m.Key]
		if !ok {
			return nil, b.errorf(s.Offset, "table %s: column %s writes the metadata key '%s', which connector '%s' does not take; it takes %s",
				s.Table.Path, types.QuoteIdent(m.Name), m.Key, op.Table.Connector, metadataKeys(info.Metadata)).
				WithHint("declare the column VIRTUAL if it is only read")
		}
		if !native.Same(m.Type) {
			exprs[at], cast = &expr.Cast{Arg: exprs[at], Typ: native.WithNull(!schema[at].Type.NotNull), Offset: -1}, true
		}
		m.Type = native
		at++
	}
	if !cast {
		return root, nil
	}
	if p, ok := root.(*rel.Project); ok { // one projection instead of two
		for i := range exprs {
			exprs[i] = expr.Map(exprs[i], func(e expr.Expr) expr.Expr {
				if c, ok := e.(*expr.Column); ok {
					return p.Exprs[c.Index]
				}
				return e
			})
		}
		return rel.NewProject(p.Input, exprs, schema.Names(), p.Offset), nil
	}
	return rel.NewProject(root, exprs, schema.Names(), s.Offset), nil
}

// exactlyOnce refuses transactions that nothing would ever commit.
func (b *builder) exactlyOnce(s *rel.Sink, info SinkInfo) error {
	if !info.Transactional || b.Settings.IsSet(settings.CheckpointInterval) {
		return nil
	}
	return b.errorf(s.Offset, "table %s writes in transactions, which are committed by checkpoints, but '%s' is not set", s.Table.Path.Short(), settings.CheckpointInterval).
		WithHint("SET '%s' = '10 s'", settings.CheckpointInterval)
}

// checkOptions refuses options that the connector does not know, and takes away those that
// are the planner's own.
func (b *builder) checkOptions(t *plan.Table, ct *catalog.Table, pos int) error {
	if t.Connector == "" {
		return b.errorf(pos, "table %s has no option 'connector'", ct.Path.Short()).WithHint("say where it is: WITH ('connector' = '..')")
	}
	if err := CheckOptions(b.Connectors, *t); err != nil {
		return b.errorf(pos, "table %s: %s", ct.Path.Short(), err)
	}
	defs, err := b.Connectors.Options(*t)
	if err != nil {
		return b.errorf(pos, "table %s: %s", ct.Path.Short(), err)
	}
	for _, own := range TableOptions {
		if findOption(defs, own.Key) == nil {
			delete(t.Options, own.Key)
		}
	}
	return nil
}

// reason is a connector's error without the table's name, which the message has already.
func reason(err error, t *catalog.Table) string {
	return strings.TrimPrefix(err.Error(), "table "+t.Path.String()+": ")
}

// tableIdentity is what a table is in UIDs.
func tableIdentity(t plan.Table) string { return fmt.Sprintf("%s|%s", t.Path, t.Identity) }
