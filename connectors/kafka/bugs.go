package kafka

// Seeded protocol bugs. Each constant is true under the build tag bug_<name> only; they cost
// nothing otherwise. The kill tests have to find every one: a test that does not notice a bug
// of the protocol tests nothing.
