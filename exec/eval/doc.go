// Package eval owns scalar expressions at run time: the registry of functions and
// operators (one entry a function: type rule, null rule, documentation, kernel), the
// conversion rules between types, and the compiler from bound expressions (sql/expr) to
// kernels over column batches (exec/vec).
//
// A binder resolves names through Registry, which implements the scalar half of
// expr.Functions; operators compile what the planner hands them with Compile or
// CompilePredicate. The packages below it (decimal, datetime, javafmt, regex,
// jsontext) know nothing of columns. Operators, the binder's tests and the
// composition root may import eval; it imports sql/types, sql/expr, exec and exec/vec.
//
// Semantics are Flink's, as recorded in the golden data of testsql/testdata/oracle.
package eval
