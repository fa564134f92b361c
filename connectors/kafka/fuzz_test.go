package kafka

import (
	"strings"
	"testing"

	"github.com/sqlstream/sqlstream/connectors"
	"github.com/sqlstream/sqlstream/exec"
)

// What is read back from a checkpoint or typed by a user gives a value or an error.

func FuzzParsePosition(f *testing.F) {
	f.Add(`{"topic":"t","partition":0,"next":5,"leaderEpoch":1,"stop":-1}`)
	f.Add(`{"topic":"t","partition":-1}`)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePosition(exec.Split{ID: "t-0", Position: []byte(s)})
		if err != nil {
			return
		}
		if back, err := parsePosition(p.split()); err != nil || back != p {
			t.Errorf("%+v became %+v, %v", p, back, err)
		}
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add(`{"transactionalId":"a.b.0","producerId":1,"transactionVersion":2,"ledger":{"group":"g","topic":"t"}}`)
	f.Fuzz(func(t *testing.T, s string) {
		k, err := parseToken(exec.Token(s))
		if err == nil && (k.ID == "" || k.Ledger.Group == "") {
			t.Errorf("accepted %+v", k)
		}
	})
}

func FuzzJAAS(f *testing.F) {
	f.Add(`org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";`)
	f.Add(`org.apache.kafka.common.security.plain.PlainLoginModule required username=u password="\`)
	f.Fuzz(func(t *testing.T, s string) {
		if _, _, err := parseJAAS(s); err != nil && len(s) > 100 && strings.Contains(err.Error(), s) {
			t.Error("the error quotes the text")
		}
	})
}

func FuzzPartitionOffsets(f *testing.F) {
	f.Add("partition:0,offset:42;partition:1,offset:300")
	f.Fuzz(func(t *testing.T, s string) {
		r := optionReader{opts: connectors.Options{"k": s}}
		m := r.partitionOffsets("k")
		if r.err == nil && len(m) == 0 {
			t.Error("neither offsets nor an error")
		}
		for p, o := range m {
			if p < 0 || o < 0 {
				t.Errorf("partition %d, offset %d", p, o)
			}
		}
	})
}
