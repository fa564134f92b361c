package job

// Seeded protocol bugs, as in connectors/kafka: each constant is true under the build tag
// bug_<name> only and costs nothing otherwise. The kill loop has to find every one.
