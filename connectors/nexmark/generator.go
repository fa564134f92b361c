package nexmark

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/sqlstream/sqlstream/connectors/format/text"
)

// The proportions and the skew of the Nexmark benchmark (github.com/nexmark/nexmark, its
// defaults): of 50 events one is a person, three are auctions, the rest are bids.
const (
	cycle           = 50
	perPersons      = 1
	perAuctions     = 3
	firstID         = 1000 // of persons and auctions
	activePeople    = 1000
	personLead      = 10
	openAuctions    = 100
	auctionLead     = 10
	hotGroup        = 100 // one of this many ids is hot at a time
	hotAuctions     = 2   // (n-1)/n of the bids go to the hot auction
	hotPeople       = 4   // (n-1)/n of bidders and sellers are the hot one
	firstCategory   = 10
	categories      = 5
	coldChannels    = 10_000
	personBytes     = 200
	auctionBytes    = 500
	bidBytes        = 100
	channelIDOf100  = 90
	defaultRate     = 10_000
	baseTime        = 1_710_028_710_000 // 2024-03-09 23:58:30
	longestPoolText = 1 << 10
)

// Kind is what an event is, the value of its event_type.
type Kind int32

// The kinds of events.
const (
	Person  Kind = 0
	Auction Kind = 1
	Bid     Kind = 2
)

// Config says which events there are. The zero value is usable.
type Config struct {
	Seed int64
	Rate float64 // events per second of event time; 0: 10,000
}

// Generator makes events: event n depends on the Config and n alone. It is not safe for
// concurrent use (it keeps the text of the last day).
type Generator struct {
	seed  uint64
	gap   float64 // milliseconds of event time between events
	pool  []byte  // random letters that texts are cut from
	stamp text.Stamper
}

// NewGenerator returns the generator of cfg's events.
func NewGenerator(cfg Config) *Generator {
	if cfg.Rate <= 0 {
		cfg.Rate = defaultRate
	}
	g := &Generator{seed: mix(uint64(cfg.Seed)), gap: 1000 / cfg.Rate, pool: make([]byte, 1<<16)}
	g.stamp = text.Stamper{Style: text.TimestampStyle{Sep: ' '}, Units: 1000}
	for i := range g.pool {
		g.pool[i] = "abcdefghijklmnopqrstuvwxyz"[below(mix(g.seed+uint64(i)), 26)]
	}
	return g
}

// KindOf returns what event n is.
func KindOf(n int64) Kind {
	switch k := n % cycle; {
	case k < perPersons:
		return Person
	case k < perPersons+perAuctions:
		return Auction
	}
	return Bid
}

// draw names the independent random values of an event.
type draw uint64

const (
	drawName draw = iota + 1
	drawEmail
	drawCard
	drawCity
	drawExtra
	drawItem
	drawDescription
	drawInitial
	drawReserve
	drawExpires
	drawSeller
	drawCategory
	drawAuction
	drawBidder
	drawPrice
	drawChannel
	drawURL
)

// mix is splitmix64's finaliser: a good 64-bit hash of x.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (g *Generator) random(n int64, d draw) uint64 {
	return mix(g.seed ^ uint64(n)*0xd6e8feb86659fd93 ^ uint64(d)<<56)
}

// below maps a hash to [0, n).
func below(h uint64, n int64) int64 {
	hi, _ := bits.Mul64(h, uint64(n))
	return int64(hi)
}

// Time returns the event time of event n in milliseconds since 1970-01-01.
func (g *Generator) Time(n int64) int64 { return baseTime + int64(float64(n)*g.gap) }

// lastPerson and lastAuction return the newest ones at event n, counted from 0.
func lastPerson(n int64) int64 { return n / cycle }

func lastAuction(n int64) int64 {
	epoch, k := n/cycle, n%cycle
	switch {
	case k < perPersons:
		return max(0, epoch*perAuctions-1)
	case k >= perPersons+perAuctions:
		return epoch*perAuctions + perAuctions - 1
	}
	return epoch*perAuctions + k - perPersons
}

func (g *Generator) id(n int64) int64 {
	if KindOf(n) == Person {
		return firstID + lastPerson(n)
	}
	return firstID + lastAuction(n)
}

// someone returns a person at event n: mostly the hot one, else an active or coming one.
func (g *Generator) someone(n int64, d draw, hot int64) int64 {
	h := g.random(n, d)
	last := lastPerson(n)
	if h%hotPeople > 0 {
		return firstID + last/hotGroup*hotGroup + hot
	}
	active := min(last+1, activePeople)
	return firstID + last + 1 - active + below(mix(h), active+personLead)
}

func (g *Generator) seller(n int64) int64 { return g.someone(n, drawSeller, 0) }

func (g *Generator) bidder(n int64) int64 { return g.someone(n, drawBidder, 1) }

func (g *Generator) auction(n int64) int64 {
	h := g.random(n, drawAuction)
	last := lastAuction(n)
	if h%hotAuctions > 0 {
		return firstID + last/hotGroup*hotGroup
	}
	oldest := max(0, last-openAuctions)
	return firstID + oldest + below(mix(h), last-oldest+1+auctionLead)
}

// price is 100 to 100,000,000, evenly distributed over the orders of magnitude.
func (g *Generator) price(n int64, d draw) int64 {
	u := float64(g.random(n, d)>>11) / (1 << 53)
	return int64(math.Round(math.Exp(u*6*math.Ln10) * 100))
}

func (g *Generator) initialBid(n int64) int64 { return g.price(n, drawInitial) }

func (g *Generator) reserve(n int64) int64 { return g.initialBid(n) + g.price(n, drawReserve) }

func (g *Generator) category(n int64) int64 {
	return firstCategory + below(g.random(n, drawCategory), categories)
}

func (g *Generator) expires(n int64) int64 {
	horizon := int64(openAuctions * cycle / perAuctions * g.gap)
	return g.Time(n) + 1 + below(g.random(n, drawExpires), max(1, 2*horizon))
}

// letters appends size random letters.
func (g *Generator) letters(dst []byte, h uint64, size int64) []byte {
	from := below(h, int64(len(g.pool))-longestPoolText)
	return append(dst, g.pool[from:from+min(size, longestPoolText)]...)
}

// word appends 3 to most-1 random letters.
func (g *Generator) word(dst []byte, h uint64, most int64) []byte {
	return g.letters(dst, mix(h), 3+below(h, most-3))
}

var (
	firstNames  = []string{"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"}
	lastNames   = []string{"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"}
	cities      = []string{"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"}
	states      = []string{"AZ", "CA", "ID", "OR", "WA", "WY"}
	hotChannels = []string{"Google", "Facebook", "Baidu", "Apple"}
)

func (g *Generator) name(dst []byte, n int64) []byte {
	h := g.random(n, drawName)
	dst = append(dst, firstNames[below(h, int64(len(firstNames)))]...)
	dst = append(dst, ' ')
	return append(dst, lastNames[below(mix(h), int64(len(lastNames)))]...)
}

func (g *Generator) email(dst []byte, n int64) []byte {
	h := g.random(n, drawEmail)
	dst = append(g.word(dst, h, 7), '@')
	return append(g.word(dst, mix(h)+1, 5), ".com"...)
}

func (g *Generator) card(dst []byte, n int64) []byte {
	h := g.random(n, drawCard)
	for i := range 4 {
		if i > 0 {
			dst = append(dst, ' ')
		}
		v := 10_000 + h%10_000
		h /= 10_000
		start := len(dst)
		dst = strconv.AppendUint(dst, v, 10)
		dst = append(dst[:start], dst[start+1:]...) // the leading 1 keeps zeros
	}
	return dst
}

func (g *Generator) city(dst []byte, n int64) []byte {
	return append(dst, cities[below(g.random(n, drawCity), int64(len(cities)))]...)
}

func (g *Generator) state(dst []byte, n int64) []byte {
	return append(dst, states[below(mix(g.random(n, drawCity)), int64(len(states)))]...)
}

func (g *Generator) item(dst []byte, n int64) []byte { return g.word(dst, g.random(n, drawItem), 20) }

func (g *Generator) description(dst []byte, n int64) []byte {
	return g.word(dst, g.random(n, drawDescription), 100)
}

// extra brings an event to the average size of its kind, give or take a fifth.
func (g *Generator) extra(dst []byte, n int64) []byte {
	var want int64
	switch KindOf(n) {
	case Person:
		want = personBytes - 94 // what the other fields take on average
	case Auction:
		want = auctionBytes - 110
	default:
		want = bidBytes - 32
	}
	h := g.random(n, drawExtra)
	delta := (want + 2) / 5
	return g.letters(dst, mix(h), want-delta+below(h, 2*delta))
}

// channelNumber is that of a bid's channel, negative for one of the hot ones.
func (g *Generator) channelNumber(n int64) int64 {
	h := g.random(n, drawChannel)
	if h&1 == 0 {
		return -1 - below(mix(h), int64(len(hotChannels)))
	}
	return below(mix(h), coldChannels)
}

func (g *Generator) channel(dst []byte, n int64) []byte {
	c := g.channelNumber(n)
	if c < 0 {
		return append(dst, hotChannels[-1-c]...)
	}
	return strconv.AppendInt(append(dst, "channel-"...), c, 10)
}

func (g *Generator) url(dst []byte, n int64) []byte {
	c, h := g.channelNumber(n), g.random(n, drawURL)
	if c < 0 {
		h = mix(uint64(c)) // a hot channel has one page
	}
	dst = append(dst, "https://www.nexmark.com/"...)
	for range 3 {
		h = mix(h)
		dst = append(g.word(dst, h, 6), '/')
	}
	dst = append(dst, "item.htm?query=1"...)
	if c >= 0 && below(mix(h), 100) < channelIDOf100 {
		reversed := int64(int32(bits.Reverse32(uint32(c))))
		dst = strconv.AppendInt(append(dst, "&channel_id="...), max(reversed, -reversed), 10)
	}
	return dst
}
