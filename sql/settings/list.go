package settings

import "slices"

// Keys that code reads.
const (
	DefaultParallelism  = "parallelism.default"
	ResourceParallelism = "table.exec.resource.default-parallelism"
	MaxParallelism      = "pipeline.max-parallelism"
	PipelineName        = "pipeline.name"
	WatermarkInterval   = "pipeline.auto-watermark-interval"
	StateTTL            = "table.exec.state.ttl"
	MiniBatch           = "table.exec.mini-batch.enabled"
	MiniBatchLatency    = "table.exec.mini-batch.allow-latency"
	MiniBatchSize       = "table.exec.mini-batch.size"
	LocalTimeZone       = "table.local-time-zone"
	SourceIdleTimeout   = "table.exec.source.idle-timeout"
	AllowLoop           = "pipeline.allow-loop"
	NotNullEnforcer     = "table.exec.sink.not-null-enforcer"
	UpsertMaterialize   = "table.exec.sink.upsert-materialize"
	ResultMode          = "sql-client.execution.result-mode"
	MaxRows             = "sql-client.execution.max-table-result.rows"
)

const notYet = "is not supported yet"

// Options is every key that SET accepts, by group. Keys, types and defaults are Flink's
// (the configuration of release 2.2.1); an entry here runs, values that do not run are refused
// by name, and what changes nothing here is accepted with a notice.
var Options = slices.Concat(checkpointOptions, stateOptions, restartOptions, jobOptions, storeOptions)

// jobOptions say how a job runs and what its results are.
var jobOptions = []Option{
	{Key: "execution.runtime-mode", Type: Enum, Default: "STREAMING", Enum: []string{"STREAMING", "BATCH", "AUTOMATIC"},
		Doc: "How a query runs. Bounded input in STREAMING mode gives its whole changelog and ends.",
		Refuse: map[string]string{"BATCH": "batch mode " + notYet + "; a bounded source in STREAMING mode gives the same final rows",
			"AUTOMATIC": "batch mode " + notYet + "; use STREAMING"}},
	{Key: DefaultParallelism, Type: Int, Default: "1", Min: "1", Max: "1024", Runtime: true,
		Doc: "Subtasks of each operator."},
	{Key: ResourceParallelism, Type: Int, Default: "-1", Min: "-1", Max: "1024",
		Doc: "Overrides parallelism.default for SQL jobs when it is greater than 0."},
	{Key: MaxParallelism, Type: Int, Default: "128", Min: "1", Max: "32768", Runtime: true,
		Doc: "Number of key groups: the most subtasks that keyed state can be spread over. Frozen in a snapshot."},
	{Key: PipelineName, Type: String, Runtime: true,
		Doc: "Name of the job; default: the name of the file."},
	{Key: AllowLoop, Type: Boolean, Default: "false",
		Doc: "Whether a job may read what it writes (sqlstream only; Flink allows it always)."},
	{Key: WatermarkInterval, Type: Duration, Default: "200 ms", Runtime: true,
		Doc: "Accepted for Flink's sake: watermarks are passed on after every batch of a source, which is sooner."},

	{Key: LocalTimeZone, Type: Zone, Default: "UTC", Runtime: true,
		Doc: "The session's time zone: how TIMESTAMP_LTZ is read, written and cut into windows. Flink's default is the machine's zone; here it is UTC, so that a file means the same everywhere."},
	{Key: StateTTL, Type: Duration, Default: "0 ms", Runtime: true,
		Doc: "Keyed state that was not touched for so long is dropped; 0 ms: never. Windows have their own clean-up."},
	{Key: SourceIdleTimeout, Type: Duration, Default: "0 ms", Runtime: true,
		Doc: "A split without rows for so long no longer holds the watermark back; 0 ms: it always does."},
	{Key: NotNullEnforcer, Type: Enum, Default: "ERROR", Enum: []string{"ERROR", "DROP"},
		Doc: "What a sink does with NULL in a NOT NULL column: fail the job, or drop the row and count it."},
	{Key: "table.exec.sink.type-length-enforcer", Type: Enum, Default: "IGNORE", Enum: []string{"IGNORE", "TRIM_PAD", "ERROR"},
		Doc: "What a sink does with texts that do not have the length of their CHAR(n) or VARCHAR(n).",
		Refuse: map[string]string{"TRIM_PAD": notYet + "; CAST to the type in the query cuts and pads",
			"ERROR": notYet}},
	{Key: UpsertMaterialize, Type: Enum, Default: "AUTO", Enum: []string{"NONE", "AUTO", "FORCE"},
		Doc:    "Whether rows are materialised before a sink whose primary key is not the query's. AUTO refuses such a query, NONE passes the changes on as they come.",
		Refuse: map[string]string{"FORCE": "SinkUpsertMaterializer " + notYet}},
	{Key: MiniBatch, Type: Boolean, Default: "false",
		Doc: "Whether an unbounded GROUP BY gathers rows, so that a group has one change for all of its rows in a bundle instead of one for each. What is left in the end is the same."},
	{Key: MiniBatchLatency, Type: Duration, Default: "0 ms",
		Doc: "How long mini-batch may hold a row back; needed with it. A bundle also leaves at every watermark and checkpoint."},
	{Key: MiniBatchSize, Type: Int, Default: "-1", Min: "-1",
		Doc: "How many rows mini-batch takes together; needed with it. A bundle has at most 2048 rows, also where this is more."},
	{Key: "table.optimizer.agg-phase-strategy", Type: Enum, Default: "AUTO", Enum: []string{"AUTO", "ONE_PHASE", "TWO_PHASE"},
		Doc: "How aggregates are split over subtasks in Flink. The engine decides by itself; results are the same."},
	{Key: "table.dml-sync", Type: Boolean, Default: "false",
		Doc: "Whether an interactive INSERT waits for its job to end."},

	{Key: ResultMode, Type: Enum, Default: "TABLE", Enum: []string{"TABLE", "CHANGELOG", "TABLEAU"},
		Doc: "How the shell shows the result of a SELECT."},
	{Key: MaxRows, Type: Int, Default: "1000000", Min: "1",
		Doc: "How many rows of a result the shell keeps."},
	{Key: "sql-client.display.max-column-width", Type: Int, Default: "30", Min: "4",
		Doc: "Texts longer than this are cut on the screen."},
}
