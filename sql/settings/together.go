package settings

import "fmt"

// CheckTogether reports combinations of values that contradict each other; call it before a
// job is made.
func (s *Settings) CheckTogether() error {
	for _, check := range []func() error{s.checkCheckpoints, s.checkUnaligned, s.checkRestarts, s.checkParallelism, s.checkMiniBatch} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) checkCheckpoints() error {
	interval, pause := s.Duration(CheckpointInterval), s.Duration(CheckpointMinPause)
	if pause > 0 && s.Int(CheckpointMaxConcurrent) > 1 {
		return fmt.Errorf("'%s' = '%s' cannot be used with '%s': a pause means one checkpoint at a time",
			CheckpointMaxConcurrent, s.Get(CheckpointMaxConcurrent), CheckpointMinPause)
	}
	if interval > 0 && s.Duration(CheckpointTimeout) == 0 {
		return fmt.Errorf("'%s' must be longer than 0", CheckpointTimeout)
	}
	if s.IsSet(BackendMemory) && s.Get(StateBackend) == BackendHashmap {
		return fmt.Errorf("'%s' cannot be used with '%s' = '%s', which keeps all state in memory", BackendMemory, StateBackend, BackendHashmap)
	}
	return nil
}

func (s *Settings) checkUnaligned() error {
	if !s.Bool(Unaligned) {
		return nil
	}
	if s.Get(CheckpointMode) == "AT_LEAST_ONCE" {
		return fmt.Errorf("'%s' = 'true' needs '%s' = 'EXACTLY_ONCE': without alignment there is nothing to overtake", Unaligned, CheckpointMode)
	}
	if s.Int(CheckpointMaxConcurrent) > 1 {
		return fmt.Errorf("'%s' = '%s' cannot be used with '%s': rows in flight can be part of one checkpoint at a time",
			CheckpointMaxConcurrent, s.Get(CheckpointMaxConcurrent), Unaligned)
	}
	return nil
}

func (s *Settings) checkRestarts() error {
	if v := s.Get(RestartStrategy); v != "" && v != RestartExponential {
		return nil
	}
	if first, most := s.Duration(ExponentialInitial), s.Duration(ExponentialMax); first > most {
		return fmt.Errorf("'%s' = '%s' is more than '%s' = '%s'", ExponentialInitial, s.Get(ExponentialInitial), ExponentialMax, s.Get(ExponentialMax))
	}
	if s.Double(ExponentialMultiplier) <= 1 {
		return fmt.Errorf("'%s' = '%s' must be more than 1, or the time before a restart would not grow; for the same time always, '%s' = '%s'",
			ExponentialMultiplier, s.Get(ExponentialMultiplier), RestartStrategy, RestartFixedDelay)
	}
	return nil
}

func (s *Settings) checkParallelism() error {
	if p, m := s.Parallelism(), s.Int(MaxParallelism); p > m {
		key := DefaultParallelism
		if s.Int(ResourceParallelism) > 0 {
			key = ResourceParallelism
		}
		return fmt.Errorf("'%s' = '%d' is more than '%s' = '%d'", key, p, MaxParallelism, m)
	}
	return nil
}

func (s *Settings) checkMiniBatch() error {
	if !s.Bool(MiniBatch) {
		return nil
	}
	if s.Duration(MiniBatchLatency) <= 0 {
		return fmt.Errorf("'%s' = 'true' needs '%s', for example '2 s'", MiniBatch, MiniBatchLatency)
	}
	if s.Int(MiniBatchSize) <= 0 {
		return fmt.Errorf("'%s' = 'true' needs '%s', for example '2048'", MiniBatch, MiniBatchSize)
	}
	return nil
}
