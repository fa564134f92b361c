// Package examples owns the SQL files that show what sqlstream does, so that the demo and the
// tests run the very files that people read.
package examples

import _ "embed"

// ETL is etl.sql: one job from Kafka to Kafka with three results.
//
//go:embed etl.sql
var ETL string

// Bootstrap is the broker that the examples name.
const Bootstrap = "127.0.0.1:9092"
