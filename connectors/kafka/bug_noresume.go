//go:build bug_noresume

package kafka

// bugNoResume: Recover does not commit the restored checkpoint's transaction; Arroyo's: loses the output of a checkpoint whose commit a crash prevented.
const bugNoResume = true
