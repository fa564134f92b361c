// Package text owns how single values look inside text records: numbers, decimals, dates,
// times and timestamps as Flink's JSON and CSV formats read and write them. It imports
// exec/vec and sql/types; only the format packages import it.
package text
