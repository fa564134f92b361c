package eval

import (
	"time"

	"github.com/sqlstream/sqlstream/exec/eval/datetime"
	"github.com/sqlstream/sqlstream/sql/expr"
	"github.com/sqlstream/sqlstream/sql/types"
)

// The clock functions read Env.Clock once per batch.

// bindNow binds a function of the present.
func bindNow(at func(now time.Time, zone *datetime.Zone) int64) func(*Site) (Kernel, error) {
	return func(s *Site) (Kernel, error) {
		zone := datetime.NewZone(s.Env.Zone)
		clock := s.Env.Clock
		return func(f *Frame) error {
			v := at(clock.Now(), zone)
			if s.Result.Physical() == types.PhysI32 {
				return fill(f, func(int) (int32, bool) { return int32(v), true })
			}
			return fill(f, func(int) (int64, bool) { return v, true })
		}, nil
	}
}

func instant(now time.Time, _ *datetime.Zone) int64 { return now.UnixMilli() }

func local(now time.Time, zone *datetime.Zone) int64 {
	return now.UnixMilli() + zone.Offset(now.Unix())*1000
}

func localDay(now time.Time, zone *datetime.Zone) int64 {
	return datetime.FloorDiv(local(now, zone), datetime.MillisPerDay)
}

// localClock is the time of day in whole seconds: TIME(0).
func localClock(now time.Time, zone *datetime.Zone) int64 {
	return datetime.FloorMod(local(now, zone), datetime.MillisPerDay) / 1000 * 1000
}

func procTimeRule(args []expr.Arg) (Sig, error) {
	t := types.TimestampLTZT(3).NotNullable()
	t.Attr = types.ProcTime
	if len(args) != 0 {
		return fnNotNull(ret(t))(args)
	}
	return Sig{Result: t}, nil
}

// bindWatermark gives the current watermark, NULL as long as there is none.
func bindWatermark(s *Site) (Kernel, error) {
	get := s.Env.Watermark
	return func(f *Frame) error {
		var ms int64
		ok := false
		if get != nil {
			ms, ok = get()
		}
		units := s.Result.UnitsPerSecond() / 1000
		return fill(f, func(int) (int64, bool) { return ms * units, ok })
	}, nil
}

var clockFamily = Family{"Clock functions", []Function{
	{Name: "CURRENT_TIMESTAMP", Aliases: []string{"NOW"}, Signature: "CURRENT_TIMESTAMP", Doc: "The present instant, TIMESTAMP_LTZ(3).", Volatile: true,
		Type: fnNotNull(ret(types.TimestampLTZT(3))), Bind: bindNow(instant)},
	{Name: "CURRENT_ROW_TIMESTAMP", Signature: "CURRENT_ROW_TIMESTAMP()", Doc: "The present instant, TIMESTAMP_LTZ(3).", Volatile: true,
		Type: fnNotNull(ret(types.TimestampLTZT(3))), Bind: bindNow(instant)},
	{Name: "PROCTIME", Signature: "PROCTIME()", Doc: "The processing-time attribute: the present instant.", Volatile: true,
		Type: procTimeRule, Bind: bindNow(instant)},
	{Name: "LOCALTIMESTAMP", Signature: "LOCALTIMESTAMP", Doc: "The present in the session's time zone, TIMESTAMP(3).", Volatile: true,
		Type: fnNotNull(ret(types.TimestampT(3))), Bind: bindNow(local)},
	{Name: "CURRENT_DATE", Signature: "CURRENT_DATE", Doc: "Today in the session's time zone.", Volatile: true,
		Type: fnNotNull(ret(types.DateT)), Bind: bindNow(localDay)},
	{Name: "CURRENT_TIME", Aliases: []string{"LOCALTIME"}, Signature: "CURRENT_TIME", Doc: "The time of day in the session's time zone, TIME(0).", Volatile: true,
		Type: fnNotNull(ret(types.TimeT(0))), Bind: bindNow(localClock)},
	{Name: "CURRENT_WATERMARK", Signature: "CURRENT_WATERMARK(rowtime)", Doc: "The watermark of the operator; NULL before the first.", Volatile: true,
		Type: fnNull(retArg(0), pTimestamp), Nulls: Custom, Bind: bindWatermark},
}}
