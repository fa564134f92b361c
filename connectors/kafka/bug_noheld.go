//go:build bug_noheld

package kafka

// bugNoHeld: Decided(false) opens a new transaction; two transactions under one manifest: a crash between their commits tears the output.
const bugNoHeld = true
