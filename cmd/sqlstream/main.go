// Command sqlstream runs streaming SQL: Flink's text and results in one program, Kafka in
// and Kafka out, exactly once. `sqlstream --help` is its manual.
//
// This package is wiring only: everything it can do is in internal/cli and below.
package main

import (
	"os"
	_ "time/tzdata" // zones are the same on every machine

	_ "github.com/sqlstream/sqlstream/cmd/sqlstream/internal/cleanenv" // before the packages that read the environment
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
