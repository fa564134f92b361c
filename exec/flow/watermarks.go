package flow

import "github.com/sqlstream/sqlstream/exec"

// watermarks merges the watermarks of several inputs (splits of a reader, queues of a gate)
// into one that only grows: the smallest of the inputs that are neither idle nor ended.
type watermarks struct {
	inputs []wmInput
	merged exec.Watermark
}

type wmInput struct {
	time  exec.Watermark
	idle  bool
	ended bool
}

func newWatermarks(n int) *watermarks {
	w := &watermarks{merged: exec.MinWatermark}
	for range n {
		w.add(exec.MinWatermark)
	}
	return w
}

// add adds an input whose watermark is t.
func (w *watermarks) add(t exec.Watermark) { w.inputs = append(w.inputs, wmInput{time: t}) }

// advance raises the watermark of input i; smaller values are ignored. The input is active.
func (w *watermarks) advance(i int, t exec.Watermark) {
	in := &w.inputs[i]
	in.idle = false
	in.time = max(in.time, t)
}

func (w *watermarks) setIdle(i int, idle bool) { w.inputs[i].idle = idle }
func (w *watermarks) end(i int)                { w.inputs[i].ended = true }

// merge recomputes the merged watermark: advanced tells whether it grew, idle whether no
// input counts any more. Inputs that all ended give MaxWatermark only through the end of
// the task itself, so that a checkpoint can still tell them from a finished job.
func (w *watermarks) merge() (t exec.Watermark, advanced, idle bool) {
	low, active := exec.MaxWatermark, false
	for i := range w.inputs {
		if in := &w.inputs[i]; !in.idle && !in.ended {
			low, active = min(low, in.time), true
		}
	}
	if !active {
		// With every input idle or ended the merged watermark stays; it could only be guessed.
		return w.merged, false, true
	}
	if low > w.merged {
		w.merged = low
		return low, true, false
	}
	return w.merged, false, false
}
