package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/planner/plan"
)

const explainHelp = `Show how the statements of a file run: for each INSERT, statement set and SELECT
the logical plan, and the physical plan with, for every operator, its UID (what
its state is found by again), state slots, changelog mode, keys, watermarks and
parallelism. Nothing is run and nothing is connected to. The text is the same on
every machine, so it can be kept beside the file and compared.`

func (a *app) explain() *cobra.Command {
	format := ""
	cmd := &cobra.Command{
		Use:     "explain FILE",
		Short:   "Show the plans of a SQL file: operators, UIDs, state, changelog",
		Long:    explainHelp,
		Example: "  sqlstream explain job.sql\n  sqlstream explain job.sql --format json | jq '.[0].nodes[].uid'\n  echo 'SELECT 1 + 1;' | sqlstream explain -",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.readScript(args[0])
			if err != nil {
				return err
			}
			sess, err := a.newSession(cmd)
			if err != nil {
				return err
			}
			results, err := sess.Execute(s.name, s.text)
			if err != nil {
				return render(err)
			}
			var plans []*plan.Job
			for i := range results {
				if results[i].Job != nil {
					plans = append(plans, results[i].Job)
				}
			}
			if len(plans) == 0 {
				return exitcode.With(exitcode.Data, errors.New("there is no INSERT, statement set or SELECT to explain"))
			}
			return a.explainPlans(plans, format)
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}

func (a *app) explainPlans(plans []*plan.Job, format string) error {
	if format == formatJSON {
		list := make([]json.RawMessage, len(plans))
		for i, p := range plans {
			b, err := plan.ExplainJSON(p)
			if err != nil {
				return err
			}
			list[i] = b
		}
		return a.printJSON(list)
	}
	for i, p := range plans {
		if i > 0 {
			fmt.Fprintln(a.Out)
		}
		fmt.Fprint(a.Out, plan.Explain(p))
	}
	return nil
}
