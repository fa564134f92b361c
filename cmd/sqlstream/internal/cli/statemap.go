package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/checkpoint"
)

// state is about the state of snapshots, offline.
func (a *app) state() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "state",
		Short:   "Which state belongs to which part of a query",
		Long:    "Look at the keyed state of savepoints and checkpoints.",
		Example: "  sqlstream state map ./savepoints/savepoint-5f2a91-0c8be11d7a34",
		Args:    args(subcommand),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.stateMap())
	return cmd
}

func (a *app) stateMap() *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:   "map PATH",
		Short: "Print operator id -> state, with the SQL that the operator came from",
		Long: `Print for every operator that keeps state its id, the SQL that it came from, and
its tables: how many rows and bytes, the columns of the key and of the state.` + snapshotPathHelp,
		Example: "  sqlstream state map ./savepoints/savepoint-5f2a91-0c8be11d7a34",
		Args:    exactly("PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := a.interruptible(cmd)
			defer stop()
			s, err := a.openSnapshot(ctx, cmd, args[0])
			if err != nil {
				return err
			}
			defer s.Close()
			list := mapState(s.Manifest, s.Path)
			if format == formatJSON {
				return a.printJSON(list)
			}
			return writeStateMap(a.Out, list)
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}

// mappedOperator is an operator with state.
type mappedOperator struct {
	UID    string        `json:"uid"`
	Name   string        `json:"name"`
	Kind   string        `json:"kind"`
	Line   int           `json:"line,omitempty"`
	Column int           `json:"column,omitempty"`
	SQL    string        `json:"sql,omitempty"` // the line it came from
	Tables []mappedTable `json:"tables"`
}

type mappedTable struct {
	Name  string   `json:"name"`
	Rows  int64    `json:"rows"` // changes, unless live
	Live  bool     `json:"live"`
	Bytes int64    `json:"bytes"`
	Key   []string `json:"key"`
	State []string `json:"state"`
}

func mapState(m *checkpoint.Manifest, location string) []mappedOperator {
	out := []mappedOperator{}
	for _, s := range checkpoint.DescribeManifest(m, location, time.Now()).State {
		x := mappedOperator{UID: s.UID, Name: s.Name, Kind: s.Kind}
		if o := m.Operator(s.UID); o != nil {
			x.Line, x.Column, x.SQL = o.Line, o.Column, o.SQL
		}
		for _, t := range s.Tables {
			y := mappedTable{Name: t.Name, Rows: t.Rows, Live: t.Live, Bytes: t.Bytes, Key: []string{}, State: []string{}}
			for _, k := range t.Key {
				y.Key = append(y.Key, k.Name+" "+k.Type)
			}
			for i := range t.Slots {
				y.State = append(y.State, t.Slots[i].Title())
			}
			x.Tables = append(x.Tables, y)
		}
		out = append(out, x)
	}
	return out
}

func writeStateMap(w io.Writer, list []mappedOperator) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no operator keeps state")
		return err
	}
	var b strings.Builder
	for _, o := range list {
		fmt.Fprintf(&b, "%s  %s\n", o.UID, o.Name)
		if o.Line > 0 {
			fmt.Fprintf(&b, "  line %d:%d  %s\n", o.Line, o.Column, o.SQL)
		}
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, x := range o.Tables {
			what := "changes"
			if x.Live {
				what = "rows"
			}
			fmt.Fprintf(t, "  %s\t%d %s, %s\t(%s) -> (%s)\n", x.Name, x.Rows, what, checkpoint.FormatSize(x.Bytes), strings.Join(x.Key, ", "), strings.Join(x.State, ", "))
		}
		t.Flush() // into memory
	}
	_, err := io.WriteString(w, b.String())
	return err
}
