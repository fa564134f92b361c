package demo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/exitcode"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/progress"
	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/topics"
)

// summary reads the results and compares them with what was generated: events 0 to events-1.
func summary(ctx context.Context, c Config, props map[string]string, events int64) error {
	cl, err := topics.Dial(ctx, props, c.Log)
	if err != nil {
		return err
	}
	defer cl.Close()
	bids := int64(0)
	for s := range events {
		if c.IsBid(s) {
			bids++
		}
	}
	var sample string
	big, err := cl.Each(ctx, topics.Consume{Topic: "big_bids", UntilEnd: true}, func(r *kgo.Record) error {
		sample = string(r.Value)
		return nil
	})
	if err != nil {
		return err
	}
	c.Say("  big_bids         %12s records%s", progress.Grouped(big), last(sample))

	type window struct {
		Start   string `json:"window_start"`
		Auction int64  `json:"auction"`
	}
	seen := map[window]int{}
	sample = ""
	inWindows := int64(0)
	windows, err := cl.Each(ctx, topics.Consume{Topic: "auction_windows", UntilEnd: true}, func(r *kgo.Record) error {
		var row struct {
			window
			Bids int64 `json:"bids"`
		}
		if err := json.Unmarshal(r.Value, &row); err != nil {
			return fmt.Errorf("auction_windows: %q: %w", r.Value, err)
		}
		inWindows += row.Bids
		seen[row.window]++
		sample = string(r.Value)
		return nil
	})
	if err != nil {
		return err
	}
	c.Say("  auction_windows  %12s records of %s bids%s", progress.Grouped(windows), progress.Grouped(inWindows), last(sample))

	totals := map[string]int64{}
	changes, err := cl.Each(ctx, topics.Consume{Topic: "bidder_totals", UntilEnd: true}, func(r *kgo.Record) error {
		if r.Value == nil {
			delete(totals, string(r.Key))
			return nil
		}
		var row struct {
			Bids int64 `json:"bids"`
		}
		if err := json.Unmarshal(r.Value, &row); err != nil {
			return fmt.Errorf("bidder_totals: %q: %w", r.Value, err)
		}
		totals[string(r.Key)] = row.Bids
		return nil
	})
	if err != nil {
		return err
	}
	sum := int64(0)
	for _, n := range totals {
		sum += n
	}
	c.Say("  bidder_totals    %12s records of %s bidders", progress.Grouped(changes), progress.Grouped(int64(len(totals))))
	repeated := int64(0)
	for _, n := range seen {
		repeated += int64(n - 1)
	}
	c.Say("\n  bids generated                      %12s\n  bids in bidder_totals, all bidders  %12s\n  windows that were written twice     %12s",
		progress.Grouped(bids), progress.Grouped(sum), progress.Grouped(repeated))
	if sum != bids || repeated != 0 {
		return exitcode.With(exitcode.Internal, fmt.Errorf("the results do not add up: %d bids were generated and %d counted, %d windows came twice", bids, sum, repeated))
	}
	c.Say("\nEvery bid was counted exactly once.")
	return nil
}

// last shows a record after the number of records.
func last(record string) string {
	if record == "" {
		return ""
	}
	return ", the last one " + record
}
