package blackhole_test

import (
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/connectors/blackhole"
	"github.com/sqlstream/sqlstream/exec"
	"github.com/sqlstream/sqlstream/exec/vec"
	"github.com/sqlstream/sqlstream/sql/types"
)

var table = connectors.Table{Name: "t", Physical: types.Schema{{Name: "a", Type: types.BigIntT}}, Options: map[string]string{"connector": "blackhole"}}

func TestItTakesEverything(t *testing.T) {
	c := blackhole.New()
	info, err := c.SinkInfo(table)
	if err != nil || info.Accepts != connectors.All || info.Transactional {
		t.Fatalf("%+v, %v", info, err)
	}
	sink, err := c.Sink(t.Context(), table, connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := sink.Writer(t.Context(), 0, exec.ConnEnv{})
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(table.Physical)
	b.Cols[0].AppendNull()
	b.AddKind(vec.Delete)
	for _, err := range []error{w.Write(t.Context(), b), w.Barrier(t.Context(), 1), w.Close(), sink.Close()} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestItCannotBeRead(t *testing.T) {
	c := blackhole.New()
	_, err := c.SourceInfo(table)
	_, err2 := c.Source(t.Context(), table, nil, connectors.Env{})
	for _, err := range []error{err, err2} {
		if err == nil || !strings.Contains(err.Error(), "table t: 'blackhole' is a sink") || exec.ClassOf(err) != exec.User {
			t.Errorf("error %v", err)
		}
	}
}

func TestAnOptionItDoesNotHave(t *testing.T) {
	bad := table
	bad.Options = map[string]string{"connector": "blackhole", "sink.paralelism": "2"}
	if _, err := blackhole.New().SinkInfo(bad); err == nil || !strings.Contains(err.Error(), "sink.parallelism") {
		t.Errorf("error %v", err)
	}
}
