package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/result"
)

const rootHelp = `sqlstream runs streaming SQL: Flink's SQL and results in one program, from Kafka
to Kafka, exactly once, through any crash.

Without a command it is a shell: type a SELECT over a topic and watch the rows.
With -e, -f or a piped standard input it carries out statements and ends.

  sqlstream run job.sql     run the INSERTs of a file as jobs; the same command
                            again goes on where the last run stopped
  sqlstream dev-broker      a Kafka broker for machines without Kafka
  sqlstream demo            all of it in a minute

Jobs, their checkpoints and the shell's history are kept in --home. Exit codes
are those of sysexits.h: 64 usage, 65 wrong SQL or data, 73 in use by another
process, 74 input/output, 75 a system outside failed, 77 permission, 78
configuration or a decision that a person has to make.`

func (a *app) root() *cobra.Command {
	var script scriptFlags
	root := &cobra.Command{
		Use:   "sqlstream [command]",
		Short: "Streaming SQL in one program",
		Long:  rootHelp,
		Example: `  sqlstream
  sqlstream -e "SELECT 1 + 1"
  sqlstream -f queries.sql --output json
  echo 'SHOW TABLES;' | sqlstream
  sqlstream -D parallelism.default=2 run job.sql`,
		Args:          args(subcommand),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return a.statements(cmd, &script) },
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(usageError)
	script.add(root)
	f := root.PersistentFlags()
	f.StringVar(&a.homeFlag, "home", "", "`directory` of jobs and history (default: $SQLSTREAM_HOME, else sqlstream in ~/.local/state)")
	f.StringArrayVarP(&a.settings, "define", "D", nil, "session option `key=value`, as SET 'key' = 'value'")
	f.StringVar(&a.output, "output", string(result.Table), "how rows are printed: `table`, changelog, csv, json or arrow")
	f.StringVar(&a.logLevel, "log-level", "info", "least `level` that is logged: debug, info, warn or error")
	f.StringVar(&a.logFormat, "log-format", "auto", "`auto` (for people on a terminal, else text), text or json")
	for flag, values := range map[string][]string{
		"output": result.Formats, "log-level": {"debug", "info", "warn", "error"}, "log-format": {"auto", "text", "json"},
	} {
		_ = root.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	root.AddGroup(&cobra.Group{ID: "sql", Title: "SQL:"}, &cobra.Group{ID: "jobs", Title: "Jobs and checkpoints:"}, &cobra.Group{ID: "kafka", Title: "Kafka without Kafka's tools:"})
	for group, list := range map[string][]*cobra.Command{
		"sql":   {a.run(), a.explain(), a.demo()},
		"jobs":  {a.jobs(), a.stop(), a.cancel(), a.checkpoint(), a.savepoint(), a.state(), a.diff(), a.flink()},
		"kafka": {a.devBroker(), a.topic(), a.nexmark()},
	} {
		for _, c := range list {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	root.AddCommand(a.version())
	root.CompletionOptions.HiddenDefaultCmd = false
	return root
}

// scriptFlags are where statements come from.
type scriptFlags struct {
	texts []string
	files []string
}

func (s *scriptFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&s.texts, "execute", "e", nil, "carry out these `statements` and end; several times for several")
	f.StringArrayVarP(&s.files, "file", "f", nil, "carry out the statements of this `file` and end; - is standard input")
}

// script is one text to carry out.
type script struct{ name, text string }

// read returns the texts of the flags; interactive is true when there are none.
func (s *scriptFlags) read(cmd *cobra.Command, a *app) (list []script, interactive bool, err error) {
	if len(s.texts) > 0 && len(s.files) > 0 {
		return nil, false, usageError(cmd, errors.New("-e and -f exclude each other"))
	}
	for _, t := range s.texts {
		list = append(list, script{"", t})
	}
	for _, f := range s.files {
		text, err := a.readScript(f)
		if err != nil {
			return nil, false, err
		}
		list = append(list, text)
	}
	if len(list) > 0 {
		return list, false, nil
	}
	if isTerminal(a.In) && isTerminal(a.Out) {
		return nil, true, nil
	}
	text, err := a.readScript("-")
	return []script{text}, false, err
}

// maxScript bounds a file of statements; one statement may have 1 MiB.
const maxScript = 16 << 20

func (a *app) readScript(file string) (script, error) {
	in, name := a.In, ""
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return script{}, err
		}
		defer f.Close()
		in, name = f, file
	}
	b, err := io.ReadAll(io.LimitReader(in, maxScript+1))
	if err != nil {
		return script{}, fmt.Errorf("reading statements: %w", err)
	}
	if len(b) > maxScript {
		return script{}, exitcode.With(exitcode.Data, fmt.Errorf("%s has more than %d MiB; is it a file of SQL statements?", file, maxScript>>20))
	}
	return script{name, string(b)}, nil
}
