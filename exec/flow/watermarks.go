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
// MaxWatermark is the end of the input: it counts no more, as the others may still have rows
// of any time, also those that are idle now. The end of all inputs is not merged here; the
// task finishes then.
func (w *watermarks) advance(i int, t exec.Watermark) {
	if t == exec.MaxWatermark {
		w.end(i)
		return
	}
	in := &w.inputs[i]
	in.idle = false
	in.time = max(in.time, t)
}

func (w *watermarks) setIdle(i int, idle bool) { w.inputs[i].idle = idle }
func (w *watermarks) end(i int)                { w.inputs[i].ended, w.inputs[i].idle = true, false }

// merge recomputes the merged watermark: advanced tells whether it grew, idle whether rows
// may still come but no input has a say at present. A source subtask without splits is idle:
// splits that are found later may be given to it.
func (w *watermarks) merge() (t exec.Watermark, advanced, idle bool) {
	low, active := exec.MaxWatermark, false
	idle = len(w.inputs) == 0
	for i := range w.inputs {
		in := &w.inputs[i]
		if in.ended {
			continue
		}
		if in.idle {
			idle = true
			continue
		}
		low, active = min(low, in.time), true
	}
	if !active {
		// Without active inputs the merged watermark stays; it could only be guessed.
		return w.merged, false, idle
	}
	if low > w.merged {
		w.merged = low
		return low, true, false
	}
	return w.merged, false, false
}
