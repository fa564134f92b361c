package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/buildinfo"
)

func (a *app) version() *cobra.Command {
	format := "text"
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version and what it was built from",
		Example: "  sqlstream version\n  sqlstream version --format json",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			info := buildinfo.Read()
			if format == formatJSON {
				return a.printJSON(info)
			}
			fmt.Fprint(a.Out, info)
			return nil
		},
	}
	a.formatFlag(cmd, &format)
	return cmd
}

// The values of --format, for commands whose answer is no table of rows.
const (
	formatText = "text"
	formatJSON = "json"
)

// formatFlag adds --format text|json, checked before the command runs.
func (a *app) formatFlag(cmd *cobra.Command, format *string) {
	*format = formatText
	cmd.Flags().StringVar(format, "format", formatText, "`text` or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{formatText, formatJSON}, cobra.ShellCompDirectiveNoFileComp))
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *format != formatText && *format != formatJSON {
			return usageError(cmd, fmt.Errorf("--format '%s': expected text or json", *format))
		}
		return run(cmd, args)
	}
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
