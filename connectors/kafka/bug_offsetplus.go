//go:build bug_offsetplus

package kafka

// bugOffsetPlus: a position says one record more than was read; a restored job misses it.
const bugOffsetPlus = true
