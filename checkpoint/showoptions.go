package checkpoint

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// optionPrefixes begin the session options that decide about checkpoints, state and restarts.
var optionPrefixes = []string{"execution.checkpointing.", "execution.state-recovery.", "state.", "restart-strategy.", "parallelism.", "pipeline.max-parallelism"}

// inForce lists the options of a checkpoint's job that people ask about when they look at it, by
// key; of the restart strategies only the one in force has its options listed.
func inForce(options map[string]string) []string {
	const restart = "restart-strategy."
	other := "none"
	if options["execution.checkpointing.interval"] != "" {
		other = "exponential-delay"
	}
	strategy := cmp.Or(options[restart+"type"], other)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(options)), func(key string) bool {
		if rest, ok := strings.CutPrefix(key, restart); ok && rest != "type" {
			return !strings.HasPrefix(rest, strategy+".")
		}
		return !slices.ContainsFunc(optionPrefixes, func(p string) bool { return strings.HasPrefix(key, p) })
	})
}

// writeOptions prints the options in force, when the snapshot has them.
func writeOptions(w io.Writer, options map[string]string) {
	keys := inForce(options)
	if len(keys) == 0 {
		return
	}
	fmt.Fprintf(w, "\noptions\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range keys {
		fmt.Fprintf(t, "  %s\t%s\n", k, options[k])
	}
	t.Flush() // into memory
}
