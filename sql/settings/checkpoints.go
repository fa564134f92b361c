package settings

// Keys of checkpoints, of state and of recovery that code reads.
const (
	CheckpointInterval      = "execution.checkpointing.interval"
	CheckpointMode          = "execution.checkpointing.mode"
	CheckpointTimeout       = "execution.checkpointing.timeout"
	CheckpointMinPause      = "execution.checkpointing.min-pause"
	CheckpointMaxConcurrent = "execution.checkpointing.max-concurrent-checkpoints"
	CheckpointTolerable     = "execution.checkpointing.tolerable-failed-checkpoints"
	CheckpointDir           = "execution.checkpointing.dir"
	CheckpointRetained      = "execution.checkpointing.num-retained"
	CheckpointRetention     = "execution.checkpointing.externalized-checkpoint-retention"
	CheckpointIncremental   = "execution.checkpointing.incremental"
	CheckpointAfterFinish   = "execution.checkpointing.checkpoints-after-tasks-finish"
	SavepointDir            = "execution.checkpointing.savepoint-dir"
	Unaligned               = "execution.checkpointing.unaligned.enabled"
	AlignedTimeout          = "execution.checkpointing.aligned-checkpoint-timeout"

	RecoveryPath            = "execution.state-recovery.path"
	RecoveryClaimMode       = "execution.state-recovery.claim-mode"
	RecoveryIgnoreUnclaimed = "execution.state-recovery.ignore-unclaimed-state"

	StateBackend  = "state.backend.type"
	BackendMemory = "state.backend.badger.memory"
)

// The values of CheckpointRetention and StateBackend.
const (
	RetainOnCancellation = "RETAIN_ON_CANCELLATION"
	DeleteOnCancellation = "DELETE_ON_CANCELLATION"
	NoExternalized       = "NO_EXTERNALIZED_CHECKPOINTS"

	BackendHashmap = "hashmap"
	BackendBadger  = "badger"
)

const (
	noMerging = "a checkpoint writes one file for each stateful subtask that changed, whatever it says, and files are rolled up in the background"
	badgerIs  = "the store that spills to the local disk is called 'badger' here, and is used"
	noLocal   = "a restart reads the checkpoint itself: a directory on the local disk is as near as a local copy, and a copy that survives nothing is not kept"
)

// checkpointOptions say when checkpoints are taken and what stays of them.
var checkpointOptions = []Option{
	{Key: CheckpointInterval, Type: Duration, Min: "10 ms", Runtime: true,
		Doc: "How often a checkpoint starts. Without a value there are no checkpoints, and exactly-once sinks are refused.",
		Old: []string{"checkpoint.interval"}},
	{Key: "execution.checkpointing.interval-during-backlog", Type: Duration,
		Doc:     "Refused: the interval while a source says that it processes a backlog.",
		Refused: "sources do not report a backlog here, so one interval holds all the time; leave it out"},
	{Key: CheckpointMode, Type: Enum, Default: "EXACTLY_ONCE", Enum: []string{"EXACTLY_ONCE", "AT_LEAST_ONCE"}, Runtime: true,
		Doc: "Whether barriers are aligned, so that state holds the effect of each row once. With AT_LEAST_ONCE a slow input does not hold a fast one, and after a restore state may count rows twice."},
	{Key: CheckpointTimeout, Type: Duration, Default: "10 min", Min: "10 ms", Runtime: true,
		Doc: "A checkpoint that is not complete by then is discarded and counts as failed."},
	{Key: CheckpointMinPause, Type: Duration, Default: "0 ms", Runtime: true,
		Doc: "Time from the end of one checkpoint to the start of the next."},
	{Key: CheckpointMaxConcurrent, Type: Int, Default: "1", Min: "1", Runtime: true,
		Doc: "Checkpoints under way at one time. More than one cannot be used with a pause or with unaligned checkpoints."},
	{Key: CheckpointTolerable, Type: Int, Default: "0", Min: "0", Runtime: true,
		Doc: "How many checkpoints in a row may fail before the job does.",
		Old: []string{"execution.checkpointing.tolerable-checkpoint-failure-number"}},
	{Key: Unaligned, Type: Boolean, Default: "false", Runtime: true,
		Doc: "Whether barriers overtake queued rows, which then become part of the checkpoint: it ends soon although the job is behind. Needs EXACTLY_ONCE and one checkpoint at a time.",
		Old: []string{"execution.checkpointing.unaligned"}},
	{Key: AlignedTimeout, Type: Duration, Default: "0 ms", Runtime: true,
		Doc: "With unaligned checkpoints: how long a barrier waits its turn before it overtakes; 0 ms: it overtakes at once. Without them it has no meaning.",
		Old: []string{"execution.checkpointing.alignment-timeout"}},
	{Key: "execution.checkpointing.unaligned.forced", Type: Boolean, Default: "false",
		Doc:    "Accepted for Flink's sake, where it allows unaligned checkpoints in jobs with loops.",
		Notice: map[string]string{"true": "no job has loops here, so there is nothing to force"}},
	{Key: "execution.checkpointing.unaligned.interruptible-timers.enabled", Type: Boolean, Default: "false",
		Doc:    "Accepted for Flink's sake: a barrier waits for the batch that is being worked on, timers included.",
		Notice: map[string]string{"true": "it changes nothing: a barrier waits for one batch at most"}},
	{Key: "execution.checkpointing.unaligned.max-subtasks-per-channel-state-file", Type: Int, Default: "5", Min: "1",
		Doc:    "Accepted for Flink's sake: how rows in flight are spread over files.",
		Notice: map[string]string{anyValue: noMerging}},
	{Key: CheckpointAfterFinish, Type: Boolean, Default: "true", Runtime: true,
		Doc: "Whether checkpoints go on when some tasks have read all of their input, and a job whose input ends takes a last one, which commits its output.",
		Old: []string{"execution.checkpointing.checkpoints-after-tasks-finish.enabled"}},
	{Key: CheckpointIncremental, Type: Boolean, Default: "true", Runtime: true,
		Doc: "Whether a checkpoint writes only what changed since the one before, so that checkpoints share files. With false each has full files of its own. Flink's default is false.",
		Old: []string{"state.backend.incremental"}},
	{Key: CheckpointDir, Type: String, Runtime: true,
		Doc: "Directory that checkpoints are written to; default: in the job directory.",
		Old: []string{"state.checkpoints.dir", "state.backend.fs.checkpointdir"}},
	{Key: SavepointDir, Type: String, Runtime: true,
		Doc: "Directory that savepoints are written to when the command names none.",
		Old: []string{"state.savepoints.dir"}},
	{Key: CheckpointRetained, Type: Int, Default: "1", Min: "1", Runtime: true,
		Doc: "How many completed checkpoints are kept.",
		Old: []string{"state.checkpoints.num-retained"}},
	{Key: CheckpointRetention, Type: Enum, Default: RetainOnCancellation, Enum: []string{RetainOnCancellation, DeleteOnCancellation, NoExternalized}, Runtime: true,
		Doc: "What stays of the checkpoints when the job has ended: RETAIN_ON_CANCELLATION everything, so that the next run goes on from there; DELETE_ON_CANCELLATION only what a failed job left; NO_EXTERNALIZED_CHECKPOINTS nothing. " +
			"A process that is killed, or ended by a signal, always leaves them. Flink's default is NO_EXTERNALIZED_CHECKPOINTS."},
	{Key: "execution.checkpointing.storage", Type: Enum, Default: "filesystem", Enum: []string{"filesystem", "jobmanager"},
		Doc: "Where checkpoints lie. Flink keeps them in the memory of the job manager when no directory is set.", Old: []string{"state.checkpoint-storage"},
		Refuse: map[string]string{"jobmanager": "checkpoints in memory end with the process and would restore nothing; leave it out, and they lie in the job directory"}},
	{Key: "execution.checkpointing.create-subdir", Type: Boolean, Default: "true",
		Doc: "Whether the checkpoints of a job lie in a directory of its id.", Old: []string{"state.checkpoints.create-subdir"},
		Refuse: map[string]string{"false": "the directory of its id is what keeps the files of two jobs apart"}},
	{Key: "execution.checkpointing.data-inline-threshold", Type: MemorySize, Default: "20 kb", Max: "1 mb",
		Doc: "Accepted for Flink's sake: state stands in files, never in the manifest.", Old: []string{"state.storage.fs.memory-threshold", "state.backend.fs.memory-threshold"},
		Notice: map[string]string{anyValue: "it changes nothing: state stands in files, never in the manifest"}},
	{Key: "execution.checkpointing.write-buffer-size", Type: Int, Default: "4096", Min: "1",
		Doc: "Accepted for Flink's sake: files are written in blocks of 64 KiB.", Old: []string{"state.storage.fs.write-buffer-size", "state.backend.fs.write-buffer-size"},
		Notice: map[string]string{anyValue: "it changes nothing: files are written in blocks of 64 KiB"}},
	{Key: "execution.checkpointing.file-merging.enabled", Type: Boolean, Default: "false",
		Doc: "Accepted for Flink's sake, as all options of file-merging: a checkpoint writes few files by itself.", Notice: map[string]string{anyValue: noMerging}},
	{Key: "execution.checkpointing.file-merging.across-checkpoint-boundary", Type: Boolean, Default: "false",
		Doc: "Accepted for Flink's sake.", Notice: map[string]string{anyValue: noMerging}},
	{Key: "execution.checkpointing.file-merging.max-file-size", Type: MemorySize, Default: "32 mb",
		Doc: "Accepted for Flink's sake.", Notice: map[string]string{anyValue: noMerging}},
	{Key: "execution.checkpointing.file-merging.max-space-amplification", Type: Double, Default: "2.0",
		Doc: "Accepted for Flink's sake.", Notice: map[string]string{anyValue: noMerging}},
	{Key: "execution.checkpointing.file-merging.max-subtasks-per-file", Type: Int, Default: "4",
		Doc: "Accepted for Flink's sake.", Notice: map[string]string{anyValue: noMerging}},
	{Key: "execution.checkpointing.file-merging.pool-blocking", Type: Boolean, Default: "false",
		Doc: "Accepted for Flink's sake.", Notice: map[string]string{anyValue: noMerging}},
	{Key: "execution.checkpointing.cleaner.parallel-mode", Type: Boolean, Default: "true",
		Doc: "Accepted for Flink's sake: files that nobody needs are deleted in the background.", Old: []string{"state.checkpoint.cleaner.parallel-mode"},
		Notice: map[string]string{anyValue: "it changes nothing: files that nobody needs are deleted in the background, one by one"}},
	{Key: "execution.checkpointing.snapshot-compression", Type: Boolean, Default: "true",
		Doc:    "State files are always compressed. Flink's default is false.",
		Notice: map[string]string{"false": "state files are compressed all the same; nothing else reads them"}},
	{Key: "execution.checkpointing.local-backup.enabled", Type: Boolean, Default: "false",
		Doc: "Accepted for Flink's sake: a second copy of state on the local disk, for restarts.", Old: []string{"state.backend.local-recovery"},
		Notice: map[string]string{"true": noLocal}},
	{Key: "execution.checkpointing.local-backup.dirs", Type: String,
		Doc: "Accepted for Flink's sake: where local copies lie.", Old: []string{"taskmanager.state.local.root-dirs"},
		Notice: map[string]string{anyValue: noLocal}},
}

// stateOptions say where state lies and what it is restored from.
var stateOptions = []Option{
	{Key: StateBackend, Type: Enum, Default: BackendBadger, Enum: []string{BackendHashmap, BackendBadger}, Runtime: true,
		Doc: "hashmap: all state in memory. badger: what does not fit into state.backend.badger.memory lies in a database on the local disk. Both write the same checkpoints. Flink's names rocksdb and forst mean badger; its default is hashmap.",
		Old: []string{"state.backend"}, Same: map[string]string{"rocksdb": BackendBadger, "forst": BackendBadger, "filesystem": BackendHashmap},
		Notice: map[string]string{"rocksdb": badgerIs, "forst": badgerIs, "filesystem": "state is in memory and checkpoints are in files; 'hashmap' is its name now"}},
	{Key: BackendMemory, Type: MemorySize, Min: "1 mb", Runtime: true,
		Doc: "Memory for the state of all subtasks of the job together, with the badger backend; default: a quarter of the machine's (sqlstream only; Flink has state.backend.rocksdb.memory.managed)."},
	{Key: "state.backend.changelog.enabled", Type: Boolean, Default: "false",
		Doc:    "Accepted for Flink's sake: a log of changes that makes checkpoints short.",
		Notice: map[string]string{"true": "a checkpoint writes only what changed all the same"}},
	{Key: RecoveryPath, Type: String, Runtime: true,
		Doc: "Savepoint or retained checkpoint that the job starts from: its directory or its metadata file.",
		Old: []string{"execution.savepoint.path"}},
	{Key: RecoveryClaimMode, Type: Enum, Default: "NO_CLAIM", Enum: []string{"NO_CLAIM", "CLAIM", "LEGACY"}, Runtime: true,
		Doc: "Who owns the snapshot the job starts from: NO_CLAIM leaves it alone, and the first checkpoint is full; CLAIM makes it the job's, which deletes it when it is no longer needed.",
		Old: []string{"execution.savepoint-restore-mode"},
		Refuse: map[string]string{"LEGACY": "nobody would own the snapshot's files, so nobody could ever delete them; Flink drops it too. " +
			"Use NO_CLAIM to leave the snapshot alone, CLAIM to hand it over"}},
	{Key: RecoveryIgnoreUnclaimed, Type: Boolean, Default: "false", Runtime: true,
		Doc: "Whether state of the snapshot that no operator of the job takes is dropped. Without it the start is refused.",
		Old: []string{"execution.savepoint.ignore-unclaimed-state"}},
	{Key: "execution.state-recovery.from-local", Type: Boolean, Default: "false",
		Doc: "Accepted for Flink's sake.", Notice: map[string]string{"true": noLocal}},
	{Key: "execution.state-recovery.approximate-local-recovery", Type: Boolean, Default: "false",
		Doc: "Refused: recovery that may lose rows.", Old: []string{"execution.checkpointing.approximate-local-recovery"},
		Refuse: map[string]string{"true": "rows would be lost without a trace; a restart restores the whole job"}},
	{Key: "execution.state-recovery.without-channel-state.checkpoint-id", Type: Int, Default: "-1",
		Doc: "Refused: the checkpoint whose rows in flight are thrown away at a restore.", Old: []string{"execution.checkpointing.recover-without-channel-state.checkpoint-id"},
		Refused: "rows that the checkpoint holds would be lost without a trace; restore another checkpoint, or start with --fresh"},
}
