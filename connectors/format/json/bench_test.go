package json

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// events are records of the shape and size of Nexmark's: 2 % persons, 6 % auctions, 92 % bids.
func events(n int) (records [][]byte, size int) {
	for i := 0; i < n; i++ {
		var r string
		at := fmt.Sprintf("2024-03-%02d %02d:%02d:%02d.%03d", 9+i/90000, i/3600%24, i/60%60, i%60, i*7%1000)
		switch k := i % 50; {
		case k == 0:
			r = fmt.Sprintf(`{"event_type":0,"person":{"id":%d,"name":"vicky noris","emailAddress":"yplkvgz@qbxfg.com","creditCard":"7878 5821 1864 2539","city":"cheyenne","state":"az","dateTime":"%s","extra":"%s"},"auction":null,"bid":null}`, 1000+i, at, strings.Repeat("lxvhyew", 13))
		case k < 4:
			r = fmt.Sprintf(`{"event_type":1,"person":null,"auction":{"id":%d,"itemName":"pc wcmx","description":"sdbarn fwuhnl mhrkqr","initialBid":%d,"reserve":%d,"dateTime":"%s","expires":"%s","seller":%d,"category":%d,"extra":"%s"},"bid":null}`, 1000+i, i*13%9999, i*17%99999, at, at, 1000+i/10, 10+i%5, strings.Repeat("IN^[U", 20))
		default:
			r = fmt.Sprintf(`{"event_type":2,"person":null,"auction":null,"bid":{"auction":%d,"bidder":%d,"price":%d,"channel":"channel-%d","url":"https://www.nexmark.com/ihgq/iba/qsnr/item.htm?query=1&channel_id=%d","dateTime":"%s","extra":"%s"}}`, 1000+i*31%5000, 1001+i*7%900, i*7919%1_000_000, i*3%10000, i*7919%65536, at, strings.Repeat("KMYN^X", 12))
		}
		records = append(records, []byte(r))
		size += len(r)
	}
	return records, size
}

// eventSchema is the table of the events with those fields of a bid that a query needs.
func eventSchema(fields ...string) types.Schema {
	all := map[string]types.Type{"auction": types.BigIntT, "bidder": types.BigIntT, "price": types.BigIntT, "channel": types.StringT, "url": types.StringT, "dateTime": types.TimestampT(3), "extra": types.StringT}
	var bid []types.Field
	for _, f := range fields {
		bid = append(bid, col(f, all[f]))
	}
	none := types.RowT(col("id", types.BigIntT))
	return types.Schema{col("event_type", types.IntT), col("person", none), col("auction", none), col("bid", types.RowT(bid...))}
}

func BenchmarkDecode(b *testing.B) {
	records, size := events(20_000)
	for _, bc := range []struct {
		name   string
		fields []string
	}{
		{"q0", []string{"auction", "bidder", "price", "dateTime", "extra"}},
		{"q2", []string{"auction", "price"}},
		{"q5", []string{"auction", "dateTime"}},
		{"all", []string{"auction", "bidder", "price", "channel", "url", "dateTime", "extra"}},
	} {
		for _, learn := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/shapes=%t", bc.name, learn), func(b *testing.B) {
				schema := eventSchema(bc.fields...)
				f, err := New().NewDecoder(schema, []int{0, 3}, nil, connectors.Env{})
				if err != nil {
					b.Fatal(err)
				}
				d := f.(*decoder)
				batch := vec.NewBatch(types.Schema{schema[0], schema[3]})
				b.SetBytes(int64(size / len(records)))
				b.ReportAllocs()
				if !learn {
					d.shapes.pause = 1 << 40
				}
				for i := 0; b.Loop(); i++ {
					if i%vec.MaxRows == 0 {
						batch.Reset()
					}
					if err := d.Decode(records[i%len(records)], batch.Cols); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkDecodeTable reads whole events: three ROW columns of which two are NULL.
func BenchmarkDecodeTable(b *testing.B) {
	records, size := events(20_000)
	ts, text, n := types.TimestampT(3), types.StringT, types.BigIntT
	schema := types.Schema{
		col("event_type", types.IntT),
		col("person", types.RowT(col("id", n), col("name", text), col("emailAddress", text), col("creditCard", text), col("city", text), col("state", text), col("dateTime", ts), col("extra", text))),
		col("auction", types.RowT(col("id", n), col("itemName", text), col("description", text), col("initialBid", n), col("reserve", n), col("dateTime", ts), col("expires", ts), col("seller", n), col("category", n), col("extra", text))),
		eventSchema("auction", "bidder", "price", "channel", "url", "dateTime", "extra")[3],
	}
	d, err := New().NewDecoder(schema, []int{0, 1, 2, 3}, nil, connectors.Env{})
	if err != nil {
		b.Fatal(err)
	}
	batch := vec.NewBatch(schema)
	b.SetBytes(int64(size / len(records)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%vec.MaxRows == 0 {
			batch.Reset()
		}
		if err := d.Decode(records[i%len(records)], batch.Cols); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	schema := types.Schema{col("auction", types.BigIntT), col("bidder", types.BigIntT), col("price", types.BigIntT), col("dateTime", types.TimestampT(3)), col("extra", types.StringT)}
	batch := vec.NewBatch(schema)
	for i := 0; i < vec.MaxRows; i++ {
		vec.Append(&batch.Cols[0], int64(1000+i))
		vec.Append(&batch.Cols[1], int64(1000+i*7%900))
		vec.Append(&batch.Cols[2], int64(i*7919%1_000_000))
		vec.Append(&batch.Cols[3], 1_710_028_710_000+int64(i)*37)
		batch.Cols[4].AppendString(strings.Repeat("KMYN^X", 12))
		batch.N++
	}
	e, err := New().NewEncoder(schema, nil, connectors.Env{})
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if dst, err = e.Encode(dst[:0], batch, i%vec.MaxRows); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(dst)))
}
