package nexmark

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	formatjson "github.com/sqlstream/sqlstream/connectors/format/json"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

// schema is the table of the benchmark, with the event time as a column.
func schema() types.Schema {
	s := types.Schema{{Name: "event_type", Type: types.IntT}}
	for _, k := range kinds {
		var fields []types.Field
		for _, f := range k.fields {
			t := types.StringT
			switch {
			case f.number != nil:
				t = types.BigIntT
			case f.time != nil:
				t = types.TimestampT(3)
			}
			fields = append(fields, types.Field{Name: f.name, Type: t})
		}
		s = append(s, types.Field{Name: k.name, Type: types.RowT(fields...)})
	}
	return append(s, types.Field{Name: "dateTime", Type: types.TimestampT(3)})
}

// TestColumnsAreTheJSON compares the two forms of every event: what the source fills,
// encoded, has to be what AppendJSON writes.
func TestColumnsAreTheJSON(t *testing.T) {
	const events = 10_000
	s := schema()
	tab := connectors.Table{Name: "t", Physical: s, Options: connectors.Options{"connector": "nexmark", optEvents: "10000", optSeed: "7", optSplits: "3"}}
	if info, err := New().SourceInfo(tab); err != nil || !info.Bounded {
		t.Fatal(info, err)
	}
	src, err := New().Source(t.Context(), tab, []int{0, 1, 2, 3}, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	splits, err := src.Enumerate(t.Context())
	if err != nil || len(splits) != 3 {
		t.Fatal(splits, err)
	}
	e, err := formatjson.New().NewEncoder(s[:4], nil, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	g := NewGenerator(Config{Seed: 7})
	next := []int64{0, 1, 2}
	seen := 0
	b := vec.NewBatch(s[:4])
	r, err := src.Reader(t.Context(), 0, exec.ConnEnv{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Assign(splits); err != nil {
		t.Fatal(err)
	}
	for {
		status, err := r.Read(t.Context(), 0, b)
		if err != nil {
			t.Fatal(err)
		}
		if status == exec.ReadEnd {
			break
		}
		for i := range b.N {
			got, err := e.Encode(nil, b, i)
			if err != nil {
				t.Fatal(err)
			}
			n := next[b.Split]
			next[b.Split] += 3
			seen++
			if want := g.AppendJSON(nil, n); string(got) != string(want) {
				t.Fatalf("event %d:\n got %s\nwant %s", n, got, want)
			}
		}
	}
	if seen != events {
		t.Errorf("%d events, want %d", seen, events)
	}
}

type event struct {
	Type    int             `json:"event_type"`
	Person  *map[string]any `json:"person"`
	Auction *map[string]any `json:"auction"`
	Bid     *struct {
		Auction, Bidder, Price int64
		Channel, URL           string
	} `json:"bid"`
}

func TestProportionsSkewAndSize(t *testing.T) {
	const events = 100_000
	g := NewGenerator(Config{})
	var kindsSeen [3]int
	size, hot, withID, cold := 0, 0, 0, 0
	perAuction := map[int64]int{}
	for n := range int64(events) {
		text := g.AppendJSON(nil, n)
		size += len(text)
		var e event
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		kindsSeen[e.Type]++
		if (e.Person != nil) != (e.Type == 0) || (e.Auction != nil) != (e.Type == 1) || (e.Bid != nil) != (e.Type == 2) {
			t.Fatalf("event_type and content differ: %s", text)
		}
		if e.Bid == nil {
			continue
		}
		perAuction[e.Bid.Auction]++
		if e.Bid.Auction%hotGroup == 0 {
			hot++
		}
		if strings.HasPrefix(e.Bid.Channel, "channel-") {
			cold++
			if strings.Contains(e.Bid.URL, "&channel_id=") {
				withID++
			}
		} else if strings.Contains(e.Bid.URL, "channel_id") {
			t.Fatalf("a hot channel has no id: %s", text)
		}
		if e.Bid.Price < 100 || e.Bid.Price > 100_000_000 || e.Bid.Auction < firstID || e.Bid.Bidder < firstID {
			t.Fatalf("out of range: %s", text)
		}
	}
	if kindsSeen != [3]int{events / 50, events / 50 * 3, events / 50 * 46} {
		t.Errorf("kinds %v", kindsSeen)
	}
	bids := events / 50 * 46
	if mean := size / events; mean < 320 || mean > 342 {
		t.Errorf("mean size %d bytes, want about 331", mean)
	}
	if share := float64(hot) / float64(bids); share < 0.48 || share > 0.53 {
		t.Errorf("%.2f of the bids go to hot auctions, want half", share)
	}
	if share := float64(cold) / float64(bids); share < 0.48 || share > 0.52 {
		t.Errorf("%.2f of the bids come by cold channels, want half", share)
	}
	if share := float64(withID) / float64(cold); share < 0.88 || share > 0.92 {
		t.Errorf("%.2f of the cold channels have an id, want 0.9", share)
	}
}

func TestRefusedTables(t *testing.T) {
	bid := schema()[3].Type
	for _, tc := range []struct {
		f    types.Field
		o    connectors.Options
		want string
	}{
		{types.Field{Name: "event_type", Type: types.BigIntT}, nil, "column event_type: found BIGINT, 'nexmark' has INT"},
		{types.Field{Name: "bid", Type: types.RowT(types.Field{Name: "prize", Type: types.BigIntT})}, nil, "'nexmark' has ROW<`auction` BIGINT"},
		{types.Field{Name: "bid", Type: bid.NotNullable()}, nil, "may be NULL"},
		{types.Field{Name: "bids", Type: bid}, nil, "column bids: 'nexmark' has event_type INT"},
		{types.Field{Name: "bid", Type: bid}, connectors.Options{"event": "1"}, "unknown option 'event' of connector 'nexmark'; did you mean events"},
		{types.Field{Name: "bid", Type: bid}, connectors.Options{optEventRate: "0"}, "expected more than 0"},
	} {
		o := connectors.Options{"connector": "nexmark"}
		for k, v := range tc.o {
			o[k] = v
		}
		if _, err := New().SourceInfo(connectors.Table{Name: "t", Physical: types.Schema{tc.f}, Options: o}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	all := schema()
	for name, fields := range map[string][]string{"q0": {"auction", "bidder", "price", "dateTime", "extra"}, "q2": {"auction", "price"}, "all": nil} {
		b.Run(name, func(b *testing.B) {
			s := all
			projection := []int{0, 1, 2, 3, 4}
			if fields != nil {
				bid := types.Type{Kind: types.Row}
				for _, f := range all[3].Type.Fields {
					for _, want := range fields {
						if f.Name == want {
							bid.Fields = append(bid.Fields, f)
						}
					}
				}
				s, projection = types.Schema{all[0], {Name: "bid", Type: bid}, all[4]}, []int{0, 1, 2}
			}
			src, err := New().Source(b.Context(), connectors.Table{Name: "t", Physical: s, Options: connectors.Options{}}, projection, connectors.Env{})
			if err != nil {
				b.Fatal(err)
			}
			splits, err := src.Enumerate(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			r, err := src.Reader(b.Context(), 0, exec.ConnEnv{})
			if err != nil {
				b.Fatal(err)
			}
			if err := r.Assign(splits); err != nil {
				b.Fatal(err)
			}
			batch := vec.NewBatch(s)
			rows := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Read(b.Context(), 0, batch); err != nil {
					b.Fatal(err)
				}
				rows += batch.N
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/event")
		})
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	g := NewGenerator(Config{})
	var dst []byte
	for n := int64(0); b.Loop(); n++ {
		dst = g.AppendJSON(dst[:0], n)
	}
}
