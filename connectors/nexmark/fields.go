package nexmark

import "github.com/sqlstream/sqlstream/sql/types"

// field is one field of the events of a kind; exactly one of number, time and text is set.
type field struct {
	name   string
	number func(*Generator, int64) int64
	time   func(*Generator, int64) int64 // milliseconds
	text   func(*Generator, []byte, int64) []byte
}

// fits reports whether values of the field are of type t.
func (f *field) fits(t types.Type) bool {
	switch {
	case f.number != nil:
		return t.Kind == types.BigInt
	case f.time != nil:
		return t.IsTimestamp()
	}
	return t.Kind == types.VarChar
}

func (f *field) typeName() string {
	switch {
	case f.number != nil:
		return "BIGINT"
	case f.time != nil:
		return "TIMESTAMP(3)"
	}
	return "STRING"
}

// kinds are the fields of each Kind in the order of the benchmark's tables.
var kinds = [3]struct {
	name   string
	fields []field
}{
	Person: {"person", []field{
		{name: "id", number: (*Generator).id},
		{name: "name", text: (*Generator).name},
		{name: "emailAddress", text: (*Generator).email},
		{name: "creditCard", text: (*Generator).card},
		{name: "city", text: (*Generator).city},
		{name: "state", text: (*Generator).state},
		{name: "dateTime", time: (*Generator).Time},
		{name: "extra", text: (*Generator).extra},
	}},
	Auction: {"auction", []field{
		{name: "id", number: (*Generator).id},
		{name: "itemName", text: (*Generator).item},
		{name: "description", text: (*Generator).description},
		{name: "initialBid", number: (*Generator).initialBid},
		{name: "reserve", number: (*Generator).reserve},
		{name: "dateTime", time: (*Generator).Time},
		{name: "expires", time: (*Generator).expires},
		{name: "seller", number: (*Generator).seller},
		{name: "category", number: (*Generator).category},
		{name: "extra", text: (*Generator).extra},
	}},
	Bid: {"bid", []field{
		{name: "auction", number: (*Generator).auction},
		{name: "bidder", number: (*Generator).bidder},
		{name: "price", number: func(g *Generator, n int64) int64 { return g.price(n, drawPrice) }},
		{name: "channel", text: (*Generator).channel},
		{name: "url", text: (*Generator).url},
		{name: "dateTime", time: (*Generator).Time},
		{name: "extra", text: (*Generator).extra},
	}},
}
