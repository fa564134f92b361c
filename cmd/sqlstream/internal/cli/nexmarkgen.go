package cli

import (
	"fmt"
	"time"

	"github.com/sqlstream/sqlstream/cmd/sqlstream/internal/feed"
)

const defaultSeed = 1

func nexmarkEvents(seed int64, rate float64) feed.Generator {
	return func(dst []byte, s int64) []byte {
		ts := time.UnixMilli(1700000000000 + s/10).UTC().Format("2006-01-02 15:04:05.000")
		switch s % 50 {
		case 0:
			return fmt.Appendf(dst, `{"event_type":0,"person":{"id":%d,"dateTime":"%s"}}`, s, ts)
		case 1, 2, 3:
			return fmt.Appendf(dst, `{"event_type":1,"auction":{"id":%d,"dateTime":"%s"}}`, s, ts)
		}
		h := uint64(s+seed) * 0x9E3779B97F4A7C15
		return fmt.Appendf(dst, `{"event_type":2,"bid":{"auction":%d,"bidder":%d,"price":%d,"channel":"Apple","url":"u","dateTime":"%s","extra":""}}`, 1000+h>>50, 1000+h>>20%5000, h>>33%10000000, ts)
	}
}

func isBid(s int64) bool { return s%50 > 3 }
