//go:build bug_noepochguard

package kafka

// bugNoEpochGuard: promises do not compare producer id and epoch; records acknowledged before a silent re-init are lost.
const bugNoEpochGuard = true
