// Package sql is the front end's first half: it turns a text of Flink SQL into the tree of
// package ast. It is the only importer of the TiDB parser, and no TiDB type leaves it.
//
// How a text is parsed:
//
//	text --lexer--> tokens --parser--> ast: statements, DDL, and every clause and operand of queries
//	                           |
//	                           +--skeleton--> MySQL text --TiDB--> operator trees --convert--> the open slots of the ast
//
// The parser is recursive descent over our own tokens and our own list of reserved words, which is
// Flink's. Of each query it also writes a skeleton: a query MySQL can read, in which every name,
// literal, call and table of the user is a number in backquotes. TiDB reads the skeleton and decides
// how operators, clauses, joins and subqueries nest; convert puts its operator trees into the slots
// that the parser left open. So nothing a user wrote reaches TiDB, whose reserved words, escapes,
// comments and MySQL-isms (|| is OR, FULL is an alias, # is a comment) cannot change the meaning of a
// text, and every error comes from a place of the user's own text. See skeleton.go.
//
// Importers: the REPL and command line, sql/bind, and tests. It imports sql/ast, sql/types,
// sql/suggest and sql/secret.
package sql
