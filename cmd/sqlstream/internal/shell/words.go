package shell

// keywords are those worth completing.
var keywords = []string{
	"ALTER", "AND", "AS", "BEGIN", "BETWEEN", "BY", "CASE", "CAST", "CREATE", "DESCRIBE", "DESCRIPTOR", "DISTINCT", "DROP", "ELSE", "END", "ENFORCED",
	"EXECUTE", "EXISTS", "EXPLAIN", "FILTER", "FROM", "FUNCTIONS", "GROUP", "HAVING", "HOP", "IN", "INSERT", "INTERVAL", "INTO", "IS", "JOBS", "KEY",
	"LIKE", "METADATA", "NOT", "NULL", "ON", "OR", "PRIMARY", "RESET", "SELECT", "SET", "SHOW", "STATEMENT", "TABLE", "TABLES", "TEMPORARY", "THEN",
	"TUMBLE", "UNION", "USE", "VALUES", "VIEW", "VIEWS", "VIRTUAL", "WATERMARK", "WHEN", "WHERE", "WITH",
}

// Words are what Tab completes: keywords, backslash commands, and what names adds.
func Words(names ...[]string) []string {
	words := append([]string(nil), keywords...)
	for _, c := range metas() {
		words = append(words, c.name)
	}
	for _, n := range names {
		words = append(words, n...)
	}
	return words
}
