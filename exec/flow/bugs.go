package flow

// Seeded bugs of the snapshot, as in connectors/kafka: each constant is true under the build
// tag bug_<name> only and costs nothing otherwise. The kill loop has to find every one.
