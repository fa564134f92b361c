package eval

// field is an entry of a function that reads one calendar field.
func field(name, unit, doc, example, result string) Function {
	return Function{Name: name, Signature: name + "(time)", Doc: doc, Example: example, Result: result,
		Type: unitRule(unit), Bind: unitOf(unit)}
}

var temporalFamily = Family{"Temporal functions", []Function{
	{Name: "EXTRACT", Signature: "EXTRACT(unit FROM x)", Doc: "One field of a date, time, timestamp or interval.",
		Example: "EXTRACT(DAY FROM DATE '2020-02-29')", Result: "29", Type: extractRule, Bind: bindExtract},
	field("YEAR", "YEAR", "The year.", "YEAR(DATE '2020-02-29')", "2020"),
	field("QUARTER", "QUARTER", "The quarter of the year, 1 to 4.", "QUARTER(DATE '2020-02-29')", "1"),
	field("MONTH", "MONTH", "The month, 1 to 12.", "MONTH(DATE '2020-02-29')", "2"),
	field("WEEK", "WEEK", "The ISO week of the year.", "WEEK(DATE '2020-02-29')", "9"),
	field("DAYOFYEAR", "DOY", "The day of the year, 1 to 366.", "DAYOFYEAR(DATE '2020-02-29')", "60"),
	field("DAYOFMONTH", "DAY", "The day of the month.", "DAYOFMONTH(DATE '2020-02-29')", "29"),
	field("DAYOFWEEK", "DOW", "The day of the week, 1 for Sunday.", "DAYOFWEEK(DATE '2020-02-29')", "7"),
	field("HOUR", "HOUR", "The hour of the day.", "HOUR(TIMESTAMP '2020-02-29 12:34:56')", "12"),
	field("MINUTE", "MINUTE", "The minute of the hour.", "MINUTE(TIMESTAMP '2020-02-29 12:34:56')", "34"),
	field("SECOND", "SECOND", "The second of the minute.", "SECOND(TIMESTAMP '2020-02-29 12:34:56')", "56"),
	{Name: "TIMESTAMPADD", Signature: "TIMESTAMPADD(unit, n BIGINT, time)", Doc: "A time moved by n units.",
		Example: "TIMESTAMPADD(MONTH, 1, DATE '2020-01-31')", Result: "2020-02-29", Type: timestampAddRule, Bind: bindTimestampAdd},
	{Name: "TIMESTAMPDIFF", Signature: "TIMESTAMPDIFF(unit, from, to)", Doc: "Whole units between two times, as an INT that wraps round.",
		Example: "TIMESTAMPDIFF(DAY, DATE '2020-02-01', DATE '2020-03-01')", Result: "29", Type: timestampDiffRule, Bind: bindTimestampDiff},
}}
