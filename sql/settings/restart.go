package settings

// Keys of the restart strategies.
const (
	RestartStrategy = "restart-strategy.type"

	FixedDelayAttempts = "restart-strategy.fixed-delay.attempts"
	FixedDelay         = "restart-strategy.fixed-delay.delay"

	FailureRateMax      = "restart-strategy.failure-rate.max-failures-per-interval"
	FailureRateInterval = "restart-strategy.failure-rate.failure-rate-interval"
	FailureRateDelay    = "restart-strategy.failure-rate.delay"

	ExponentialInitial    = "restart-strategy.exponential-delay.initial-backoff"
	ExponentialMax        = "restart-strategy.exponential-delay.max-backoff"
	ExponentialMultiplier = "restart-strategy.exponential-delay.backoff-multiplier"
	ExponentialReset      = "restart-strategy.exponential-delay.reset-backoff-threshold"
	ExponentialJitter     = "restart-strategy.exponential-delay.jitter-factor"
	ExponentialAttempts   = "restart-strategy.exponential-delay.attempts-before-reset-backoff"
)

// The values of RestartStrategy.
const (
	RestartNone        = "none"
	RestartFixedDelay  = "fixed-delay"
	RestartFailureRate = "failure-rate"
	RestartExponential = "exponential-delay"
)

// restartOptions say how often and how fast a job that failed is started again.
var restartOptions = []Option{
	{Key: RestartStrategy, Type: Enum, Enum: []string{RestartNone, RestartFixedDelay, RestartFailureRate, RestartExponential}, Runtime: true,
		Doc:  "What follows a failure: the end of the job, or a restart from the newest checkpoint. Default: exponential-delay when execution.checkpointing.interval is set, else none.",
		Old:  []string{"restart-strategy"},
		Same: map[string]string{"off": RestartNone, "disable": RestartNone, "disabled": RestartNone, "fixeddelay": RestartFixedDelay, "failurerate": RestartFailureRate, "exponentialdelay": RestartExponential}},
	{Key: FixedDelayAttempts, Type: Int, Default: "1", Min: "0", Max: "2147483647", Runtime: true,
		Doc: "How many restarts the job has before it fails, with fixed-delay."},
	{Key: FixedDelay, Type: Duration, Default: "1 s", Runtime: true,
		Doc: "Time between a failure and the restart, with fixed-delay."},
	{Key: FailureRateMax, Type: Int, Default: "1", Min: "1", Max: "2147483647", Runtime: true,
		Doc: "How many failures there may be in the interval before the job fails, with failure-rate."},
	{Key: FailureRateInterval, Type: Duration, Default: "1 min", Min: "1 ms", Runtime: true,
		Doc: "The interval that failures are counted in, with failure-rate."},
	{Key: FailureRateDelay, Type: Duration, Default: "1 s", Runtime: true,
		Doc: "Time between a failure and the restart, with failure-rate."},
	{Key: ExponentialInitial, Type: Duration, Default: "1 s", Min: "1 ms", Runtime: true,
		Doc: "Time before the first restart, with exponential-delay."},
	{Key: ExponentialMax, Type: Duration, Default: "1 min", Min: "1 ms", Runtime: true,
		Doc: "The longest time before a restart, with exponential-delay."},
	{Key: ExponentialMultiplier, Type: Double, Default: "1.5", Min: "1", Runtime: true,
		Doc: "What the time before a restart is multiplied by after every failure, with exponential-delay. More than 1."},
	{Key: ExponentialReset, Type: Duration, Default: "1 h", Min: "1 ms", Runtime: true,
		Doc: "How long the job must run without a failure until the time before a restart and the attempts begin anew, with exponential-delay."},
	{Key: ExponentialJitter, Type: Double, Default: "0.1", Min: "0", Max: "1", Runtime: true,
		Doc: "The random part of the time before a restart, so that jobs do not restart in step, with exponential-delay."},
	{Key: ExponentialAttempts, Type: Int, Default: "2147483647", Min: "1", Max: "2147483647", Runtime: true,
		Doc: "How many restarts the job has until the reset before it fails, with exponential-delay. The default means without end."},
}
