package bind_test

import (
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/sql/expr"
)

// TestLiterals: types and values as Flink 2.2 returns them.
func TestLiterals(t *testing.T) {
	for _, tc := range []struct{ text, typ, value string }{
		{"1", "INT NOT NULL", "1"},
		{"007", "INT NOT NULL", "7"},
		{"2147483648", "BIGINT NOT NULL", "2147483648"},
		{"-2147483648", "INT NOT NULL", "-2147483648"},
		{"-9223372036854775808", "BIGINT NOT NULL", "-9223372036854775808"},
		{"9223372036854775808", "", "out of range"},
		{"1.0", "DECIMAL(2, 1) NOT NULL", "1.0"},
		{".5", "DECIMAL(1, 1) NOT NULL", "0.5"},
		{"0.10", "DECIMAL(3, 2) NOT NULL", "0.10"},
		{"00.50", "DECIMAL(4, 2) NOT NULL", "0.50"},
		{"5.", "INT NOT NULL", "5"},
		{"12345678901234567890.5", "", "out of range"},
		{"1e3", "DOUBLE NOT NULL", "1E+03"},
		{"1e309", "", "out of the range of DOUBLE"},
		{"'abc'", "CHAR(3) NOT NULL", "'abc'"},
		{"''", "CHAR(0) NOT NULL", "''"},
		{"'😀'", "CHAR(2) NOT NULL", "'😀'"},
		{"X'0A'", "BINARY(1) NOT NULL", "X'0a'"},
		{"TRUE", "BOOLEAN NOT NULL", "TRUE"},
		{"DATE '2020-1-1'", "DATE NOT NULL", "DATE '2020-01-01'"},
		{"DATE '0001-01-01'", "DATE NOT NULL", "DATE '0001-01-01'"},
		{"DATE '2021-02-29'", "", "expected the form 'yyyy-MM-dd'"},
		{"DATE '1582-10-10'", "", "expected the form"},
		{"DATE '10000-01-01'", "", "expected the form"},
		{"DATE '2020/01/01'", "", "expected the form"},
		{"TIME '23:59:59.999'", "TIME(0) NOT NULL", "TIME '23:59:59.999'"},
		{"TIME '24:00:00'", "", "expected the form 'HH:mm:ss'"},
		{"TIME '12'", "", "expected the form 'HH:mm:ss'"},
		{"TIMESTAMP '2020-01-01'", "TIMESTAMP(0) NOT NULL", "TIMESTAMP '2020-01-01 00:00:00'"},
		{"TIMESTAMP '2020-01-01 00:00:00.123'", "TIMESTAMP(3) NOT NULL", "TIMESTAMP '2020-01-01 00:00:00.123'"},
		{"TIMESTAMP '1969-12-31 23:59:59.999'", "TIMESTAMP(3) NOT NULL", "TIMESTAMP '1969-12-31 23:59:59.999'"},
		{"TIMESTAMP '2020-01-01 00:00:00.1234567891'", "TIMESTAMP(9) NOT NULL", "TIMESTAMP '2020-01-01 00:00:00.123456789'"},
		{"TIMESTAMP '2020-01-01T00:00:00'", "", "expected the form"},
		{"TIMESTAMP '9999-12-31 23:59:59.999999999'", "", "beyond what TIMESTAMP(9) can hold"},
		{"INTERVAL '1' DAY", "INTERVAL SECOND(3) NOT NULL", "INTERVAL '1' DAY"},
		{"INTERVAL '1.5' SECOND", "INTERVAL SECOND(3) NOT NULL", "INTERVAL '1.5' SECOND"},
		{"INTERVAL '90' MINUTE", "INTERVAL SECOND(3) NOT NULL", "INTERVAL '90' MINUTE"},
		{"INTERVAL '1-2' YEAR TO MONTH", "INTERVAL MONTH NOT NULL", "INTERVAL '14' MONTH"},
		{"INTERVAL '1 2:3:4.567' DAY TO SECOND", "INTERVAL SECOND(3) NOT NULL", "INTERVAL '93784.567' SECOND"},
		{"INTERVAL '3:04.5' MINUTE TO SECOND", "INTERVAL SECOND(3) NOT NULL", "INTERVAL '184.5' SECOND"},
		{"INTERVAL -'1' DAY", "INTERVAL SECOND(3) NOT NULL", "INTERVAL '-1' DAY"},
		{"- INTERVAL '1' DAY", "INTERVAL SECOND(3) NOT NULL", "INTERVAL '-1' DAY"},
		{"INTERVAL '100' DAY", "", "has more than 2 digits"},
		{"INTERVAL '100' DAY(3)", "INTERVAL SECOND(3) NOT NULL", "INTERVAL '100' DAY"},
		{"INTERVAL '1000' SECOND(4)", "", "more than 3 digits"},
		{"INTERVAL '1' WEEK", "", "write INTERVAL '7' DAY"},
		{"INTERVAL '' DAY", "", "expected a value like '5'"},
		{"INTERVAL '1:60' HOUR TO MINUTE", "", "too many minutes"},
	} {
		e, err := expression(t, tc.text, nil)
		if tc.typ == "" {
			if err == nil || !strings.Contains(err.Error(), tc.value) {
				t.Errorf("%s: error %v, want one with %q", tc.text, err, tc.value)
			} else if !strings.HasPrefix(err.Error(), "1:8: ") {
				t.Errorf("%s: error %v does not stand at its beginning", tc.text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		if _, ok := e.(*expr.Literal); !ok {
			t.Errorf("%s is a %T, want a literal", tc.text, e)
		}
		if got := e.Type().String(); got != tc.typ {
			t.Errorf("%s has type %s, want %s", tc.text, got, tc.typ)
		}
		if got := expr.Text(e, nil); got != tc.value {
			t.Errorf("%s has value %s, want %s", tc.text, got, tc.value)
		}
	}
}
